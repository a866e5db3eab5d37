//! A CloudFormation template: its sections, with everything decided that its parameters decide.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::conditions;
use crate::error::{TemplateError, Warning};
use crate::files::Files;
use crate::include;
use crate::node::Node;
use crate::openapi;
use crate::parameters::{self, Parameter};
use crate::references;
use crate::resolve::{Block, Resolver};
use crate::scope::Scope;
use crate::sections::{self, Sections};
use crate::source::Span;
use crate::transforms::Transforms;
use crate::verify;

/// What is given from outside for one reading of a template.
#[derive(Clone)]
pub struct Inputs {
    /// The stack's name.
    pub stack_name: String,
    /// The region that the stack lies in.
    pub region: String,
    /// The account that the stack lies in.
    pub account_id: String,
    /// Values of parameters, by name.
    pub parameters: BTreeMap<String, String>,
    /// What `AWS::Include` and definitions in files of their own are read from.
    pub files: Arc<dyn Files>,
}

impl Default for Inputs {
    fn default() -> Self {
        Self {
            stack_name: "local".to_owned(),
            region: "us-east-1".to_owned(),
            account_id: "000000000000".to_owned(),
            parameters: BTreeMap::new(),
            files: Arc::new(BTreeMap::<PathBuf, String>::new()),
        }
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inputs({} in {} of {})", self.stack_name, self.region, self.account_id)
    }
}

/// A CloudFormation template with SAM already expanded.
#[derive(Debug)]
pub struct Template {
    /// What it says of itself.
    pub description: Option<String>,
    /// What is to be made, in the order of the file. What a condition leaves out is not here.
    pub resources: Vec<Resource>,
    /// What the stack tells of itself. What a condition leaves out is not here.
    pub outputs: Vec<Output>,
    /// Its parameters, with their values.
    pub parameters: Vec<Parameter>,
    /// What is read and not honoured.
    pub warnings: Vec<Warning>,
    scope: Scope,
}

/// Something to be made.
#[derive(Clone, Debug)]
pub struct Resource {
    /// What the template calls it.
    pub logical_id: String,
    /// Where the logical id stands.
    pub span: Span,
    /// What it is: `AWS::Cognito::UserPool`.
    pub kind: String,
    /// A map, its functions not resolved, in their long form.
    pub properties: Node,
    /// What must be made before it, by logical id.
    pub depends_on: Vec<String>,
    /// What becomes of it when it leaves the stack.
    pub deletion_policy: Option<String>,
    /// What becomes of it when another takes its place.
    pub update_replace_policy: Option<String>,
    /// What tools wrote about it.
    pub metadata: Option<Node>,
}

/// What a stack tells of itself.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Its value, functions not resolved.
    pub value: Node,
    /// The name under which other stacks import it, functions not resolved.
    pub export: Option<Node>,
}

/// What only the stack knows.
pub trait Outside {
    /// What `Ref` of a resource gives.
    fn reference(&self, logical_id: &str) -> Option<Value>;
    /// What `Fn::GetAtt` gives; the attribute of a nested stack is `Outputs.Name`.
    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Value>;
    /// The value of another stack's export.
    fn import(&self, export: &str) -> Option<String>;
    /// A value of Parameter Store by `name` or `name:version`, a list's items between commas.
    fn parameter(&self, name: &str) -> Option<String>;
    /// The `SecretString` of a secret, by its name or ARN.
    fn secret(&self, id: &str) -> Option<String>;
    /// What stands in the place of a dynamic reference whose value is there only when something is made.
    fn awaited(&self, _: Awaited<'_>) -> Option<String> {
        None
    }
}

/// What a dynamic reference names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited<'a> {
    /// A value of Parameter Store, by name.
    Parameter(&'a str),
    /// A secret, by name or ARN.
    Secret(&'a str),
}

/// Nothing is known.
impl Outside for () {
    fn reference(&self, _: &str) -> Option<Value> {
        None
    }

    fn attribute(&self, _: &str, _: &str) -> Option<Value> {
        None
    }

    fn import(&self, _: &str) -> Option<String> {
        None
    }

    fn parameter(&self, _: &str) -> Option<String> {
        None
    }

    fn secret(&self, _: &str) -> Option<String> {
        None
    }
}

impl Template {
    /// Reads a document: its sections, parameters, conditions. Resources and outputs whose condition is false are left out.
    pub fn read(document: Node, inputs: Inputs) -> Result<Self, TemplateError> {
        Self::read_with(document, inputs, &())
    }

    /// The same, where conditions may depend on Parameter Store: of `outside`, only parameters are asked.
    pub fn read_with(mut document: Node, inputs: Inputs, outside: &dyn Outside) -> Result<Self, TemplateError> {
        let mut warnings = Vec::new();
        let transforms = Transforms::read(&mut document, &inputs, &mut warnings)?;
        include::expand(&mut document, &inputs)?;
        let mut sections = Sections::read(document, &mut warnings)?;
        let parameters = parameters::read(sections.parameters.as_ref(), &inputs, &mut warnings)?;
        let mappings = std::mem::take(&mut sections.mappings);
        let mut scope = Scope { inputs, parameters, mappings, ..Scope::default() };
        sections.unroll(&scope, transforms.language_extensions, outside)?;
        verify::mappings(&scope.mappings)?;
        conditions::decide(&sections.conditions, &mut scope, outside)?;
        sections.serverless(transforms.serverless, &scope, &mut warnings)?;
        sections.expanded = openapi::expand(sections.expanded, &mut warnings)?;
        sections::decide(&sections.expanded, &mut scope)?;
        sections.verify(&scope, transforms.language_extensions)?;
        let resources = sections::resources(std::mem::take(&mut sections.expanded), &scope, outside, &mut warnings)?;
        let outputs = sections::outputs(&sections.outputs, &scope)?;
        let description = sections.description;
        let parameters = scope.parameters.clone();
        Ok(Self { description, resources, outputs, parameters, warnings, scope })
    }

    /// A resource by its logical id.
    pub fn resource(&self, logical_id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.logical_id == logical_id)
    }

    /// Resolves every function and dynamic reference in a node. Members and items that are `AWS::NoValue` disappear; a
    /// node that is nothing else becomes null.
    pub fn resolve(&self, node: &Node, outside: &dyn Outside) -> Result<Node, TemplateError> {
        let resolver = Resolver { scope: &self.scope, outside, block: Block::Resources };
        Ok(resolver.whole(node)?.unwrap_or_else(|| Node::plain(&node.span, "null")))
    }

    /// The resources that a node refers to, by `Ref` (without an attribute), `Fn::GetAtt` and `Fn::Sub`, in order. Of
    /// `Fn::If` only that side counts which is taken.
    pub fn references(&self, node: &Node) -> Vec<(String, Option<String>, Span)> {
        let mut found = Vec::new();
        references::find(node, &self.scope, &mut |resource, attribute, span| {
            found.push((resource.to_owned(), attribute.map(str::to_owned), span.clone()));
        });
        found
    }
}
