//! What Lambda's own runtimes bring along and projects therefore leave out: the AWS SDKs.
//!
//! A function whose source names an SDK that its project does not have gets it installed, once for all functions,
//! with this machine's `npm` or `pip` and in pinned versions. Of version 3 for JavaScript only the clients that
//! somebody names: all of them would be hundreds of megabytes. Where nothing can be installed the function starts
//! without, and fails as it would for any missing package; the console and that failure name the command that helps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::Mutex;

use super::Wanted;
use super::interpreter::Interpreter;
use super::tool::{self, Failed};
use crate::code::make_directory;
use crate::runtime::Kind;

const INSTALL_TIME_MAX: Duration = Duration::from_mins(5);
/// Of the installer's words, as the console has them.
const ERROR_CHARS_MAX: usize = 600;
/// Source files of a project that are looked through, and how much of each: a project that has more than this
/// surely has its packages.
const FILES_MAX: usize = 2000;
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// `@aws-sdk/*`, by what Node.js they need. A client that did not change has no package of a release's number, so the
/// newest up to it is taken.
const SDK_3: &str = "3.1169.0";
const SDK_3_FOR_NODE_18: &str = "3.800.0";
const SDK_2: &str = "2.1692.0";
const BOTO3: &str = "1.44.5";
const BOTO3_FOR_PYTHON_3_9: &str = "1.37.38";

/// Where packages are installed, and by whom.
pub(super) struct Packages {
    directory: PathBuf,
}

/// What a function gets beside its own packages.
#[derive(Default)]
pub(super) struct Brought {
    /// Where it is, or will be for whoever installs it by hand before the next start.
    pub(super) place: Option<PathBuf>,
    /// What could not be installed, and the command that would do it.
    pub(super) missing: BTreeMap<String, String>,
}

impl Packages {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// A `node_modules` with what a function's source names and its project has not.
    pub(super) async fn for_node(
        &self,
        wanted: Wanted<'_>,
        node: &Interpreter,
        working: &Mutex<()>,
        in_layers: impl Fn(&str) -> bool,
    ) -> Brought {
        let Kind::Node(runtime) = wanted.runtime.kind else { return Brought::default() };
        let (kit, version) = match (runtime, node.version.0) {
            (..18, _) => ("aws-sdk-2", SDK_2),
            (_, ..20) => ("aws-sdk-3-node-18", SDK_3_FOR_NODE_18),
            _ => ("aws-sdk-3", SDK_3),
        };
        let root = wanted.code.to_owned();
        let named = tokio::task::spawn_blocking(move || named_in(&root, runtime < 18)).await.unwrap_or_default();
        let in_project =
            |package: &str| wanted.code.ancestors().any(|at| at.join("node_modules").join(package).is_dir());
        let directory = self.directory.join(kit);
        let modules = directory.join("node_modules");
        let named: Vec<String> = named.into_iter().filter(|name| !in_project(name) && !in_layers(name)).collect();
        if named.is_empty() {
            return Brought::default();
        }
        let _alone = working.lock().await;
        let mut missing: Vec<String> = named.into_iter().filter(|name| !modules.join(name).is_dir()).collect();
        let specifier = |name: &String| format!("{name}@<={version}");
        let prefix = directory.display().to_string();
        if !missing.is_empty() {
            let specifiers: Vec<String> = missing.iter().map(specifier).collect();
            let mut arguments = vec!["install", "--prefix", &prefix];
            arguments.extend(["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--save-exact"]);
            arguments.extend(specifiers.iter().map(String::as_str));
            // One that is not to be had, say an invented name, must not keep the others away.
            if !self.install(wanted.function, &directory, Path::new("npm"), &arguments).await && missing.len() > 1 {
                for specifier in &specifiers {
                    arguments.truncate(8);
                    arguments.push(specifier);
                    self.install(wanted.function, &directory, Path::new("npm"), &arguments).await;
                }
            }
        }
        missing.retain(|name| !modules.join(name).is_dir());
        let command = |name: &String| shown(Path::new("npm"), &["install", "--prefix", &prefix, &specifier(name)]);
        let missing = missing.iter().map(|name| (name.clone(), command(name))).collect();
        Brought { place: Some(modules), missing }
    }

    /// The directory with boto3, for a function that names it and an interpreter that has it not.
    pub(super) async fn for_python(
        &self,
        wanted: Wanted<'_>,
        python: &Interpreter,
        working: &Mutex<()>,
        in_layers: impl Fn(&str) -> bool,
    ) -> Brought {
        if python.has_boto3 || wanted.code.join("boto3").is_dir() || in_layers("boto3") {
            return Brought::default();
        }
        let root = wanted.code.to_owned();
        if !tokio::task::spawn_blocking(move || names_boto3(&root)).await.unwrap_or_default() {
            return Brought::default();
        }
        let (major, minor, _) = python.version;
        let version = if minor < 10 { BOTO3_FOR_PYTHON_3_9 } else { BOTO3 };
        let directory = self.directory.join(format!("boto3-python{major}.{minor}"));
        let _alone = working.lock().await;
        let (target, package) = (directory.display().to_string(), format!("boto3=={version}"));
        let arguments =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", &target, &package];
        let mut missing = BTreeMap::new();
        if !directory.join("boto3").is_dir()
            && !self.install(wanted.function, &self.directory, &python.path, &arguments).await
        {
            let command = shown(&python.path, &arguments);
            missing.extend(["boto3", "botocore"].map(|name| (name.to_owned(), command.clone())));
        }
        Brought { place: Some(directory), missing }
    }

    /// Installs, and says so; whether it went well.
    async fn install(&self, function: &str, directory: &Path, program: &Path, arguments: &[&str]) -> bool {
        let line = shown(program, arguments);
        tracing::info!(function, "installing what Lambda's runtime brings along: {line}");
        let run = async {
            make_directory(directory).map_err(|error| Failed::Other(error.to_string()))?;
            if program == Path::new("npm") {
                // Without it npm would look for a project further up.
                let manifest = directory.join("package.json");
                if !manifest.exists() {
                    fs::write(manifest, "{\"private\": true}\n").map_err(|error| Failed::Other(error.to_string()))?;
                }
            }
            tool::run(tool::command(program, directory).args(arguments), INSTALL_TIME_MAX).await
        };
        let reason: String = match run.await {
            Ok(output) if output.succeeded => return true,
            Ok(output) => output.stderr.trim().chars().take(ERROR_CHARS_MAX).collect(),
            Err(Failed::NotFound) => format!("there is no `{}` on this server's PATH", program.display()),
            Err(Failed::Other(error)) => error,
        };
        tracing::warn!(function, "{reason}\nInstall it in the project, or run: {line}");
        false
    }
}

/// A command line that can be copied into a shell.
pub(super) fn shown(program: &Path, arguments: &[&str]) -> String {
    let quoted = |word: &&str| if word.contains(['<', ' ']) { format!("'{word}'") } else { (*word).to_owned() };
    let words: Vec<String> = arguments.iter().map(quoted).collect();
    format!("{} {}", program.display(), words.join(" "))
}

/// The SDK packages that the project's own source names.
fn named_in(root: &Path, version_2: bool) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    look_through(root, &["js", "mjs", "cjs", "ts", "mts", "cts"], &mut |text| {
        if version_2 {
            let is_named =
                ["'aws-sdk'", "\"aws-sdk\"", "'aws-sdk/", "\"aws-sdk/"].iter().any(|name| text.contains(name));
            named.extend(is_named.then(|| "aws-sdk".to_owned()));
            return false;
        }
        for (at, _) in text.match_indices("@aws-sdk/") {
            let quoted = text[..at].ends_with(['\'', '"', '`']);
            let rest = &text[at + "@aws-sdk/".len()..];
            let name: String =
                rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
            if quoted && !name.is_empty() {
                named.insert(format!("@aws-sdk/{name}"));
            }
        }
        false
    });
    named
}

fn names_boto3(root: &Path) -> bool {
    let mut named = false;
    look_through(root, &["py"], &mut |text| {
        named |= text.contains("boto3") || text.contains("botocore");
        named
    });
    named
}

/// Shows `look` the source files of a project until it has seen enough.
fn look_through(root: &Path, extensions: &[&str], look: &mut impl FnMut(&str) -> bool) {
    let (mut directories, mut files) = (vec![root.to_owned()], 0);
    while let Some(directory) = directories.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            if kind.is_dir() {
                if !crate::watch::is_left_out(&entry.file_name()) {
                    directories.push(path);
                }
                continue;
            }
            let fits = path.extension().and_then(|extension| extension.to_str());
            if !fits.is_some_and(|extension| extensions.contains(&extension)) {
                continue;
            }
            files += 1;
            if files > FILES_MAX {
                return;
            }
            let small = entry.metadata().is_ok_and(|metadata| metadata.len() <= FILE_BYTES_MAX);
            if small && fs::read(&path).is_ok_and(|bytes| look(&String::from_utf8_lossy(&bytes))) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("it is made");
            fs::write(path, text).expect("it is written");
        }
        directory
    }

    #[test]
    fn finds_the_clients_that_the_source_names() {
        let project = project(&[
            ("index.mjs", "import {S3} from '@aws-sdk/client-s3'; // not @aws-sdk/nothing"),
            ("lib/a.ts", "const d = await import(\"@aws-sdk/lib-dynamodb/dist\")"),
            ("node_modules/x/index.js", "require('@aws-sdk/client-sqs')"),
        ]);
        let named: Vec<String> = named_in(project.path(), false).into_iter().collect();
        assert_eq!(named, ["@aws-sdk/client-s3", "@aws-sdk/lib-dynamodb"]);
        assert!(named_in(project.path(), true).is_empty());
    }

    #[test]
    fn a_command_can_be_copied_into_a_shell() {
        assert_eq!(shown(Path::new("npm"), &["install", "a@<=1", "/a b"]), "npm install 'a@<=1' '/a b'");
    }

    #[test]
    fn finds_version_2_and_boto3() {
        let with = project(&[("index.js", "const AWS = require('aws-sdk')"), ("a/b.py", "import boto3")]);
        assert_eq!(named_in(with.path(), true).into_iter().collect::<Vec<_>>(), ["aws-sdk"]);
        assert!(names_boto3(with.path()));
        assert!(!names_boto3(project(&[("a.py", "import os")]).path()));
    }
}
