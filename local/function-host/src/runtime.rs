//! Runtimes: which there are, and what each is.
//!
//! A runtime turns a function's code into a command line. Executables (`provided.*`) need neither interpreter nor
//! client: the code is the program. How Node.js and Python functions are started is told in `runtimes/`.

use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::Error;

/// The runtimes that run here. Those that AWS no longer lets anybody make are here too: old projects name them.
const RUN_HERE: &[Runtime] = &[
    Runtime::node("nodejs24.x", 24),
    Runtime::node("nodejs22.x", 22),
    Runtime::node("nodejs20.x", 20),
    Runtime::node("nodejs18.x", 18),
    Runtime::node("nodejs16.x", 16),
    Runtime::node("nodejs14.x", 14),
    Runtime::node("nodejs12.x", 12),
    Runtime::node("nodejs10.x", 10),
    Runtime::node("nodejs8.10", 8),
    Runtime::python("python3.14", 14),
    Runtime::python("python3.13", 13),
    Runtime::python("python3.12", 12),
    Runtime::python("python3.11", 11),
    Runtime::python("python3.10", 10),
    Runtime::python("python3.9", 9),
    Runtime::python("python3.8", 8),
    Runtime::python("python3.7", 7),
    Runtime::python("python3.6", 6),
    Runtime { name: "provided.al2023", kind: Kind::Provided },
    Runtime { name: "provided.al2", kind: Kind::Provided },
];

/// What Lambda's model names besides.
const KNOWN: &[&str] =
    &["java25", "java21", "java17", "java11", "java8.al2", "dotnet10", "dotnet8", "ruby3.4", "ruby3.3", "ruby3.2"];

/// A runtime that runs here; stored by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub(crate) struct Runtime {
    name: &'static str,
    pub(crate) kind: Kind,
}

/// What runs the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Itself.
    Provided,
    /// `node` of this major version.
    Node(u32),
    /// `python3` of this minor version.
    Python(u32),
}

/// A command line, the directory it runs in, and what it finds in its environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) args: Vec<String>,
    /// `LAMBDA_TASK_ROOT`.
    pub(crate) task_root: PathBuf,
    /// Where a function on AWS would find its layers: `/opt`.
    pub(crate) opt: Option<PathBuf>,
    /// Variables that the runtime sets unless the user does.
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// The program is not there or cannot be run. The text is what follows `RequestId: … Error: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidEntrypoint(pub(crate) String);

impl Runtime {
    const fn node(name: &'static str, major: u32) -> Self {
        Self { name, kind: Kind::Node(major) }
    }

    const fn python(name: &'static str, minor: u32) -> Self {
        Self { name, kind: Kind::Python(minor) }
    }

    /// The runtime of this name; an error that tells one we do not know from one we do not run.
    pub(crate) fn parse(name: &str) -> Result<Self, Error> {
        if let Some(runtime) = RUN_HERE.iter().find(|runtime| runtime.name == name) {
            return Ok(*runtime);
        }
        let here = || RUN_HERE.iter().map(|runtime| runtime.name);
        if KNOWN.contains(&name) {
            let here: Vec<&str> = here().collect();
            return Err(Error::InvalidParameterValue(format!(
                "Runtime {name} is not implemented by this server, which runs {}",
                here.join(", ")
            )));
        }
        let all: Vec<&str> = here().chain(KNOWN.iter().copied()).collect();
        Err(Error::InvalidParameterValue(format!(
            "Value {name} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be a \
             valid ARN",
            all.join(", ")
        )))
    }

    /// AWS's name for it.
    pub(crate) fn as_str(self) -> &'static str {
        self.name
    }

    /// `AWS_EXECUTION_ENV`, which `provided.*` has not.
    pub(crate) fn execution_environment(self) -> Option<String> {
        (self.kind != Kind::Provided).then(|| format!("AWS_Lambda_{}", self.name))
    }

    /// The file that source text becomes which was given instead of an archive, as `CloudFormation` names it.
    pub(crate) fn inline_file(self) -> Option<&'static str> {
        match self.kind {
            Kind::Node(_) => Some("index.js"),
            Kind::Python(_) => Some("index.py"),
            Kind::Provided => None,
        }
    }
}

impl<'de> Deserialize<'de> for Runtime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Every runtime that Lambda's model names.
pub(crate) fn known() -> Vec<&'static str> {
    RUN_HERE.iter().map(|runtime| runtime.name).chain(KNOWN.iter().copied()).collect()
}

/// Whether it is one of them.
pub(crate) fn is_known(name: &str) -> bool {
    known().contains(&name)
}

impl From<Runtime> for String {
    fn from(runtime: Runtime) -> Self {
        runtime.name.to_owned()
    }
}

/// `bootstrap` in a directory or in a layer, or the file itself.
pub(crate) fn executable(path: &Path, opt: Option<&Path>) -> Result<Program, InvalidEntrypoint> {
    let (own, task_root) = if path.is_dir() {
        (path.join("bootstrap"), path.to_owned())
    } else {
        (path.to_owned(), path.parent().unwrap_or(Path::new("/")).to_owned())
    };
    let of_layer = opt.map(|opt| opt.join("bootstrap")).filter(|bootstrap| !own.exists() && bootstrap.exists());
    let program = of_layer.unwrap_or(own);
    let Ok(metadata) = program.metadata() else {
        let shown = program.display();
        return Err(InvalidEntrypoint(format!("Couldn't find valid bootstrap(s): [{shown} /opt/bootstrap]")));
    };
    if !metadata.is_file() || !is_executable(&metadata) {
        return Err(InvalidEntrypoint(format!("fork/exec {}: permission denied", program.display())));
    }
    Ok(Program { path: program, task_root, opt: opt.map(Path::to_owned), ..Program::default() })
}

fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_unknown_runtimes_from_those_not_run_here() {
        let message = |name| Runtime::parse(name).expect_err("not run here").to_string();
        assert!(message("java21").starts_with("Runtime java21 is not implemented"));
        assert!(message("cobol85").starts_with("Value cobol85 at 'runtime' failed to satisfy constraint"));
    }

    #[test]
    fn is_stored_by_its_name() {
        let stored = serde_json::to_string(&Runtime::parse("python3.12").expect("it runs here")).expect("text");
        assert_eq!(stored, r#""python3.12""#);
        let read: Runtime = serde_json::from_str(&stored).expect("it is read");
        assert_eq!((read.as_str(), read.kind), ("python3.12", Kind::Python(12)));
    }

    #[test]
    fn says_what_is_missing() {
        let directory = tempfile::tempdir().expect("a directory");
        let error = executable(directory.path(), None).expect_err("nothing is in it");
        assert!(error.0.starts_with("Couldn't find valid bootstrap(s): ["), "{error:?}");
        std::fs::write(directory.path().join("bootstrap"), "no program").expect("it is written");
        let error = executable(directory.path(), None).expect_err("it cannot be run");
        assert!(error.0.ends_with("bootstrap: permission denied"), "{error:?}");
    }
}
