//! SAM (`AWS::Serverless-2016-10-31`): its resources become those that the SAM translator makes of them, under the same
//! logical ids. Where the translator writes an `OpenAPI` document, here each route is a resource of its own.
//!
//! Conditions are decided already, so `Fn::If` in what only SAM reads is simply taken.

mod apis;
mod connector;
mod events;
mod function;
mod globals;
mod http_api;
mod rest_api;
mod rule;
mod small;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::Value;

use crate::error::{TemplateError, Warning};
use crate::make::Make;
use crate::near::did_you_mean;
use crate::node::{Entry, Kind, Map, Node};
use crate::resolve::{Resolver, hinted};
use crate::rest::Paths;
use crate::source::Span;

pub(crate) use globals::Globals;

/// How SAM's types begin.
pub(crate) const PREFIX: &str = "AWS::Serverless::";

/// What becomes of a template's resources.
pub(crate) struct Expansion<'a> {
    pub(crate) resolver: Resolver<'a>,
    pub(crate) globals: &'a Globals,
    pub(crate) warnings: &'a mut Vec<Warning>,
    /// The resources as they are written.
    written: &'a Map,
    made: Made,
    apis: BTreeMap<String, Rc<apis::Api>>,
    /// Routes of APIs, so that none is there twice.
    routes: HashSet<(String, String)>,
    /// APIs, and the functions that everything else leads to.
    default_routes: HashSet<(String, String)>,
    /// Settings of routes by API, which are a stage's.
    route_settings: BTreeMap<String, Map>,
    /// Methods of REST APIs by path, and their logical ids.
    methods: BTreeMap<String, BTreeMap<String, Vec<(String, String)>>>,
    /// The names of their paths.
    paths: BTreeMap<String, Paths>,
}

/// What was made, in order.
#[derive(Default)]
struct Made {
    entries: Vec<Entry>,
    at: HashMap<String, usize>,
    /// `Layer` and `Function.Alias` are names for what has another.
    renamed: HashMap<String, String>,
}

/// What is made of a template's resources, and which names stand for others.
pub(crate) struct Expanded {
    pub(crate) resources: Map,
    pub(crate) renamed: HashMap<String, String>,
}

/// One SAM resource while it is expanded.
pub(crate) struct Serverless<'n> {
    pub(crate) id: &'n str,
    pub(crate) span: &'n Span,
    pub(crate) kind: &'n str,
    /// Its attributes besides Type and Properties.
    pub(crate) attributes: &'n Map,
    /// Its properties with what is common to its kind.
    pub(crate) properties: Map,
}

/// Makes CloudFormation's resources of SAM's.
pub(crate) fn expand(
    written: &Map,
    resolver: Resolver<'_>,
    globals: &Globals,
    warnings: &mut Vec<Warning>,
) -> Result<Expanded, TemplateError> {
    let mut expansion = Expansion {
        resolver,
        globals,
        warnings,
        written,
        made: Made::default(),
        apis: BTreeMap::new(),
        routes: HashSet::new(),
        default_routes: HashSet::new(),
        route_settings: BTreeMap::new(),
        methods: BTreeMap::new(),
        paths: BTreeMap::new(),
    };
    // What is no SAM resource is there first: events write into pools.
    for entry in written.entries() {
        if serverless_kind(&entry.value).is_none() {
            expansion.made.at.insert(entry.key.clone(), expansion.made.entries.len());
            expansion.made.entries.push(entry.clone());
        }
    }
    expansion.declare_apis()?;
    for entry in written.entries() {
        if let Some(kind) = serverless_kind(&entry.value) {
            expansion.resource(entry, kind)?;
        }
    }
    expansion.finish_apis()?;
    expansion.connectors()?;
    let Made { entries, renamed, .. } = expansion.made;
    Ok(Expanded { resources: Map::from_entries(entries), renamed })
}

/// The type of a SAM resource, without what they all begin with.
fn serverless_kind(resource: &Node) -> Option<&str> {
    resource.get("Type")?.as_str()?.strip_prefix(PREFIX)
}

impl<'a> Expansion<'a> {
    fn resource(&mut self, entry: &'a Entry, kind: &'a str) -> Result<(), TemplateError> {
        let Some(attributes) = entry.value.as_map() else { return Ok(()) };
        let resource = self.serverless(entry, kind, attributes)?;
        match kind {
            "Function" => self.function(&resource),
            "SimpleTable" => self.simple_table(&resource),
            "LayerVersion" => self.layer(&resource),
            "HttpApi" | "Api" | "Connector" => Ok(()),
            _ => {
                let message = format!("{} is not made here: {PREFIX}{kind} is not supported", entry.key);
                self.warnings.push(Warning::new(&entry.key_span, message));
                // It stays what it is, so that what refers to it finds something.
                self.add(&resource, resource.id, &format!("{PREFIX}{kind}"), resource.node())
            }
        }
    }

    fn serverless(
        &self,
        entry: &'a Entry,
        kind: &'a str,
        attributes: &'a Map,
    ) -> Result<Serverless<'a>, TemplateError> {
        let (id, span) = (entry.key.as_str(), &entry.key_span);
        let common = self.globals.of(kind, attributes.get("IgnoreGlobals"));
        let properties = match attributes.get("Properties").filter(|node| !node.is_null()) {
            Some(node) => globals::merge(common, node.expect_map(&format!("Properties of {id}"))?),
            None => common,
        };
        Ok(Serverless { id, span, kind, attributes, properties })
    }

    /// Adds a resource that belongs to a SAM resource: it has its condition and policies.
    fn add(&mut self, owner: &Serverless<'_>, id: &str, kind: &str, properties: Node) -> Result<(), TemplateError> {
        self.add_with(owner, id, kind, properties, [])
    }

    /// The same with attributes of its own, which go before the owner's.
    fn add_with<'k>(
        &mut self,
        owner: &Serverless<'_>,
        id: &str,
        kind: &str,
        properties: Node,
        own: impl IntoIterator<Item = (&'k str, Node)>,
    ) -> Result<(), TemplateError> {
        let make = Make(owner.span);
        let mut attributes = make.map([("Type", make.text(kind)), ("Properties", properties)]);
        let own = own.into_iter().map(|(key, value)| (key, owner.span, value));
        let inherited = ["Condition", "DeletionPolicy", "UpdateReplacePolicy"];
        let inherited = owner.attributes.entries().iter().filter(|entry| inherited.contains(&entry.key.as_str()));
        let inherited = inherited.map(|entry| (entry.key.as_str(), &entry.key_span, entry.value.clone()));
        if let Some(map) = attributes.as_map_mut() {
            for (key, span, value) in own.chain(inherited) {
                if map.get(key).is_none() {
                    map.push(key, span, value);
                }
            }
        }
        if self.made.at.contains_key(id) {
            let message = format!("{} makes a resource {id}, and there is one", owner.id);
            return Err(TemplateError::new(owner.span, message).hint("name the other one differently"));
        }
        self.made.at.insert(id.to_owned(), self.made.entries.len());
        self.made.entries.push(Entry { key: id.to_owned(), key_span: owner.span.clone(), value: attributes });
        Ok(())
    }

    /// A resource as far as it is made.
    fn made_mut(&mut self, id: &str) -> Option<&mut Node> {
        let at = *self.made.at.get(id)?;
        self.made.entries.get_mut(at).map(|entry| &mut entry.value)
    }

    fn is_made(&self, id: &str) -> bool {
        self.made.at.contains_key(id)
    }

    /// A value that only SAM reads, if it is there and not `AWS::NoValue`.
    fn given(&self, map: &Map, key: &str) -> Result<Option<Node>, TemplateError> {
        let Some(node) = map.get(key).filter(|node| !node.is_null()) else { return Ok(None) };
        self.taken(node)
    }

    /// A node without `Fn::If` at its top, and as its value if that needs no stack.
    fn taken(&self, node: &Node) -> Result<Option<Node>, TemplateError> {
        match node.as_intrinsic() {
            Some(("Fn::If", argument)) => match argument.as_list() {
                Some([condition, yes, no]) => {
                    let name = condition.expect_str("the condition of Fn::If")?;
                    let taken = if self.resolver.condition(name, &condition.span)? { yes } else { no };
                    self.taken(taken)
                }
                _ => self.resolver.value(node),
            },
            Some(("Ref", name)) if name.as_str() == Some("AWS::NoValue") => Ok(None),
            Some(_) => Ok(Some(self.resolver.value(node).ok().flatten().unwrap_or_else(|| node.clone()))),
            None => Ok(Some(node.clone())),
        }
    }

    /// A node with the values of parameters in their places, and every other function as it is: what SAM hashes.
    fn with_parameters(&self, node: &Node) -> Node {
        let scope = self.resolver.scope;
        let value = |name: &str| scope.parameter(name).map(|parameter| parameter.value.clone());
        let kind = match (node.as_intrinsic(), &node.kind) {
            (Some(("Ref", name)), _) if name.as_str().and_then(value).is_some() => {
                return Node::string(&node.span, name.as_str().and_then(value).unwrap_or_default());
            }
            (Some(("Fn::Sub", text)), Kind::Map(map)) => {
                let mut map = map.clone();
                if let Some(Node { kind: Kind::Scalar(scalar), .. }) =
                    map.get_mut("Fn::Sub").filter(|_| text.as_str().is_some())
                {
                    for parameter in &scope.parameters {
                        scalar.text = scalar.text.replace(&format!("${{{}}}", parameter.name), &parameter.value);
                    }
                }
                Kind::Map(map)
            }
            (_, Kind::Map(map)) => {
                let mut map = map.clone();
                map.entries_mut().iter_mut().for_each(|entry| entry.value = self.with_parameters(&entry.value));
                Kind::Map(map)
            }
            (_, Kind::List(items)) => Kind::List(items.iter().map(|item| self.with_parameters(item)).collect()),
            (_, Kind::Scalar(scalar)) => Kind::Scalar(scalar.clone()),
        };
        Node { span: node.span.clone(), kind }
    }

    /// A text that only SAM reads.
    fn given_text(&self, map: &Map, key: &str) -> Result<Option<String>, TemplateError> {
        match self.given(map, key)? {
            Some(node) => node.expect_str(key).map(|text| Some(text.to_owned())),
            None => Ok(None),
        }
    }
}

impl Serverless<'_> {
    fn make(&self) -> Make<'_> {
        Make(self.span)
    }

    /// Its properties as a node.
    fn node(&self) -> Node {
        Node { span: self.span.clone(), kind: Kind::Map(self.properties.clone()) }
    }

    /// "Resource with id […] is invalid. …": SAM's words.
    fn invalid(&self, span: &Span, words: &str) -> TemplateError {
        TemplateError::new(span, format!("Resource with id [{}] is invalid. {words}", self.id))
    }

    /// "Event with id […] is invalid. …": as well.
    fn invalid_event(&self, event: &str, span: &Span, words: &str) -> TemplateError {
        let words = format!("Event with id [{event}] is invalid. {words}");
        self.invalid(span, &words)
    }

    /// Whether every property is one that its type has.
    fn known(&self, known: &[&str]) -> Result<(), TemplateError> {
        let Some(entry) = self.properties.entries().iter().find(|entry| !known.contains(&entry.key.as_str())) else {
            return Ok(());
        };
        let words = format!("property {} not defined for resource of type {PREFIX}{}", entry.key, self.kind);
        let hint = || did_you_mean(&entry.key, known.iter().copied());
        Err(hinted(self.invalid(&entry.key_span, &words), hint))
    }
}

/// The ten digits that SAM puts behind a logical id, so that another value makes another resource.
fn hash(value: &Value) -> String {
    hash_text(&ascii(&value.to_string()))
}

fn hash_text(text: &str) -> String {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let start = digest.as_ref().iter().take(5).fold(0_u64, |start, byte| start << 8 | u64::from(*byte));
    format!("{start:010x}")
}

/// JSON as Python writes it: no character but ASCII.
fn ascii(json: &str) -> String {
    let mut text = String::new();
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            text.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// `{a: b}` as the list of tags that CloudFormation takes, behind the one that SAM puts there.
fn tags(make: Make<'_>, tags: Option<&Node>, by_sam: bool) -> Option<Node> {
    let tag = |key: &str, value: Node| make.map([("Key", make.text(key)), ("Value", value)]);
    let mut list: Vec<Node> = by_sam.then(|| tag("lambda:createdBy", make.text("SAM"))).into_iter().collect();
    match tags.map(|tags| &tags.kind) {
        Some(Kind::Map(map)) => list.extend(map.iter().map(|(key, value)| tag(key, value.clone()))),
        Some(Kind::List(items)) => list.extend(items.iter().cloned()),
        Some(Kind::Scalar(_)) | None => {}
    }
    (!list.is_empty()).then(|| make.list(list))
}

/// Writes other names into references: of a layer, or of `Function.Alias` and `Function.Version`.
pub(crate) fn rename(node: &mut Node, renamed: &HashMap<String, String>) {
    match &mut node.kind {
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter_mut().for_each(|item| rename(item, renamed)),
        Kind::Map(map) => {
            for entry in map.entries_mut() {
                match entry.key.as_str() {
                    "Ref" => rename_text(&mut entry.value, |text| renamed.get(text).cloned()),
                    "Fn::GetAtt" => rename_attribute(&mut entry.value, renamed),
                    "Fn::Sub" => rename_sub(&mut entry.value, renamed),
                    _ => {}
                }
                rename(&mut entry.value, renamed);
            }
        }
    }
}

fn rename_text(node: &mut Node, name: impl Fn(&str) -> Option<String>) {
    if let Kind::Scalar(scalar) = &mut node.kind
        && let Some(renamed) = name(&scalar.text)
    {
        scalar.text = renamed;
    }
}

/// `[Layer, Arn]`, `[Function.Alias, Arn]` and `Function.Alias.Arn`, whose list has `Alias.Arn` for an attribute.
fn rename_attribute(node: &mut Node, renamed: &HashMap<String, String>) {
    let dotted = |text: &str| {
        let (resource, attribute) = text.rsplit_once('.')?;
        renamed.get(resource).map(|renamed| format!("{renamed}.{attribute}"))
    };
    match &mut node.kind {
        Kind::List(items) => {
            if let [resource, attribute] = items.as_mut_slice()
                && let (Some(name), Some(path)) = (resource.as_str(), attribute.as_str())
                && let Some((first, last)) = path.split_once('.')
                && let Some(renamed) = renamed.get(&format!("{name}.{first}"))
            {
                let last = last.to_owned();
                *resource = Node::string(&resource.span, renamed);
                *attribute = Node::string(&attribute.span, last);
            } else if let Some(resource) = items.first_mut() {
                rename_text(resource, |text| renamed.get(text).cloned());
            }
        }
        _ => rename_text(node, dotted),
    }
}

fn rename_sub(node: &mut Node, renamed: &HashMap<String, String>) {
    let text = match &mut node.kind {
        Kind::List(items) => items.first_mut(),
        _ => Some(node),
    };
    let Some(Node { kind: Kind::Scalar(scalar), .. }) = text else { return };
    let (mut text, mut rest) = (String::new(), scalar.text.as_str());
    while let Some((before, inside)) = rest.split_once("${")
        && let Some((name, after)) = inside.split_once('}')
    {
        let other = match (renamed.get(name), name.rsplit_once('.')) {
            (Some(other), _) => other.clone(),
            (None, Some((resource, attribute))) if renamed.contains_key(resource) => {
                format!("{}.{attribute}", renamed[resource])
            }
            _ => name.to_owned(),
        };
        text.extend([before, "${", &other, "}"]);
        rest = after;
    }
    text.push_str(rest);
    scalar.text = text;
}
