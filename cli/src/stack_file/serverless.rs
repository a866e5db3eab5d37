//! serverless.yml and its kin: what its variables ask of this machine, answered.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use server::template::serverless::{
    Compiled, Evaluated, Evaluation, Options, StoredParameter, Surroundings, compile, dotenv,
};
use server::template::{Node, Source, load};
use server::{Elsewhere, LoadError, Place};

use super::disk::Disk;
use super::script::{Exported, Script};

/// `${sls:instanceId}`: new at every run on AWS, and here the same, since names are made of it.
const INSTANCE_ID: &str = "tandem";

/// What was said on the command line.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub stage: Option<String>,
    pub options: BTreeMap<String, String>,
    pub parameters: BTreeMap<String, String>,
    pub env_files: Vec<PathBuf>,
}

/// Reads and compiles a service's file.
pub fn read(
    path: &Path,
    said: &Said,
    place: &Place,
    disk: &Disk,
    elsewhere: &Elsewhere,
) -> Result<Compiled, LoadError> {
    let folder = folder_of(path);
    let environment = named_variables(said, disk)?;
    let world = World { folder: &folder, environment, place, disk, elsewhere };
    let options = Options {
        stage: said.stage.clone(),
        region: Some(place.region.clone()),
        options: said.options.clone(),
        parameters: said.parameters.clone(),
        account_id: place.account.clone(),
        instance_id: INSTANCE_ID.to_owned(),
        service_folder: folder.clone(),
    };
    let config = config(path, &world, &options)?;
    Ok(compile(config, &world, &options)?)
}

fn folder_of(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// The file as a document. One in JavaScript or TypeScript is evaluated.
fn config(path: &Path, world: &World<'_>, options: &Options) -> Result<Node, LoadError> {
    let unread = |error: io::Error| LoadError::Source(format!("{} cannot be read: {error}", path.display()));
    let text = world.disk.text(path).map_err(unread)?;
    let is_script = path
        .extension()
        .is_some_and(|extension| matches!(extension.to_str(), Some("js" | "cjs" | "mjs" | "ts" | "mts" | "cts")));
    let source = Source::new(path, text);
    if !is_script {
        return Ok(load(&source)?);
    }
    let file = std::path::absolute(path).map_err(unread)?;
    let mut all = options.options.clone();
    all.extend(options.stage.clone().map(|stage| ("stage".to_owned(), stage)));
    let evaluation = Evaluation { file, address: None, options: all, answers: BTreeMap::new() };
    let exported = world.run(&evaluation).map_err(|error| LoadError::Source(format!("{}: {error}", path.display())))?;
    let Exported::Json(json) = exported else {
        return Err(LoadError::Source(format!("{} asks for a variable before it says what it is", path.display())));
    };
    let value =
        serde_json::from_str(&json).map_err(|error| LoadError::Source(format!("{}: {error}", path.display())))?;
    let place = server::template::Span { source, start: 0, end: 0 };
    Ok(Node::from_json(&place, &value))
}

/// The files of variables that were named.
fn named_variables(said: &Said, disk: &Disk) -> Result<BTreeMap<String, String>, LoadError> {
    let mut variables = BTreeMap::new();
    for file in &said.env_files {
        let text = disk.text(file);
        let text = text.map_err(|error| LoadError::Source(format!("{} cannot be read: {error}", file.display())))?;
        variables.extend(dotenv(&text));
    }
    Ok(variables)
}

struct World<'a> {
    folder: &'a Path,
    /// Of files that were named; those beside the service are read by whoever resolves its variables.
    environment: BTreeMap<String, String>,
    place: &'a Place,
    disk: &'a Disk,
    elsewhere: &'a Elsewhere,
}

impl World<'_> {
    fn run(&self, evaluation: &Evaluation) -> Result<Exported, String> {
        let mut environment = self.disk.text(&self.folder.join(".env")).map(|text| dotenv(&text)).unwrap_or_default();
        environment.extend(self.environment.clone());
        environment.retain(|name, _| std::env::var_os(name).is_none()); // the shell's own stay
        let script = Script {
            file: &evaluation.file,
            address: evaluation.address.as_deref(),
            options: &evaluation.options,
            answers: &evaluation.answers,
            folder: self.folder,
            environment: &environment,
        };
        script.evaluate(self.disk)
    }

    fn git_prints(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("git").args(arguments).current_dir(self.folder).output().ok()?;
        let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        Some(text.trim_end().to_owned())
    }
}

impl Surroundings for World<'_> {
    /// What the shell says goes before what files say.
    #[expect(clippy::disallowed_methods, reason = "${env:NAME} is the environment of whoever starts us")]
    fn environment(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().or_else(|| self.environment.get(name).cloned())
    }

    fn read(&self, path: &Path) -> Result<Option<String>, String> {
        match self.disk.text(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn evaluate(&self, evaluation: &Evaluation) -> Result<Evaluated, String> {
        self.disk.watch(&evaluation.file);
        if !fs::exists(&evaluation.file).unwrap_or_default() {
            return Ok(Evaluated::NoFile);
        }
        Ok(match self.run(evaluation)? {
            Exported::Json(json) => Evaluated::Json(json),
            Exported::Needs(variable) => Evaluated::Needs(variable),
        })
    }

    fn git(&self, fact: &str) -> Option<String> {
        let prints = |arguments: &[&str]| self.git_prints(arguments);
        match fact {
            "sha1" => prints(&["rev-parse", "--short", "HEAD"]),
            "commit" => prints(&["rev-parse", "HEAD"]),
            "branch" => prints(&["rev-parse", "--abbrev-ref", "HEAD"]),
            "message" => prints(&["log", "-1", "--pretty=%B"]),
            "messageSubject" => prints(&["log", "-1", "--pretty=%s"]),
            "messageBody" => prints(&["log", "-1", "--pretty=%b"]),
            "user" => prints(&["config", "user.name"]),
            "email" => prints(&["config", "user.email"]),
            "describe" => prints(&["describe", "--always"]),
            "describeLight" => prints(&["describe", "--always", "--tags"]),
            "isDirty" => prints(&["status", "--porcelain"]).map(|changes| (!changes.is_empty()).to_string()),
            "repository" => {
                let top = prints(&["rev-parse", "--show-toplevel"])?;
                Path::new(&top).file_name().map(|name| name.to_string_lossy().into_owned())
            }
            "tags" => match prints(&["tag", "--points-at", "HEAD"])? {
                tags if tags.is_empty() => prints(&["rev-parse", "--short", "HEAD"]),
                tags => Some(tags.lines().collect::<Vec<_>>().join("::")),
            },
            _ => None,
        }
    }

    fn parameter(&self, name: &str, region: &str) -> Option<StoredParameter> {
        let (value, kind) = self.elsewhere.stored(name).filter(|_| region == self.place.region)?;
        Some(StoredParameter { value, kind })
    }

    fn secret(&self, id: &str, region: &str) -> Option<String> {
        use server::template::Outside;
        self.elsewhere.secret(id).filter(|_| region == self.place.region)
    }

    fn stack_output(&self, stack: &str, output: &str, region: &str) -> Option<String> {
        self.elsewhere.output(stack, output).filter(|_| region == self.place.region).map(str::to_owned)
    }
}
