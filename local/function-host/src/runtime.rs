//! Runtimes: which there are, and how a sandbox of each is started.
//!
//! A runtime turns a function's code into a command line and adds what its functions expect in their
//! environment. Executables (`provided.*`) need neither interpreter nor client: the code is the program.
//! A runtime with an interpreter of its own goes here too: a variant, its command, its variables.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The runtimes that Lambda's model names; those of them that run here are in [`Runtime`].
const KNOWN: &[&str] = &[
    "nodejs24.x",
    "nodejs22.x",
    "nodejs20.x",
    "nodejs18.x",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3.9",
    "java25",
    "java21",
    "java17",
    "java11",
    "java8.al2",
    "dotnet10",
    "dotnet8",
    "ruby3.4",
    "ruby3.3",
    "ruby3.2",
    "provided.al2023",
    "provided.al2",
];

/// A runtime that runs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Runtime {
    #[serde(rename = "provided.al2023")]
    ProvidedAl2023,
    #[serde(rename = "provided.al2")]
    ProvidedAl2,
}

/// A command line, and the directory it runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) args: Vec<String>,
    /// `LAMBDA_TASK_ROOT`.
    pub(crate) task_root: PathBuf,
}

/// The program is not there or cannot be run. The text is what follows `RequestId: … Error: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidEntrypoint(pub(crate) String);

impl Runtime {
    /// The runtime of this name; an error that tells one we do not know from one we do not run.
    pub(crate) fn parse(name: &str) -> Result<Self, Error> {
        match name {
            "provided.al2023" => Ok(Self::ProvidedAl2023),
            "provided.al2" => Ok(Self::ProvidedAl2),
            known if KNOWN.contains(&known) => Err(Error::InvalidParameterValue(format!(
                "Runtime {known} is not implemented by this server, which runs executables: provided.al2023, provided.al2"
            ))),
            other => Err(Error::InvalidParameterValue(format!(
                "Value {other} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or \
                 be a valid ARN",
                KNOWN.join(", ")
            ))),
        }
    }

    /// AWS's name for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ProvidedAl2023 => "provided.al2023",
            Self::ProvidedAl2 => "provided.al2",
        }
    }

    /// What to run for code at `path`, which is an executable or a directory.
    pub(crate) fn program(self, path: &Path) -> Result<Program, InvalidEntrypoint> {
        match self {
            Self::ProvidedAl2023 | Self::ProvidedAl2 => executable(path),
        }
    }

    /// Variables beside those that every function has. `AWS_EXECUTION_ENV` is absent for `provided.*`.
    pub(crate) fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::ProvidedAl2023 | Self::ProvidedAl2 => &[],
        }
    }
}

/// `bootstrap` in a directory, or the file itself.
fn executable(path: &Path) -> Result<Program, InvalidEntrypoint> {
    let (program, task_root) = if path.is_dir() {
        (path.join("bootstrap"), path.to_owned())
    } else {
        (path.to_owned(), path.parent().unwrap_or(Path::new("/")).to_owned())
    };
    let Ok(metadata) = program.metadata() else {
        let shown = program.display();
        return Err(InvalidEntrypoint(format!("Couldn't find valid bootstrap(s): [{shown} /opt/bootstrap]")));
    };
    if !metadata.is_file() || !is_executable(&metadata) {
        return Err(InvalidEntrypoint(format!("fork/exec {}: permission denied", program.display())));
    }
    Ok(Program { path: program, args: Vec::new(), task_root })
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
        assert!(message("nodejs22.x").starts_with("Runtime nodejs22.x is not implemented"));
        assert!(message("cobol85").starts_with("Value cobol85 at 'runtime' failed to satisfy constraint"));
    }

    #[test]
    fn says_what_is_missing() {
        let directory = tempfile::tempdir().expect("a directory");
        let error = Runtime::ProvidedAl2023.program(directory.path()).expect_err("nothing is in it");
        assert!(error.0.starts_with("Couldn't find valid bootstrap(s): ["), "{error:?}");
        std::fs::write(directory.path().join("bootstrap"), "no program").expect("it is written");
        let error = Runtime::ProvidedAl2023.program(directory.path()).expect_err("it cannot be run");
        assert!(error.0.ends_with("bootstrap: permission denied"), "{error:?}");
    }
}
