//! What values mean: which resource is referred to, by a mark or by its name.

use template::{Kind, Node};

use super::outside::{is_marked, marks};
use super::{Project, Resource};

/// The property that holds the name of a resource of this kind.
fn name_property(kind: &str) -> &'static str {
    match kind {
        "AWS::Lambda::Function" => "FunctionName",
        "AWS::Cognito::UserPool" => "UserPoolName",
        "AWS::SQS::Queue" => "QueueName",
        "AWS::DynamoDB::Table" => "TableName",
        _ => "Name",
    }
}

impl Resource {
    /// Its name, if it has one of its own.
    pub fn name(&self) -> Option<&str> {
        self.text(name_property(&self.kind))
    }
}

impl Project {
    /// The resource that a value refers to: `Ref`, `GetAtt`, a text made of them, or the name or ARN of one.
    pub(crate) fn target(&self, value: &Node) -> Option<&Resource> {
        let text = value.as_str()?;
        if let Some((logical_id, _)) = marks(text).last() {
            return self.resource(logical_id);
        }
        self.all().iter().find(|resource| resource.name().is_some_and(|name| is_named(text, name)))
    }

    /// The resource of this kind that a value refers to.
    pub(crate) fn target_of_kind(&self, value: &Node, kind: &str) -> Option<&Resource> {
        let text = value.as_str()?;
        if is_marked(text) {
            return self.target(value).filter(|resource| resource.kind == kind);
        }
        let is_it =
            |resource: &&Resource| resource.kind == kind && resource.name().is_some_and(|name| is_named(text, name));
        self.all().iter().find(is_it)
    }

    /// The function that a value refers to, through aliases and versions.
    pub(crate) fn function(&self, value: &Node) -> Option<&Resource> {
        if let Some(function) = self.target_of_kind(value, "AWS::Lambda::Function") {
            return Some(function);
        }
        let text = value.as_str()?;
        if is_marked(text) {
            let through = self.target(value)?;
            let is_alias = matches!(through.kind.as_str(), "AWS::Lambda::Alias" | "AWS::Lambda::Version");
            return is_alias
                .then(|| self.target_of_kind(through.get("FunctionName")?, "AWS::Lambda::Function"))
                .flatten();
        }
        // arn:…:function:name:alias
        let (rest, _) = text.rsplit_once(':')?;
        self.target_of_kind(&Node::string(&value.span, rest), "AWS::Lambda::Function")
    }
}

/// Whether a text is a name, or an ARN that ends with it.
fn is_named(text: &str, name: &str) -> bool {
    text == name || text.strip_suffix(name).is_some_and(|rest| rest.ends_with([':', '/']))
}

/// Whether a value depends on what is not in this template.
pub fn is_unknown(value: &Node) -> bool {
    match &value.kind {
        Kind::Scalar(scalar) => is_marked(&scalar.text),
        Kind::List(items) => items.iter().any(is_unknown),
        Kind::Map(map) => map.iter().any(|(key, value)| key.starts_with("Fn::") || key == "Ref" || is_unknown(value)),
    }
}

/// All nodes of a tree, from the top.
pub fn walk<'n>(node: &'n Node, see: &mut dyn FnMut(&'n Node)) {
    see(node);
    match &node.kind {
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| walk(item, see)),
        Kind::Map(map) => map.iter().for_each(|(_, value)| walk(value, see)),
    }
}
