//! What a service's file may ask of this machine: the environment, files beside it, and what scripts come to. The same
//! for `dev`, which serves the service, and for `check`, which only looks at it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use server::template::serverless::{Evaluated, Evaluation, dotenv};
use server::template::{Node, Source, Span, TemplateError, load};

use super::disk::Disk;
use super::script::{Exported, Script};

/// A file that was not read.
#[derive(Debug)]
pub enum Unread {
    /// Something in it is wrong.
    Template(TemplateError),
    /// It is not there, or could not be evaluated.
    Source(String),
}

impl From<TemplateError> for Unread {
    fn from(error: TemplateError) -> Self {
        Self::Template(error)
    }
}

/// This machine, as a service in a folder sees it.
#[derive(Debug)]
pub struct Local<'a> {
    /// An absolute path.
    pub folder: PathBuf,
    /// Variables of files that were named; those beside the service are read by whoever resolves its variables.
    pub environment: BTreeMap<String, String>,
    pub disk: &'a Disk,
}

impl<'a> Local<'a> {
    /// What lies around a file.
    pub fn around(path: &Path, disk: &'a Disk) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Self { folder, environment: BTreeMap::new(), disk }
    }

    /// The document that a service's file comes to. One in JavaScript or TypeScript is evaluated: all of it has the
    /// place of the file's beginning.
    pub fn document(&self, path: &Path, options: BTreeMap<String, String>) -> Result<Node, Unread> {
        let unread = |error: io::Error| Unread::Source(format!("{} cannot be read: {error}", path.display()));
        let source = Source::new(path, self.disk.text(path).map_err(unread)?);
        if !is_script(path) {
            return Ok(load(&source)?);
        }
        let wrong = |error: String| Unread::Source(format!("{}: {error}", path.display()));
        let file = std::path::absolute(path).map_err(unread)?;
        let evaluation = Evaluation { file, address: None, options, answers: BTreeMap::new() };
        let Exported::Json(json) = self.run(&evaluation).map_err(wrong)? else {
            return Err(wrong("it asks for a variable before it says what it is".to_owned()));
        };
        let value = serde_json::from_str(&json).map_err(|error| wrong(error.to_string()))?;
        Ok(Node::from_json(&Span { source, start: 0, end: 0 }, &value))
    }

    /// What the shell says goes before what files say.
    #[expect(clippy::disallowed_methods, reason = "${env:NAME} is the environment of whoever starts us")]
    pub fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().or_else(|| self.environment.get(name).cloned())
    }

    /// A file's text; none if it is not there. Paths start in the service's folder.
    pub fn read(&self, path: &Path) -> Result<Option<String>, String> {
        match self.disk.text(&self.folder.join(path)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// What a script exports.
    pub fn evaluate(&self, evaluation: &Evaluation) -> Result<Evaluated, String> {
        let file = self.folder.join(&evaluation.file);
        self.disk.watch(&file);
        if !fs::exists(&file).unwrap_or_default() {
            return Ok(Evaluated::NoFile);
        }
        Ok(match self.run(&Evaluation { file, ..evaluation.clone() })? {
            Exported::Json(json) => Evaluated::Json(json),
            Exported::Needs(variable) => Evaluated::Needs(variable),
        })
    }

    fn run(&self, evaluation: &Evaluation) -> Result<Exported, String> {
        let mut environment = self.disk.text(&self.folder.join(".env")).map(|text| dotenv(&text)).unwrap_or_default();
        environment.extend(self.environment.clone());
        environment.retain(|name, _| std::env::var_os(name).is_none()); // the shell's own stay
        let script = Script {
            file: &evaluation.file,
            address: evaluation.address.as_deref(),
            options: &evaluation.options,
            answers: &evaluation.answers,
            folder: &self.folder,
            environment: &environment,
        };
        script.evaluate(self.disk)
    }
}

/// Whether a file has to be evaluated to be read.
pub fn is_script(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| matches!(extension, "js" | "cjs" | "mjs" | "ts" | "mts" | "cts"))
}
