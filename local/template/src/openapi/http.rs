//! Documents of HTTP APIs.

use std::collections::HashSet;

use super::{Documented, Operation};
use crate::error::TemplateError;
use crate::make::Make;
use crate::node::{Map, Node};
use crate::rest::{Paths, words};

impl Documented<'_> {
    /// Makes the resources that are not there already; what it says of the API itself.
    pub(super) fn http(
        &mut self,
        routes: &HashSet<(String, String)>,
    ) -> Result<Vec<(&'static str, Node)>, TemplateError> {
        let make = Make(&self.entry.key_span);
        for (entry, declared) in self.authorizers() {
            let id = self.authorizer_id(&entry.key);
            let node = authorizer(Make(&entry.key_span), &self.entry.key, &entry.key, declared)?;
            self.add(entry, id, "AWS::ApiGatewayV2::Authorizer", node);
        }
        let jwt: HashSet<&str> = self
            .authorizers()
            .filter(|(_, declared)| declared.get("type").and_then(Node::as_str) == Some("jwt"))
            .map(|(entry, _)| entry.key.as_str())
            .collect();
        let known: HashSet<&str> = self.authorizers().map(|(entry, _)| entry.key.as_str()).collect();
        let mut paths = Paths::default();
        for operation in self.operations()? {
            let key = match operation.path {
                "$default" | "/$default" => "$default".to_owned(),
                path => format!("{} {path}", operation.method),
            };
            if routes.contains(&(self.entry.key.clone(), key.clone())) {
                continue;
            }
            let kind = operation.security.map(|(name, _)| match name {
                name if jwt.contains(name) => "JWT",
                name if known.contains(name) => "CUSTOM",
                _ => "AWS_IAM",
            });
            self.route(&operation, &paths.name(operation.path), &key, kind);
        }
        let cors = self.body.get("x-amazon-apigateway-cors").and_then(Node::as_map).map(|map| capital(make, map));
        Ok([("Name", self.title()), ("ProtocolType", Some(make.text("HTTP"))), ("CorsConfiguration", cors)]
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect())
    }

    fn route(&mut self, operation: &Operation<'_>, name: &str, key: &str, authorization: Option<&str>) {
        let (api, make) = (self.entry.key.clone(), Make(&operation.entry.key_span));
        let id = format!("{api}{}{name}", words(&operation.method.to_lowercase()));
        let of = |key: &str| operation.integration.get(key).filter(|node| !node.is_null()).cloned();
        let kind = of("type").and_then(|node| node.as_str().map(str::to_uppercase));
        let integration = make.some([
            ("ApiId", Some(make.reference(&api))),
            ("IntegrationType", Some(make.text(kind.unwrap_or_else(|| "AWS_PROXY".to_owned())))),
            ("IntegrationMethod", of("httpMethod")),
            ("IntegrationUri", of("uri")),
            ("PayloadFormatVersion", of("payloadFormatVersion")),
            ("TimeoutInMillis", of("timeoutInMillis")),
            ("CredentialsArn", of("credentials")),
            ("ConnectionType", of("connectionType")),
            ("ConnectionId", of("connectionId")),
            ("IntegrationSubtype", of("integrationSubtype")),
            ("RequestParameters", of("requestParameters")),
        ]);
        let (scheme, scopes) = operation.security.unzip();
        let authorizer = scheme.filter(|_| authorization.is_some_and(|kind| kind != "AWS_IAM"));
        let authorizer = authorizer.map(|name| make.reference(&self.authorizer_id(name)));
        let route = make.some([
            ("ApiId", Some(make.reference(&api))),
            ("RouteKey", Some(make.text(key))),
            ("Target", Some(make.sub(format!("integrations/${{{id}Integration}}")))),
            ("AuthorizationType", authorization.map(|kind| make.text(kind))),
            ("AuthorizerId", authorizer),
            ("AuthorizationScopes", scopes.flatten().cloned()),
        ]);
        self.add(operation.entry, format!("{id}Integration"), "AWS::ApiGatewayV2::Integration", integration);
        self.add(operation.entry, format!("{id}Route"), "AWS::ApiGatewayV2::Route", route);
    }
}

fn authorizer(make: Make<'_>, api: &str, name: &str, declared: &Node) -> Result<Node, TemplateError> {
    let map = declared.expect_map(&format!("the authorizer {name}"))?;
    let of = |key: &str| map.get(key).filter(|node| !node.is_null()).cloned();
    let kind = of("type").and_then(|node| node.as_str().map(str::to_uppercase));
    let sources = of("identitySource").map(|node| match node.as_str() {
        Some(text) => make.list(text.split(',').map(|source| make.text(source.trim()))),
        None => node,
    });
    let jwt = map.get("jwtConfiguration").and_then(Node::as_map).map(|map| capital(make, map));
    Ok(make.some([
        ("ApiId", Some(make.reference(api))),
        ("Name", Some(make.text(name))),
        ("AuthorizerType", Some(make.text(kind.unwrap_or_else(|| "REQUEST".to_owned())))),
        ("IdentitySource", sources),
        ("JwtConfiguration", jwt),
        ("AuthorizerUri", of("authorizerUri")),
        ("AuthorizerPayloadFormatVersion", of("authorizerPayloadFormatVersion")),
        ("AuthorizerResultTtlInSeconds", of("authorizerResultTtlInSeconds")),
        ("AuthorizerCredentialsArn", of("authorizerCredentials")),
        ("EnableSimpleResponses", of("enableSimpleResponses")),
    ]))
}

/// Members as CloudFormation writes them: `allowOrigins` is `AllowOrigins`.
fn capital(make: Make<'_>, map: &Map) -> Node {
    let mut members = Map::default();
    for (key, value) in map.iter() {
        let mut characters = key.chars();
        let first = characters.next().map(|first| first.to_ascii_uppercase());
        let key: String = first.into_iter().chain(characters).collect();
        members.insert(key, make.0, value.clone());
    }
    Node { span: make.0.clone(), kind: crate::node::Kind::Map(members) }
}
