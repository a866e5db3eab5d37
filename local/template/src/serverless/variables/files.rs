//! `${file(path):address}`: YAML, JSON, text, and what JavaScript exports.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::error::TemplateError;
use crate::load::load;
use crate::node::{Kind, Node};
use crate::serverless::surroundings::{Evaluated, Evaluation};
use crate::source::{Source, Span};

use super::{Answer, Resolver, Value, member, parse_at};

/// How often a file of JavaScript may ask for one more variable.
const QUESTIONS_MAX: usize = 32;

/// Files that the user's Node reads.
const SCRIPTS: &[&str] = &["js", "cjs", "mjs", "ts", "cts", "mts"];

impl Resolver<'_> {
    pub(super) fn file(&mut self, path: &str, address: Option<&str>, place: &Span) -> Result<Answer, TemplateError> {
        if path.is_empty() {
            return Err(TemplateError::new(place, "file needs a path: ${file(./name.yml)}"));
        }
        let absolute = cleaned(&self.options.service_folder.join(path));
        let extension = absolute.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if SCRIPTS.contains(&extension) {
            return self.script(path, absolute, address, place);
        }
        let Some(content) = self.content(path, &absolute, place)? else {
            return Ok(Answer::Missing(format!("there is no file {path}")));
        };
        self.inside(path, content, address)
    }

    /// A file's content, read once.
    fn content(&mut self, path: &str, absolute: &Path, place: &Span) -> Result<Option<Node>, TemplateError> {
        if let Some(content) = self.files.get(absolute) {
            return Ok(content.clone());
        }
        let text = self.surroundings.read(absolute);
        let text = text.map_err(|reason| TemplateError::new(place, format!("{path} cannot be read: {reason}")))?;
        let content = match text {
            Some(text) => {
                let shown = cleaned(&self.document.span.source.folder().join(path));
                let source = Source::new(shown, text);
                let extension = absolute.extension().and_then(|extension| extension.to_str());
                let span = Span { source: Arc::clone(&source), start: 0, end: source.text.len() };
                let structured = matches!(extension, Some("yml" | "yaml" | "json" | "tfstate"));
                Some(if structured { load(&source)? } else { Node::string(&span, &source.text) })
            }
            None => None,
        };
        self.files.insert(absolute.to_owned(), content.clone());
        Ok(content)
    }

    /// Goes into what was read. A text on the way may be a variable that stands for a map.
    fn inside(&mut self, path: &str, content: Node, address: Option<&str>) -> Result<Answer, TemplateError> {
        let Some(address) = address.filter(|address| !address.is_empty()) else {
            return Ok(found_or(content, || format!("{path} is empty")));
        };
        let mut node = content;
        for key in address.split('.') {
            if let Kind::Scalar(scalar) = &node.kind
                && let Some(pieces) = parse_at(&scalar.text, &node.span)?
            {
                let span = node.span.clone();
                node = self.evaluate(&pieces, &span)?.node;
            }
            let Some(inner) = member(&node, key) else {
                return Ok(Answer::Missing(format!("{path} has no {address}")));
            };
            node = inner.clone();
        }
        Ok(found_or(node, || format!("{address} is empty in {path}")))
    }

    /// What JavaScript exports. What it asks back is answered, and it is evaluated again with the answers.
    fn script(
        &mut self,
        path: &str,
        file: PathBuf,
        address: Option<&str>,
        place: &Span,
    ) -> Result<Answer, TemplateError> {
        let mut options = self.options.options.clone();
        options.extend(self.options.stage.clone().map(|stage| ("stage".to_owned(), stage)));
        options.extend(self.options.region.clone().map(|region| ("region".to_owned(), region)));
        let address = address.filter(|address| !address.is_empty()).map(str::to_owned);
        let mut evaluation = Evaluation { file, address, options, answers: BTreeMap::new() };
        for _ in 0..QUESTIONS_MAX {
            let evaluated = self.surroundings.evaluate(&evaluation);
            match evaluated.map_err(|reason| TemplateError::new(place, format!("{path}: {reason}")))? {
                Evaluated::NoFile => return Ok(Answer::Missing(format!("there is no file {path}"))),
                Evaluated::Json(text) => {
                    let value = serde_json::from_str(&text)
                        .map_err(|error| TemplateError::new(place, format!("{path} gave no JSON: {error}")))?;
                    let what = evaluation.address.as_deref().unwrap_or("a value");
                    return Ok(found_or(Node::from_json(place, &value), || format!("{path} exports no {what}")));
                }
                Evaluated::Needs(variable) => {
                    let answer = self.asked(&variable, place)?;
                    evaluation.answers.insert(variable, answer);
                }
            }
        }
        Err(TemplateError::new(place, format!("{path} asks for more than {QUESTIONS_MAX} variables")))
    }

    /// What a script asks for, as JSON.
    fn asked(&mut self, variable: &str, place: &Span) -> Result<serde_json::Value, TemplateError> {
        if let Some(address) = variable.strip_prefix("self:") {
            let address: Vec<String> = address.split('.').map(str::to_owned).collect();
            return Ok(self.property(&address)?.map_or(serde_json::Value::Null, |node| node.to_json()));
        }
        let Some(pieces) = parse_at(&format!("${{{variable}}}"), place)? else {
            return Err(TemplateError::new(place, format!("{variable} is not a variable")));
        };
        Ok(self.evaluate(&pieces, place)?.node.to_json())
    }
}

fn found_or(node: Node, reason: impl Fn() -> String) -> Answer {
    if node.is_null() { Answer::Missing(reason()) } else { Answer::Found(Value { node, finished: false }) }
}

/// A path without `.` and `..` in it, so that the same file has one name.
fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if clean.file_name().is_some() => {
                clean.pop();
            }
            component => clean.push(component),
        }
    }
    clean
}
