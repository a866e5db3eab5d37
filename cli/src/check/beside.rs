//! What a serverless.yml may ask for while it is checked: files, scripts and the environment, as `dev` answers. What only
//! a deployment knows is taken for unknown: a check needs no account.

use std::path::Path;

use check::unknown;
use template::serverless::{Evaluated, Evaluation, StoredParameter, Surroundings};

use crate::stack_file::Local;

/// What lies around the file.
pub struct Beside<'a>(pub Local<'a>);

impl Surroundings for Beside<'_> {
    fn environment(&self, name: &str) -> Option<String> {
        self.0.variable(name)
    }

    fn read(&self, path: &Path) -> Result<Option<String>, String> {
        self.0.read(path)
    }

    fn evaluate(&self, evaluation: &Evaluation) -> Result<Evaluated, String> {
        self.0.evaluate(evaluation)
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
