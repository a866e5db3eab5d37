//! `tandem check`: the rules of the crate `check` over a stack's file, its folder, or what lies here.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use check::report::{self, People};
use check::{Checked, Finding, Given, Tally};
use template::serverless::is_service;
use template::{Files, Inputs, Source};

mod beside;

use crate::arguments;
use crate::stack_file::{Disk, FILES, Local, Unread, is_script};
use beside::Beside;

/// Where the CDK leaves its templates.
const CDK_FOLDER: &str = "cdk.out";
const CDK_ENDING: &str = ".template.json";
/// Lines of source are cut to this where no terminal says how wide it is.
const WIDTH: usize = 140;

/// How it went.
pub enum Outcome {
    /// Nothing is wrong, or notes alone.
    Fine,
    /// There are errors or warnings.
    Found,
    /// A template could not be read; that has been told.
    Refused,
}

/// Checks what was asked for and prints what was found.
pub fn run(arguments: &arguments::Check) -> anyhow::Result<Outcome> {
    if arguments.list_rules {
        print(&report::rules_list())?;
        return Ok(Outcome::Fine);
    }
    if let Some(id) = &arguments.explain {
        print(report::explain(known(id)?))?;
        return Ok(Outcome::Fine);
    }
    let ignored: Vec<&str> = arguments.ignore.iter().map(|id| known(id)).collect::<anyhow::Result<_>>()?;
    let paths = files(arguments.file.as_deref())?;
    let mut findings = Vec::new();
    let mut refused = false;
    for path in &paths {
        let checked = check_file(path, arguments, &ignored)?;
        findings.extend(checked.findings);
        if let Some(error) = checked.error {
            eprint!("{}", people(&io::stderr()).error(&error));
            refused = true;
        }
    }
    if !refused || !findings.is_empty() {
        print(&told(&findings, arguments)?)?;
    }
    Ok(match (refused, Tally::of(&findings).fails()) {
        (true, _) => Outcome::Refused,
        (false, true) => Outcome::Found,
        (false, false) => Outcome::Fine,
    })
}

/// An id that is one of a rule.
fn known(id: &str) -> anyhow::Result<&str> {
    if check::rule(id).is_none() {
        bail!("there is no rule {id}; `tandem check --list-rules` lists them");
    }
    Ok(id)
}

/// The files to check: the one that was named, or those that lie in the folder.
fn files(named: Option<&Path>) -> anyhow::Result<Vec<PathBuf>> {
    let folder = match named {
        Some(path) if path.is_dir() => path,
        Some(path) => return Ok(vec![path.to_owned()]),
        None => Path::new(""),
    };
    if let Some(path) = FILES.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
        return Ok(vec![path]);
    }
    let made = folder.join(CDK_FOLDER);
    let mut paths: Vec<PathBuf> = made
        .read_dir()
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    paths.retain(|path| path.to_string_lossy().ends_with(CDK_ENDING));
    paths.sort();
    if paths.is_empty() {
        let place = if folder.as_os_str().is_empty() { "here".into() } else { format!("in {}", folder.display()) };
        bail!("there is no stack {place}: neither {} nor {CDK_FOLDER}/*{CDK_ENDING}", FILES.join(", "));
    }
    Ok(paths)
}

/// What is found in one file.
fn check_file(path: &Path, arguments: &arguments::Check, ignored: &[&str]) -> anyhow::Result<Checked> {
    let disk = Arc::new(Disk::default());
    let mut inputs = Inputs { files: Arc::clone(&disk) as Arc<dyn Files>, ..Inputs::default() };
    for parameter in &arguments.parameters {
        let Some((name, value)) = parameter.split_once('=') else {
            bail!("--parameter takes Name=Value, not {parameter}");
        };
        inputs.parameters.insert(name.to_owned(), value.to_owned());
    }
    let beside = Beside(Local::around(path, &disk));
    let given = Given { inputs, surroundings: &beside, stage: arguments.stage.clone(), ignored };
    if !is_script(path) {
        let text = disk.text(path).with_context(|| format!("{} cannot be read", path.display()))?;
        return Ok(check::check(&Source::new(path, text), &given));
    }
    let options = arguments.stage.clone().map(|stage| ("stage".to_owned(), stage)).into_iter().collect();
    match beside.0.document(path, options) {
        Ok(document) if is_service(&document) => {
            let source = Arc::clone(&document.span.source);
            Ok(check::check_document(&source, document, &given))
        }
        Ok(_) => bail!("{} exports no service: the member `service` is missing", path.display()),
        Err(Unread::Template(error)) => Ok(Checked { error: Some(error), ..Checked::default() }),
        Err(Unread::Source(error)) => bail!(error),
    }
}

/// The findings in the form that was asked for.
fn told(findings: &[Finding], arguments: &arguments::Check) -> anyhow::Result<String> {
    let value = if arguments.sarif {
        report::sarif(findings, env!("CARGO_PKG_VERSION"))
    } else if arguments.json {
        report::json(findings)
    } else {
        return Ok(people(&io::stdout()).findings(findings));
    };
    Ok(format!("{}\n", serde_json::to_string_pretty(&value)?))
}

/// Colours are for terminals whose owner likes them.
fn people(stream: &impl IsTerminal) -> People {
    People {
        colours: stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty()),
        width: WIDTH,
    }
}

/// Prints; that whoever reads has seen enough is no mistake.
fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("nothing can be printed"),
        _ => Ok(()),
    }
}
