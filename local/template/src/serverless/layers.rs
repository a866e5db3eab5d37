//! `layers:` to `AWS::Lambda::LayerVersion`: the layer's folder is used where it lies.
//! <https://www.serverless.com/framework/docs/providers/aws/guide/layers>

use crate::error::TemplateError;
use crate::make::Make;
use crate::node::Node;

use super::service::{Draft, Service, falsy};
use super::write::{Block, resource};
use super::{code, naming};

pub(super) fn compile(service: &Service, draft: &mut Draft) -> Result<(), TemplateError> {
    let Some(layers) = service.config.get("layers").filter(|node| !node.is_null()) else { return Ok(()) };
    for entry in layers.expect_map("layers")?.entries() {
        let (layer, span) = (&entry.value, &entry.key_span);
        layer.expect_map(&format!("the layer {}", entry.key))?;
        let path = layer.at(&["package", "artifact"]).or_else(|| layer.get("path")).ok_or_else(|| {
            TemplateError::new(span, format!("the layer {} needs a path or a package.artifact", entry.key))
        })?;
        let path = path.expect_str("a layer's path")?;
        let name = layer.get("name").cloned().unwrap_or_else(|| Node::string(span, &entry.key));
        let properties = Block::at(span)
            .set("Content", code::local(span, &service.path(path)))
            .set("LayerName", name)
            .maybe("Description", layer.get("description"))
            .maybe("CompatibleRuntimes", layer.get("compatibleRuntimes"))
            .maybe("CompatibleArchitectures", layer.get("compatibleArchitectures"))
            .maybe("LicenseInfo", layer.get("licenseInfo"));
        let id = format!("{}LambdaLayer", naming::resource(&entry.key));
        let kept = layer.get("retain").is_some_and(|node| !falsy(node));
        let compiled =
            resource(span, "AWS::Lambda::LayerVersion", properties).maybe("DeletionPolicy", kept.then_some("Retain"));
        draft.resource(&id, span, compiled);
        draft.output(&format!("{id}QualifiedArn"), span, "Current Lambda layer version", Make(span).reference(&id));
        for account in layer.get("allowedAccounts").and_then(Node::as_list).unwrap_or_default() {
            let name = account.as_str().unwrap_or_default().replace('*', "Wild");
            let properties = Block::at(&account.span)
                .set("Action", "lambda:GetLayerVersion")
                .set("LayerVersionArn", Make(&account.span).reference(&id))
                .set("Principal", account);
            let permission = resource(&account.span, "AWS::Lambda::LayerVersionPermission", properties);
            let permission_id = format!("{}{name}LambdaLayerPermission", naming::resource(&entry.key));
            draft.resource(&permission_id, &account.span, permission);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::serverless::testing::{check_error, check_resource};

    #[test]
    fn a_layer_is_used_where_it_lies() {
        check_resource(
            "layers: {my-lib: {path: layers/lib, compatibleRuntimes: [nodejs20.x]}}",
            "MyDashlibLambdaLayer",
            json!({
                "Type": "AWS::Lambda::LayerVersion",
                "Properties": {
                    "Content": {"S3Bucket": "local", "S3Key": "/srv/shop/layers/lib"},
                    "LayerName": "my-lib",
                    "CompatibleRuntimes": ["nodejs20.x"]
                }
            }),
        );
    }

    #[test]
    fn it_lies_somewhere() {
        check_error("layers: {a: {}}", "serverless.yml:3:10: the layer a needs a path or a package.artifact");
    }
}
