//! Services for tests: a few lines, the rest is made up around them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::error::TemplateError;
use crate::load::load;
use crate::source::Source;

use super::surroundings::{Evaluated, Evaluation, StoredParameter, Surroundings};
use super::{Compiled, Options, compile};

/// A world with what a test puts into it.
#[derive(Default)]
pub(super) struct World {
    pub environment: BTreeMap<String, String>,
    pub files: BTreeMap<String, String>,
    pub parameters: BTreeMap<String, StoredParameter>,
    pub secrets: BTreeMap<String, String>,
    pub outputs: BTreeMap<String, String>,
    /// What scripts export, by path; `needs x` asks for a variable first.
    pub scripts: BTreeMap<String, Value>,
}

impl Surroundings for World {
    fn environment(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }

    fn read(&self, path: &Path) -> Result<Option<String>, String> {
        Ok(self.files.get(path.strip_prefix("/srv/shop").unwrap_or(path).to_str().unwrap_or_default()).cloned())
    }

    fn evaluate(&self, evaluation: &Evaluation) -> Result<Evaluated, String> {
        let file = evaluation.file.strip_prefix("/srv/shop").unwrap_or(&evaluation.file);
        let Some(value) = self.scripts.get(file.to_str().unwrap_or_default()) else { return Ok(Evaluated::NoFile) };
        if let Some(needed) = value.as_str().and_then(|text| text.strip_prefix("needs ")) {
            return Ok(match evaluation.answers.get(needed) {
                Some(answer) => Evaluated::Json(answer.to_string()),
                None => Evaluated::Needs(needed.to_owned()),
            });
        }
        let value = evaluation.address.as_ref().map_or(value, |address| &value[address]);
        Ok(Evaluated::Json(value.to_string()))
    }

    fn git(&self, fact: &str) -> Option<String> {
        (fact == "branch").then(|| "main".to_owned())
    }

    fn parameter(&self, name: &str, _: &str) -> Option<StoredParameter> {
        self.parameters.get(name).cloned()
    }

    fn secret(&self, id: &str, _: &str) -> Option<String> {
        self.secrets.get(id).cloned()
    }

    fn stack_output(&self, stack: &str, output: &str, region: &str) -> Option<String> {
        self.outputs.get(&format!("{region}:{stack}.{output}")).cloned()
    }
}

pub(super) fn options() -> Options {
    Options {
        stage: None,
        region: None,
        options: BTreeMap::new(),
        parameters: BTreeMap::new(),
        account_id: "000000000000".to_owned(),
        instance_id: "1".to_owned(),
        service_folder: "/srv/shop".into(),
    }
}

/// Compiles a service named shop, whose file's third line is the first of what is written here.
pub(super) fn compiled_in(world: &World, options: &Options, rest: &str) -> Result<Compiled, TemplateError> {
    let rest = outdented(rest);
    let head = "service: shop\nprovider: {name: aws, runtime: nodejs20.x}\n";
    let has_provider = rest.lines().any(|line| line.starts_with("provider:"));
    let head = if has_provider { "service: shop\n# the provider follows\n" } else { head };
    compile(load(&Source::new("serverless.yml", format!("{head}{rest}")))?, world, options)
}

pub(super) fn compiled(rest: &str) -> Result<Compiled, TemplateError> {
    compiled_in(&World::default(), &options(), rest)
}

/// The document of a service that compiles.
#[track_caller]
pub(super) fn document(rest: &str) -> Value {
    compiled(rest).map_or_else(|error| panic!("{error}"), |compiled| compiled.document.to_json())
}

/// The logical ids of its resources.
#[track_caller]
pub(super) fn ids(rest: &str) -> Vec<String> {
    document(rest)["Resources"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
}

#[track_caller]
pub(super) fn check_resource(rest: &str, logical_id: &str, expected: Value) {
    assert_eq!(document(rest)["Resources"].get(logical_id).cloned(), Some(expected));
}

#[track_caller]
pub(super) fn check_error(rest: &str, expected: &str) {
    assert_eq!(
        compiled(rest).map(|compiled| compiled.stack_name).map_err(|error| error.to_string()),
        Err(expected.to_owned())
    );
}

/// What is warned of, each as "line:column: message".
#[track_caller]
pub(super) fn check_warnings(rest: &str, expected: &[&str]) {
    let compiled = compiled(rest).unwrap_or_else(|error| panic!("{error}"));
    let warnings = compiled.warnings.iter().map(|warning| {
        let (line, column) = warning.span.line_column();
        format!("{line}:{column}: {}", warning.message)
    });
    assert_eq!(warnings.collect::<Vec<_>>(), expected);
}

/// Without the indentation that the first line has.
fn outdented(text: &str) -> String {
    let text = text.strip_prefix('\n').unwrap_or(text);
    let first = text.len() - text.trim_start_matches(' ').len();
    let line = |line: &str| line.get(first..).unwrap_or_default().to_owned();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
