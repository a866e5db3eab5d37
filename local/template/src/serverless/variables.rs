//! Resolving `${…}` in a whole document, in place.
//!
//! A value is resolved when it is needed: `self:custom.a` settles `custom.a` first, and what is underway when it is
//! needed again is a cycle, refused by name. How often values may stand for values, and how much text and how many
//! nodes they may grow to, is bounded, so resolving ends.

pub(super) mod dotenv;
mod files;
mod parse;
mod sources;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use crate::error::{TemplateError, Warning};
use crate::node::{Kind, Node};
use crate::serverless::surroundings::Surroundings;
use crate::serverless::{Options, scalars};
use crate::source::Span;

use parse::{Call, Literal, Mistake, Piece, Source, Variable, parse};

/// A value that stands for a value that stands for a value …
const INDIRECTIONS_MAX: usize = 10;
/// Values that wait for each other.
const UNDERWAY_MAX: usize = 64;
/// Nodes that all variables together may bring.
const NODES_MAX: usize = 200_000;
/// Bytes of text that all variables together may bring.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Where a value stands in the document: keys and indexes.
type Address = Vec<String>;

/// A resolved value.
struct Value {
    node: Node,
    /// Whether there is nothing in it that is still to be resolved.
    finished: bool,
}

/// What a source says.
enum Answer {
    Found(Value),
    /// Nothing, and why.
    Missing(String),
}

/// Resolves variables of one document.
pub(super) struct Resolver<'a> {
    document: Node,
    finished: HashSet<Address>,
    underway: Vec<Address>,
    surroundings: &'a dyn Surroundings,
    options: &'a Options,
    files: HashMap<PathBuf, Option<Node>>,
    dotenv: HashMap<PathBuf, BTreeMap<String, String>>,
    stage: Option<String>,
    asking_stage: bool,
    depth: usize,
    nodes: usize,
    bytes: usize,
    warnings: Vec<Warning>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(document: Node, surroundings: &'a dyn Surroundings, options: &'a Options) -> Self {
        Self {
            document,
            finished: HashSet::new(),
            underway: Vec::new(),
            surroundings,
            options,
            files: HashMap::new(),
            dotenv: HashMap::new(),
            stage: None,
            asking_stage: false,
            depth: 0,
            nodes: 0,
            bytes: 0,
            warnings: Vec::new(),
        }
    }

    /// The document with every variable resolved. Parameters of other stages are left as they are: nobody asks for
    /// them, and they may well name what only those stages have.
    pub(super) fn document(mut self) -> Result<(Node, Vec<Warning>), TemplateError> {
        let stage = self.stage()?;
        let sections: Vec<String> = self.keys(&[]);
        for section in sections {
            let address = vec![section];
            if !matches!(address[0].as_str(), "params" | "stages") {
                self.settle_all(&address)?;
                continue;
            }
            self.settle(&address)?;
            for other in self.keys(&address).into_iter().filter(|key| *key == stage || key == "default") {
                self.settle_all(&[address[0].clone(), other])?;
            }
        }
        Ok((self.document, self.warnings))
    }

    /// The stage: as given, as the file says, or `dev`.
    pub(super) fn stage(&mut self) -> Result<String, TemplateError> {
        if let Some(stage) = self.options.stage.clone().or_else(|| self.stage.clone()) {
            return Ok(stage);
        }
        self.asking_stage = true;
        let written = self.property(&["provider".to_owned(), "stage".to_owned()]);
        self.asking_stage = false;
        let stage = written?.and_then(|node| node.as_str().map(str::to_owned)).unwrap_or_else(|| "dev".to_owned());
        self.stage = Some(stage.clone());
        Ok(stage)
    }

    /// The region: as given, as the file says, or us-east-1.
    pub(super) fn region(&mut self) -> Result<String, TemplateError> {
        if let Some(region) = &self.options.region {
            return Ok(region.clone());
        }
        let written = self.property(&["provider".to_owned(), "region".to_owned()])?;
        Ok(written.and_then(|node| node.as_str().map(str::to_owned)).unwrap_or_else(|| "us-east-1".to_owned()))
    }

    /// A property of the document with everything in it resolved.
    fn property(&mut self, address: &[String]) -> Result<Option<Node>, TemplateError> {
        for length in 0..address.len() {
            self.settle(&address[..length])?;
        }
        if self.at(address).is_none() {
            return Ok(None);
        }
        self.settle_all(address)?;
        Ok(self.at(address).filter(|node| !node.is_null()).cloned())
    }

    /// Settles everything below an address.
    fn settle_all(&mut self, address: &[String]) -> Result<(), TemplateError> {
        let mut open = vec![address.to_vec()];
        while let Some(address) = open.pop() {
            let Some(node) = self.at(&address) else { continue };
            let mut found = Vec::new();
            scalars_with_variables(node, &mut address.clone(), &mut found);
            for address in found {
                self.settle(&address)?;
                let more = self.at(&address).is_some_and(|node| node.as_scalar().is_none());
                if more && !self.is_finished(&address) {
                    open.push(address);
                }
            }
        }
        Ok(())
    }

    /// Resolves the value at an address as far as its own variables go: a map from a file may have open ones in it.
    fn settle(&mut self, address: &[String]) -> Result<(), TemplateError> {
        for _ in 0..INDIRECTIONS_MAX {
            let Some(Node { span, kind: Kind::Scalar(scalar) }) = self.at(address) else { return Ok(()) };
            if !scalar.text.contains("${") || self.is_finished(address) {
                return Ok(());
            }
            let (span, text) = (span.clone(), scalar.text.clone());
            let Some(pieces) = parse_at(&text, &span)? else { return Ok(()) };
            self.enter(address, &span)?;
            let value = self.evaluate(&pieces, &span);
            self.underway.pop();
            let value = value?;
            if let Some(node) = at_mut(&mut self.document, address) {
                *node = value.node;
            }
            if value.finished {
                self.finished.insert(address.to_vec());
                return Ok(());
            }
        }
        let place = self.at(address).map_or_else(|| self.document.span.clone(), |node| node.span.clone());
        Err(TemplateError::new(
            &place,
            format!("{} stands for a variable that stands for another, over {INDIRECTIONS_MAX} times", name(address)),
        ))
    }

    fn enter(&mut self, address: &[String], span: &Span) -> Result<(), TemplateError> {
        if let Some(start) = self.underway.iter().position(|other| other == address) {
            let circle: Vec<String> = self.underway[start..].iter().map(|address| name(address)).collect();
            let message = match circle.as_slice() {
                [only] => format!("{only} refers to itself"),
                circle => format!("these refer to each other in a circle: {} → {}", circle.join(" → "), circle[0]),
            };
            return Err(TemplateError::new(span, message));
        }
        if self.underway.len() >= UNDERWAY_MAX {
            let message = format!("more than {UNDERWAY_MAX} values wait for each other here");
            return Err(TemplateError::new(span, message));
        }
        self.underway.push(address.to_vec());
        Ok(())
    }

    /// The value of a text: of its only variable, or of texts and variables put together.
    fn evaluate(&mut self, pieces: &[Piece], span: &Span) -> Result<Value, TemplateError> {
        self.depth += 1;
        let value = if self.depth > UNDERWAY_MAX {
            Err(TemplateError::new(span, format!("variables stand for variables more than {UNDERWAY_MAX} deep here")))
        } else if let [Piece::Variable(variable)] = pieces {
            self.variable(variable, span)
        } else {
            self.joined(pieces, span).map(|text| Value { node: Node::string(span, text), finished: true })
        };
        self.depth -= 1;
        value
    }

    fn joined(&mut self, pieces: &[Piece], span: &Span) -> Result<String, TemplateError> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Variable(variable) => {
                    let value = self.variable(variable, span)?;
                    text.push_str(&self.text_of(value, variable, span)?);
                }
            }
        }
        self.grow(0, text.len(), span)?;
        Ok(text)
    }

    /// A value as a part of a text.
    fn text_of(&mut self, value: Value, variable: &Variable, span: &Span) -> Result<String, TemplateError> {
        let refused = |what: &str| {
            let message = format!("{} is {what}: it cannot be a part of a text", variable.written);
            Err(TemplateError::new(&place(span, &variable.written), message))
        };
        match value.node.kind {
            Kind::Scalar(scalar) if scalar.is_null() => refused("nothing"),
            Kind::Scalar(scalar) if value.finished => Ok(scalars::text(&scalar)),
            Kind::Scalar(scalar) => match parse_at(&scalar.text, &value.node.span)? {
                Some(pieces) => {
                    let inner = self.evaluate(&pieces, &value.node.span)?;
                    self.text_of(inner, variable, span)
                }
                None => Ok(scalars::text(&scalar)),
            },
            Kind::List(items) => {
                let texts: Option<Vec<String>> = items.iter().map(|item| item.as_scalar().map(scalars::text)).collect();
                texts.map_or_else(|| refused("a list of more than texts"), |texts| Ok(texts.join(",")))
            }
            Kind::Map(_) => refused("a map"),
        }
    }

    /// The first source that has a value.
    fn variable(&mut self, variable: &Variable, span: &Span) -> Result<Value, TemplateError> {
        let place = place(span, &variable.written);
        let mut failed = Vec::new();
        for source in &variable.sources {
            let answer = match source {
                Source::Literal(Literal { text, plain: true }) => {
                    Answer::Found(Value { node: Node::plain(&place, text), finished: true })
                }
                Source::Literal(Literal { text, plain: false }) => {
                    Answer::Found(Value { node: Node::string(&place, text), finished: false })
                }
                Source::Call(call) => self.ask(call, &place)?,
            };
            match answer {
                Answer::Found(value) => {
                    let (nodes, bytes) = size(&value.node);
                    self.grow(nodes, bytes, &place)?;
                    return Ok(value);
                }
                Answer::Missing(reason) => failed.push(reason),
            }
        }
        let message = format!("{} has no value: {}", variable.written, failed.join("; "));
        let inside = variable.written.trim_end_matches('}');
        Err(TemplateError::new(&place, message).hint(format!("a fallback would be {inside}, 'value'}}")))
    }

    /// Asks one source.
    fn ask(&mut self, call: &Call, place: &Span) -> Result<Answer, TemplateError> {
        let mut parameters = Vec::new();
        for parameter in call.parameters.iter().flatten() {
            parameters.push(self.argument(parameter, place)?);
        }
        let address = match &call.address {
            Some(address) => Some(self.argument(address, place)?),
            None => None,
        };
        sources::ask(self, &call.kind, &parameters, address.as_deref(), place)
    }

    fn argument(&mut self, pieces: &[Piece], place: &Span) -> Result<String, TemplateError> {
        self.depth += 1;
        if self.depth > UNDERWAY_MAX {
            return Err(TemplateError::new(place, format!("variables are nested more than {UNDERWAY_MAX} deep here")));
        }
        let text = self.joined(pieces, place);
        self.depth -= 1;
        text
    }

    fn grow(&mut self, nodes: usize, bytes: usize, span: &Span) -> Result<(), TemplateError> {
        self.nodes += nodes;
        self.bytes += bytes;
        if self.nodes > NODES_MAX || self.bytes > BYTES_MAX {
            let message = format!("variables make the file longer than {NODES_MAX} values or {BYTES_MAX} bytes");
            return Err(TemplateError::new(span, message));
        }
        Ok(())
    }

    fn keys(&self, address: &[String]) -> Vec<String> {
        let map = self.at(address).and_then(Node::as_map);
        map.map(|map| map.iter().map(|(key, _)| key.to_owned()).collect()).unwrap_or_default()
    }

    fn at(&self, address: &[String]) -> Option<&Node> {
        address.iter().try_fold(&self.document, |node, key| member(node, key))
    }

    fn is_finished(&self, address: &[String]) -> bool {
        (0..=address.len()).any(|length| self.finished.contains(&address[..length]))
    }
}

/// A member of a map, or an item by its number.
fn member<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.kind {
        Kind::Map(map) => map.get(key),
        Kind::List(items) => items.get(key.parse::<usize>().ok()?),
        Kind::Scalar(_) => None,
    }
}

fn at_mut<'n>(node: &'n mut Node, address: &[String]) -> Option<&'n mut Node> {
    address.iter().try_fold(node, |node, key| match &mut node.kind {
        Kind::Map(map) => map.get_mut(key),
        Kind::List(items) => items.get_mut(key.parse::<usize>().ok()?),
        Kind::Scalar(_) => None,
    })
}

/// Addresses of the texts below a node that may have variables in them.
fn scalars_with_variables(node: &Node, address: &mut Address, found: &mut Vec<Address>) {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.text.contains("${") => found.push(address.clone()),
        Kind::Scalar(_) => {}
        Kind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                address.push(index.to_string());
                scalars_with_variables(item, address, found);
                address.pop();
            }
        }
        Kind::Map(map) => {
            for (key, value) in map.iter() {
                address.push(key.to_owned());
                scalars_with_variables(value, address, found);
                address.pop();
            }
        }
    }
}

fn size(node: &Node) -> (usize, usize) {
    let sum = |(nodes, bytes): (usize, usize), node: &Node| {
        let (more_nodes, more_bytes) = size(node);
        (nodes + more_nodes, bytes + more_bytes)
    };
    match &node.kind {
        Kind::Scalar(scalar) => (1, scalar.text.len()),
        Kind::List(items) => items.iter().fold((1, 0), sum),
        Kind::Map(map) => map.iter().map(|(_, value)| value).fold((1, 0), sum),
    }
}

fn name(address: &[String]) -> String {
    if address.is_empty() { "the file".to_owned() } else { address.join(".") }
}

fn parse_at(text: &str, span: &Span) -> Result<Option<Vec<Piece>>, TemplateError> {
    parse(text).map_err(|Mistake { at, message }| {
        let mut place = place(span, text);
        if place.text().starts_with(text) {
            place.start += at;
        }
        TemplateError::new(&place, message)
    })
}

/// Where a part of a scalar stands in the file: a block or an escape may hide it, then it is the scalar's own place.
fn place(span: &Span, part: &str) -> Span {
    let Some(at) = span.text().find(part) else { return span.clone() };
    Span { source: span.source.clone(), start: span.start + at, end: span.start + at + part.len() }
}

#[cfg(test)]
mod tests;
