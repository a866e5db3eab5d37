//! `httpApi`: routes of an HTTP API, its integrations and authorizers. The API itself is made once, unless
//! `provider.httpApi.id` names one that is there.
//! <https://www.serverless.com/framework/docs/providers/aws/events/http-api>

mod authorizers;
mod cors;

pub(super) use authorizers::invocation_uri;

use crate::error::TemplateError;
use crate::make::Make;
use crate::node::Node;
use crate::serverless::service::{Draft, Event, Function, Service, falsy};
use crate::serverless::write::{Block, join, resource};
use crate::serverless::{naming, scalars};
use crate::source::Span;

const KIND: &str = "httpApi";
const SETTINGS: &[&str] = &["method", "path", "authorizer"];
const METHODS: &[&str] = &["ANY", "GET", "POST", "PUT", "PATCH", "OPTIONS", "HEAD", "DELETE"];
const API: &str = "HttpApi";

/// Settings of the API that become something here.
const API_SETTINGS: &[&str] = &[
    "id",
    "name",
    "payload",
    "cors",
    "authorizers",
    "metrics",
    "disableDefaultEndpoint",
    "useProviderTags",
    "shouldStartNameWithService",
];

/// An integration lasts half a minute at most, and the framework asks for all of it.
const TIMEOUT_MS: u32 = 30_000;

/// A route, read.
struct Route<'s> {
    event: Event<'s>,
    /// `GET /users/{id}`, or `*` for whatever no other route takes.
    key: String,
    method: String,
}

pub(super) fn compile(service: &Service, draft: &mut Draft) -> Result<(), TemplateError> {
    let mut routes: Vec<Route> = Vec::new();
    for event in service.events(KIND) {
        event.known(KIND, SETTINGS, draft);
        let span = event.span;
        let route = read(event)?;
        if route.key != "*" && routes.iter().any(|other| other.key == route.key) {
            let message = format!(
                "Duplicate route '{}' configuration in function {} for httpApi event in serverless.yml",
                route.key, route.event.function.key
            );
            return Err(TemplateError::new(span, message));
        }
        routes.push(route);
    }
    let Some(first) = routes.first() else { return Ok(()) };
    let settings = service.provider(&[KIND]);
    if let Some(settings) = settings {
        crate::serverless::keys::warn_unknown(settings, "provider.httpApi", API_SETTINGS, draft);
    }
    let span = settings.map_or(first.event.span, |node| &node.span).clone();
    let api = ApiId::of(service, &span);
    if api.external {
        refuse_for_external(service)?;
    } else {
        make_api(service, &routes, &span, draft)?;
    }
    authorizers::compile(service, &api, draft)?;
    for route in &routes {
        let function = route.event.function;
        integration(service, function, &api, &span, draft);
        draft.resource(
            &format!("{}LambdaPermissionHttpApi", naming::resource(&function.key)),
            route.event.span,
            route.event.permission("apigateway.amazonaws.com", Some(api.execution_arn(route.event.span))),
        );
        let compiled = compile_route(service, route, &api)?;
        let id = if route.key == "*" { "HttpApiRouteDefault".to_owned() } else { route_id(&route.key) };
        draft.resource(&id, route.event.span, compiled);
    }
    Ok(())
}

fn route_id(key: &str) -> String {
    format!("HttpApiRoute{}", naming::path(key))
}

/// The API that routes belong to.
struct ApiId {
    node: Node,
    /// Whether somebody else made it.
    external: bool,
}

impl ApiId {
    fn of(service: &Service, span: &Span) -> Self {
        match service.provider(&[KIND, "id"]) {
            Some(id) => Self { node: id.clone(), external: true },
            None => Self { node: Make(span).reference(API), external: false },
        }
    }

    /// What permissions to call a function are given for: all of the API.
    fn execution_arn(&self, span: &Span) -> Node {
        let text = |text: &str| Node::string(span, text);
        let parts = vec![
            text("arn:"),
            Make(span).reference("AWS::Partition"),
            text(":execute-api:"),
            Make(span).reference("AWS::Region"),
            text(":"),
            Make(span).reference("AWS::AccountId"),
            text(":"),
            self.node.clone(),
            text("/*"),
        ];
        join(span, "", parts)
    }
}

fn read(event: Event<'_>) -> Result<Route<'_>, TemplateError> {
    let place = &event.value.span;
    let (method, path) = match event.value.as_str() {
        Some("*") => (None, "*"),
        Some(text) => {
            let (method, path) = text.split_once(' ').ok_or_else(|| {
                TemplateError::new(place, format!("httpApi must be a method and a path, not {text}"))
                    .hint("as in httpApi: GET /users/{id}")
            })?;
            (Some(method), path.trim())
        }
        None => {
            event.value.expect_map(KIND)?;
            let method = event.get("method").map(|method| method.expect_str("method")).transpose()?;
            (method, event.needed(KIND, "path")?.expect_str("path")?)
        }
    };
    let function = &event.function.key;
    if path == "*" {
        if method.is_some_and(|method| method != "*") {
            let message =
                format!("Invalid \"path\" property in function {function} for httpApi event in serverless.yml");
            return Err(TemplateError::new(place, message).hint("the path * goes with the method *"));
        }
        return Ok(Route { event, key: "*".to_owned(), method: "ANY".to_owned() });
    }
    let Some(method) = method else {
        let message = format!("Missing \"method\" property in function {function} for httpApi event in serverless.yml");
        return Err(TemplateError::new(place, message));
    };
    let method = if method == "*" { "ANY".to_owned() } else { method.to_uppercase() };
    if !METHODS.contains(&method.as_str()) {
        let message = format!("Invalid \"method\" property in function {function} for httpApi event in serverless.yml");
        return Err(TemplateError::new(place, message).hint(format!("there are {}", METHODS.join(", "))));
    }
    if !path.starts_with('/') || path.contains(' ') {
        let message = format!("a path begins with / and has no spaces: {path}");
        return Err(TemplateError::new(place, message));
    }
    Ok(Route { key: format!("{method} {path}"), method, event })
}

/// What cannot be set on an API that somebody else made.
fn refuse_for_external(service: &Service) -> Result<(), TemplateError> {
    for (path, message) in [
        (["httpApi", "cors"], "Cannot setup CORS rules for externally configured HTTP API"),
        (["httpApi", "authorizers"], "Cannot setup authorizers for externally configured HTTP API"),
        (["logs", "httpApi"], "Cannot setup access logs for externally configured HTTP API"),
    ] {
        if let Some(node) = service.provider(&path).filter(|node| !falsy(node)) {
            return Err(TemplateError::new(&node.span, message));
        }
    }
    Ok(())
}

fn make_api(service: &Service, routes: &[Route], span: &Span, draft: &mut Draft) -> Result<(), TemplateError> {
    let tags = service.provider(&["tags"]).map(scalars::texts);
    let prefix_first = service.provider(&[KIND, "shouldStartNameWithService"]).is_some_and(|node| !falsy(node));
    let name = service.provider(&[KIND, "name"]).cloned().unwrap_or_else(|| {
        let name = if prefix_first { service.prefix() } else { format!("{}-{}", service.stage, service.name) };
        Node::string(span, name)
    });
    let methods = routes.iter().map(|route| route.method.as_str());
    let properties = Block::at(span)
        .set("Name", name)
        .set("ProtocolType", "HTTP")
        .maybe("DisableExecuteApiEndpoint", service.provider(&[KIND, "disableDefaultEndpoint"]))
        .maybe("Tags", tags.as_ref())
        .maybe("CorsConfiguration", cors::configuration(service, methods)?);
    draft.resource(API, span, resource(span, "AWS::ApiGatewayV2::Api", properties));

    let metrics = service.provider(&[KIND, "metrics"]).cloned().unwrap_or_else(|| Node::plain(span, "false"));
    let logs = access_logs(service, draft);
    let properties = Block::at(span)
        .set("ApiId", Make(span).reference(API))
        .set("StageName", "$default")
        .set("AutoDeploy", true)
        .set("DefaultRouteSettings", Block::at(span).set("DetailedMetricsEnabled", metrics))
        .maybe("Tags", tags)
        .maybe("AccessLogSettings", logs);
    let waits_for = draft.resources.get("HttpApiLogGroup").map(|_| "HttpApiLogGroup");
    let stage = resource(span, "AWS::ApiGatewayV2::Stage", properties).maybe("DependsOn", waits_for);
    draft.resource("HttpApiStage", span, stage);

    draft.output("HttpApiId", span, "Id of the HTTP API", Make(span).reference(API));
    let text = |text: &str| Node::string(span, text);
    let url = vec![
        text("https://"),
        Make(span).reference(API),
        text(".execute-api."),
        Make(span).reference("AWS::Region"),
        text("."),
        Make(span).reference("AWS::URLSuffix"),
    ];
    draft.output("HttpApiUrl", span, "URL of the HTTP API", join(span, "", url));
    Ok(())
}

/// `provider.logs.httpApi`: a log group and the format of its lines.
fn access_logs(service: &Service, draft: &mut Draft) -> Option<Block> {
    let logs = service.provider(&["logs", KIND]).filter(|node| !falsy(node))?;
    let span = &logs.span;
    let properties = Block::at(span)
        .set("LogGroupName", format!("/aws/http-api/{}", service.stack_name()))
        .maybe("RetentionInDays", service.provider(&["logRetentionInDays"]));
    draft.resource("HttpApiLogGroup", span, resource(span, "AWS::Logs::LogGroup", properties));
    let format = logs.get("format").cloned().unwrap_or_else(|| {
        let fields = [
            ("requestId", "requestId"),
            ("ip", "identity.sourceIp"),
            ("requestTime", "requestTime"),
            ("httpMethod", "httpMethod"),
            ("routeKey", "routeKey"),
            ("status", "status"),
            ("protocol", "protocol"),
            ("responseLength", "responseLength"),
        ];
        let fields: Vec<String> =
            fields.iter().map(|(name, variable)| format!("\"{name}\":\"$context.{variable}\"")).collect();
        Node::string(span, format!("{{{}}}", fields.join(",")))
    });
    Some(Block::at(span).set("DestinationArn", Make(span).attribute("HttpApiLogGroup", "Arn")).set("Format", format))
}

fn integration_id(function: &Function) -> String {
    format!("HttpApiIntegration{}", naming::resource(&function.key))
}

fn integration(service: &Service, function: &Function, api: &ApiId, span: &Span, draft: &mut Draft) {
    let own = function.get(KIND).and_then(|settings| settings.get("payload"));
    let payload = own.or_else(|| service.provider(&[KIND, "payload"])).and_then(Node::as_str).unwrap_or("2.0");
    let properties = Block::at(span)
        .set("ApiId", &api.node)
        .set("IntegrationType", "AWS_PROXY")
        .set("IntegrationUri", function.target(span))
        .set("PayloadFormatVersion", payload)
        .set("TimeoutInMillis", TIMEOUT_MS);
    let compiled = resource(span, "AWS::ApiGatewayV2::Integration", properties).maybe("DependsOn", function.alias_id());
    draft.resource(&integration_id(function), span, compiled);
}

fn compile_route(service: &Service, route: &Route, api: &ApiId) -> Result<Block, TemplateError> {
    let span = route.event.span;
    let integration = integration_id(route.event.function);
    let target = join(span, "/", vec![Node::string(span, "integrations"), Make(span).reference(&integration)]);
    let key = if route.key == "*" { "$default" } else { &route.key };
    let mut properties = Block::at(span).set("ApiId", &api.node).set("RouteKey", key).set("Target", target);
    if let Some(authorizer) = route.event.get("authorizer").filter(|node| !falsy(node)) {
        let authorization = authorizers::of_route(service, authorizer, api)?;
        properties = properties
            .set("AuthorizationType", authorization.kind)
            .maybe("AuthorizerId", authorization.id)
            .maybe("AuthorizationScopes", authorization.scopes);
    }
    Ok(resource(span, "AWS::ApiGatewayV2::Route", properties).set("DependsOn", integration))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::serverless::testing::{check_error, check_resource, document, ids};

    const SERVICE: &str = "
        provider:
          name: aws
          httpApi:
            cors: true
            authorizers:
              users:
                identitySource: $request.header.Authorization
                issuerUrl: !Sub https://cognito-idp.${AWS::Region}.amazonaws.com/${Pool}
                audience: [!Ref Client]
        functions:
          get-user:
            handler: a.b
            events:
              - httpApi: GET /users/{id}
              - httpApi: {method: post, path: /users, authorizer: {name: users, scopes: [write]}}
          rest:
            handler: a.c
            httpApi: {payload: '1.0'}
            events:
              - httpApi: '*'";

    #[test]
    fn routes_have_the_frameworks_ids() {
        let ids = ids(SERVICE);
        for id in [
            "HttpApi",
            "HttpApiStage",
            "HttpApiRouteGetUsersIdVar",
            "HttpApiRoutePostUsers",
            "HttpApiRouteDefault",
            "HttpApiIntegrationGetDashuser",
            "HttpApiAuthorizerUsers",
            "GetDashuserLambdaPermissionHttpApi",
        ] {
            assert!(ids.iter().any(|found| found == id), "{id} in {ids:?}");
        }
    }

    #[test]
    fn a_route_with_an_authorizer() {
        check_resource(
            SERVICE,
            "HttpApiRoutePostUsers",
            json!({
                "Type": "AWS::ApiGatewayV2::Route",
                "Properties": {
                    "ApiId": {"Ref": "HttpApi"},
                    "RouteKey": "POST /users",
                    "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "HttpApiIntegrationGetDashuser"}]]},
                    "AuthorizationType": "JWT",
                    "AuthorizerId": {"Ref": "HttpApiAuthorizerUsers"},
                    "AuthorizationScopes": ["write"]
                },
                "DependsOn": "HttpApiIntegrationGetDashuser"
            }),
        );
        check_resource(
            SERVICE,
            "HttpApiAuthorizerUsers",
            json!({
                "Type": "AWS::ApiGatewayV2::Authorizer",
                "Properties": {
                    "ApiId": {"Ref": "HttpApi"},
                    "Name": "users",
                    "IdentitySource": ["$request.header.Authorization"],
                    "AuthorizerType": "JWT",
                    "JwtConfiguration": {
                        "Audience": [{"Ref": "Client"}],
                        "Issuer": {"Fn::Sub": "https://cognito-idp.${AWS::Region}.amazonaws.com/${Pool}"}
                    }
                }
            }),
        );
    }

    #[test]
    fn the_api_allows_the_methods_that_its_routes_have() {
        let document = document(SERVICE);
        let api = &document["Resources"]["HttpApi"]["Properties"];
        assert_eq!((&api["Name"], &api["CorsConfiguration"]["AllowOrigins"]), (&json!("dev-shop"), &json!(["*"])));
        assert_eq!(
            api["CorsConfiguration"]["AllowMethods"],
            json!(["OPTIONS", "GET", "POST", "PUT", "PATCH", "HEAD", "DELETE"])
        );
        let payload = |name: &str| document["Resources"][name]["Properties"]["PayloadFormatVersion"].clone();
        assert_eq!(
            (payload("HttpApiIntegrationGetDashuser"), payload("HttpApiIntegrationRest")),
            (json!("2.0"), json!("1.0"))
        );
    }

    #[test]
    fn an_api_of_somebody_else_is_not_made() {
        let service = "
            provider: {name: aws, httpApi: {id: abc}}
            functions:
              a:
                handler: a.b
                events:
                  - httpApi: {method: get, path: /, authorizer: {type: jwt, id: xyz}}";
        assert!(!ids(service).contains(&"HttpApi".to_owned()));
        let route = document(service)["Resources"]["HttpApiRouteGet"]["Properties"].clone();
        assert_eq!((&route["ApiId"], &route["AuthorizerId"]), (&json!("abc"), &json!("xyz")));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let service = |event: &str| {
            format!(
                "functions:\n  a:\n    handler: a.b\n    events:\n      - httpApi: {event}\n      - httpApi: GET /a\n"
            )
        };
        check_error(
            &service("GET /a"),
            "serverless.yml:8:9: Duplicate route 'GET /a' configuration in function a for httpApi event in serverless.yml",
        );
        check_error(
            &service("/b"),
            "serverless.yml:7:18: httpApi must be a method and a path, not /b (as in httpApi: GET /users/{id})",
        );
        check_error(
            &service("{path: /b}"),
            "serverless.yml:7:18: Missing \"method\" property in function a for httpApi event in serverless.yml",
        );
        check_error(
            &service("{method: get, path: /b, authorizer: user}"),
            "serverless.yml:7:54: Event references not configured authorizer 'user'",
        );
    }
}
