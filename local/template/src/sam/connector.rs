//! Connectors: what may call what. The policies that they stand for are not asked here; what services must be allowed
//! to call functions is.

use super::{Expansion, PREFIX, Serverless, serverless_kind};
use crate::error::{TemplateError, Warning};
use crate::node::{Entry, Map, Node};

impl Expansion<'_> {
    /// Those that are resources, and those that stand in the resource that they lead from.
    pub(super) fn connectors(&mut self) -> Result<(), TemplateError> {
        for entry in self.written.entries() {
            let Some(attributes) = entry.value.as_map() else { continue };
            if serverless_kind(&entry.value) == Some("Connector") {
                let connector = self.serverless(entry, "Connector", attributes)?;
                let source = connector.properties.get("Source").and_then(|source| source.get("Id")).cloned();
                let Some(source) = source.as_ref().and_then(Node::as_str) else {
                    let words = "'Source' must have the Id of a resource in the same template.";
                    return Err(connector.invalid(&entry.key_span, words));
                };
                self.connect(&connector, source)?;
            }
            let Some(embedded) = attributes.get("Connectors").filter(|node| !node.is_null()) else { continue };
            for connector in embedded.expect_map(&format!("Connectors of {}", entry.key))?.entries() {
                self.embedded(entry, connector, attributes)?;
            }
        }
        Ok(())
    }

    fn embedded(&mut self, source: &Entry, connector: &Entry, attributes: &Map) -> Result<(), TemplateError> {
        let id = format!("{}{}", source.key, connector.key);
        let properties = connector.value.get("Properties").and_then(Node::as_map).cloned().unwrap_or_default();
        let span = &connector.key_span;
        let connector = Serverless { id: &id, span, kind: "Connector", attributes, properties };
        self.connect(&connector, &source.key)
    }

    fn connect(&mut self, connector: &Serverless<'_>, source: &str) -> Result<(), TemplateError> {
        let destination = connector.properties.get("Destination");
        let all = match destination.map(|node| (node.as_list(), node)) {
            Some((Some(items), _)) => items.to_vec(),
            Some((None, one)) => vec![one.clone()],
            None => return Err(connector.invalid(connector.span, "Missing required property 'Destination'.")),
        };
        for (at, destination) in all.iter().enumerate() {
            let Some(id) = destination.get("Id").and_then(Node::as_str) else { continue };
            let known = |id: &str| self.written.get(id).is_some();
            if let Some(missing) = [source, id].into_iter().find(|id| !known(id)) {
                let words = format!("Unable to find resource with logical ID '{missing}'.");
                return Err(connector.invalid(connector.span, &words));
            }
            let number = if all.len() > 1 { at.to_string() } else { String::new() };
            self.grant(connector, source, id, &number)?;
        }
        Ok(())
    }

    /// What lets a service call a function.
    fn grant(&mut self, connector: &Serverless<'_>, source: &str, id: &str, number: &str) -> Result<(), TemplateError> {
        let kind =
            |id: &str| self.written.get(id).and_then(|node| node.get("Type")).and_then(Node::as_str).unwrap_or("");
        let is_function = |kind: &str| kind.strip_prefix(PREFIX) == Some("Function") || kind == "AWS::Lambda::Function";
        let make = connector.make();
        if !is_function(kind(id)) {
            return Ok(());
        }
        let (principal, arn) = match kind(source) {
            "AWS::Events::Rule" => ("events.amazonaws.com", make.attribute(source, "Arn")),
            "AWS::SNS::Topic" => ("sns.amazonaws.com", make.reference(source)),
            "AWS::S3::Bucket" => ("s3.amazonaws.com", make.attribute(source, "Arn")),
            "AWS::Serverless::Api" | "AWS::Serverless::HttpApi" => {
                let text = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Id}/*";
                ("apigateway.amazonaws.com", make.sub_with(text, [("Id", make.reference(source))]))
            }
            other if is_function(other) => return Ok(()),
            other => {
                let message = format!("the connector {} from {other} to a function grants nothing here", connector.id);
                self.warnings.push(Warning::new(connector.span, message));
                return Ok(());
            }
        };
        let node = make.map([
            ("Action", make.text("lambda:InvokeFunction")),
            ("FunctionName", make.attribute(id, "Arn")),
            ("Principal", make.text(principal)),
            ("SourceArn", arn),
        ]);
        self.add(connector, &format!("{}{number}WriteLambdaPermission", connector.id), "AWS::Lambda::Permission", node)
    }
}
