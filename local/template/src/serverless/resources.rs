//! `resources:` merged into what was generated, then `extensions` laid over it.
//! <https://www.serverless.com/framework/docs/providers/aws/guide/resources>

use crate::error::TemplateError;
use crate::node::{Kind, Node};

use super::merge::merge;
use super::service::{Draft, Service, merged_list};
use super::write::Block;

/// Attributes of a resource that an extension puts in the place of what is there.
const REPLACED: &[&str] = &["Condition", "CreationPolicy", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy"];

/// The whole document.
pub(super) fn document(service: &Service, mut draft: Draft) -> Result<Node, TemplateError> {
    export(service, &mut draft);
    let span = &service.config.span;
    let map = |map| Node { span: span.clone(), kind: Kind::Map(map) };
    let mut document = Block::at(span)
        .set("AWSTemplateFormatVersion", "2010-09-09")
        .set("Description", "The AWS CloudFormation template for this Serverless application")
        .set("Resources", map(draft.resources))
        .set("Outputs", map(draft.outputs))
        .done();
    let Some(written) = service.config.get("resources").filter(|node| !node.is_null()) else { return Ok(document) };
    let mut written = merged_list(written, "resources")?;
    written.expect_map("resources")?;
    refuse_bare_resources(&written)?;
    let extensions = written.as_map_mut().and_then(|map| map.remove("extensions"));
    if let Some(sections) = written.as_map_mut() {
        sections.entries_mut().retain(|entry| !entry.value.is_null());
    }
    merge(&mut document, &written)?;
    if let Some(extensions) = extensions.filter(|node| !node.is_null()) {
        extend(&mut document, &extensions)?;
    }
    Ok(document)
}

/// What is generated is exported; what the user writes is as he writes it.
fn export(service: &Service, draft: &mut Draft) {
    for entry in draft.outputs.entries_mut() {
        let name = format!("sls-{}-{}", service.prefix(), entry.key);
        let export = Block::at(&entry.key_span).set("Name", name).done();
        if let Some(output) = entry.value.as_map_mut() {
            output.insert("Export", &entry.key_span, export);
        }
    }
}

/// Resources right under `resources` are a frequent slip that CloudFormation answers without a place.
fn refuse_bare_resources(written: &Node) -> Result<(), TemplateError> {
    let sections = written.as_map().map(crate::node::Map::entries).unwrap_or_default();
    let slip = sections.iter().find(|entry| {
        let kind = entry.value.get("Type").and_then(Node::as_str);
        kind.is_some_and(|kind| kind.contains("::"))
    });
    match slip {
        Some(entry) => Err(TemplateError::new(
            &entry.key_span,
            format!("{} is a resource: it belongs one level deeper", entry.key),
        )
        .hint("under resources: Resources:")),
        None => Ok(()),
    }
}

fn extend(document: &mut Node, extensions: &Node) -> Result<(), TemplateError> {
    let resources = document.as_map_mut().and_then(|map| map.get_mut("Resources")).and_then(Node::as_map_mut);
    let Some(resources) = resources else { return Ok(()) };
    for entry in extensions.expect_map("resources.extensions")?.entries() {
        if resources.get(&entry.key).is_none() {
            let message = format!("Cannot extend \"{}\" resource, as it's not found in generated stack", entry.key);
            let error = TemplateError::new(&entry.key_span, message);
            return Err(error.near(&entry.key, resources.iter().map(|(id, _)| id)));
        }
        let Some(resource) = resources.get_mut(&entry.key) else { continue };
        for attribute in entry.value.expect_map("an extension")?.entries() {
            let error = |message: String| TemplateError::new(&attribute.key_span, message);
            let Some(target) = resource.as_map_mut() else { continue };
            match attribute.key.as_str() {
                name if REPLACED.contains(&name) => target.insert(name, &attribute.key_span, attribute.value.clone()),
                name @ ("Properties" | "Metadata") => {
                    if target.get(name).is_none() {
                        target.insert(name, &attribute.key_span, Node::map(&attribute.value.span, []));
                    }
                    let into = target.get_mut(name).and_then(Node::as_map_mut);
                    let Some(into) = into else { continue };
                    for member in attribute.value.expect_map(name)?.entries() {
                        into.insert(&member.key, &member.key_span, member.value.clone());
                    }
                }
                "DependsOn" => depend(target, &attribute.value)?,
                name => {
                    return Err(error(format!(
                        "Cannot extend \"{}\" resource, as extending the \"{name}\" attribute at this point is not supported.",
                        entry.key
                    )));
                }
            }
        }
    }
    Ok(())
}

fn depend(resource: &mut crate::node::Map, more: &Node) -> Result<(), TemplateError> {
    let mut all = match resource.get("DependsOn") {
        Some(node) => node.as_list().map_or_else(|| vec![node.clone()], <[Node]>::to_vec),
        None => Vec::new(),
    };
    all.extend(more.expect_list("DependsOn of an extension")?.iter().cloned());
    resource.insert("DependsOn", &more.span, Node::list(&more.span, all));
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::serverless::testing::{check_error, check_resource, document};

    #[test]
    fn a_list_of_maps_is_merged() {
        let document = document(
            "
            resources:
              - Resources: {A: {Type: AWS::SQS::Queue}}
              - Resources: {A: {Properties: {QueueName: a}}, B: {Type: AWS::SNS::Topic}}
                Outputs: {Url: {Value: !Ref A}}
              -",
        );
        assert_eq!(
            document["Resources"],
            json!({"A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "a"}}, "B": {"Type": "AWS::SNS::Topic"}})
        );
        assert_eq!(document["Outputs"], json!({"Url": {"Value": {"Ref": "A"}}}));
    }

    #[test]
    fn all_sections_come_through() {
        let document = document(
            "
            resources:
              Description: mine
              Conditions: {C: !Equals [a, a]}
              Mappings: {M: {a: {b: c}}}
              Parameters: {P: {Type: String}}",
        );
        assert_eq!(document["Description"], "mine");
        assert_eq!(document["Conditions"]["C"], json!({"Fn::Equals": ["a", "a"]}));
        assert!(document["Mappings"]["M"].is_object() && document["Parameters"]["P"].is_object());
    }

    const SERVICE: &str = "
        functions:
          a: {handler: a.b}
        resources:
          extensions:
            ALogGroup:
              Properties: {RetentionInDays: 7}
              DependsOn: [X]
              DeletionPolicy: Retain
              Metadata: {m: 1}
        ";

    #[test]
    fn extensions_are_laid_over() {
        check_resource(
            SERVICE,
            "ALogGroup",
            json!({
                "Type": "AWS::Logs::LogGroup",
                "Properties": {"LogGroupName": "/aws/lambda/shop-dev-a", "RetentionInDays": 7},
                "DependsOn": ["X"],
                "DeletionPolicy": "Retain",
                "Metadata": {"m": 1}
            }),
        );
    }

    #[test]
    fn an_extension_needs_what_it_extends() {
        check_error(
            &SERVICE.replace("ALogGroup", "ALogGruop"),
            "serverless.yml:7:5: Cannot extend \"ALogGruop\" resource, as it's not found in generated stack (did you mean \
             ALogGroup?)",
        );
        check_error(
            &SERVICE.replace("Metadata", "Type"),
            "serverless.yml:11:7: Cannot extend \"ALogGroup\" resource, as extending the \"Type\" attribute at this point is \
             not supported.",
        );
    }

    #[test]
    fn a_resource_one_level_too_high_is_found() {
        check_error(
            "resources:\n  Queue:\n    Type: AWS::SQS::Queue\n",
            "serverless.yml:4:3: Queue is a resource: it belongs one level deeper (under resources: Resources:)",
        );
    }
}
