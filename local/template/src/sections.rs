//! The sections of a template, and the entries of `Resources` and `Outputs`.

use crate::code;
use crate::error::{TemplateError, Warning};
use crate::loops::Loops;
use crate::near::did_you_mean;
use crate::node::{Entry, Kind, Map, Node};
use crate::resolve::{Block, Resolver, unresolved};
use crate::sam;
use crate::scope::Scope;
use crate::source::Span;
use crate::template::{Output, Outside, Resource};
use crate::verify::{self, Path, Verifier};

/// CloudFormation's limits.
const RESOURCES_MAX: usize = 500;
const OUTPUTS_MAX: usize = 200;
const DESCRIPTION_MAX: usize = 1024;

/// What a template may have.
const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];

/// What a resource may say.
const ATTRIBUTES: &[&str] = &[
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

/// What an output may say.
const OUTPUT_ATTRIBUTES: &[&str] = &["Condition", "Description", "Export", "Value"];

/// The sections of a document.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    pub(crate) description: Option<String>,
    pub(crate) parameters: Option<Node>,
    pub(crate) mappings: Map,
    pub(crate) conditions: Map,
    pub(crate) resources: Map,
    pub(crate) outputs: Map,
    pub(crate) globals: Option<Node>,
    /// The resources with what SAM makes of its own.
    pub(crate) expanded: Map,
}

impl Sections {
    /// Takes a document apart.
    pub(crate) fn read(mut document: Node, warnings: &mut Vec<Warning>) -> Result<Self, TemplateError> {
        let span = document.span.clone();
        document.expect_map("a template")?;
        let Some(map) = document.as_map_mut() else { return Ok(Self::default()) };
        for entry in map.entries() {
            if !SECTIONS.contains(&entry.key.as_str()) {
                let message = format!("Invalid template property or properties [{}]", entry.key);
                return Err(format_error(
                    &entry.key_span,
                    &message,
                    did_you_mean(&entry.key, SECTIONS.iter().copied()),
                ));
            }
        }
        version(map)?;
        let description = description(map)?;
        not_honoured(map, warnings);
        let mut section = |name: &str| match map.remove(name) {
            Some(node) if node.is_null() => Ok(Map::default()),
            Some(node) => match node.kind {
                Kind::Map(map) => Ok(map),
                kind => Err(Node { span: node.span, kind }.unexpected(name, "a map")),
            },
            None => Ok(Map::default()),
        };
        let mappings = section("Mappings")?;
        let conditions = section("Conditions")?;
        let resources = section("Resources")?;
        let outputs = section("Outputs")?;
        if resources.is_empty() {
            return Err(format_error(&span, "At least one Resources member must be defined.", None));
        }
        let parameters = map.remove("Parameters").filter(|node| !node.is_null());
        let globals = map.remove("Globals");
        Ok(Self {
            description,
            parameters,
            mappings,
            conditions,
            resources,
            outputs,
            globals,
            expanded: Map::default(),
        })
    }

    /// Unrolls the loops of `AWS::LanguageExtensions`.
    pub(crate) fn unroll(&mut self, scope: &Scope, allowed: bool, outside: &dyn Outside) -> Result<(), TemplateError> {
        let mut loops = Loops::new(Resolver { scope, outside, block: Block::Collections }, allowed);
        for section in [&mut self.conditions, &mut self.resources, &mut self.outputs] {
            if Loops::are_in(section) {
                *section = loops.map(std::mem::take(section))?;
            }
        }
        Ok(())
    }

    /// Makes CloudFormation's resources of SAM's, if the template asks for that.
    pub(crate) fn serverless(
        &mut self,
        asked: bool,
        scope: &Scope,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), TemplateError> {
        within(&self.resources, RESOURCES_MAX, "resources")?;
        let kind = |entry: &Entry| entry.value.get("Type").and_then(Node::as_str).unwrap_or_default().to_owned();
        let first = self.resources.entries().iter().find(|entry| kind(entry).starts_with(sam::PREFIX));
        if !asked {
            if let Some(entry) = first {
                let message = format!("Unrecognized resource types: [{}]", kind(entry));
                let hint = "add Transform: AWS::Serverless-2016-10-31".to_owned();
                return Err(format_error(&entry.key_span, &message, Some(hint)));
            }
            self.expanded = std::mem::take(&mut self.resources);
            return Ok(());
        }
        let globals = sam::Globals::read(self.globals.take())?;
        let resolver = Resolver { scope, outside: &(), block: Block::Resources };
        let sam::Expanded { resources, renamed } = sam::expand(&self.resources, resolver, &globals, warnings)?;
        self.expanded = resources;
        // What is no SAM resource is looked at among the expanded ones.
        self.resources.entries_mut().retain(|entry| kind(entry).starts_with(sam::PREFIX));
        if !renamed.is_empty() {
            for section in [&mut self.expanded, &mut self.resources, &mut self.outputs] {
                section.entries_mut().iter_mut().for_each(|entry| sam::rename(&mut entry.value, &renamed));
            }
        }
        Ok(())
    }

    /// Looks at everything, also at what conditions leave out, and at SAM's resources as they are written.
    pub(crate) fn verify(&self, scope: &Scope, language_extensions: bool) -> Result<(), TemplateError> {
        for (block, section) in [
            (Block::Conditions, &self.conditions),
            (Block::Resources, &self.resources),
            (Block::Resources, &self.expanded),
            (Block::Outputs, &self.outputs),
        ] {
            let verifier = Verifier { scope, block, language_extensions };
            let above = Path { above: None, key: block.name() };
            for entry in section.entries() {
                let path = Path { above: Some(&above), key: &entry.key };
                let Some(attributes) = entry.value.as_map().filter(|_| block != Block::Conditions) else {
                    verifier.node(&entry.value, &path)?;
                    continue;
                };
                for attribute in attributes.entries().iter().filter(|attribute| attribute.key != "Metadata") {
                    verifier.node(&attribute.value, &Path { above: Some(&path), key: &attribute.key })?;
                }
            }
        }
        Ok(())
    }
}

/// What is read and does nothing here. The rule of CDK's bootstrap stack is in every template of CDK's.
fn not_honoured(map: &Map, warnings: &mut Vec<Warning>) {
    for name in ["Rules", "Hooks"] {
        let Some(entry) = map.entry(name) else { continue };
        let rules = entry.value.as_map().map(Map::entries).unwrap_or_default();
        if rules.iter().any(|rule| rule.key != "CheckBootstrapVersion") {
            warnings.push(Warning::new(&entry.key_span, format!("the section {name} is read, and not asserted here")));
        }
    }
}

fn version(map: &Map) -> Result<(), TemplateError> {
    match map.get("AWSTemplateFormatVersion") {
        Some(node) if node.as_str() != Some("2010-09-09") => Err(format_error(
            &node.span,
            "Unsupported template version.",
            Some("the only one is 2010-09-09".to_owned()),
        )),
        _ => Ok(()),
    }
}

fn description(map: &Map) -> Result<Option<String>, TemplateError> {
    let Some(node) = map.get("Description").filter(|node| !node.is_null()) else { return Ok(None) };
    let text = node.expect_str("Description")?;
    if text.len() > DESCRIPTION_MAX {
        let message = format!("'Description' length is greater than {DESCRIPTION_MAX}.");
        return Err(format_error(&node.span, &message, None));
    }
    Ok(Some(text.to_owned()))
}

/// Decides which resources are made: those whose conditions are not false.
pub(crate) fn decide(section: &Map, scope: &mut Scope) -> Result<(), TemplateError> {
    for entry in section.entries() {
        named(entry, "Resource")?;
        let attributes = entry.value.expect_map(&format!("the resource {}", entry.key))?;
        let is_made = condition(attributes, scope, Block::Resources)?;
        scope.resources.insert(entry.key.clone(), is_made);
    }
    Ok(())
}

/// The resources that are made.
pub(crate) fn resources(
    section: Map,
    scope: &Scope,
    outside: &dyn Outside,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Resource>, TemplateError> {
    let mut resources = Vec::new();
    for mut entry in section.into_entries() {
        let attributes = entry.value.as_map().map(Map::entries).unwrap_or_default();
        for attribute in
            attributes.iter().filter(|entry| matches!(entry.key.as_str(), "CreationPolicy" | "UpdatePolicy"))
        {
            let message = format!("{} of {} has no effect here", attribute.key, entry.key);
            warnings.push(Warning::new(&attribute.key_span, message));
        }
        let mut resource = resource(&mut entry, scope, outside)?;
        if scope.resources.get(&entry.key) == Some(&true) {
            code::localize(&mut resource);
            verify::made(&resource.properties, scope, Block::Resources)?;
            resources.push(resource);
        }
    }
    Ok(resources)
}

fn within(section: &Map, most: usize, what: &str) -> Result<(), TemplateError> {
    match section.entries().get(most) {
        Some(entry) => {
            let many = section.entries().len();
            let message = format!("Number of {what}, {many}, is greater than maximum allowed, {most}");
            Err(format_error(&entry.key_span, &message, None))
        }
        None => Ok(()),
    }
}

fn named(entry: &Entry, what: &str) -> Result<(), TemplateError> {
    if !entry.key.is_empty() && entry.key.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(format_error(&entry.key_span, &format!("{what} name {} is non alphanumeric.", entry.key), None))
}

/// Whether what has these attributes is made.
fn condition(attributes: &Map, scope: &Scope, block: Block) -> Result<bool, TemplateError> {
    match attributes.get("Condition") {
        Some(node) => {
            let name = node.expect_str("Condition")?;
            Resolver { scope, outside: &(), block }.condition(name, &node.span)
        }
        None => Ok(true),
    }
}

fn resource(entry: &mut Entry, scope: &Scope, outside: &dyn Outside) -> Result<Resource, TemplateError> {
    let id = &entry.key;
    let properties = entry.value.as_map_mut().and_then(|map| map.remove("Properties"));
    let attributes = entry.value.expect_map(&format!("the resource {id}"))?;
    for attribute in attributes.entries() {
        if !ATTRIBUTES.contains(&attribute.key.as_str()) {
            let message = format!("Invalid template resource property '{}'", attribute.key);
            let hint = did_you_mean(&attribute.key, ATTRIBUTES.iter().copied());
            return Err(format_error(&attribute.key_span, &message, hint));
        }
    }
    let Some(kind) = attributes.get("Type") else {
        let message = format!("[/Resources/{id}] Every Resources object must contain a Type member.");
        return Err(format_error(&entry.key_span, &message, None));
    };
    let kind = kind.expect_str(&format!("the Type of {id}"))?.to_owned();
    let properties = match properties {
        Some(node) if !node.is_null() => {
            node.expect_map(&format!("Properties of {id}"))?;
            node
        }
        _ => Node::map(&entry.key_span, []),
    };
    let resolver = Resolver { scope, outside, block: Block::Resources };
    let policy = |name: &str| match attributes.get(name) {
        Some(node) => resolver.text(node, name).map(Some),
        None => Ok(None),
    };
    Ok(Resource {
        logical_id: id.clone(),
        span: entry.key_span.clone(),
        kind,
        properties,
        depends_on: depends_on(attributes.get("DependsOn"), scope)?,
        deletion_policy: policy("DeletionPolicy")?,
        update_replace_policy: policy("UpdateReplacePolicy")?,
        metadata: attributes.get("Metadata").filter(|node| !node.is_null()).cloned(),
    })
}

/// What must be made before; what is left out need not be.
fn depends_on(node: Option<&Node>, scope: &Scope) -> Result<Vec<String>, TemplateError> {
    let Some(node) = node else { return Ok(Vec::new()) };
    let nodes = node.as_list().unwrap_or(std::slice::from_ref(node));
    let mut ids = Vec::new();
    for node in nodes {
        let id = node.expect_str("DependsOn")?;
        match scope.resources.get(id) {
            Some(true) => ids.push(id.to_owned()),
            Some(false) => {}
            None => unresolved(scope, id, &node.span, Block::Resources)?,
        }
    }
    Ok(ids)
}

/// The outputs whose conditions are not false.
pub(crate) fn outputs(section: &Map, scope: &Scope) -> Result<Vec<Output>, TemplateError> {
    within(section, OUTPUTS_MAX, "outputs")?;
    let mut outputs = Vec::new();
    for entry in section.entries() {
        named(entry, "Output")?;
        let name = &entry.key;
        let attributes = entry.value.expect_map(&format!("the output {name}"))?;
        for attribute in attributes.entries() {
            if !OUTPUT_ATTRIBUTES.contains(&attribute.key.as_str()) {
                let message = format!("Output {name} is malformed. Invalid property '{}'", attribute.key);
                let hint = did_you_mean(&attribute.key, OUTPUT_ATTRIBUTES.iter().copied());
                return Err(format_error(&attribute.key_span, &message, hint));
            }
        }
        let Some(value) = attributes.get("Value").filter(|value| !value.is_null()) else {
            let message = format!("[/Outputs/{name}] Every Outputs member must contain a Value object");
            return Err(format_error(&entry.key_span, &message, None));
        };
        if condition(attributes, scope, Block::Outputs)? {
            verify::made(value, scope, Block::Outputs)?;
            let (name, span, value) = (name.clone(), entry.key_span.clone(), value.clone());
            outputs.push(Output { name, span, value, export: export(attributes)? });
        }
    }
    Ok(outputs)
}

fn export(attributes: &Map) -> Result<Option<Node>, TemplateError> {
    match attributes.get("Export") {
        Some(export) => match export.as_map().map(Map::entries) {
            Some([entry]) if entry.key == "Name" => Ok(Some(entry.value.clone())),
            _ => Err(export.unexpected("Export", "{Name: …}")),
        },
        None => Ok(None),
    }
}

/// A mistake in the form of a template, in CloudFormation's words.
pub(crate) fn format_error(span: &Span, message: &str, hint: Option<String>) -> TemplateError {
    let error = TemplateError::new(span, format!("Template format error: {message}"));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
