//! The journeys: whole stories through the binary, told by clients that others wrote.
//!
//! They lie in `tests/journeys`, one folder per language, and are run by that language's own runner. Their packages go
//! into `.journeys/`, which git ignores; which packages, and in which versions, the lock files there say.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::outcome::Outcome;
use crate::project::{self, Project};
use crate::test::{self, Part};

/// A language whose clients tell journeys.
pub struct Language {
    pub name: &'static str,
    /// The programs to try, and the arguments with which they show that they will do.
    programs: &'static [&'static str],
    proof: &'static [&'static [&'static str]],
    /// What to do where none will.
    pub advice: &'static str,
    /// The files that say which packages are wanted.
    locks: &'static [&'static str],
    install: fn(&Project, &str) -> Result<()>,
    /// How the names of files with journeys end.
    suffix: &'static str,
    /// The runner; the files follow.
    runner: fn(&Project, Option<&str>) -> Command,
}

pub const NODE: Language = Language {
    name: "node",
    programs: &["node"],
    proof: &[&["-e", "process.exit(+process.versions.node.split('.')[0] >= 20 ? 0 : 1)"]],
    advice: "needs Node.js 20 or newer with npm (https://nodejs.org, or your system's packages nodejs and npm)",
    locks: &["package.json", "package-lock.json"],
    install: install_node,
    suffix: ".test.js",
    runner: node,
};

pub const PYTHON: Language = Language {
    name: "python",
    programs: &["python3", "python"],
    proof: &[
        &["-c", "import sys; sys.exit(sys.version_info < (3, 10))"],
        &["-c", "import venv, ensurepip"], // Debian packs them apart
    ],
    advice: "needs Python 3.10 or newer with venv (https://python.org, or your system's packages python3 and python3-venv)",
    locks: &["requirements.txt"],
    install: install_python,
    suffix: "_test.py",
    runner: pytest,
};

/// Runs all journeys, or those whose names contain `filter`. A language that is not there is a skip that the end tells
/// of, and an error in CI.
pub fn run(project: &Project, filter: Option<&str>) -> Result<Vec<Part>> {
    let logs = logs(project);
    drop(fs::remove_dir_all(&logs));
    fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
    let mut parts = Vec::new();
    for language in [NODE, PYTHON] {
        parts.push(language.run(project, filter)?);
    }
    if parts.iter().any(|part| part.outcome.failed > 0) {
        println!("What the servers of the journeys said is in {}", logs.display());
    }
    Ok(parts)
}

/// Runs those of Python whose names contain `filter`.
pub fn run_python(project: &Project, filter: &str) -> Result<Part> {
    let logs = logs(project);
    fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
    PYTHON.run(project, Some(filter))
}

/// Installs what journeys import, for whoever else needs it.
pub fn set_up(project: &Project) -> Result<()> {
    for language in [NODE, PYTHON] {
        if let Some(program) = language.program(project) {
            language.set_up(project, program)?;
        }
    }
    Ok(())
}

/// Under CI, says at once what is missing, before anything was built for nothing.
pub fn check_tools(project: &Project) -> Result<()> {
    for language in [NODE, PYTHON] {
        if project::is_ci() && language.program(project).is_none() {
            bail!("the {} journeys cannot be skipped under CI: {}", language.name, language.advice);
        }
    }
    Ok(())
}

impl Language {
    fn run(&self, project: &Project, filter: Option<&str>) -> Result<Part> {
        let Some(program) = self.program(project) else {
            println!("The {} journeys are skipped: this {}", self.name, self.advice);
            let outcome = Outcome { skipped: 1, ..Outcome::default() };
            return Ok(Part { name: self.name, outcome, skipped: Some(self.advice.to_owned()) });
        };
        self.set_up(project, program)?;
        test::say(&format!("the {} journeys", self.name));
        let mut command = (self.runner)(project, filter);
        command.args(self.files(project)?);
        command.env("TANDEM_BIN", project.binary("debug")?).env("TANDEM_JOURNEY_LOGS", logs(project));
        let mut outcome = test::count(&mut command)?;
        if outcome.passed == 0 && outcome.failed == 0 && filter.is_none() {
            println!("The {} journeys ran no test", self.name);
            outcome.failed = 1;
        }
        Ok(Part { name: self.name, outcome, skipped: None })
    }

    /// The program that will do, if one is there.
    pub fn program(&self, project: &Project) -> Option<&'static str> {
        let will_do = |program: &&&str| self.proof.iter().all(|proof| project.has(program, proof));
        self.programs.iter().find(will_do).copied()
    }

    /// Installs the packages, unless those that the lock files name are there already.
    fn set_up(&self, project: &Project, program: &str) -> Result<()> {
        let wanted: String = self.locks.iter().map(|lock| self.read(project, lock)).collect::<Result<_>>()?;
        let stamp = place(project, self.name).join("installed");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        test::say(&format!("fetching the packages of the {} journeys into .journeys/{}", self.name, self.name));
        fs::create_dir_all(place(project, self.name))?;
        (self.install)(project, program)?;
        fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
    }

    fn files(&self, project: &Project) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(sources(project, self.name))? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(self.suffix) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    fn read(&self, project: &Project, lock: &str) -> Result<String> {
        let path = sources(project, self.name).join(lock);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// npm installs beside the lock file, and Node looks for packages above the tests: hence the copy and the link.
fn install_node(project: &Project, _node: &str) -> Result<()> {
    let (from, to) = (sources(project, "node"), place(project, "node"));
    for lock in NODE.locks {
        fs::copy(from.join(lock), to.join(lock)).with_context(|| format!("cannot copy {lock}"))?;
    }
    let mut npm = project.command("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]).current_dir(&to);
    project::run(&mut npm).with_context(|| NODE.advice.to_owned())?;
    let link = from.join("node_modules");
    if link.symlink_metadata().is_err() {
        #[cfg(unix)]
        std::os::unix::fs::symlink("../../../.journeys/node/node_modules", &link)
            .with_context(|| format!("cannot link {}", link.display()))?;
    }
    Ok(())
}

fn install_python(project: &Project, python: &str) -> Result<()> {
    let to = place(project, "python");
    project::run(project.command(python).args(["-m", "venv", "--clear"]).arg(&to))?;
    let mut pip = project.command(to.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    project::run(pip.arg(sources(project, "python").join("requirements.txt")))
}

fn node(project: &Project, filter: Option<&str>) -> Command {
    let mut command = project.command("node");
    command.args(["--test", "--test-concurrency=2", "--test-reporter=spec"]);
    command.env("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true"); // it would be said once per file
    if let Some(filter) = filter {
        command.arg(format!("--test-name-pattern={filter}"));
    }
    command
}

fn pytest(project: &Project, filter: Option<&str>) -> Command {
    let mut command = project.command(place(project, "python").join("bin/python"));
    command.args(["-m", "pytest", "--no-header", "--numprocesses=2", "-p", "no:cacheprovider"]);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(filter) = filter {
        command.args(["-k", filter]);
    }
    command
}

fn sources(project: &Project, language: &str) -> PathBuf {
    project.root.join("tests/journeys").join(language)
}

/// Where a language's packages are.
pub fn place(project: &Project, language: &str) -> PathBuf {
    project.root.join(".journeys").join(language)
}

fn logs(project: &Project) -> PathBuf {
    project.root.join(".journeys/logs")
}
