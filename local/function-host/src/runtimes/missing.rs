//! What to do about a package that a function names and nobody has: the command that installs it. Our clients of the
//! Runtime API put it behind the error of the import, which is what people see first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Wanted;
use super::interpreter::Interpreter;
use super::packages::shown;

/// The variable that our clients find this in. They take it out before the handler is loaded.
pub(super) const VARIABLE: &str = "TANDEM_INSTALL";

/// Commands that install.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Commands {
    /// What is named behind it.
    one: String,
    /// All that the project says it needs, and where it says so.
    all: Option<(PathBuf, String)>,
    /// Behind either: where to run it.
    place: &'static str,
    /// What Lambda's runtime would have brought along, by package.
    brought: BTreeMap<String, String>,
}

impl Commands {
    pub(super) fn for_node(wanted: Wanted<'_>, brought: BTreeMap<String, String>) -> Self {
        if !wanted.changes {
            return Self::before_packing("npm install".into(), brought);
        }
        let manifest = wanted.code.ancestors().map(|at| at.join("package.json")).find(|path| path.is_file());
        let root = manifest.as_deref().and_then(Path::parent).unwrap_or(wanted.code).display().to_string();
        let command = shown(Path::new("npm"), &["install", "--prefix", &root]);
        Self { one: command.clone(), all: manifest.map(|manifest| (manifest, command)), place: "", brought }
    }

    pub(super) fn for_python(wanted: Wanted<'_>, python: &Interpreter, brought: BTreeMap<String, String>) -> Self {
        let root = if wanted.changes { wanted.code.display().to_string() } else { ".".into() };
        let mut arguments = vec!["-m", "pip", "install", "--target", &root];
        let one = shown(&python.path, &arguments);
        if !wanted.changes {
            return Self::before_packing(one, brought);
        }
        let manifest = wanted.code.join("requirements.txt");
        let listed = manifest.display().to_string();
        arguments.extend(["-r", &listed]);
        let all = manifest.is_file().then(|| (manifest, shown(&python.path, &arguments)));
        Self { one, all, place: "", brought }
    }

    /// Code that was uploaded lies where nobody should install anything.
    fn before_packing(one: String, brought: BTreeMap<String, String>) -> Self {
        Self { one, all: None, place: " (in the project, before it is packed)", brought }
    }

    pub(super) fn variable(&self) -> (&'static str, String) {
        (VARIABLE, serde_json::to_string(self).unwrap_or_default()) // paths that are no text were made text above
    }
}
