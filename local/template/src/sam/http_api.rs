//! HTTP APIs: the API and its stage under the translator's logical ids, each route and authorizer a resource.

use std::rc::Rc;

use super::Expansion;
use super::apis::{Api, Authorizer, letters, permitted_path};
use super::events::Event;
use crate::error::TemplateError;
use crate::make::{Make, pick};
use crate::node::{Map, Node};

const PROPERTIES: &[&str] = &[
    "AccessLogSettings",
    "Auth",
    "CorsConfiguration",
    "DefaultRouteSettings",
    "DefinitionBody",
    "DefinitionUri",
    "Description",
    "DisableExecuteApiEndpoint",
    "Domain",
    "FailOnWarnings",
    "Name",
    "PropagateTags",
    "RouteSettings",
    "StageName",
    "StageVariables",
    "Tags",
];

/// The route of what no other route matches.
const DEFAULT: &str = "$default";
/// How `OpenAPI` documents say `ANY`.
const ANY_METHOD: &str = "x-amazon-apigateway-any-method";
/// What a JWT is taken from, if it is not said.
const IDENTITY_SOURCE: &str = "$request.header.Authorization";

impl Expansion<'_> {
    pub(super) fn http_api_event(&mut self, event: &Event<'_>) -> Result<(), TemplateError> {
        event.known(&[
            "ApiId",
            "Auth",
            "Method",
            "Path",
            "PayloadFormatVersion",
            "RouteSettings",
            "Stage",
            "TimeoutInMillis",
        ])?;
        let api = self.api_of(event, "ApiId", false)?;
        let (path, method) = (self.given_text(event.properties, "Path")?, self.given_text(event.properties, "Method")?);
        let (path, method) = match (path, method) {
            (None, None) => (DEFAULT.to_owned(), "ANY".to_owned()),
            (Some(path), Some(method)) => (path, method),
            (None, Some(_)) => return Err(event.invalid("Property 'Path' is required.")),
            (Some(_), None) => return Err(event.invalid("Property 'Method' is required.")),
        };
        let any = method.eq_ignore_ascii_case("any") || method == ANY_METHOD;
        let method = if any { "ANY".to_owned() } else { method.to_uppercase() };
        let is_default = path == DEFAULT || path == "/$default";
        let key = if is_default { DEFAULT.to_owned() } else { format!("{method} {path}") };
        if !self.routes.insert((api.id.clone(), key.clone())) {
            let words = format!("API method '{}' defined multiple times for path '{path}'.", method.to_lowercase());
            return Err(event.invalid(&words));
        }
        if is_default {
            self.default_routes.insert((api.id.clone(), event.function.id.to_owned()));
        }
        // The permission for everything is enough for what comes after it.
        let is_permitted = !is_default && self.default_routes.contains(&(api.id.clone(), event.function.id.to_owned()));
        if !is_permitted {
            let permitted = if any { "*" } else { &method };
            let route = if is_default { "*".to_owned() } else { format!("{permitted}{}", permitted_path(&path)) };
            self.api_permission(event, &format!("{}Permission", event.id()), &api, &route)?;
        }
        let authorizer = self.authorizer(event, &api, &method.to_lowercase(), &path)?;
        self.route(event, &api, &key, authorizer)
    }

    /// The route and its integration.
    fn route(
        &mut self,
        event: &Event<'_>,
        api: &Rc<Api>,
        key: &str,
        authorizer: Option<Authorizer>,
    ) -> Result<(), TemplateError> {
        let (make, id) = (event.make(), event.id());
        let version = self.given(event.properties, "PayloadFormatVersion")?.unwrap_or_else(|| make.text("2.0"));
        let mut integration = vec![
            ("ApiId", Some(make.reference(&api.id))),
            ("IntegrationType", Some(make.text("AWS_PROXY"))),
            ("IntegrationMethod", Some(make.text("POST"))),
            ("IntegrationUri", Some(event.target.arn.clone())),
            ("PayloadFormatVersion", Some(version)),
        ];
        integration.extend(pick(event.properties, &["TimeoutInMillis"]));
        let integration_id = format!("{id}Integration");
        self.add(event.function, &integration_id, "AWS::ApiGatewayV2::Integration", make.some(integration))?;
        let mut route = vec![
            ("ApiId", Some(make.reference(&api.id))),
            ("RouteKey", Some(make.text(key))),
            ("Target", Some(make.sub(format!("integrations/${{{integration_id}}}")))),
        ];
        if let Some(authorizer) = authorizer {
            let own = event.properties.get("Auth").and_then(|auth| auth.get("AuthorizationScopes"));
            let declared = authorizer.declared.as_ref();
            let scopes = own.or_else(|| declared.and_then(|declared| declared.get("AuthorizationScopes")));
            route.extend([
                ("AuthorizationType", Some(make.text(authorization_type(declared)))),
                ("AuthorizerId", declared.map(|_| make.reference(&api.authorizer_id(&authorizer.name)))),
                ("AuthorizationScopes", scopes.filter(|scopes| !scopes.is_null()).cloned()),
            ]);
        }
        self.add(event.function, &format!("{id}Route"), "AWS::ApiGatewayV2::Route", make.some(route))?;
        if let Some(settings) = self.given(event.properties, "RouteSettings")? {
            let span = event.entry.key_span.clone();
            self.route_settings.entry(api.id.clone()).or_default().insert(key, &span, settings);
        }
        Ok(())
    }

    /// The API, its authorizers, and its stage.
    pub(super) fn http_api(&mut self, api: &Api) -> Result<(), TemplateError> {
        let owner = api.serverless();
        owner.known(PROPERTIES)?;
        let (make, properties) = (owner.make(), &api.properties);
        let cors = self.given(properties, "CorsConfiguration")?;
        let cors = match cors.as_ref().and_then(Node::as_bool) {
            Some(true) => Some(make.map([("AllowOrigins", make.list([make.text("*")]))])),
            Some(false) => None,
            None => cors,
        };
        let mut node = vec![
            ("Name", Some(properties.get("Name").cloned().unwrap_or_else(|| make.reference("AWS::StackName")))),
            ("ProtocolType", Some(make.text("HTTP"))),
            ("CorsConfiguration", cors),
            ("Tags", Some(http_tags(make, properties.get("Tags")))),
            ("Body", self.definition(properties)?),
        ];
        node.extend(pick(properties, &["Description", "DisableExecuteApiEndpoint"]));
        let own = owner.attributes.get("DependsOn").map(|node| ("DependsOn", node.clone()));
        self.add_with(&owner, &api.id, "AWS::ApiGatewayV2::Api", make.some(node), own)?;
        for (name, declared) in api.authorizers() {
            self.http_authorizer(api, name, declared)?;
        }
        let written = properties.get("StageName").cloned().unwrap_or_else(|| make.text(DEFAULT));
        let of_events = self.route_settings.remove(&api.id).unwrap_or_default();
        let own_settings = properties.get("RouteSettings").and_then(Node::as_map).cloned().unwrap_or_default();
        let settings = super::globals::merge(own_settings, &of_events);
        let settings =
            (!settings.is_empty()).then(|| Node { span: api.span.clone(), kind: crate::node::Kind::Map(settings) });
        let mut stage = vec![
            ("ApiId", Some(make.reference(&api.id))),
            ("StageName", Some(written.clone())),
            ("AutoDeploy", Some(make.plain("true"))),
            ("Tags", Some(http_tags(make, properties.get("Tags")))),
            ("RouteSettings", settings),
        ];
        stage.extend(pick(properties, &["DefaultRouteSettings", "StageVariables", "AccessLogSettings"]));
        let stage_id = api.stage_id(&written);
        self.add(&owner, &stage_id, "AWS::ApiGatewayV2::Stage", make.some(stage))?;
        self.made.renamed.insert(format!("{}.Stage", api.id), stage_id);
        Ok(())
    }

    fn http_authorizer(&mut self, api: &Api, name: &str, declared: &Node) -> Result<(), TemplateError> {
        let owner = api.serverless();
        let make = Make(&declared.span);
        let map = declared.expect_map(&format!("the authorizer {name}"))?;
        let mut node = vec![("ApiId", Some(make.reference(&api.id))), ("Name", Some(make.text(name)))];
        if let Some(config) = map.get("JwtConfiguration").filter(|node| !node.is_null()) {
            let config = config.expect_map("JwtConfiguration")?;
            let member = |lower: &str, upper: &str| config.get(lower).or_else(|| config.get(upper)).cloned();
            // API Gateway takes one audience for a list of one, as people write it.
            let audience =
                member("audience", "Audience").map(|node| if is_one(&node) { make.list([node]) } else { node });
            let source = map.get("IdentitySource").cloned().unwrap_or_else(|| make.text(IDENTITY_SOURCE));
            let jwt = make.some([("Audience", audience), ("Issuer", member("issuer", "Issuer"))]);
            node.extend([
                ("AuthorizerType", Some(make.text("JWT"))),
                ("IdentitySource", Some(make.list([source]))),
                ("JwtConfiguration", Some(jwt)),
            ]);
        } else {
            let Some(function) = map.get("FunctionArn").filter(|node| !node.is_null()) else {
                return Err(
                    owner.invalid(&declared.span, &format!("{name} Lambda Authorizer must define 'FunctionArn'."))
                );
            };
            let Some(version) = map.get("AuthorizerPayloadFormatVersion") else {
                let words = format!("{name} Lambda Authorizer must define 'AuthorizerPayloadFormatVersion'.");
                return Err(owner.invalid(&declared.span, &words));
            };
            let identity = map.get("Identity").and_then(Node::as_map);
            node.extend([
                ("AuthorizerType", Some(make.text("REQUEST"))),
                ("AuthorizerUri", Some(invocation_uri(make, function))),
                ("AuthorizerPayloadFormatVersion", Some(version.clone())),
                ("AuthorizerResultTtlInSeconds", identity.and_then(|map| map.get("ReauthorizeEvery")).cloned()),
                ("IdentitySource", identity.and_then(|identity| identity_sources(make, identity))),
                ("AuthorizerCredentialsArn", map.get("FunctionInvokeRole").cloned()),
            ]);
            node.extend(pick(map, &["EnableSimpleResponses"]));
            if map.get("EnableFunctionDefaultPermissions").and_then(Node::as_bool) == Some(true) {
                self.authorizer_permission(api, name, function)?;
            }
        }
        self.add(&owner, &api.authorizer_id(name), "AWS::ApiGatewayV2::Authorizer", make.some(node))
    }

    /// Lets an API ask a function who calls.
    pub(super) fn authorizer_permission(
        &mut self,
        api: &Api,
        name: &str,
        function: &Node,
    ) -> Result<(), TemplateError> {
        let owner = api.serverless();
        let make = owner.make();
        let text = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*";
        let node = make.map([
            ("Action", make.text("lambda:InvokeFunction")),
            ("FunctionName", function.clone()),
            ("Principal", make.text("apigateway.amazonaws.com")),
            ("SourceArn", make.sub_with(text, [("__ApiId__", make.reference(&api.id))])),
        ]);
        let id = format!("{}{}AuthorizerPermission", api.id, letters(name));
        self.add(&owner, &id, "AWS::Lambda::Permission", node)
    }
}

fn authorization_type(declared: Option<&Node>) -> &'static str {
    match declared {
        None => "AWS_IAM",
        Some(declared) if declared.get("JwtConfiguration").is_some() => "JWT",
        Some(_) => "CUSTOM",
    }
}

/// How API Gateway addresses a function.
pub(super) fn invocation_uri(make: Make<'_>, function: &Node) -> Node {
    let text = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${__FunctionArn__}/invocations";
    make.sub_with(text, [("__FunctionArn__", function.clone())])
}

/// `Headers: [A]` and its like as `$request.header.A`.
fn identity_sources(make: Make<'_>, identity: &Map) -> Option<Node> {
    let kinds = [
        ("Headers", "$request.header."),
        ("QueryStrings", "$request.querystring."),
        ("StageVariables", "$stageVariables."),
        ("Context", "$context."),
    ];
    let sources: Vec<Node> = kinds
        .iter()
        .flat_map(|(key, start)| {
            let names = identity.get(key).and_then(Node::as_list).unwrap_or_default();
            names.iter().filter_map(Node::as_str).map(move |name| make.text(format!("{start}{name}")))
        })
        .collect();
    (!sources.is_empty()).then(|| make.list(sources))
}

fn http_tags(make: Make<'_>, own: Option<&Node>) -> Node {
    let mut tags = vec![("httpapi:createdBy", make.text("SAM"))];
    let own = own.and_then(Node::as_map);
    tags.extend(own.into_iter().flat_map(Map::iter).map(|(key, value)| (key, value.clone())));
    make.map(tags)
}

/// Whether a value is one text: written, or what another resource gives.
fn is_one(node: &Node) -> bool {
    let gives_one = ["Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::ImportValue"];
    node.as_scalar().is_some() || gives_one.iter().any(|function| node.get(function).is_some())
}
