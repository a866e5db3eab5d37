//! REST APIs: the API, its deployment and its stage, each path a resource, each method another.

use std::rc::Rc;

use serde_json::{Value, json};

use super::apis::{Api, Authorizer, letters, permitted_path};
use super::events::Event;
use super::http_api::invocation_uri;
use super::{Expansion, hash, tags};
use crate::error::{TemplateError, Warning};
use crate::make::{Make, pick};
use crate::node::{Kind, Map, Node};
use crate::rest::{self, Method};

const PROPERTIES: &[&str] = &[
    "AccessLogSetting",
    "AlwaysDeploy",
    "ApiKeySourceType",
    "Auth",
    "BinaryMediaTypes",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "CanarySetting",
    "Cors",
    "DefinitionBody",
    "DefinitionUri",
    "Description",
    "DisableExecuteApiEndpoint",
    "Domain",
    "EndpointAccessMode",
    "EndpointConfiguration",
    "FailOnWarnings",
    "GatewayResponses",
    "MergeDefinitions",
    "MethodSettings",
    "MinimumCompressionSize",
    "Mode",
    "Models",
    "Name",
    "OpenApiVersion",
    "Policy",
    "PropagateTags",
    "SecurityPolicy",
    "StageName",
    "Tags",
    "TracingEnabled",
    "Variables",
];

/// What a stage takes as it is.
const STAGE: &[&str] = &[
    "AccessLogSetting",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "CanarySetting",
    "MethodSettings",
    "TracingEnabled",
    "Variables",
];

/// The methods that `ANY` stands for, as a preflight answers.
const ANY: &str = "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT";

impl Expansion<'_> {
    pub(super) fn api_event(&mut self, event: &Event<'_>) -> Result<(), TemplateError> {
        event.known(&[
            "Auth",
            "Method",
            "Path",
            "RequestModel",
            "RequestParameters",
            "ResponseTransferMode",
            "RestApiId",
            "Stage",
            "TimeoutInMillis",
        ])?;
        let api = self.api_of(event, "RestApiId", true)?;
        let path = self.given_text(event.properties, "Path")?;
        let method = self.given_text(event.properties, "Method")?;
        let (Some(path), Some(method)) = (path, method) else {
            event.required("Path")?;
            return event.required("Method").map(|_| ());
        };
        for key in ["RequestModel", "RequestParameters"] {
            if let Some(entry) = event.properties.entry(key) {
                let message = format!("{key} of the event {} of {} has no effect here", event.name, event.function.id);
                self.warnings.push(Warning::new(&entry.key_span, message));
            }
        }
        if let Some(auth) = event.properties.get("Auth").and_then(Node::as_map) {
            self.name_unasked(auth, &format!("the event {} of {}", event.name, event.function.id));
        }
        let any = method.eq_ignore_ascii_case("any");
        let method = method.to_uppercase();
        if !self.routes.insert((api.id.clone(), format!("{method} {path}"))) {
            let words = format!("API method \"{}\" defined multiple times for path \"{path}\".", method.to_lowercase());
            return Err(event.invalid(&words));
        }
        let stage = api.properties.get("StageName").and_then(Node::as_str).map_or_else(|| "Stage".to_owned(), letters);
        let permitted = if any { "*" } else { &method };
        let route = format!("{permitted}{}", permitted_path(&path));
        self.api_permission(event, &format!("{}Permission{stage}", event.id()), &api, &route)?;
        let authorizer = self.authorizer(event, &api, &method.to_lowercase(), &path)?;
        self.method(event, &api, &method, &path, authorizer.as_ref())
    }

    fn method(
        &mut self,
        event: &Event<'_>,
        api: &Rc<Api>,
        method: &str,
        path: &str,
        authorizer: Option<&Authorizer>,
    ) -> Result<(), TemplateError> {
        let make = event.make();
        let resource = self.path(api, path)?;
        let auth = event.properties.get("Auth").and_then(Node::as_map);
        let declared = authorizer.and_then(|authorizer| authorizer.declared.as_ref());
        let own = auth.and_then(|auth| auth.get("AuthorizationScopes"));
        let scopes = own.or_else(|| declared.and_then(|declared| declared.get("AuthorizationScopes")));
        let key = auth.and_then(|auth| auth.get("ApiKeyRequired"));
        let key = key.or_else(|| api.auth().and_then(|auth| auth.get("ApiKeyRequired")));
        let node = rest::method(make, &Method {
            api: &api.id,
            resource,
            verb: method,
            authorization: authorization(authorizer.is_some(), declared),
            authorizer: authorizer.filter(|_| declared.is_some()).map(|one| api.authorizer_id(&one.name)),
            scopes: scopes.filter(|scopes| !scopes.is_null()).cloned(),
            key_required: key.cloned(),
            integration: make.map([
                ("Type", make.text("AWS_PROXY")),
                ("IntegrationHttpMethod", make.text("POST")),
                ("Uri", make.sub(format!(
                    "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/{}/invocations",
                    event.target.arn_in_sub
                ))),
            ]),
            responses: None,
        });
        let id = format!("{}Method", event.id());
        self.add(event.function, &id, "AWS::ApiGateway::Method", node)?;
        let methods = self.methods.entry(api.id.clone()).or_default();
        methods.entry(path.to_owned()).or_default().push((method.to_owned(), id));
        Ok(())
    }

    /// Makes the resources of a path that are not there yet: what the last one is referred to as.
    fn path(&mut self, api: &Api, path: &str) -> Result<Node, TemplateError> {
        let owner = api.serverless();
        let make = owner.make();
        let mut parent = make.attribute(&api.id, "RootResourceId");
        let parts = self.paths.entry(api.id.clone()).or_default().resources(&api.id, path);
        for (id, part, is_new) in parts {
            if is_new {
                let node = rest::resource(make, &api.id, parent, &part);
                self.add(&owner, &id, "AWS::ApiGateway::Resource", node)?;
            }
            parent = make.reference(&id);
        }
        Ok(parent)
    }

    /// The API, its authorizers, preflight answers, deployment and stage.
    pub(super) fn rest_api(&mut self, api: &Api) -> Result<(), TemplateError> {
        let owner = api.serverless();
        owner.known(PROPERTIES)?;
        let (make, properties) = (owner.make(), &api.properties);
        let Some(written) = properties.get("StageName").filter(|node| !node.is_null()).cloned() else {
            return Err(owner.invalid(&api.span, "Missing required property 'StageName'."));
        };
        for key in ["GatewayResponses", "Models"] {
            if let Some(entry) = properties.entry(key).filter(|entry| !entry.value.is_null()) {
                let message = format!("{key} of {} has no effect here", api.id);
                self.warnings.push(Warning::new(&entry.key_span, message));
            }
        }
        let mut node = vec![
            ("Name", Some(properties.get("Name").cloned().unwrap_or_else(|| make.reference("AWS::StackName")))),
            (
                "EndpointConfiguration",
                self.given(properties, "EndpointConfiguration")?.map(|node| endpoint(make, &node)),
            ),
            ("Body", self.definition(properties)?),
        ];
        node.extend(pick(
            properties,
            &[
                "ApiKeySourceType",
                "BinaryMediaTypes",
                "Description",
                "DisableExecuteApiEndpoint",
                "MinimumCompressionSize",
                "Mode",
                "Policy",
            ],
        ));
        let own = owner.attributes.get("DependsOn").map(|node| ("DependsOn", node.clone()));
        self.add_with(&owner, &api.id, "AWS::ApiGateway::RestApi", make.some(node), own)?;
        for (name, declared) in api.authorizers() {
            self.rest_authorizer(api, name, declared)?;
        }
        self.preflights(api)?;
        let methods = self.methods.remove(&api.id).unwrap_or_default();
        let ids: Vec<String> = methods.values().flatten().map(|(_, id)| id.clone()).collect();
        let deployed: Value = ids.iter().cloned().collect();
        let deployment = format!("{}Deployment{}", api.id, hash(&json!([deployed, written.to_json()])));
        let depends = make.list(ids.iter().map(|id| make.text(id)));
        let node = make.map([("RestApiId", make.reference(&api.id))]);
        let depends = (!ids.is_empty()).then_some(("DependsOn", depends));
        self.add_with(&owner, &deployment, "AWS::ApiGateway::Deployment", node, depends)?;
        let mut stage = vec![
            ("RestApiId", Some(make.reference(&api.id))),
            ("DeploymentId", Some(make.reference(&deployment))),
            ("StageName", Some(written.clone())),
            ("Tags", tags(make, properties.get("Tags"), false)),
        ];
        stage.extend(pick(properties, STAGE));
        let stage_id = api.stage_id(&written);
        self.add(&owner, &stage_id, "AWS::ApiGateway::Stage", make.some(stage))?;
        self.made.renamed.insert(format!("{}.Stage", api.id), stage_id);
        self.made.renamed.insert(format!("{}.Deployment", api.id), deployment);
        Ok(())
    }

    fn rest_authorizer(&mut self, api: &Api, name: &str, declared: &Node) -> Result<(), TemplateError> {
        let owner = api.serverless();
        let make = Make(&declared.span);
        let map = declared.expect_map(&format!("the authorizer {name}"))?;
        let identity = map.get("Identity").and_then(Node::as_map);
        let of_identity = |key: &str| identity.and_then(|identity| identity.get(key)).filter(|node| !node.is_null());
        let header = of_identity("Header").and_then(Node::as_str).unwrap_or("Authorization");
        let source = make.text(format!("method.request.header.{header}"));
        let mut node = vec![
            ("RestApiId", Some(make.reference(&api.id))),
            ("Name", Some(make.text(name))),
            ("AuthorizerResultTtlInSeconds", of_identity("ReauthorizeEvery").cloned()),
            ("IdentityValidationExpression", of_identity("ValidationExpression").cloned()),
        ];
        if let Some(pools) = map.get("UserPoolArn").filter(|node| !node.is_null()) {
            let pools = pools.as_list().map_or_else(|| vec![pools.clone()], <[Node]>::to_vec);
            node.extend([
                ("Type", Some(make.text("COGNITO_USER_POOLS"))),
                ("ProviderARNs", Some(make.list(pools))),
                ("IdentitySource", Some(source)),
            ]);
        } else {
            let Some(function) = map.get("FunctionArn").filter(|node| !node.is_null()) else {
                let words = format!("Authorizer {name} must define a 'UserPoolArn' or a 'FunctionArn'.");
                return Err(owner.invalid(&declared.span, &words));
            };
            let is_request = self.given_text(map, "FunctionPayloadType")?.as_deref() == Some("REQUEST");
            let sources = if is_request { identity.map(request_sources) } else { None };
            node.extend([
                ("Type", Some(make.text(if is_request { "REQUEST" } else { "TOKEN" }))),
                ("AuthorizerUri", Some(invocation_uri(make, function))),
                ("AuthorizerCredentials", map.get("FunctionInvokeRole").cloned()),
                ("IdentitySource", Some(sources.map_or(source, |sources| make.text(sources)))),
            ]);
            self.authorizer_permission(api, name, function)?;
        }
        self.add(&owner, &api.authorizer_id(name), "AWS::ApiGateway::Authorizer", make.some(node))
    }

    /// `Cors`: each path answers a browser's preflight itself.
    fn preflights(&mut self, api: &Api) -> Result<(), TemplateError> {
        let owner = api.serverless();
        let make = owner.make();
        let Some(cors) = self.given(&api.properties, "Cors")? else { return Ok(()) };
        let default = match api.auth() {
            Some(auth) => self.given_text(auth, "DefaultAuthorizer")?,
            None => None,
        };
        // A preflight is asked for who it is as any call is, which no browser answers, unless that is turned off.
        let open = matches!(cors.get("AllowOrigin").map(Node::as_str), None | Some(Some("'*'")));
        if open && cors.get("AllowCredentials").and_then(Node::as_bool) == Some(true) {
            let words = "Unable to add Cors configuration because 'AllowCredentials' can not be true when 'AllowOrigin' is \
                         \"'*'\" or not set";
            return Err(owner.invalid(&cors.span, words));
        }
        let turned = api.auth().and_then(|auth| auth.get("AddDefaultAuthorizerToCorsPreflight"));
        let default = default.filter(|_| turned.and_then(Node::as_bool) != Some(false));
        let declared = default.as_deref().and_then(|name| api.authorizers().find(|(known, _)| *known == name));
        let kind = authorization(default.is_some(), declared.map(|(_, node)| node));
        let asks = declared.is_some();
        let paths: Vec<(String, Vec<String>)> = self
            .methods
            .get(&api.id)
            .into_iter()
            .flatten()
            .map(|(path, methods)| (path.clone(), methods.iter().map(|(method, _)| method.clone()).collect()))
            .collect();
        for (path, mut methods) in paths {
            if methods.iter().any(|method| method == "OPTIONS") {
                continue;
            }
            methods.push("OPTIONS".to_owned());
            methods.sort();
            let allowed = if methods.iter().any(|method| method == "ANY") { ANY.to_owned() } else { methods.join(",") };
            let resource = self.path(api, &path)?;
            let (integration, responses) = preflight(make, &cors, &allowed);
            let node = rest::method(
                make,
                &Method {
                    api: &api.id,
                    resource,
                    verb: "OPTIONS",
                    authorization: kind,
                    authorizer: asks.then(|| default.as_deref().map(|name| api.authorizer_id(name))).flatten(),
                    scopes: None,
                    key_required: None,
                    integration,
                    responses: Some(responses),
                },
            );
            let name = self.paths.entry(api.id.clone()).or_default().name(&path);
            let id = format!("{}Options{name}Method", api.id);
            self.add(&owner, &id, "AWS::ApiGateway::Method", node)?;
            self.methods.entry(api.id.clone()).or_default().entry(path).or_default().push(("OPTIONS".to_owned(), id));
        }
        Ok(())
    }

    /// The `OpenAPI` document that an API is told of, in the template or in a file beside it.
    pub(super) fn definition(&mut self, properties: &Map) -> Result<Option<Node>, TemplateError> {
        if let Some(body) = properties.get("DefinitionBody").filter(|node| !node.is_null()) {
            return Ok(Some(body.clone()));
        }
        let Some(uri) = self.given(properties, "DefinitionUri")? else { return Ok(None) };
        let Some(text) = uri.as_str().filter(|text| !text.starts_with("s3://")) else {
            self.warnings
                .push(Warning::new(&uri.span, "a DefinitionUri in S3 is not read here: its routes are missing"));
            return Ok(None);
        };
        crate::include::file(&uri, text, &self.resolver.scope.inputs).map(Some)
    }
}

fn authorization(is_asked: bool, declared: Option<&Node>) -> &'static str {
    match declared {
        _ if !is_asked => "NONE",
        None => "AWS_IAM",
        Some(declared) if declared.get("UserPoolArn").is_some() => "COGNITO_USER_POOLS",
        Some(_) => "CUSTOM",
    }
}

/// `{Type: …}` or a type as CloudFormation has it.
fn endpoint(make: Make<'_>, given: &Node) -> Node {
    let kind = given.get("Type").unwrap_or(given).clone();
    let vpcs = given.get("VPCEndpointIds").or_else(|| given.get("VpcEndpointIds")).cloned();
    let address = given.get("IpAddressType").cloned();
    make.some([("Types", Some(make.list([kind]))), ("VpcEndpointIds", vpcs), ("IpAddressType", address)])
}

/// What a preflight answers: a mock, and the headers that it has.
fn preflight(make: Make<'_>, cors: &Node, allowed: &str) -> (Node, Node) {
    let quoted = |text: &str| make.text(format!("'{text}'"));
    let map = cors.as_map().filter(|_| cors.as_intrinsic().is_none());
    let of = |key: &str| map.and_then(|map| map.get(key)).filter(|node| !node.is_null()).cloned();
    let credentials = of("AllowCredentials").and_then(|node| node.as_bool()).unwrap_or_default();
    let origin = if map.is_some() { of("AllowOrigin") } else { Some(cors.clone()) };
    let headers = [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Methods", of("AllowMethods").or_else(|| Some(quoted(allowed)))),
        ("Access-Control-Allow-Headers", of("AllowHeaders")),
        ("Access-Control-Max-Age", of("MaxAge")),
        ("Access-Control-Allow-Credentials", credentials.then(|| quoted("true"))),
    ];
    let (mut values, mut names) = (Map::default(), Map::default());
    for (name, value) in headers {
        if let Some(value) = value {
            let name = format!("method.response.header.{name}");
            names.insert(name.clone(), make.0, make.plain("true"));
            values.insert(name, make.0, value);
        }
    }
    let node = |map: Map| Node { span: make.0.clone(), kind: Kind::Map(map) };
    let response = make.map([("StatusCode", make.text("200")), ("ResponseParameters", node(values))]);
    let integration = make.map([
        ("Type", make.text("MOCK")),
        ("RequestTemplates", make.map([("application/json", make.text("{\"statusCode\": 200}"))])),
        ("IntegrationResponses", make.list([response])),
    ]);
    let declared = make.map([("StatusCode", make.text("200")), ("ResponseParameters", node(names))]);
    (integration, make.list([declared]))
}

/// `Headers: [A]` and its like as `method.request.header.A`, between commas.
fn request_sources(identity: &Map) -> String {
    let kinds = [
        ("Headers", "method.request.header."),
        ("QueryStrings", "method.request.querystring."),
        ("StageVariables", "stageVariables."),
        ("Context", "context."),
    ];
    let sources: Vec<String> = kinds
        .iter()
        .flat_map(|(key, start)| {
            let names = identity.get(key).and_then(Node::as_list).unwrap_or_default();
            names.iter().filter_map(Node::as_str).map(move |name| format!("{start}{name}"))
        })
        .collect();
    sources.join(",")
}
