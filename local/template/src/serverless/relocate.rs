//! Templates that `serverless package` has written: `.serverless/cloudformation-template-update-stack.json`. They are
//! CloudFormation already, but the code of their functions lies in zips that would go to a bucket. Handlers are relative
//! to the service's folder, which is the parent of `.serverless`: the code is run from there.

use std::path::Path;

use crate::node::{Kind, Node};
use crate::source::Span;

use super::code;
use super::write::Block;

/// Whether a file is such a template, by its path.
pub fn is_generated(path: &Path) -> bool {
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    folder == Some(".serverless") && is_json && name.starts_with("cloudformation-template-")
}

/// Points the functions of a generated template to the folder that their handlers are relative to, and takes out what
/// exists for the deployment alone: the bucket, and the functions behind the framework's own custom resources, whose
/// work is done by whoever makes the stack.
pub fn relocate(document: &mut Node, service_folder: &Path) {
    let folder = service_folder.to_string_lossy().into_owned();
    let Some(sections) = document.as_map_mut() else { return };
    if let Some(resources) = sections.get_mut("Resources").and_then(Node::as_map_mut) {
        resources.entries_mut().retain(|entry| !for_deployment_alone(&entry.key));
        for entry in resources.entries_mut() {
            relocate_resource(&mut entry.value, &folder);
        }
    }
    if let Some(outputs) = sections.get_mut("Outputs").and_then(Node::as_map_mut) {
        outputs.entries_mut().retain(|entry| {
            let referred = entry.value.at(&["Value", "Ref"]).and_then(Node::as_str);
            !referred.is_some_and(for_deployment_alone)
        });
    }
}

fn for_deployment_alone(logical_id: &str) -> bool {
    logical_id.starts_with("ServerlessDeploymentBucket")
        || logical_id == "IamRoleCustomResourcesLambdaExecution"
        || logical_id == "CustomApiGatewayAccountCloudWatchRole"
        || logical_id.starts_with("CustomDashresourceDash")
}

fn relocate_resource(resource: &mut Node, folder: &str) {
    let kind = resource.get("Type").and_then(Node::as_str).unwrap_or_default().to_owned();
    let Some(members) = resource.as_map_mut() else { return };
    if let Some(Kind::List(items)) = members.get_mut("DependsOn").map(|node| &mut node.kind) {
        items.retain(|item| !item.as_str().is_some_and(for_deployment_alone));
    }
    if kind.starts_with("Custom::") {
        // The framework writes one, and CloudFormation has never documented it.
        members.remove("Version");
    }
    let Some(properties) = members.get_mut("Properties").and_then(Node::as_map_mut) else { return };
    match kind.as_str() {
        "AWS::Lambda::Function" if properties.get("Handler").is_some() => {
            if let Some(code) = properties.get_mut("Code") {
                *code = local(&code.span, folder);
            }
        }
        "AWS::Lambda::Version" => {
            properties.remove("CodeSha256");
        }
        kind if kind.starts_with("Custom::") => {
            let token = properties.get("ServiceToken").and_then(|token| token.get("Fn::GetAtt"));
            let function = token.and_then(Node::as_list).and_then(|items| items.first()?.as_str());
            if function.is_some_and(for_deployment_alone) {
                properties.remove("ServiceToken");
            }
        }
        _ => {}
    }
}

fn local(span: &Span, folder: &str) -> Node {
    Block::at(span).set("S3Bucket", code::LOCAL).set("S3Key", folder).done()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::load::load;
    use crate::source::Source;

    use super::*;

    const GENERATED: &str = r#"{
        "Resources": {
            "ServerlessDeploymentBucket": {"Type": "AWS::S3::Bucket"},
            "AddLambdaFunction": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"S3Bucket": {"Ref": "ServerlessDeploymentBucket"}, "S3Key": "serverless/shop/dev/1/shop.zip"},
                    "Handler": "src/add.handler"
                }
            },
            "CustomDashresourceDashexistingDashcupLambdaFunction": {"Type": "AWS::Lambda::Function", "Properties": {}},
            "AddCustomCognitoUserPool1": {
                "Type": "Custom::CognitoUserPool",
                "Version": 1,
                "DependsOn": ["AddLambdaFunction", "CustomDashresourceDashexistingDashcupLambdaFunction"],
                "Properties": {
                    "ServiceToken": {"Fn::GetAtt": ["CustomDashresourceDashexistingDashcupLambdaFunction", "Arn"]},
                    "UserPoolName": "p"
                }
            }
        },
        "Outputs": {
            "ServerlessDeploymentBucketName": {"Value": {"Ref": "ServerlessDeploymentBucket"}},
            "Mine": {"Value": {"Ref": "AddLambdaFunction"}}
        }
    }"#;

    #[test]
    fn code_is_run_where_it_is_written() {
        let mut document = load(&Source::new("t.json", GENERATED)).expect("JSON");
        relocate(&mut document, Path::new("/srv/shop"));
        assert_eq!(
            document.to_json(),
            json!({
                "Resources": {
                    "AddLambdaFunction": {
                        "Type": "AWS::Lambda::Function",
                        "Properties": {"Code": {"S3Bucket": "local", "S3Key": "/srv/shop"}, "Handler": "src/add.handler"}
                    },
                    "AddCustomCognitoUserPool1": {
                        "Type": "Custom::CognitoUserPool",
                        "DependsOn": ["AddLambdaFunction"],
                        "Properties": {"UserPoolName": "p"}
                    }
                },
                "Outputs": {"Mine": {"Value": {"Ref": "AddLambdaFunction"}}}
            })
        );
    }

    #[test]
    fn generated_files_are_known_by_their_place() {
        assert!(is_generated(Path::new("a/.serverless/cloudformation-template-update-stack.json")));
        assert!(!is_generated(Path::new("a/cloudformation-template-update-stack.json")));
        assert!(!is_generated(Path::new("a/.serverless/serverless-state.json")));
    }
}
