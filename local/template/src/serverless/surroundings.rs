//! What a service's file asks of the world around it. The caller answers: nothing in this crate reads the environment,
//! the disk or the network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The world around a service, as far as its variables can ask for it.
///
/// "Nothing" is an answer: then the variable's fallback counts.
pub trait Surroundings {
    /// A variable of the process's environment. `.env` files are looked into by the compiler itself.
    fn environment(&self, name: &str) -> Option<String>;

    /// The text of a file; nothing if it is not there; a reason if it is and cannot be read.
    fn read(&self, path: &Path) -> Result<Option<String>, String>;

    /// What a JavaScript or TypeScript file exports, by the user's Node.
    fn evaluate(&self, evaluation: &Evaluation) -> Result<Evaluated, String>;

    /// A fact about the Git repository: `sha1`, `commit`, `branch`, `message`, `describe`, `isDirty`, `repository`,
    /// `tags` and the like.
    fn git(&self, fact: &str) -> Option<String>;

    /// A parameter of Parameter Store.
    fn parameter(&self, name: &str, region: &str) -> Option<StoredParameter>;

    /// A secret of Secrets Manager: its `SecretString`.
    fn secret(&self, id: &str, region: &str) -> Option<String>;

    /// An output of a stack that was deployed before.
    fn stack_output(&self, stack: &str, output: &str, region: &str) -> Option<String>;
}

/// A parameter of Parameter Store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredParameter {
    /// Its value.
    pub value: String,
    /// `String`, `StringList` or `SecureString`: a list is split at its commas, secure JSON is read.
    pub kind: String,
}

/// A JavaScript or TypeScript file to be evaluated.
///
/// A function that is exported is called with `{options, resolveVariable, resolveConfigurationProperty}`. What these
/// two are asked must stand in `answers`; if it does not, the evaluation ends with [`Evaluated::Needs`] and is begun
/// again with more answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The file.
    pub file: PathBuf,
    /// Members to go into, apart by dots. A function found on the way is called, too.
    pub address: Option<String>,
    /// Options of the command line, `stage` and `region` among them.
    pub options: BTreeMap<String, String>,
    /// Answers by what was asked: `sls:stage` for `resolveVariable`, `self:provider.stage` for a property.
    pub answers: BTreeMap<String, Value>,
}

/// What became of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluated {
    /// A value, as JSON text; `null` if there is none.
    Json(String),
    /// There is no such file.
    NoFile,
    /// A variable must be resolved first: its text without `${` and `}`.
    Needs(String),
}
