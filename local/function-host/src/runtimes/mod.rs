//! How functions of each runtime are started: what must be found, built or installed before, and the command line.
//!
//! Node.js and Python functions run on the interpreter that is installed on this machine, with a small client of
//! the Runtime API that is part of this binary (`bootstrap.js`, `bootstrap.py`): the official ones must be compiled,
//! or are not there for every system. What they do is AWS's: see those files.
//!
//! Nothing here runs during an invocation. A pool prepares its code when its first sandbox is wanted, and again
//! when the code has changed; all others take what was prepared.

mod cargo;
mod interpreter;
mod layers;
mod missing;
mod packages;
#[cfg(test)]
mod tests;
mod tool;
mod typescript;

use std::collections::HashSet;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex as Lock;

use tokio::sync::{Mutex, OnceCell};

use crate::code::make_directory;
use crate::runtime::{InvalidEntrypoint, Kind, Program, Runtime, executable};
use interpreter::{Interpreter, Interpreters};
use missing::Commands;

/// What is written beside the state, by file name.
const FILES: [(&str, &str); 3] = [
    ("bootstrap.js", include_str!("bootstrap.js")),
    ("hooks.mjs", include_str!("hooks.mjs")),
    ("bootstrap.py", include_str!("bootstrap.py")),
];

pub(crate) use cargo::is_project as is_cargo_project;

/// What all functions share: interpreters, our clients, packages.
pub(crate) struct Runtimes {
    directory: PathBuf,
    written: OnceCell<()>,
    interpreters: Interpreters,
    packages: packages::Packages,
    /// Compilers and installers run one at a time: each takes the whole machine.
    working: Mutex<()>,
    warned: Lock<HashSet<String>>,
}

/// What a function is, as far as starting it goes.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) function: &'a str,
    pub(crate) runtime: Runtime,
    pub(crate) handler: &'a str,
    /// An executable or a directory.
    pub(crate) code: &'a Path,
    /// Whether somebody may change the code where it lies.
    pub(crate) changes: bool,
    /// Of layers, the first one first.
    pub(crate) layers: &'a [PathBuf],
}

impl Runtimes {
    /// Keeps its files in `directory`, and packages in `packages`. Nothing is written before it is needed.
    pub(crate) fn new(directory: PathBuf, packages: PathBuf) -> Self {
        Self {
            directory,
            written: OnceCell::new(),
            interpreters: Interpreters::default(),
            packages: packages::Packages::new(packages),
            working: Mutex::default(),
            warned: Lock::default(),
        }
    }

    /// The command line of a function, with all that it needs in place.
    pub(crate) async fn prepare(&self, wanted: Wanted<'_>) -> Result<Program, InvalidEntrypoint> {
        let opt = layers::merged(&self.directory, wanted.layers).await?;
        let mut program = match wanted.runtime.kind {
            Kind::Provided if cargo::is_project(wanted.code) => {
                let _alone = self.working.lock().await;
                cargo::build(wanted.function, wanted.handler, wanted.code).await?
            }
            Kind::Provided => executable(wanted.code, opt.as_deref())?,
            Kind::Node(_) => self.node(wanted, opt.as_deref()).await?,
            Kind::Python(_) => self.python(wanted, opt.as_deref()).await?,
        };
        program.opt = opt;
        Ok(program)
    }

    async fn node(&self, wanted: Wanted<'_>, opt: Option<&Path>) -> Result<Program, InvalidEntrypoint> {
        let root = check_directory(wanted.code)?;
        let Kind::Node(major) = wanted.runtime.kind else { return Err(not_here(wanted.runtime)) };
        let interpreter = self.interpreter(wanted.runtime).await?;
        let mut args = Vec::new();
        let mut environment = Vec::new();
        if let Some(source) = typescript::source(root, wanted.handler) {
            let _alone = self.working.lock().await;
            match typescript::bundle(wanted.function, root, &source, &interpreter).await? {
                typescript::Run::Bundle(bundle) => {
                    args.push("--enable-source-maps".to_owned());
                    environment.push(("TANDEM_BUNDLE", bundle.display().to_string()));
                }
                typescript::Run::Stripped(flags) => args.extend(flags.iter().map(|flag| (*flag).to_owned())),
            }
        }
        args.push(self.file("bootstrap.js").await?);
        let mut places = Vec::new();
        if let Some(opt) = opt {
            places.extend([opt.join(format!("nodejs/node{major}/node_modules")), opt.join("nodejs/node_modules")]);
        }
        let found = |package: &str| places.iter().any(|place| place.join(package).is_dir());
        let brought = self.packages.for_node(wanted, &interpreter, &self.working, found).await;
        places.extend(brought.place);
        environment.push(Commands::for_node(wanted, brought.missing).variable());
        places.push(root.to_owned());
        environment.push(("NODE_PATH", joined(&places)));
        environment.push(("PATH", interpreter.search_path(opt)));
        // Which Node.js this is, is ours to tell: see `interpreter`.
        environment.push(("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true".to_owned()));
        Ok(Program { path: interpreter.path, args, task_root: root.to_owned(), opt: None, environment })
    }

    async fn python(&self, wanted: Wanted<'_>, opt: Option<&Path>) -> Result<Program, InvalidEntrypoint> {
        let root = check_directory(wanted.code)?;
        let interpreter = self.interpreter(wanted.runtime).await?;
        let mut places = Vec::new();
        if let Some(opt) = opt {
            let (major, minor, _) = interpreter.version;
            places.push(opt.join(format!("python/lib/python{major}.{minor}/site-packages")));
            places.push(opt.join("python"));
        }
        let found = |package: &str| places.iter().any(|place| place.join(package).is_dir());
        let brought = self.packages.for_python(wanted, &interpreter, &self.working, found).await;
        places.extend(brought.place);
        let mut args = Vec::new();
        if wanted.changes {
            // Compiled files are recognised by the second in which their source was written. Somebody who saves
            // twice in one second would go on seeing the first.
            args.push("-B".to_owned());
        }
        args.push(self.file("bootstrap.py").await?);
        let commands = Commands::for_python(wanted, &interpreter, brought.missing);
        let environment =
            vec![("PYTHONPATH", joined(&places)), ("PATH", interpreter.search_path(opt)), commands.variable()];
        Ok(Program { path: interpreter.path, args, task_root: root.to_owned(), opt: None, environment })
    }

    /// The interpreter; one of another version than was asked for is named once.
    async fn interpreter(&self, runtime: Runtime) -> Result<Interpreter, InvalidEntrypoint> {
        let interpreter = self.interpreters.find(runtime).await?;
        if let Some(difference) = interpreter.difference(runtime)
            && self.warned.lock().expect("no holder panics").insert(runtime.as_str().to_owned())
        {
            tracing::warn!("{difference}");
        }
        Ok(interpreter)
    }

    /// The path of one of our files, which are written when the first is needed.
    async fn file(&self, name: &str) -> Result<String, InvalidEntrypoint> {
        let write = || async {
            for (name, text) in FILES {
                write(&self.directory, name, text)?;
            }
            Ok(())
        };
        let written: Result<_, std::io::Error> = self.written.get_or_try_init(write).await;
        let path = self.directory.join(name);
        match written {
            Ok(()) => Ok(path.display().to_string()),
            Err(error) => Err(InvalidEntrypoint(format!("{} cannot be written: {error}", path.display()))),
        }
    }
}

fn not_here(runtime: Runtime) -> InvalidEntrypoint {
    InvalidEntrypoint(format!("Runtime {} is not implemented by this server", runtime.as_str()))
}

/// For its owner alone, and in one step: another process may be starting from the same directory.
fn write(directory: &Path, name: &str, text: &str) -> std::io::Result<()> {
    make_directory(directory)?;
    let temporary = directory.join(format!(".{name}.{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(temporary, directory.join(name))
}

fn check_directory(code: &Path) -> Result<&Path, InvalidEntrypoint> {
    if code.is_dir() {
        return Ok(code);
    }
    Err(InvalidEntrypoint(format!("There is no directory {}", code.display())))
}

/// As variables like `PATH` have it.
pub(crate) fn joined(places: &[PathBuf]) -> String {
    let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    places.join(":")
}
