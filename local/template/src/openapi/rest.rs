//! Documents of REST APIs, by Swagger 2 or `OpenAPI` 3.

use std::collections::HashMap;

use super::{Documented, Operation};
use crate::error::TemplateError;
use crate::make::Make;
use crate::node::{Entry, Map, Node};
use crate::rest::{self, Method, Paths};

impl Documented<'_> {
    /// Makes the resources; what it says of the API itself.
    pub(super) fn rest(&mut self) -> Result<Vec<(&'static str, Node)>, TemplateError> {
        let mut kinds: HashMap<&str, &str> = HashMap::new();
        for (entry, declared) in self.authorizers() {
            let is_pool = declared.get("type").and_then(Node::as_str) == Some("cognito_user_pools");
            kinds.insert(&entry.key, if is_pool { "COGNITO_USER_POOLS" } else { "CUSTOM" });
            let id = self.authorizer_id(&entry.key);
            let node = authorizer(&self.entry.key, entry, declared)?;
            self.add(entry, id, "AWS::ApiGateway::Authorizer", node);
        }
        let mut paths = Paths::default();
        for operation in self.operations()? {
            let api = self.entry.key.clone();
            let make = Make(&operation.entry.key_span);
            let mut parent = make.attribute(&api, "RootResourceId");
            for (id, part, is_new) in paths.resources(&api, operation.path) {
                if is_new {
                    let node = rest::resource(make, &api, parent, &part);
                    self.add(operation.entry, id.clone(), "AWS::ApiGateway::Resource", node);
                }
                parent = make.reference(&id);
            }
            let kind = operation.security.map(|(name, _)| kinds.get(name).copied().unwrap_or("AWS_IAM"));
            self.method(&operation, &paths.name(operation.path), parent, kind);
        }
        Ok(self.title().map(|title| ("Name", title)).into_iter().collect())
    }

    fn method(&mut self, operation: &Operation<'_>, name: &str, resource: Node, kind: Option<&str>) {
        let (api, make) = (self.entry.key.clone(), Make(&operation.entry.key_span));
        let (scheme, scopes) = operation.security.unzip();
        let authorizer = scheme.filter(|_| kind.is_some_and(|kind| kind != "AWS_IAM"));
        let node = rest::method(
            make,
            &Method {
                api: &api,
                resource,
                verb: &operation.method,
                authorization: kind.unwrap_or("NONE"),
                authorizer: authorizer.map(|name| self.authorizer_id(name)),
                scopes: scopes.flatten().cloned(),
                key_required: None,
                integration: integration(make, operation.integration),
                responses: None,
            },
        );
        let id = format!("{api}{}{name}Method", rest::words(&operation.method.to_lowercase()));
        self.add(operation.entry, id, "AWS::ApiGateway::Method", node);
    }
}

fn authorizer(api: &str, entry: &Entry, declared: &Node) -> Result<Node, TemplateError> {
    let make = Make(&entry.key_span);
    let map = declared.expect_map(&format!("the authorizer {}", entry.key))?;
    let of = |key: &str| map.get(key).filter(|node| !node.is_null()).cloned();
    let kind = of("type").and_then(|node| node.as_str().map(str::to_uppercase));
    let header =
        entry.value.get("name").and_then(Node::as_str).map(|name| make.text(format!("method.request.header.{name}")));
    Ok(make.some([
        ("RestApiId", Some(make.reference(api))),
        ("Name", Some(make.text(&entry.key))),
        ("Type", Some(make.text(kind.unwrap_or_else(|| "TOKEN".to_owned())))),
        ("ProviderARNs", of("providerARNs")),
        ("AuthorizerUri", of("authorizerUri")),
        ("AuthorizerCredentials", of("authorizerCredentials")),
        ("AuthorizerResultTtlInSeconds", of("authorizerResultTtlInSeconds")),
        ("IdentityValidationExpression", of("identityValidationExpression")),
        ("IdentitySource", of("identitySource").or(header)),
    ]))
}

fn integration(make: Make<'_>, declared: &Node) -> Node {
    let of = |key: &str| declared.get(key).filter(|node| !node.is_null()).cloned();
    let kind = of("type").and_then(|node| node.as_str().map(str::to_uppercase));
    let responses = declared.get("responses").and_then(Node::as_map).map(|map| responses(make, map));
    make.some([
        ("Type", Some(make.text(kind.unwrap_or_else(|| "AWS_PROXY".to_owned())))),
        ("IntegrationHttpMethod", of("httpMethod")),
        ("Uri", of("uri")),
        ("Credentials", of("credentials")),
        ("PassthroughBehavior", of("passthroughBehavior")),
        ("ContentHandling", of("contentHandling")),
        ("TimeoutInMillis", of("timeoutInMillis")),
        ("ConnectionType", of("connectionType")),
        ("ConnectionId", of("connectionId")),
        ("RequestParameters", of("requestParameters")),
        ("RequestTemplates", of("requestTemplates")),
        ("IntegrationResponses", responses),
    ])
}

/// Responses by the pattern that chooses each; `default` has none.
fn responses(make: Make<'_>, map: &Map) -> Node {
    make.list(map.iter().map(|(pattern, declared)| {
        let of = |key: &str| declared.get(key).filter(|node| !node.is_null()).cloned();
        make.some([
            ("SelectionPattern", (pattern != "default").then(|| make.text(pattern))),
            ("StatusCode", of("statusCode")),
            ("ResponseParameters", of("responseParameters")),
            ("ResponseTemplates", of("responseTemplates")),
        ])
    }))
}

/// A deployment takes the methods that there are: those of documents are there before it.
pub(super) fn deploy_last(entries: &mut [Entry]) {
    let mut methods: HashMap<String, Vec<String>> = HashMap::new();
    let reference = |entry: &Entry| entry.value.at(&["Properties", "RestApiId", "Ref"])?.as_str().map(str::to_owned);
    let is = |entry: &Entry, kind: &str| entry.value.get("Type").and_then(Node::as_str) == Some(kind);
    for entry in entries.iter().filter(|entry| is(entry, "AWS::ApiGateway::Method")) {
        if let Some(api) = reference(entry) {
            methods.entry(api).or_default().push(entry.key.clone());
        }
    }
    for entry in entries.iter_mut().filter(|entry| is(entry, "AWS::ApiGateway::Deployment")) {
        let Some(methods) = reference(entry).and_then(|api| methods.get(&api)) else { continue };
        let span = entry.key_span.clone();
        let Some(map) = entry.value.as_map_mut() else { continue };
        let mut ids: Vec<Node> = match map.get("DependsOn") {
            Some(node) => node.as_list().map_or_else(|| vec![node.clone()], <[Node]>::to_vec),
            None => Vec::new(),
        };
        for method in methods {
            if !ids.iter().any(|id| id.as_str() == Some(method)) {
                ids.push(Node::string(&span, method));
            }
        }
        map.insert("DependsOn", &span, Node::list(&span, ids));
    }
}
