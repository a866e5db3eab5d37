//! The interpreters of this machine: which `node` and `python3` there are on the PATH of the server.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::OnceCell;

use super::tool::{self, Failed};
use crate::runtime::{InvalidEntrypoint, Kind, Runtime};

/// To say its version.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
/// What our clients of the Runtime API need.
const NODE_MAJOR_MIN: u32 = 16;
const PYTHON_MINOR_MIN: u32 = 8;

/// Those that were found. One that was not is looked for again: somebody may install it meanwhile.
#[derive(Default)]
pub(super) struct Interpreters {
    found: Mutex<HashMap<&'static str, Arc<OnceCell<Interpreter>>>>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interpreter {
    /// The real one: not a script that looks for it at every start.
    pub(super) path: PathBuf,
    pub(super) version: (u32, u32, u32),
    /// Whether it has boto3 among its own packages.
    pub(super) has_boto3: bool,
}

impl Interpreters {
    pub(super) async fn find(&self, runtime: Runtime) -> Result<Interpreter, InvalidEntrypoint> {
        let cell = {
            let mut found = self.found.lock().expect("no holder panics");
            Arc::clone(found.entry(runtime.as_str()).or_default())
        };
        cell.get_or_try_init(|| look_for(runtime, Path::new(""))).await.cloned()
    }
}

impl Interpreter {
    /// What to tell people if it is not of the version that a function asks for.
    pub(super) fn difference(&self, runtime: Runtime) -> Option<String> {
        let (major, minor, _) = self.version;
        let (name, has, wants) = match runtime.kind {
            Kind::Node(wanted) if wanted != major => ("Node.js", major.to_string(), wanted.to_string()),
            Kind::Python(wanted) if (3, wanted) != (major, minor) => {
                ("Python", format!("{major}.{minor}"), format!("3.{wanted}"))
            }
            _ => return None,
        };
        let path = self.path.display();
        Some(format!(
            "functions of {} run on {name} {has} ({path}): install {name} {wants} to be exact",
            runtime.as_str()
        ))
    }

    /// `PATH` for functions: what AWS has, with this interpreter first and layers in the place of `/opt`.
    pub(super) fn search_path(&self, opt: Option<&Path>) -> String {
        let mut places = vec![];
        places.extend(self.path.parent().map(Path::to_owned));
        places.extend(["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from));
        places.push(opt.map_or_else(|| PathBuf::from("/opt/bin"), |opt| opt.join("bin")));
        super::joined(&places)
    }
}

/// In a directory, or on the PATH if that is empty.
async fn look_for(runtime: Runtime, directory: &Path) -> Result<Interpreter, InvalidEntrypoint> {
    let (names, arguments, product, version) = match runtime.kind {
        Kind::Node(major) => {
            let script = "process.stdout.write(JSON.stringify([process.execPath, process.versions.node, false]))";
            (vec!["node".to_owned()], vec!["-e", script], "Node.js", format!("{major}"))
        }
        Kind::Python(minor) => {
            let script = "import sys, json, importlib.util as u; print(json.dumps([sys.executable, \
                          '.'.join(map(str, sys.version_info[:3])), u.find_spec('boto3') is not None]))";
            let names = vec![format!("python3.{minor}"), "python3".to_owned()];
            (names, vec!["-c", script], "Python", format!("3.{minor}"))
        }
        Kind::Provided => return Err(super::not_here(runtime)),
    };
    let mut too_old = None;
    for name in &names {
        let Some(interpreter) = ask(&directory.join(name), &arguments).await else { continue };
        let (major, minor, patch) = interpreter.version;
        let works = match runtime.kind {
            Kind::Node(_) => major >= NODE_MAJOR_MIN,
            _ => major == 3 && minor >= PYTHON_MINOR_MIN,
        };
        if works {
            return Ok(interpreter);
        }
        too_old = Some(format!("{} is {product} {major}.{minor}.{patch}", interpreter.path.display()));
    }
    let reason = too_old.unwrap_or_else(|| format!("there is no `{}` on this server's PATH", names.join("` or `")));
    let text = format!("Runtime {} needs {product}, and {reason}: install {product} {version}", runtime.as_str());
    tracing::warn!("{text}");
    Err(InvalidEntrypoint(text))
}

/// What an interpreter says of itself; none if there is none, or if it is a shim for one that is not there.
async fn ask(program: &Path, arguments: &[&str]) -> Option<Interpreter> {
    let mut command = Command::new(program);
    command.args(arguments).env_remove("NODE_OPTIONS").env_remove("PYTHONPATH");
    let output = match tool::run(&mut command, ANSWER_TIME_MAX).await {
        Ok(output) if output.succeeded => output.stdout,
        Ok(_) | Err(Failed::NotFound) => return None,
        Err(Failed::Other(error)) => {
            tracing::warn!(error, "{} cannot be run", program.display());
            return None;
        }
    };
    let (path, version, has_boto3): (PathBuf, String, bool) = serde_json::from_str(output.trim()).ok()?;
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    Some(Interpreter { path, version: (next(), next(), next()), has_boto3 })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    async fn refused(runtime: &str, directory: &Path) -> String {
        let runtime = Runtime::parse(runtime).expect("it runs here");
        look_for(runtime, directory).await.expect_err("there is none").0
    }

    #[tokio::test]
    async fn what_is_missing_is_named_with_what_to_install() {
        let empty = tempfile::tempdir().expect("a directory");
        let node = "Runtime nodejs22.x needs Node.js, and there is no `node` on this server's PATH: install Node.js 22";
        assert_eq!(refused("nodejs22.x", empty.path()).await, node);
        let python = "Runtime python3.12 needs Python, and there is no `python3.12` or `python3` on this server's PATH: \
                      install Python 3.12";
        assert_eq!(refused("python3.12", empty.path()).await, python);
    }

    #[tokio::test]
    async fn what_is_too_old_is_named_too() {
        let directory = tempfile::tempdir().expect("a directory");
        let node = directory.path().join("node");
        std::fs::write(&node, "#!/bin/sh\necho '[\"/old/node\",\"14.1.0\",false]'\n").expect("it is written");
        std::fs::set_permissions(&node, PermissionsExt::from_mode(0o755)).expect("it may run");
        let told = "Runtime nodejs22.x needs Node.js, and /old/node is Node.js 14.1.0: install Node.js 22";
        assert_eq!(refused("nodejs22.x", directory.path()).await, told);
    }
}
