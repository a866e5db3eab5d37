//! The file that a stack is written in: found, read, and looked at for changes.
//!
//! Reading happens where files and the environment are, which is here; what is read goes to `template`. The files that
//! a reading opened are remembered with their times: `changed` looks at those again.

mod disk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use server::template::{Inputs, Source, Template, load_template};
use server::{Elsewhere, LoadError, Place, Reading, StackSource};

use crate::arguments;
use disk::Disk;

/// What is looked for where no file is named, in this order.
const FILES: &[&str] = &[
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
    stack_name: String,
    place: Place,
    parameters: BTreeMap<String, String>,
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
            None => match FILES.iter().map(PathBuf::from).find(|path| path.is_file()) {
                Some(path) => path,
                None => return Ok(None),
            },
        };
        let stack_name = match &arguments.stack_name {
            Some(name) => {
                ensure!(
                    is_stack_name(name),
                    "--stack-name takes letters, digits and hyphens, a letter first, not {name}"
                );
                name.clone()
            }
            None => name_of(&path)?,
        };
        let parameters = pairs(&arguments.parameter, "--parameter")?;
        Ok(Some(Self { path, stack_name, place: place.clone(), parameters, disk: Arc::default() }))
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
        let text = self
            .disk
            .text(&self.path)
            .map_err(|error| LoadError::Source(format!("{} cannot be read: {error}", self.path.display())))?;
        let document = load_template(&Source::new(&self.path, text))?;
        let inputs = Inputs {
            stack_name: self.stack_name.clone(),
            region: self.place.region.clone(),
            account_id: self.place.account.clone(),
            parameters: self.parameters.clone(),
            files: Arc::clone(&self.disk) as Arc<dyn server::template::Files>,
        };
        let template = Template::read_with(document, inputs, elsewhere)?;
        Ok(Reading { stack: self.stack_name.clone(), template })
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
fn name_of(path: &Path) -> anyhow::Result<String> {
    let path = std::path::absolute(path).with_context(|| format!("{} cannot be found", path.display()))?;
    let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_generated = |name: &str| GENERATED.contains(&name);
    let named = match file.strip_suffix(".template.json") {
        Some(stack) => Some(stack.to_owned()),
        None => {
            let mut folders = path.ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str());
            folders.find(|name| !is_generated(name)).map(str::to_owned)
        }
    };
    Ok(stack_name(&named.unwrap_or_default()))
}

/// What of a name may be in a stack's.
fn stack_name(name: &str) -> String {
    let fits = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let name: String = name.chars().map(fits).collect();
    let name = name.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    match name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => name.to_owned(),
        false => format!("stack-{name}").trim_end_matches('-').to_owned(),
    }
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
        assert_eq!(name_of(Path::new(path)).expect("a name"), expected);
    }

    #[test]
    fn a_stack_is_called_like_its_folder() {
        check("/work/my_app/template.yaml", "my-app");
        check("/work/app/.aws-sam/build/template.yaml", "app");
        check("/work/app/.serverless/cloudformation-template-update-stack.json", "app");
        check("/work/app/cdk.out/UsersStack.template.json", "UsersStack");
        check("/work/2024/template.yaml", "stack-2024");
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
