//! A service as its file says it, with all variables resolved: its name, its functions and their events.

use crate::error::{TemplateError, Warning};
use crate::make::Make;
use crate::node::{Map, Node};
use crate::serverless::{Options, naming, write};
use crate::source::Span;

use super::merge::merge;
use super::write::Block;

/// The service.
pub(super) struct Service<'a> {
    /// Its name.
    pub name: String,
    /// The stage that it is deployed to.
    pub stage: String,
    /// The region.
    pub region: String,
    /// The file.
    pub config: &'a Node,
    /// What the caller gave.
    pub options: &'a Options,
    /// Its functions, in order.
    pub functions: Vec<Function>,
}

/// A function.
pub(super) struct Function {
    /// Its key under `functions`.
    pub key: String,
    /// Where the key stands.
    pub span: Span,
    /// The name that Lambda knows it by.
    pub name: String,
    /// What the file says of it.
    pub node: Node,
    /// Where its events go, if not to its newest version.
    pub alias: Option<Alias>,
}

/// An alias that stands for a function in everything that calls it.
pub(super) struct Alias {
    /// Its name.
    pub name: &'static str,
    /// Its logical id.
    pub logical_id: String,
}

/// An event of a function.
#[derive(Clone, Copy)]
pub(super) struct Event<'s> {
    /// The function that it calls.
    pub function: &'s Function,
    /// What the file says of it: a text or a map.
    pub value: &'s Node,
    /// Where its kind stands.
    pub span: &'s Span,
    /// Its place in the function's list, from 1.
    pub position: usize,
}

/// What is being compiled.
#[derive(Default)]
pub(super) struct Draft {
    /// Resources by logical id.
    pub resources: Map,
    /// Outputs by name.
    pub outputs: Map,
    /// What is not honoured.
    pub warnings: Vec<Warning>,
}

impl Draft {
    /// Adds a resource.
    pub(super) fn resource(&mut self, logical_id: &str, span: &Span, resource: Block) {
        self.resources.insert(logical_id, span, resource.done());
    }

    /// Adds an output.
    pub(super) fn output(&mut self, name: &str, span: &Span, description: &str, value: Node) {
        let output = Block::at(span).set("Description", description).set("Value", value);
        self.outputs.insert(name, span, output.done());
    }

    /// Warns.
    pub(super) fn warn(&mut self, span: &Span, message: impl Into<String>) {
        self.warnings.push(Warning::new(span, message));
    }
}

impl<'a> Service<'a> {
    pub(super) fn read(
        config: &'a Node,
        stage: String,
        region: String,
        options: &'a Options,
    ) -> Result<Self, TemplateError> {
        let map = config.expect_map("the file")?;
        let service = map.entry("service").ok_or_else(|| {
            TemplateError::new(&config.span, "service is missing").hint("it is the service's name: service: my-service")
        })?;
        if service.value.as_map().is_some() {
            return Err(service
                .value
                .unexpected("service", "the service's name")
                .hint("write service: my-service; version 3 of the framework took the map with a name in it away"));
        }
        let name = service.value.expect_str("service")?.to_owned();
        let provider = map.get("provider").ok_or_else(|| {
            TemplateError::new(&config.span, "provider is missing").hint("at the least: provider: {name: aws}")
        })?;
        let cloud = provider.get("name").unwrap_or(provider);
        if cloud.as_str() != Some("aws") {
            return Err(cloud.unexpected_text("provider.name", "aws"));
        }
        let mut service = Self { name, stage, region, config, options, functions: Vec::new() };
        service.functions = service.functions()?;
        Ok(service)
    }

    /// A setting under `provider`.
    pub(super) fn provider(&self, path: &[&str]) -> Option<&'a Node> {
        self.config.get("provider")?.at(path).filter(|node| !node.is_null())
    }

    /// `service-stage`: what names begin with.
    pub(super) fn prefix(&self) -> String {
        format!("{}-{}", self.name, self.stage)
    }

    /// The function under a key, for what names one.
    pub(super) fn function(&self, key: &str, named: &Node) -> Result<&Function, TemplateError> {
        self.functions.iter().find(|function| function.key == key).ok_or_else(|| {
            let keys = self.functions.iter().map(|function| function.key.as_str());
            let error = TemplateError::new(&named.span, format!("there is no function {key} in this service"));
            error.near(key, keys)
        })
    }

    /// The events of a kind, in order.
    pub(super) fn events(&self, kind: &'static str) -> impl Iterator<Item = Event<'_>> {
        self.functions.iter().flat_map(move |function| function.events(kind))
    }

    fn functions(&self) -> Result<Vec<Function>, TemplateError> {
        let Some(node) = self.config.get("functions").filter(|node| !node.is_null()) else { return Ok(Vec::new()) };
        let merged = merged_list(node, "functions")?;
        let mut functions = Vec::new();
        for entry in merged.expect_map("functions")?.entries().iter().filter(|entry| !entry.value.is_null()) {
            let what = format!("the function {}", entry.key);
            entry.value.expect_map(&what)?;
            let name = match entry.value.get("name").filter(|name| !name.is_null()) {
                Some(name) => name.expect_str("a function's name")?.to_owned(),
                None => format!("{}-{}", self.prefix(), entry.key),
            };
            functions.push(Function {
                key: entry.key.clone(),
                span: entry.key_span.clone(),
                name,
                alias: alias(&entry.key, &entry.value),
                node: entry.value.clone(),
            });
        }
        Ok(functions)
    }
}

impl Function {
    /// A setting of the function.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.node.get(key).filter(|node| !node.is_null())
    }

    /// A setting of the function, if it is anything but false.
    pub(super) fn truthy(&self, key: &str) -> Option<&Node> {
        self.get(key).filter(|node| !falsy(node))
    }

    /// The logical id.
    pub(super) fn logical_id(&self) -> String {
        naming::function(&self.key)
    }

    /// What an event calls: the function's ARN or its alias's.
    pub(super) fn target(&self, span: &Span) -> Node {
        let arn = Make(span).attribute(&self.logical_id(), "Arn");
        match &self.alias {
            Some(alias) => write::join(span, ":", vec![arn, Node::string(span, alias.name)]),
            None => arn,
        }
    }

    /// The alias that whatever calls the function waits for.
    pub(super) fn alias_id(&self) -> Option<&str> {
        self.alias.as_ref().map(|alias| alias.logical_id.as_str())
    }

    fn events(&self, kind: &'static str) -> impl Iterator<Item = Event<'_>> {
        let list = self.get("events").and_then(Node::as_list).unwrap_or_default();
        list.iter().enumerate().filter_map(move |(index, event)| {
            let entry = event.as_map()?.entry(kind).filter(|entry| !entry.value.is_null())?;
            Some(Event { function: self, value: &entry.value, span: &entry.key_span, position: index + 1 })
        })
    }
}

impl<'s> Event<'s> {
    /// A setting of the event, if it is a map.
    pub(super) fn get(&self, key: &str) -> Option<&'s Node> {
        self.value.get(key).filter(|node| !node.is_null())
    }

    /// The same, if it is anything but false.
    pub(super) fn truthy(&self, key: &str) -> Option<&'s Node> {
        self.get(key).filter(|node| !falsy(node))
    }

    /// A permission for a service to call the function.
    pub(super) fn permission(&self, principal: &str, source_arn: Option<Node>) -> Block {
        let properties = Block::at(self.span)
            .set("FunctionName", self.function.target(self.span))
            .set("Action", "lambda:InvokeFunction")
            .set("Principal", principal)
            .maybe("SourceArn", source_arn);
        write::resource(self.span, "AWS::Lambda::Permission", properties).maybe("DependsOn", self.function.alias_id())
    }
}

fn alias(key: &str, node: &Node) -> Option<Alias> {
    let set = |name: &str| node.get(name).is_some_and(|value| !value.is_null() && !falsy(value));
    let (name, kind) = match (set("provisionedConcurrency"), set("snapStart")) {
        (true, _) => ("provisioned", "ProvConc"),
        (false, true) => ("snapstart", "SnapStart"),
        (false, false) => return None,
    };
    Some(Alias { name, logical_id: format!("{}{kind}LambdaAlias", naming::resource(key)) })
}

/// What JavaScript takes for false.
pub(super) fn falsy(node: &Node) -> bool {
    node.is_null()
        || node.as_scalar().is_some_and(|scalar| {
            scalar.text.is_empty() || (scalar.plain && (scalar.as_bool() == Some(false) || scalar.text == "0"))
        })
}

/// A section that may be a list of maps, which are merged.
pub(super) fn merged_list(node: &Node, what: &str) -> Result<Node, TemplateError> {
    let Some(items) = node.as_list() else { return Ok(node.clone()) };
    let mut merged = Node::map(&node.span, []);
    for item in items.iter().filter(|item| !item.is_null()) {
        item.expect_map(&format!("an item of {what}"))?;
        merge(&mut merged, item)?;
    }
    Ok(merged)
}
