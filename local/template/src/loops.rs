//! `Fn::ForEach` of `AWS::LanguageExtensions`: a piece of a map, once for each item of a list.

use std::collections::HashSet;

use crate::error::TemplateError;
use crate::load::NODES_MAX;
use crate::node::{Entry, Kind, Map, Node, Scalar};
use crate::resolve::Resolver;
use crate::source::Span;

/// How a loop's key begins; its name follows.
const START: &str = "Fn::ForEach::";

/// Unrolls every loop in a map.
pub(crate) struct Loops<'a> {
    /// What the lists are resolved with: parameters and mappings.
    pub(crate) resolver: Resolver<'a>,
    /// Whether `AWS::LanguageExtensions` is asked for.
    pub(crate) allowed: bool,
    nodes: usize,
    names: HashSet<String>,
}

impl<'a> Loops<'a> {
    pub(crate) fn new(resolver: Resolver<'a>, allowed: bool) -> Self {
        Self { resolver, allowed, nodes: 0, names: HashSet::new() }
    }

    /// Whether there is a loop in a map, which there seldom is.
    pub(crate) fn are_in(map: &Map) -> bool {
        map.entries().iter().any(|entry| entry.key.starts_with(START) || Self::are_below(&entry.value))
    }

    fn are_below(node: &Node) -> bool {
        match &node.kind {
            Kind::Scalar(_) => false,
            Kind::List(items) => items.iter().any(Self::are_below),
            Kind::Map(map) => Self::are_in(map),
        }
    }

    /// The map with its loops unrolled.
    pub(crate) fn map(&mut self, map: Map) -> Result<Map, TemplateError> {
        let mut unrolled = Map::default();
        let mut keys = HashSet::new();
        for entry in map.into_entries() {
            let entries = match entry.key.strip_prefix(START) {
                Some(name) => self.unroll(name, &entry)?.into_entries(),
                None => vec![Entry { value: self.node(entry.value)?, ..entry }],
            };
            for entry in entries {
                if !keys.insert(entry.key.clone()) {
                    let message = format!("{} is made a second time", entry.key);
                    return Err(TemplateError::new(&entry.key_span, message)
                        .hint("each turn of a loop must make keys of its own"));
                }
                unrolled.push(&entry.key, &entry.key_span, entry.value);
            }
        }
        Ok(unrolled)
    }

    fn node(&mut self, node: Node) -> Result<Node, TemplateError> {
        let kind = match node.kind {
            Kind::Scalar(scalar) => Kind::Scalar(scalar),
            Kind::List(items) => Kind::List(items.into_iter().map(|item| self.node(item)).collect::<Result<_, _>>()?),
            Kind::Map(map) => Kind::Map(self.map(map)?),
        };
        Ok(Node { span: node.span, kind })
    }

    fn unroll(&mut self, name: &str, entry: &Entry) -> Result<Map, TemplateError> {
        let span = &entry.key_span;
        if !self.allowed {
            return Err(TemplateError::new(span, "Fn::ForEach needs the transform AWS::LanguageExtensions")
                .hint("add Transform: AWS::LanguageExtensions"));
        }
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(TemplateError::new(span, format!("the loop name {name} must be letters and digits")));
        }
        self.names.insert(name.to_owned());
        let Some([identifier, collection, fragment]) = entry.value.as_list() else {
            return Err(entry.value.unexpected("Fn::ForEach", "a list of an identifier, a collection and a map"));
        };
        let identifier = identifier.expect_str("the identifier of Fn::ForEach")?;
        let body = fragment.expect_map("what Fn::ForEach repeats")?;
        let is_taken = self.resolver.scope.parameter(identifier).is_some();
        if is_taken {
            let message = format!("the identifier {identifier} of Fn::ForEach is the name of a parameter too");
            return Err(TemplateError::new(span, message));
        }
        let mut made = Map::default();
        for item in self.items(collection)? {
            let turn = Turn { identifier, value: &item };
            let mut copy = Map::default();
            for entry in body.entries() {
                let value = self.copy(&turn, &entry.value)?;
                copy.push(&turn.text(&entry.key), &entry.key_span, value);
            }
            for entry in self.map(copy)?.into_entries() {
                if made.get(&entry.key).is_some() {
                    let message = format!("{} is made a second time", entry.key);
                    return Err(TemplateError::new(&entry.key_span, message)
                        .hint(format!("its key must have ${{{identifier}}} in it, and no item may come twice")));
                }
                made.push(&entry.key, &entry.key_span, entry.value);
            }
        }
        Ok(made)
    }

    /// What a loop goes through.
    fn items(&self, collection: &Node) -> Result<Vec<String>, TemplateError> {
        let resolved = self.resolver.value(collection)?;
        let list = resolved.as_ref().and_then(Node::as_list);
        let Some(items) = list else {
            return Err(collection.unexpected("the collection of Fn::ForEach", "a list"));
        };
        items.iter().map(|item| item.expect_str("an item of Fn::ForEach").map(str::to_owned)).collect()
    }

    /// A copy with the turn's value in the place of the identifier.
    fn copy(&mut self, turn: &Turn<'_>, node: &Node) -> Result<Node, TemplateError> {
        self.count(&node.span)?;
        if let Some(("Ref", name)) = node.as_intrinsic()
            && name.as_str() == Some(turn.identifier)
        {
            return Ok(Node::string(&node.span, turn.value));
        }
        let kind = match &node.kind {
            Kind::Scalar(scalar) => Kind::Scalar(turn.scalar(scalar)),
            Kind::List(items) => Kind::List(items.iter().map(|item| self.copy(turn, item)).collect::<Result<_, _>>()?),
            Kind::Map(map) => {
                let mut copy = Map::default();
                for entry in map.entries() {
                    let value = self.copy(turn, &entry.value)?;
                    copy.push(&turn.text(&entry.key), &entry.key_span, value);
                }
                Kind::Map(copy)
            }
        };
        Ok(Node { span: node.span.clone(), kind })
    }

    fn count(&mut self, span: &Span) -> Result<(), TemplateError> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(TemplateError::new(span, format!("loops make more than {NODES_MAX} values")));
        }
        Ok(())
    }
}

/// One turn of a loop.
struct Turn<'t> {
    identifier: &'t str,
    value: &'t str,
}

impl Turn<'_> {
    /// `${Identifier}` is the value, `&{Identifier}` its letters and digits.
    fn text(&self, text: &str) -> String {
        if !text.contains('{') {
            return text.to_owned();
        }
        let letters: String = self.value.chars().filter(char::is_ascii_alphanumeric).collect();
        text.replace(&format!("${{{}}}", self.identifier), self.value)
            .replace(&format!("&{{{}}}", self.identifier), &letters)
    }

    fn scalar(&self, scalar: &Scalar) -> Scalar {
        let text = self.text(&scalar.text);
        Scalar { plain: scalar.plain && text == scalar.text, text }
    }
}
