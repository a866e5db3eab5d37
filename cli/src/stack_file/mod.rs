//! The file that a stack is written in: found, read, and looked at for changes.
//!
//! Reading happens where files and the environment are, which is here; what is read goes to `template`. The files that
//! a reading opened are remembered with their times: `changed` looks at those again.

mod disk;
mod local;
mod script;
mod serverless;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{bail, ensure};
use server::template::serverless::{is_generated, is_service, relocate};
use server::template::{Files, Inputs, Source, Template, load, load_template};
use server::{Elsewhere, LoadError, Place, Reading, StackSource};

use crate::arguments;
pub use disk::Disk;
pub use local::{Local, Unread, is_script};
use serverless::Said;

/// What is looked for where no file is named, in this order.
pub const FILES: &[&str] = &[
    "serverless.yml",
    "serverless.yaml",
    "serverless.json",
    "serverless.ts",
    "serverless.js",
    "template.yaml",
    "template.yml",
    "template.json",
];
/// What tools put generated templates into: the stack is named after the folder above.
const GENERATED: &[&str] = &[".aws-sam", ".serverless", "cdk.out", "build"];

/// A stack's file, and what was said on the command line about it.
#[derive(Debug)]
pub struct StackFile {
    path: PathBuf,
    /// What it is called, if somebody said so.
    stack_name: Option<String>,
    place: Place,
    parameters: BTreeMap<String, String>,
    said: Said,
    disk: Arc<Disk>,
}

impl StackFile {
    /// The file that is named, or one in this folder; none for the built-in stack.
    pub fn find(arguments: &arguments::Dev, place: &Place) -> anyhow::Result<Option<Self>> {
        let path = match &arguments.file {
            Some(file) => {
                ensure!(file.is_file(), "there is no file {}", file.display());
                file.clone()
            }
            None if arguments.demo => return Ok(None), // it shows the built-in stack
            None => match FILES.iter().map(PathBuf::from).find(|path| path.is_file()) {
                Some(path) => path,
                None => return Ok(None),
            },
        };
        if let Some(name) = &arguments.stack_name {
            ensure!(is_stack_name(name), "--stack-name takes letters, digits and hyphens, a letter first, not {name}");
        }
        let said = Said {
            stage: arguments.stage.clone(),
            options: pairs(&arguments.opt, "--opt")?,
            parameters: pairs(&arguments.param, "--param")?,
            env_files: arguments.env_file.clone(),
        };
        Ok(Some(Self {
            path,
            stack_name: arguments.stack_name.clone(),
            place: place.clone(),
            parameters: pairs(&arguments.parameter, "--parameter")?,
            said,
            disk: Arc::default(),
        }))
    }

    /// Where it lies, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file that was read is another one by now.
    pub fn changed(&self) -> bool {
        self.disk.changed()
    }
}

impl StackSource for StackFile {
    fn read(&self, elsewhere: &Elsewhere) -> Result<Reading, LoadError> {
        self.disk.forget();
        if self.is_service() { self.service(elsewhere) } else { self.template(elsewhere) }
    }
}

impl StackFile {
    /// Whether it is for the Serverless Framework: by its name, as the framework itself has it, or by what it says.
    fn is_service(&self) -> bool {
        let name = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let says_so = || {
            // Cheap before dear: a template of thousands of lines is not read twice.
            let text = self.disk.text(&self.path).ok().filter(|text| text.contains("service"))?;
            load(&Source::new(&self.path, text)).ok()
        };
        name.starts_with("serverless.")
            || is_script(&self.path)
            || says_so().is_some_and(|document| is_service(&document))
    }

    fn service(&self, elsewhere: &Elsewhere) -> Result<Reading, LoadError> {
        let compiled = serverless::read(&self.path, &self.said, &self.place, &self.disk, elsewhere)?;
        let stack = self.stack_name.clone().unwrap_or(compiled.stack_name);
        let mut parameters = compiled.parameters;
        parameters.extend(self.parameters.clone());
        let mut template = Template::read_with(compiled.document, self.inputs(&stack, parameters), elsewhere)?;
        template.warnings.splice(..0, compiled.warnings);
        Ok(Reading { stack, template, files: self.files() })
    }

    fn template(&self, elsewhere: &Elsewhere) -> Result<Reading, LoadError> {
        let unread = |error| LoadError::Source(format!("{} cannot be read: {error}", self.path.display()));
        let text = self.disk.text(&self.path).map_err(unread)?;
        let mut document = load_template(&Source::new(&self.path, text))?;
        if is_generated(&self.path) {
            let path = std::path::absolute(&self.path).map_err(unread)?;
            relocate(&mut document, path.ancestors().nth(2).unwrap_or(&path));
        }
        let stack = self.stack_name.clone().unwrap_or_else(|| name_of(&self.path));
        let template = Template::read_with(document, self.inputs(&stack, self.parameters.clone()), elsewhere)?;
        Ok(Reading { stack, template, files: self.files() })
    }

    fn files(&self) -> Arc<dyn Files> {
        Arc::clone(&self.disk) as Arc<dyn Files>
    }

    fn inputs(&self, stack: &str, parameters: BTreeMap<String, String>) -> Inputs {
        Inputs {
            stack_name: stack.to_owned(),
            region: self.place.region.clone(),
            account_id: self.place.account.clone(),
            parameters,
            files: self.files(),
        }
    }
}

/// `Name=Value`, each of them.
pub fn pairs(typed: &[String], flag: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let read = |text: &String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => bail!("{flag} takes name=value, not {text}"),
    };
    typed.iter().map(read).collect()
}

/// A stack is called like the folder that its file lies in.
fn name_of(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if let Some(stack) = file.strip_suffix(".template.json") {
        return stack_name(stack);
    }
    let mut folders = path.ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str());
    stack_name(folders.find(|name| !GENERATED.contains(name)).unwrap_or_default())
}

/// What of a name may be in a stack's.
fn stack_name(name: &str) -> String {
    let fits = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let name: String = name.chars().map(fits).collect();
    let name = name.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return name.to_owned();
    }
    format!("stack-{name}").trim_end_matches('-').to_owned()
}

fn is_stack_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.len() <= 128 && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        assert_eq!(name_of(Path::new(path)), expected);
    }

    #[test]
    fn a_stack_is_called_like_its_folder() {
        check("/srv/my_app/template.yaml", "my-app");
        check("/srv/app/.aws-sam/build/template.yaml", "app");
        check("/srv/app/.serverless/cloudformation-template-update-stack.json", "app");
        check("/srv/app/cdk.out/UsersStack.template.json", "UsersStack");
        check("/srv/2024/template.yaml", "stack-2024");
        check("/template.yaml", "stack");
    }

    #[test]
    fn pairs_have_a_name() {
        let typed = |text: &str| pairs(&[text.to_owned()], "--parameter");
        assert_eq!(typed("A=b=c").expect("a pair"), BTreeMap::from([("A".to_owned(), "b=c".to_owned())]));
        assert_eq!(typed("A").expect_err("no value").to_string(), "--parameter takes name=value, not A");
        assert!(typed("=b").is_err());
    }
}
