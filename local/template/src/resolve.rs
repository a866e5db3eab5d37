//! Nodes with intrinsic functions to nodes without.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::call::{Attribute, Call, refuse};
use crate::cidr;
use crate::conditions;
use crate::dynamic;
use crate::error::TemplateError;
use crate::near::did_you_mean;
use crate::node::{Kind, Map, Node};
use crate::parameters::{Parameter, Shape};
use crate::scope::{NO_VALUE, Scope};
use crate::source::Span;
use crate::sub::Part;
use crate::template::Outside;

/// Bytes of a text that functions make. Nested calls could otherwise double a text many times over.
const TEXT_MAX: usize = 4 * 1024 * 1024;

/// Resolves nodes of one block of a template.
#[derive(Clone, Copy)]
pub(crate) struct Resolver<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) outside: &'a dyn Outside,
    pub(crate) block: Block,
}

/// A block of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// `Conditions`, which know no resources.
    Conditions,
    /// The collections of `Fn::ForEach`, which know neither resources nor conditions.
    Collections,
    /// `Resources`.
    Resources,
    /// `Outputs`.
    Outputs,
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Block {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Conditions => "Conditions",
            Self::Collections => "Fn::ForEach",
            Self::Resources => "Resources",
            Self::Outputs => "Outputs",
        }
    }
}

/// What a node comes to; `AWS::NoValue` is nothing.
type Resolved = Result<Option<Node>, TemplateError>;

impl Resolver<'_> {
    /// The node without functions and dynamic references.
    pub(crate) fn whole(&self, node: &Node) -> Resolved {
        match self.value(node)? {
            Some(mut node) => {
                dynamic::replace(&mut node, self.outside)?;
                Ok(Some(node))
            }
            None => Ok(None),
        }
    }

    /// The node without functions.
    pub(crate) fn value(&self, node: &Node) -> Resolved {
        match &node.kind {
            Kind::Scalar(_) => Ok(Some(node.clone())),
            Kind::List(items) => self.list(items).map(|items| Some(Node::list(&node.span, items))),
            Kind::Map(map) => match Call::read(node)? {
                Some(call) => self.call(&call, node),
                None => self.map(map, &node.span).map(Some),
            },
        }
    }

    fn list(&self, items: &[Node]) -> Result<Vec<Node>, TemplateError> {
        items.iter().filter_map(|item| self.value(item).transpose()).collect()
    }

    fn map(&self, map: &Map, span: &Span) -> Result<Node, TemplateError> {
        let mut resolved = Map::default();
        for entry in map.entries() {
            if let Some(value) = self.value(&entry.value)? {
                resolved.push(&entry.key, &entry.key_span, value);
            }
        }
        Ok(Node { span: span.clone(), kind: Kind::Map(resolved) })
    }

    fn call(&self, call: &Call<'_>, node: &Node) -> Resolved {
        let span = &node.span;
        let text = |text: String| bounded(span, text).map(|text| Some(Node::string(span, text)));
        let truth = |truth: bool| Ok(Some(Node::plain(span, truth.to_string())));
        match call {
            Call::Ref(NO_VALUE) => Ok(None),
            Call::Ref(name) => self.reference(name, span).map(Some),
            Call::GetAtt(attribute) => self.attribute(attribute, span).map(Some),
            Call::Sub(parts, variables) => text(self.sub(parts, *variables, span)?),
            Call::Join(delimiter, items) => text(self.join(delimiter, items, node)?),
            Call::Split(delimiter, from) => self.split(delimiter, from, node).map(Some),
            Call::Select(index, items) => self.select(index, items, node).map(Some),
            Call::If(condition, yes, no) => self.value(if self.named(condition)? { yes } else { no }),
            Call::Equals(..) | Call::And(_) | Call::Or(_) | Call::Not(_) => truth(self.truth(node)?),
            Call::FindInMap(keys, default) => self.find_in_map(keys, *default, node),
            Call::ImportValue(name) => text(self.import(name)?),
            Call::Base64(from) => text(STANDARD.encode(self.text(from, "the value of Fn::Base64")?)),
            Call::GetAZs(region) => self.zones(region, span).map(Some),
            Call::Cidr(block, count, bits) => self.cidr(block, count, *bits, node).map(Some),
            Call::Length(items) => {
                let length = self.items(items, "what Fn::Length counts")?.len();
                Ok(Some(Node::plain(span, length.to_string())))
            }
            Call::ToJsonString(value) => {
                let json = self.value(value)?.unwrap_or_else(|| Node::plain(span, "null")).to_json();
                text(json.to_string())
            }
        }
    }

    /// `Ref`.
    fn reference(&self, name: &str, span: &Span) -> Result<Node, TemplateError> {
        if let Some(node) = self.scope.pseudo(name, span) {
            return Ok(node);
        }
        if let Some(parameter) = self.scope.parameter(name) {
            return self.parameter(parameter, span);
        }
        self.known(name, span)?;
        match self.outside.reference(name) {
            Some(value) => Ok(Node::from_json(span, &value)),
            None => Err(TemplateError::new(span, format!("the resource {name} has nothing that Ref could give"))),
        }
    }

    fn parameter(&self, parameter: &Parameter, span: &Span) -> Result<Node, TemplateError> {
        let stored = match parameter.shape {
            Shape::Stored | Shape::StoredList => Some(self.outside.parameter(&parameter.value).ok_or_else(|| {
                let Parameter { name, value, .. } = parameter;
                TemplateError::new(
                    &parameter.span,
                    format!("Parameter {name} names {value}, which is not in Parameter Store"),
                )
                .hint(format!("give it with --ssm {value}=VALUE, or another name with --parameter {name}=NAME"))
            })?),
            _ => None,
        };
        Ok(parameter.shape.node(stored.as_ref().unwrap_or(&parameter.value), span))
    }

    /// Whether a resource may be named here, and is made.
    fn known(&self, name: &str, span: &Span) -> Result<(), TemplateError> {
        unresolved(self.scope, name, span, self.block)
    }

    /// `Fn::GetAtt`.
    fn attribute(&self, attribute: &Attribute<'_>, span: &Span) -> Result<Node, TemplateError> {
        match attribute {
            Attribute::Dotted(resource, attribute) => self.attribute_of(resource, attribute, span),
            Attribute::Pair(resource, attribute) => {
                let resource = self.text(resource, "the resource name of Fn::GetAtt")?;
                let attribute = self.text(attribute, "the attribute of Fn::GetAtt")?;
                self.attribute_of(&resource, &attribute, span)
            }
        }
    }

    fn attribute_of(&self, resource: &str, attribute: &str, span: &Span) -> Result<Node, TemplateError> {
        self.known(resource, span)?;
        let value = self.outside.attribute(resource, attribute).ok_or_else(|| {
            let message = format!("resource {resource} does not support attribute type {attribute} in Fn::GetAtt");
            TemplateError::new(span, format!("Template error: {message}"))
        })?;
        Ok(Node::from_json(span, &value))
    }

    /// `Fn::Sub`.
    fn sub(&self, parts: &[Part], variables: Option<&Node>, span: &Span) -> Result<String, TemplateError> {
        let mut made = String::new();
        // Each variable is resolved once, however often it stands there: nested calls could otherwise take for ever.
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        for part in parts {
            match part {
                Part::Text(text) => made.push_str(text),
                Part::Variable(name) => {
                    if !known.contains_key(name.as_str()) {
                        known.insert(name, self.variable(name, variables, span)?);
                    }
                    made.push_str(known.get(name.as_str()).map_or("", String::as_str));
                }
            }
            if made.len() > TEXT_MAX {
                break;
            }
        }
        Ok(made)
    }

    fn variable(&self, name: &str, variables: Option<&Node>, span: &Span) -> Result<String, TemplateError> {
        if let Some(node) = variables.and_then(|variables| variables.get(name)) {
            return self.text(node, &format!("the variable {name} of Fn::Sub"));
        }
        let value = match name.split_once('.') {
            Some((resource, attribute)) => self.attribute_of(resource, attribute, span)?,
            None => self.reference(name, span)?,
        };
        match value.as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(TemplateError::new(
                span,
                format!("Template error: variable {name} in Fn::Sub expression does not resolve to a string"),
            )),
        }
    }

    /// `Fn::Join`.
    fn join(&self, delimiter: &Node, items: &Node, node: &Node) -> Result<String, TemplateError> {
        let Some(delimiter) = delimiter.as_scalar() else {
            return Err(delimiter.unexpected("the delimiter of Fn::Join", "a text"));
        };
        let mut joined = String::new();
        for (at, item) in self.items(items, "what Fn::Join joins")?.iter().enumerate() {
            if at > 0 {
                joined.push_str(&delimiter.text);
            }
            match item.as_str() {
                Some(text) => joined.push_str(text),
                None => return Err(item.unexpected("what Fn::Join joins", "a list of texts")),
            }
            if joined.len() > TEXT_MAX {
                return Err(too_long(&node.span));
            }
        }
        Ok(joined)
    }

    /// `Fn::Split`.
    fn split(&self, delimiter: &Node, from: &Node, node: &Node) -> Result<Node, TemplateError> {
        let delimiter = match delimiter.as_str() {
            Some(text) if !text.is_empty() => text,
            Some(_) => return Err(refuse(delimiter, "the delimiter of Fn::Split must not be empty")),
            None => return Err(delimiter.unexpected("the delimiter of Fn::Split", "a text")),
        };
        let text = self.text(from, "what Fn::Split splits")?;
        Ok(Node::list(&node.span, text.split(delimiter).map(|part| Node::string(&node.span, part)).collect()))
    }

    /// `Fn::Select`.
    fn select(&self, index: &Node, items: &Node, node: &Node) -> Result<Node, TemplateError> {
        let text = self.text(index, "the index of Fn::Select")?;
        let Ok(at) = text.parse::<usize>() else {
            return Err(refuse(
                index,
                "Fn::Select requires a list argument with two elements: an integer index and a list",
            )
            .hint(format!("{text} is no index")));
        };
        let mut items = self.items(items, "what Fn::Select selects from")?;
        if at >= items.len() {
            return Err(refuse(node, &format!("Fn::Select cannot select nonexistent value at index {at}"))
                .hint(format!("the list has {} items, the first at 0", items.len())));
        }
        Ok(items.swap_remove(at))
    }

    /// `Fn::FindInMap`.
    fn find_in_map(&self, keys: &[&Node; 3], default: Option<&Node>, node: &Node) -> Resolved {
        let [map, first, second] = keys;
        let map = self.text(map, "the map name of Fn::FindInMap")?;
        let first = self.text(first, "the first key of Fn::FindInMap")?;
        let second = self.text(second, "the second key of Fn::FindInMap")?;
        let mappings = &self.scope.mappings;
        let found = mappings.get(&map).and_then(|map| map.at(&[&first, &second]));
        match (found, default) {
            (Some(found), _) => Ok(Some(found.clone())),
            (None, Some(default)) => self.value(default),
            (None, None) => {
                let error = refuse(node, &format!("Unable to get mapping for {map}::{first}::{second}"));
                Err(hinted(error, || missing(mappings, &map, &first, &second)))
            }
        }
    }

    /// `Fn::ImportValue`.
    fn import(&self, name: &Node) -> Result<String, TemplateError> {
        let export = self.text(name, "the name of Fn::ImportValue")?;
        self.outside.import(&export).ok_or_else(|| {
            TemplateError::new(&name.span, format!("No export named {export} found."))
                .hint("another stack must export it first")
        })
    }

    /// `Fn::GetAZs`: three zones in every region.
    fn zones(&self, region: &Node, span: &Span) -> Result<Node, TemplateError> {
        let named = match region.as_scalar() {
            Some(scalar) => scalar.text.clone(),
            None => self.text(region, "the region of Fn::GetAZs")?,
        };
        let region = if named.is_empty() { &self.scope.inputs.region } else { &named };
        Ok(Node::list(span, ["a", "b", "c"].map(|zone| Node::string(span, format!("{region}{zone}"))).to_vec()))
    }

    /// `Fn::Cidr`.
    fn cidr(&self, block: &Node, count: &Node, bits: Option<&Node>, node: &Node) -> Result<Node, TemplateError> {
        let number = |node: &Node, what: &str| {
            let text = self.text(node, what)?;
            text.parse::<u32>().map_err(|_| node.unexpected(what, "a whole number"))
        };
        let text = self.text(block, "the block of Fn::Cidr")?;
        let count = number(count, "the count of Fn::Cidr")?;
        let bits = bits.map(|bits| number(bits, "the bits of Fn::Cidr")).transpose()?;
        let blocks = cidr::blocks(&text, count, bits).map_err(|words| refuse(node, &words))?;
        Ok(Node::list(&node.span, blocks.into_iter().map(|block| Node::string(&node.span, block)).collect()))
    }

    /// The text that a node comes to.
    pub(crate) fn text(&self, node: &Node, what: &str) -> Result<String, TemplateError> {
        let value = self.value(node)?;
        let text = value.as_ref().and_then(|value| value.as_scalar()).filter(|scalar| !scalar.is_null());
        match (text, value.as_ref()) {
            (Some(scalar), _) => Ok(scalar.text.clone()),
            (None, Some(value)) => {
                Err(Node { span: node.span.clone(), kind: value.kind.clone() }.unexpected(what, "a text"))
            }
            (None, None) => Err(node.unexpected(what, "a text").hint("AWS::NoValue is nothing")),
        }
    }

    /// The items that a node comes to.
    fn items(&self, node: &Node, what: &str) -> Result<Vec<Node>, TemplateError> {
        match self.value(node)? {
            Some(Node { kind: Kind::List(items), .. }) => Ok(items),
            Some(value) => Err(Node { span: node.span.clone(), kind: value.kind }.unexpected(what, "a list")),
            None => Ok(Vec::new()),
        }
    }

    /// Whether a condition is true: `Fn::Equals` and its like, or `Condition` with a name.
    pub(crate) fn truth(&self, node: &Node) -> Result<bool, TemplateError> {
        if let Some(("Condition", name)) = node.as_intrinsic() {
            return self.named(name);
        }
        match Call::read(node)? {
            Some(Call::Equals(left, right)) => self.equals(left, right),
            Some(Call::And(items)) => self.all(items).map(|truths| truths.iter().all(|truth| *truth)),
            Some(Call::Or(items)) => self.all(items).map(|truths| truths.iter().any(|truth| *truth)),
            Some(Call::Not(condition)) => self.truth(condition).map(|truth| !truth),
            Some(Call::If(condition, yes, no)) => self.truth(if self.named(condition)? { yes } else { no }),
            Some(_) => {
                let value = self.text(node, "a condition")?;
                let truth = Node::string(&node.span, value).as_bool();
                truth.ok_or_else(|| node.unexpected("a condition", "true or false"))
            }
            None => node.as_bool().ok_or_else(|| {
                refuse(node, "Every Conditions member must contain a boolean intrinsic function")
                    .hint("these are Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition")
            }),
        }
    }

    fn all(&self, items: &[Node]) -> Result<Vec<bool>, TemplateError> {
        items.iter().map(|item| self.truth(item)).collect()
    }

    /// Scalars are equal if they read the same: `true` and `"true"` do.
    fn equals(&self, left: &Node, right: &Node) -> Result<bool, TemplateError> {
        let (left, right) = (self.value(left)?, self.value(right)?);
        Ok(match (left, right) {
            (Some(left), Some(right)) => match (left.as_scalar(), right.as_scalar()) {
                (Some(left), Some(right)) => left.text == right.text,
                _ => left.to_json() == right.to_json(),
            },
            (left, right) => left.is_none() && right.is_none(),
        })
    }

    /// A condition by its name.
    fn named(&self, node: &Node) -> Result<bool, TemplateError> {
        let Some(name) = node.as_str() else { return self.truth(node) };
        self.condition(name, &node.span)
    }

    pub(crate) fn condition(&self, name: &str, span: &Span) -> Result<bool, TemplateError> {
        let conditions = &self.scope.conditions;
        let unknown = || conditions::unknown(name, span, self.block, conditions.keys().map(String::as_str));
        conditions.get(name).copied().ok_or_else(unknown)
    }
}

/// A mistake, if a resource is not there or not made.
pub(crate) fn unresolved(scope: &Scope, name: &str, span: &Span, block: Block) -> Result<(), TemplateError> {
    if matches!(block, Block::Conditions | Block::Collections) {
        let message = format!(
            "Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the {block} block of \
             the template"
        );
        return Err(hinted(TemplateError::new(span, message), || did_you_mean(name, scope.names())));
    }
    let known = scope.resources.get(name);
    if known == Some(&true) {
        return Ok(());
    }
    let message = format!(
        "Template format error: Unresolved resource dependencies [{name}] in the {block} block of the template"
    );
    let error = TemplateError::new(span, message);
    if known.is_some() {
        return Err(error.hint(format!("{name} is left out, since its condition is false")));
    }
    Err(hinted(error, || did_you_mean(name, scope.names())))
}

fn missing(mappings: &Map, map: &str, first: &str, second: &str) -> Option<String> {
    let keys = |node: &Node| node.as_map().map(|map| map.iter().map(|(key, _)| key.to_owned()).collect::<Vec<_>>());
    let (name, known) = match mappings.get(map) {
        None => (map, mappings.iter().map(|(key, _)| key.to_owned()).collect()),
        Some(node) => match node.get(first) {
            None => (first, keys(node)?),
            Some(node) => (second, keys(node)?),
        },
    };
    did_you_mean(name, known.iter().map(String::as_str))
        .or_else(|| (!known.is_empty()).then(|| format!("there are {}", known.join(", "))))
}

/// A mistake with a hint, if there is one.
pub(crate) fn hinted(error: TemplateError, hint: impl FnOnce() -> Option<String>) -> TemplateError {
    match hint() {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn bounded(span: &Span, text: String) -> Result<String, TemplateError> {
    if text.len() > TEXT_MAX { Err(too_long(span)) } else { Ok(text) }
}

fn too_long(span: &Span) -> TemplateError {
    TemplateError::new(span, format!("this comes to a text of more than {TEXT_MAX} bytes"))
}
