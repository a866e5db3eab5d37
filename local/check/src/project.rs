//! What is checked: a template whose values are known, the document as it was written, and the sources of its functions.

use std::sync::Arc;

use template::serverless::is_service;
use template::{Files, Inputs, Node, Span, Template, TemplateError};

use crate::finding::Finding;

mod handlers;
mod outside;
mod read;
mod triggers;
mod value;

pub(crate) use handlers::Handler;
use outside::Marked;
pub use outside::unknown;
pub(crate) use outside::{mark, marks};
pub(crate) use triggers::{EXISTING_POOL, Trigger};
pub(crate) use value::{is_unknown, walk};

/// What is checked.
#[derive(Debug)]
pub(crate) struct Project {
    template: Template,
    document: Node,
    resources: Vec<Resource>,
    handlers: Vec<Handler>,
}

/// A resource with its values: parameters, conditions and mappings are decided; where another resource is referred to
/// stands a mark that [`Project::target`] reads.
#[derive(Debug)]
pub(crate) struct Resource {
    /// What the template calls it.
    pub logical_id: String,
    /// Where the logical id stands.
    pub span: Span,
    /// What it is: `AWS::Cognito::UserPool`.
    pub kind: String,
    /// Its properties, resolved.
    pub properties: Node,
    /// Its properties, as they were written.
    pub written: Node,
    pub depends_on: Vec<String>,
    pub deletion_policy: Option<String>,
    pub update_replace_policy: Option<String>,
    pub metadata: Option<Node>,
}

impl Resource {
    /// A property.
    pub fn get(&self, property: &str) -> Option<&Node> {
        self.properties.get(property)
    }

    /// What is at the end of a path of members.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        self.properties.at(path)
    }

    /// The text of a property.
    pub fn text(&self, property: &str) -> Option<&str> {
        self.get(property)?.as_str()
    }

    /// A property that is a whole number.
    pub fn number(&self, property: &str) -> Option<u64> {
        self.text(property)?.parse().ok()
    }

    /// Where a property's value stands, or else the resource.
    pub fn span_at(&self, path: &[&str]) -> &Span {
        self.at(path).map_or(&self.span, |node| &node.span)
    }

    /// Where a property's key stands, or else the resource.
    pub fn key_span(&self, property: &str) -> &Span {
        let entry = self.properties.as_map().and_then(|map| map.entry(property));
        entry.map_or(&self.span, |entry| &entry.key_span)
    }
}

impl Project {
    /// A document as it was written, the CloudFormation template that it is or was compiled to, and the sources of its
    /// functions, which `inputs.files` gives.
    ///
    /// Fails if it is no template, or a value in it cannot be worked out.
    pub fn new(written: Node, document: Node, inputs: Inputs) -> Result<Self, TemplateError> {
        let files = Arc::clone(&inputs.files);
        let template = read::template(document, inputs)?;
        Self::with_sources(template, written, &*files)
    }

    fn with_sources(template: Template, document: Node, files: &dyn Files) -> Result<Self, TemplateError> {
        let mut resources = Vec::new();
        for resource in &template.resources {
            let properties = match template.resolve(&resource.properties, &Marked) {
                Ok(properties) => properties,
                // A function that takes what another resource gives may not like our marks.
                Err(_) if depends_on_others(&template, &resource.properties) => resource.properties.clone(),
                Err(error) => return Err(error),
            };
            resources.push(Resource {
                logical_id: resource.logical_id.clone(),
                span: resource.span.clone(),
                kind: resource.kind.clone(),
                properties,
                written: resource.properties.clone(),
                depends_on: resource.depends_on.clone(),
                deletion_policy: resource.deletion_policy.clone(),
                update_replace_policy: resource.update_replace_policy.clone(),
                metadata: resource.metadata.clone(),
            });
        }
        let mut project = Self { template, document, resources, handlers: Vec::new() };
        project.handlers = handlers::read(&project, files);
        Ok(project)
    }

    /// The document as it was written.
    pub(crate) fn document(&self) -> &Node {
        &self.document
    }

    /// Whether it is a file of the Serverless Framework.
    pub(crate) fn is_serverless(&self) -> bool {
        is_service(&self.document)
    }

    /// All resources.
    pub(crate) fn all(&self) -> &[Resource] {
        &self.resources
    }

    /// The resources of a kind.
    pub(crate) fn of_kind<'p>(&'p self, kind: &'p str) -> impl Iterator<Item = &'p Resource> {
        self.resources.iter().filter(move |resource| resource.kind == kind)
    }

    /// A resource by its logical id.
    pub(crate) fn resource(&self, logical_id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.logical_id == logical_id)
    }

    /// The resources that a node as it was written refers to, each with its attribute and the place.
    pub(crate) fn references(&self, written: &Node) -> Vec<(String, Option<String>, Span)> {
        self.template.references(written)
    }

    /// The sources of functions.
    pub(crate) fn handlers(&self) -> &[Handler] {
        &self.handlers
    }

    /// The sources of one function.
    pub(crate) fn handler_of(&self, function: &Resource) -> Option<&Handler> {
        self.handlers.iter().find(|handler| handler.function == function.logical_id)
    }

    /// Brings what was found in code that stands inside of the template to its place there.
    pub(crate) fn place(&self, mut finding: Finding) -> Finding {
        for handler in &self.handlers {
            finding.span = handler.place(&finding.span);
            for (span, _) in &mut finding.also {
                *span = handler.place(span);
            }
        }
        finding
    }
}

/// Whether a value depends on other resources, stacks or stores.
fn depends_on_others(template: &Template, node: &Node) -> bool {
    let mut depends = !template.references(node).is_empty();
    walk(node, &mut |node| {
        depends |=
            node.as_str().is_some_and(|text| text.contains("{{resolve:")) || node.get("Fn::ImportValue").is_some();
    });
    depends
}
