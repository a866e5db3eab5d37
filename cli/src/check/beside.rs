//! What a serverless.yml may ask for while it is checked: files, and the environment. What only a deployment knows is
//! taken for unknown: a check needs no account, and no Node.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use check::unknown;
use template::serverless::{Evaluated, Evaluation, StoredParameter, Surroundings};

/// The folder that the file lies in.
pub struct Beside {
    pub folder: PathBuf,
}

impl Surroundings for Beside {
    fn environment(&self, name: &str) -> Option<String> {
        std::env::var_os(name)?.into_string().ok()
    }

    fn read(&self, path: &Path) -> Result<Option<String>, String> {
        match std::fs::read_to_string(self.folder.join(path)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn evaluate(&self, evaluation: &Evaluation) -> Result<Evaluated, String> {
        let file = evaluation.file.display();
        Err(format!("{file} would have to be run; check what `serverless package` writes into .serverless instead"))
    }

    fn git(&self, fact: &str) -> Option<String> {
        Some(unknown(&format!("git {fact}")))
    }

    fn parameter(&self, name: &str, _: &str) -> Option<StoredParameter> {
        Some(StoredParameter { value: unknown(&format!("ssm {name}")), kind: "String".to_owned() })
    }

    fn secret(&self, id: &str, _: &str) -> Option<String> {
        Some(unknown(&format!("secret {id}")))
    }

    fn stack_output(&self, stack: &str, output: &str, _: &str) -> Option<String> {
        Some(unknown(&format!("output {stack}.{output}")))
    }
}
