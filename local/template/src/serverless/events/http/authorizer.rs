//! `authorizer` of a method: a user pool, a function, or IAM.

use crate::error::TemplateError;
use crate::make::Make;
use crate::node::Node;
use crate::serverless::events::http_api::invocation_uri;
use crate::serverless::naming;
use crate::serverless::service::{Draft, Event, Service, falsy};
use crate::serverless::write::{Block, resource};

use super::Api;

const RESULT_TTL_SECONDS: u32 = 300;

/// What a method asks for.
pub(super) struct Authorization {
    pub kind: String,
    pub id: Option<Node>,
    pub scopes: Option<Node>,
    pub depends_on: Option<String>,
}

/// An authorizer that belongs to the service.
struct Own<'s> {
    name: String,
    arn: Node,
    is_pool: bool,
    /// Whether it is a function of the service, which then has to wait for its alias.
    alias: Option<&'s str>,
}

pub(super) fn of_method(service: &Service, event: &Event) -> Result<Authorization, TemplateError> {
    let none = |kind: &str| Authorization { kind: kind.to_owned(), id: None, scopes: None, depends_on: None };
    let Some(authorizer) = event.truthy("authorizer") else { return Ok(none("NONE")) };
    let kind = kind(authorizer);
    let scopes = authorizer.get("scopes").filter(|scopes| scopes.as_list().is_some_and(|list| !list.is_empty()));
    if let (Some(kind), Some(id)) = (&kind, authorizer.get("authorizerId")) {
        let custom = kind == "TOKEN" || kind == "REQUEST";
        return Ok(Authorization {
            kind: if custom { "CUSTOM".to_owned() } else { kind.clone() },
            id: Some(id.clone()),
            scopes: scopes.filter(|_| kind == "COGNITO_USER_POOLS").cloned(),
            depends_on: None,
        });
    }
    if kind.as_deref() == Some("AWS_IAM") {
        return Ok(none("AWS_IAM"));
    }
    let own = own(service, authorizer)?;
    let id = authorizer_id(&own.name);
    Ok(Authorization {
        kind: if own.is_pool { "COGNITO_USER_POOLS" } else { "CUSTOM" }.to_owned(),
        id: Some(Make(&authorizer.span).reference(&id)),
        scopes: scopes.filter(|_| own.is_pool).cloned(),
        depends_on: Some(id),
    })
}

fn authorizer_id(name: &str) -> String {
    format!("{}ApiGatewayAuthorizer", naming::resource(name))
}

/// Its type; a bare `aws_iam` is one, too.
fn kind(authorizer: &Node) -> Option<String> {
    let bare = authorizer.as_str().filter(|text| text.eq_ignore_ascii_case("aws_iam"));
    bare.or_else(|| authorizer.get("type")?.as_str()).map(str::to_uppercase)
}

fn own<'s>(service: &'s Service, authorizer: &'s Node) -> Result<Own<'s>, TemplateError> {
    let span = &authorizer.span;
    let text = authorizer.as_str();
    let arn = text.filter(|text| text.contains(':')).map(|_| authorizer).or_else(|| authorizer.get("arn"));
    let name = authorizer.get("name").filter(|node| !falsy(node));
    let typed_pool = kind(authorizer).as_deref() == Some("COGNITO_USER_POOLS");
    let Some(arn) = arn.filter(|node| !node.is_null()) else {
        let named = name
            .or_else(|| text.map(|_| authorizer))
            .ok_or_else(|| TemplateError::new(span, "Please provide either an authorizer name or ARN"))?;
        let function = service.function(named.expect_str("an authorizer's name")?, named)?;
        return Ok(Own {
            name: function.key.clone(),
            arn: function.target(span),
            is_pool: typed_pool,
            alias: function.alias_id(),
        });
    };
    let is_pool =
        typed_pool || arn.as_str().is_some_and(|arn| arn.starts_with("arn:") && arn.contains(":cognito-idp:"));
    let name = match (name.and_then(Node::as_str), arn.as_str()) {
        (Some(name), _) => name.to_owned(),
        // The last word of what stands behind the last colon, as the framework has always done it.
        (None, Some(arn)) => arn.rsplit([':', '-']).next().unwrap_or_default().to_owned(),
        (None, None) if typed_pool => {
            let message = "Please provide an authorizer name for authorizers of type COGNITO_USER_POOLS";
            return Err(TemplateError::new(span, message));
        }
        (None, None) => return Err(TemplateError::new(span, "an authorizer with such an arn needs a name")),
    };
    Ok(Own { name, arn: arn.clone(), is_pool, alias: None })
}

/// The authorizer's resource, and the permission to call the function that it is.
pub(super) fn compile(service: &Service, event: &Event, api: &Api, draft: &mut Draft) -> Result<(), TemplateError> {
    let Some(authorizer) = event.truthy("authorizer") else { return Ok(()) };
    if authorizer.get("authorizerId").is_some() || kind(authorizer).as_deref() == Some("AWS_IAM") {
        return Ok(());
    }
    let own = own(service, authorizer)?;
    let span = &authorizer.span;
    let setting = |key: &str| authorizer.get(key).filter(|node| !node.is_null());
    let ttl = setting("resultTtlInSeconds").cloned();
    let ttl = ttl.or_else(|| authorizer.as_map().map(|_| Node::plain(span, RESULT_TTL_SECONDS.to_string())));
    let kind = kind(authorizer).unwrap_or_else(|| "TOKEN".to_owned());
    let sourceless = kind == "REQUEST" && ttl.as_ref().and_then(Node::as_str) == Some("0");
    let source = setting("identitySource").cloned();
    let source = source.or_else(|| (!sourceless).then(|| Node::string(span, "method.request.header.Authorization")));
    let properties = Block::at(span)
        .maybe("AuthorizerResultTtlInSeconds", ttl)
        .maybe("IdentitySource", source)
        .set("Name", own.name.as_str())
        .set("RestApiId", &api.id)
        .maybe("IdentityValidationExpression", setting("identityValidationExpression"));
    let properties = if own.is_pool {
        properties.set("Type", "COGNITO_USER_POOLS").set("ProviderARNs", vec![&own.arn])
    } else {
        properties.set("AuthorizerUri", invocation_uri(span, own.arn.clone(), None)).set("Type", kind)
    };
    let compiled = resource(span, "AWS::ApiGateway::Authorizer", properties).maybe("DependsOn", own.alias);
    draft.resource(&authorizer_id(&own.name), span, compiled);

    let permission_id = format!("{}LambdaPermissionApiGateway", naming::resource(&own.name));
    let external = setting("managedExternally").is_some_and(|node| !falsy(node));
    if !own.is_pool && !external && draft.resources.get(&permission_id).is_none() {
        let function = own.alias.map_or_else(|| own.arn.clone(), |alias| Make(span).reference(alias));
        let properties = Block::at(span)
            .set("FunctionName", function)
            .set("Action", "lambda:InvokeFunction")
            .set("Principal", "apigateway.amazonaws.com")
            .set("SourceArn", api.execution_arn(span));
        draft.resource(&permission_id, span, resource(span, "AWS::Lambda::Permission", properties));
    }
    Ok(())
}
