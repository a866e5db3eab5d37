//! serverless.yml and its kin: what its variables ask of the world around it, answered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use server::template::serverless::{
    Compiled, Evaluated, Evaluation, Options, StoredParameter, Surroundings, compile, dotenv,
};
use server::{Elsewhere, LoadError, Place};

use super::disk::Disk;
use super::local::{Local, Unread};

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
    let local = Local { environment: named_variables(said, disk)?, ..Local::around(path, disk) };
    let options = Options {
        stage: said.stage.clone(),
        region: Some(place.region.clone()),
        options: said.options.clone(),
        parameters: said.parameters.clone(),
        account_id: place.account.clone(),
        instance_id: INSTANCE_ID.to_owned(),
        service_folder: local.folder.clone(),
    };
    let document = local.document(path, of_scripts(&options)).map_err(|unread| match unread {
        Unread::Template(error) => error.into(),
        Unread::Source(error) => LoadError::Source(error),
    })?;
    Ok(compile(document, &World { local, place, elsewhere }, &options)?)
}

/// The options that scripts are told.
fn of_scripts(options: &Options) -> BTreeMap<String, String> {
    let mut all = options.options.clone();
    all.extend(options.stage.clone().map(|stage| ("stage".to_owned(), stage)));
    all
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
    local: Local<'a>,
    place: &'a Place,
    elsewhere: &'a Elsewhere,
}

impl World<'_> {
    fn git_prints(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("git").args(arguments).current_dir(&self.local.folder).output().ok()?;
        let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        Some(text.trim_end().to_owned())
    }
}

impl Surroundings for World<'_> {
    fn environment(&self, name: &str) -> Option<String> {
        self.local.variable(name)
    }

    fn read(&self, path: &Path) -> Result<Option<String>, String> {
        self.local.read(path)
    }

    fn evaluate(&self, evaluation: &Evaluation) -> Result<Evaluated, String> {
        self.local.evaluate(evaluation)
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
