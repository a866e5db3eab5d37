//! The project as the tasks see it: where it is, which files it has, what cargo knows of it, and how to run a program in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The work tree.
pub struct Project {
    /// Its top.
    pub root: PathBuf,
}

/// What `cargo metadata` says.
#[derive(Deserialize)]
pub struct Metadata {
    pub packages: Vec<Package>,
    pub workspace_members: Vec<String>,
    pub target_directory: PathBuf,
}

/// One package of the graph.
#[derive(Deserialize)]
pub struct Package {
    pub id: String,
    pub name: String,
    pub version: String,
    pub license: Option<String>,
    /// Nothing for a package of this workspace.
    pub source: Option<String>,
    pub manifest_path: PathBuf,
    pub dependencies: Vec<Dependency>,
}

/// What a package asks for.
#[derive(Deserialize)]
pub struct Dependency {
    pub name: String,
    /// `dev` or `build`; nothing for an everyday dependency.
    pub kind: Option<String>,
    /// Where it is, if it is in this workspace.
    pub path: Option<PathBuf>,
}

impl Project {
    /// The project that this program was built from.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the project")?;
        if !root.join("Cargo.toml").is_file() {
            bail!("{} is no longer there: run `cargo xtask` in the work tree", root.display());
        }
        Ok(Self { root: root.to_owned() })
    }

    /// A program that starts at the top of the tree and reads nothing from the terminal.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        command
    }

    /// Cargo, the one that runs this task.
    pub fn cargo(&self) -> Command {
        // What cargo tells `cargo run` about xtask itself is none of the next build's business: it would make
        // build scripts that read it run again.
        let mut command = self.command(variable("CARGO").unwrap_or_else(|| "cargo".into()));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
                command.env_remove(name);
            }
        }
        command
    }

    /// Whether there is a program of this name that answers `--version`.
    pub fn has(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = if program == "cargo" { self.cargo() } else { self.command(program) };
        let silent = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        silent.status().is_ok_and(|status| status.success())
    }

    /// The files of the tree, relative to its top: those that git tracks and those that it would.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut git = self.command("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
        let listed = read(&mut git)?;
        let paths = listed.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from);
        // A file that was removed but not yet committed is still listed.
        Ok(paths.filter(|path| self.root.join(path).is_file()).collect())
    }

    /// The Rust files of the tree.
    pub fn rust_files(&self) -> Result<Vec<PathBuf>> {
        let files = self.files()?.into_iter();
        Ok(files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect())
    }

    /// The workspace and all that it depends on.
    pub fn metadata(&self) -> Result<Metadata> {
        let json = read(self.cargo().args(["metadata", "--format-version", "1"]))?;
        serde_json::from_str(&json).context("cargo metadata")
    }

    /// Builds the binaries and the tests, for development. One invocation for all, so that cargo settles the features
    /// once and builds every dependency once; it costs nothing when nothing changed.
    pub fn build(&self) -> Result<()> {
        run(self.cargo().args(["build", "--workspace", "--bins", "--tests"]))
    }

    /// Where the `tandem` binary of a profile is once it is built.
    pub fn binary(&self, profile: &str) -> Result<PathBuf> {
        Ok(self.metadata()?.target_directory.join(profile).join("tandem"))
    }
}

/// A variable of the environment, if it is set to something.
#[expect(clippy::disallowed_methods, reason = "a task is a command: it may read its environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether this is CI, where nothing may be skipped.
pub fn is_ci() -> bool {
    variable("CI").is_some_and(|value| value != "false" && value != "0")
}

/// Runs a program to its end; its failure is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a program and returns what it printed; its failure is an error.
pub fn read(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot run {}", shown(command)))?;
    if !output.status.success() {
        bail!("{} failed ({})", shown(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no text", shown(command)))
}

/// A command as people type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words = program.file_name().into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
