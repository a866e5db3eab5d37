//! Authorizers of an HTTP API, and what a route says of them.

use crate::error::TemplateError;
use crate::make::Make;
use crate::node::Node;
use crate::serverless::naming;
use crate::serverless::service::{Draft, Service, falsy};
use crate::serverless::write::{Block, join, resource};
use crate::source::Span;

use super::ApiId;

/// What a route asks for.
pub(super) struct Authorization {
    pub kind: &'static str,
    pub id: Option<Node>,
    pub scopes: Option<Node>,
}

pub(super) fn compile(service: &Service, api: &ApiId, draft: &mut Draft) -> Result<(), TemplateError> {
    let Some(authorizers) = service.provider(&["httpApi", "authorizers"]) else { return Ok(()) };
    for entry in authorizers.expect_map("provider.httpApi.authorizers")?.entries() {
        let (authorizer, span) = (&entry.value, &entry.key_span);
        authorizer.expect_map(&format!("the authorizer {}", entry.key))?;
        let name = authorizer.get("name").and_then(Node::as_str).unwrap_or(&entry.key);
        let sources = match authorizer.get("identitySource") {
            Some(source) if source.as_list().is_some() => source.clone(),
            Some(source) => Node::list(&source.span, vec![source.clone()]),
            None => Node::list(span, Vec::new()),
        };
        let properties = Block::at(span).set("ApiId", &api.node).set("Name", name).set("IdentitySource", sources);
        let compiled = if authorizer.get("type").and_then(Node::as_str) == Some("request") {
            request(service, &entry.key, authorizer, api, properties, draft)?
        } else {
            jwt(&entry.key, authorizer, properties)?
        };
        draft.resource(&authorizer_id(name), span, compiled);
    }
    Ok(())
}

fn authorizer_id(name: &str) -> String {
    format!("HttpApiAuthorizer{}", naming::resource(name))
}

fn jwt(name: &str, authorizer: &Node, properties: Block) -> Result<Block, TemplateError> {
    let span = &authorizer.span;
    let needed = |key: &str| {
        authorizer
            .get(key)
            .filter(|node| !node.is_null())
            .ok_or_else(|| TemplateError::new(span, format!("the authorizer {name} needs {key}")))
    };
    let audience = needed("audience")?;
    let audience = match audience.as_list() {
        Some(_) => audience.clone(),
        None => Node::list(&audience.span, vec![audience.clone()]),
    };
    let configuration = Block::at(span).set("Audience", audience).set("Issuer", needed("issuerUrl")?);
    let properties = properties.set("AuthorizerType", "JWT").set("JwtConfiguration", configuration);
    Ok(resource(span, "AWS::ApiGatewayV2::Authorizer", properties))
}

/// An authorizer that is a function.
fn request(
    service: &Service,
    key: &str,
    authorizer: &Node,
    api: &ApiId,
    properties: Block,
    draft: &mut Draft,
) -> Result<Block, TemplateError> {
    let span = &authorizer.span;
    let (target, alias) = match (authorizer.get("functionArn"), authorizer.get("functionName")) {
        (Some(arn), None) => (arn.clone(), None),
        (None, Some(name)) => {
            let function = service.function(name.expect_str("functionName")?, name)?;
            (function.target(span), function.alias_id())
        }
        (None, None) => {
            let message =
                format!("Either \"functionArn\" or \"functionName\" property needs to be set on authorizer \"{key}\"");
            return Err(TemplateError::new(span, message));
        }
        (Some(_), Some(_)) => {
            let message = format!(
                "Either \"functionArn\" or \"functionName\" (not both) property needs to be set on authorizer \"{key}\""
            );
            return Err(TemplateError::new(span, message));
        }
    };
    let version = authorizer.get("payloadVersion").and_then(Node::as_str).unwrap_or("2.0");
    let properties = properties
        .set("AuthorizerType", "REQUEST")
        .maybe("EnableSimpleResponses", authorizer.get("enableSimpleResponses"))
        .maybe("AuthorizerResultTtlInSeconds", authorizer.get("resultTtlInSeconds"))
        .set("AuthorizerPayloadFormatVersion", version)
        .set("AuthorizerUri", invocation_uri(span, target.clone(), None));
    if authorizer.get("managedExternally").is_none_or(falsy) {
        let name = authorizer.get("name").and_then(Node::as_str).unwrap_or(key);
        let permission = Block::at(span)
            .set("FunctionName", target)
            .set("Action", "lambda:InvokeFunction")
            .set("Principal", "apigateway.amazonaws.com")
            .set("SourceArn", api.execution_arn(span));
        let permission = resource(span, "AWS::Lambda::Permission", permission).maybe("DependsOn", alias);
        draft.resource(&format!("{}LambdaAuthorizerPermissionHttpApi", naming::resource(name)), span, permission);
    }
    Ok(resource(span, "AWS::ApiGatewayV2::Authorizer", properties).maybe("DependsOn", alias))
}

/// What API Gateway calls a function by.
pub(in crate::serverless::events) fn invocation_uri(span: &Span, target: Node, alias: Option<&str>) -> Node {
    let text = |text: &str| Node::string(span, text);
    let mut parts = vec![
        text("arn:"),
        Make(span).reference("AWS::Partition"),
        text(":apigateway:"),
        Make(span).reference("AWS::Region"),
        text(":lambda:path/2015-03-31/functions/"),
        target,
    ];
    parts.extend(alias.into_iter().flat_map(|alias| [text(":"), text(alias)]));
    parts.push(text("/invocations"));
    join(span, "", parts)
}

/// `authorizer` of a route: a name, or a map with a name, an id or the type `aws_iam`.
pub(super) fn of_route(service: &Service, authorizer: &Node, api: &ApiId) -> Result<Authorization, TemplateError> {
    let span = &authorizer.span;
    let setting = |key: &str| authorizer.get(key).filter(|node| !falsy(node));
    let kind = setting("type").and_then(Node::as_str).unwrap_or("jwt");
    if !["jwt", "request", "aws_iam"].contains(&kind) {
        return Err(TemplateError::new(span, format!("type must be jwt, request or aws_iam, not {kind}")));
    }
    if kind == "aws_iam" {
        if ["id", "name", "scopes"].into_iter().any(|key| setting(key).is_some()) {
            let message = "When configuring authorizer with type: \"aws_iam\", all other properties are not supported.";
            return Err(TemplateError::new(span, message));
        }
        return Ok(Authorization { kind: "AWS_IAM", id: None, scopes: None });
    }
    let scopes = setting("scopes").cloned();
    if let Some(id) = setting("id") {
        if !api.external {
            let shown = id.to_json().to_string();
            let shown = shown.trim_matches('"');
            let message =
                format!("Event references external authorizer '{shown}', but httpApi is part of the current stack.");
            return Err(
                TemplateError::new(&id.span, message).hint("name an authorizer of provider.httpApi.authorizers")
            );
        }
        let kind = if kind == "request" { "CUSTOM" } else { "JWT" };
        return Ok(Authorization { kind, id: Some(id.clone()), scopes });
    }
    let Some(name) = authorizer.as_str().or_else(|| setting("name")?.as_str()) else {
        let message = format!(
            "When configuring an authorizer with type: \"{kind}\", property \"id\" or \"name\" has to be specified."
        );
        return Err(TemplateError::new(span, message));
    };
    let Some(configured) = service.provider(&["httpApi", "authorizers", name]) else {
        return Err(not_configured(service, name, setting("name").unwrap_or(authorizer)));
    };
    let kind = if configured.get("type").and_then(Node::as_str) == Some("request") { "CUSTOM" } else { "JWT" };
    let name = configured.get("name").and_then(Node::as_str).unwrap_or(name);
    Ok(Authorization { kind, id: Some(Make(span).reference(&authorizer_id(name))), scopes })
}

fn not_configured(service: &Service, name: &str, place: &Node) -> TemplateError {
    let error = TemplateError::new(&place.span, format!("Event references not configured authorizer '{name}'"));
    let configured = service.provider(&["httpApi", "authorizers"]).and_then(Node::as_map);
    let names = configured.into_iter().flat_map(|map| map.iter().map(|(name, _)| name));
    error.near(name, names)
}
