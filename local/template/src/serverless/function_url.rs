//! `url:` of a function to `AWS::Lambda::Url`.
//! <https://www.serverless.com/framework/docs/providers/aws/guide/functions#lambda-function-urls>

use crate::error::TemplateError;
use crate::make::Make;
use crate::node::Node;

use super::naming;
use super::service::{Draft, Function, falsy};
use super::write::{Block, resource};

const HEADERS: &[&str] =
    &["Content-Type", "X-Amz-Date", "Authorization", "X-Api-Key", "X-Amz-Security-Token", "X-Amzn-Trace-Id"];

pub(super) fn compile(function: &Function, draft: &mut Draft) -> Result<(), TemplateError> {
    let Some(url) = function.truthy("url") else { return Ok(()) };
    let span = &url.span;
    if url.as_bool() != Some(true) && url.as_map().is_none() {
        return Err(url.unexpected("url", "true or a map with authorizer, cors and invokeMode"));
    }
    let auth = if url.get("authorizer").and_then(Node::as_str) == Some("aws_iam") { "AWS_IAM" } else { "NONE" };
    let streams = url.get("invokeMode").filter(|mode| mode.as_str() == Some("RESPONSE_STREAM"));
    let properties = Block::at(span)
        .set("AuthType", auth)
        .set("TargetFunctionArn", function.target(span))
        .maybe("Cors", url.get("cors").filter(|cors| !falsy(cors)).map(cors))
        .maybe("InvokeMode", streams);
    let compiled = resource(span, "AWS::Lambda::Url", properties).maybe("DependsOn", function.alias_id());
    let id = format!("{}LambdaFunctionUrl", naming::resource(&function.key));
    draft.resource(&id, span, compiled);
    draft.output(&id, span, "Lambda Function URL", Make(span).attribute(&id, "FunctionUrl"));
    if auth == "NONE" {
        let properties = Block::at(span)
            .set("FunctionName", function.target(span))
            .set("Action", "lambda:InvokeFunctionUrl")
            .set("Principal", "*")
            .set("FunctionUrlAuthType", auth);
        let permission = resource(span, "AWS::Lambda::Permission", properties).maybe("DependsOn", function.alias_id());
        draft.resource(&format!("{}LambdaPermissionFnUrl", naming::resource(&function.key)), span, permission);
    }
    Ok(())
}

/// `true` allows everything; what is null is left out, what is absent has a default.
fn cors(cors: &Node) -> Block {
    let span = &cors.span;
    let list = |key: &str, default: &[&str]| match cors.get(key) {
        Some(node) if node.is_null() => None,
        Some(node) => Some(unique(node)),
        None => Some(Node::list(span, default.iter().map(|item| Node::string(span, *item)).collect())),
    };
    let exposed = cors.get("exposedResponseHeaders").filter(|node| !falsy(node));
    Block::at(span)
        .maybe("AllowCredentials", cors.get("allowCredentials").filter(|node| !falsy(node)))
        .maybe("AllowHeaders", list("allowedHeaders", HEADERS))
        .maybe("AllowMethods", list("allowedMethods", &["*"]))
        .maybe("AllowOrigins", list("allowedOrigins", &["*"]))
        .maybe("ExposeHeaders", exposed.map(unique))
        .maybe("MaxAge", cors.get("maxAge"))
}

/// A list in which everything stands once.
pub(super) fn unique(node: &Node) -> Node {
    let Some(items) = node.as_list() else { return node.clone() };
    let mut seen = Vec::new();
    let items = items.iter().filter(|item| {
        let json = item.to_json();
        let new = !seen.contains(&json);
        seen.push(json);
        new
    });
    Node::list(&node.span, items.cloned().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::serverless::testing::{check_error, check_resource, document, ids};

    fn service(url: &str) -> String {
        format!("functions: {{a: {{handler: a.b, url: {url}}}}}")
    }

    #[test]
    fn everybody_may_call_an_open_url() {
        check_resource(
            &service("true"),
            "ALambdaFunctionUrl",
            json!({
                "Type": "AWS::Lambda::Url",
                "Properties": {"AuthType": "NONE", "TargetFunctionArn": {"Fn::GetAtt": ["ALambdaFunction", "Arn"]}}
            }),
        );
        assert!(ids(&service("true")).contains(&"ALambdaPermissionFnUrl".to_owned()));
        assert!(!ids(&service("{authorizer: aws_iam}")).contains(&"ALambdaPermissionFnUrl".to_owned()));
        assert!(!ids(&service("false")).contains(&"ALambdaFunctionUrl".to_owned()));
    }

    #[test]
    fn other_pages_may_call_it_if_it_says_so() {
        let url = "{invokeMode: RESPONSE_STREAM, cors: {allowedOrigins: [a, b, a], allowedHeaders: null, maxAge: 5}}";
        let properties = document(&service(url))["Resources"]["ALambdaFunctionUrl"]["Properties"].take();
        assert_eq!(
            (&properties["InvokeMode"], &properties["Cors"]),
            (&json!("RESPONSE_STREAM"), &json!({"AllowMethods": ["*"], "AllowOrigins": ["a", "b"], "MaxAge": 5}))
        );
    }

    #[test]
    fn anything_else_is_refused() {
        check_error(
            &service("yes"),
            "serverless.yml:3:36: url must be true or a map with authorizer, cors and invokeMode, not a text",
        );
    }
}
