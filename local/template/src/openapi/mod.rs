//! APIs that are told of an `OpenAPI` document (`Body`): each path's methods, and each authorizer, become resources of
//! their own, so that behind this file there is one way in which a route is said.

mod http;
mod rest;

use std::collections::HashSet;

use crate::error::{TemplateError, Warning};
use crate::make::Make;
use crate::near::did_you_mean;
use crate::node::{Entry, Map, Node};
use crate::resolve::hinted;

/// How a document says any method.
const ANY: &str = "x-amazon-apigateway-any-method";
const INTEGRATION: &str = "x-amazon-apigateway-integration";
const AUTHORIZER: &str = "x-amazon-apigateway-authorizer";
const METHODS: &[&str] = &["delete", "get", "head", "options", "patch", "post", "put", "trace"];

/// An API with a document.
struct Documented<'d> {
    /// The API's resource.
    entry: &'d Entry,
    body: &'d Map,
    made: Vec<Entry>,
    warnings: &'d mut Vec<Warning>,
}

/// A method of a path in a document.
struct Operation<'d> {
    path: &'d str,
    /// In capitals; `ANY` is any.
    method: String,
    entry: &'d Entry,
    integration: &'d Node,
    security: Option<(&'d str, Option<&'d Node>)>,
}

/// Makes the resources of every document in a template's resources.
pub(crate) fn expand(resources: Map, warnings: &mut Vec<Warning>) -> Result<Map, TemplateError> {
    let is_api = |kind: &str| matches!(kind, "AWS::ApiGatewayV2::Api" | "AWS::ApiGateway::RestApi");
    let kind = |entry: &Entry| entry.value.get("Type").and_then(Node::as_str).unwrap_or_default().to_owned();
    let has_body = |entry: &Entry| is_api(&kind(entry)) && entry.value.at(&["Properties", "Body"]).is_some();
    if !resources.entries().iter().any(has_body) {
        return Ok(resources);
    }
    let routes: HashSet<(String, String)> = resources.entries().iter().filter_map(route).collect();
    let mut expanded = Vec::new();
    for mut entry in resources.into_entries() {
        if !has_body(&entry) {
            expanded.push(entry);
            continue;
        }
        let kind = kind(&entry);
        let properties = entry.value.as_map_mut().and_then(|map| map.get_mut("Properties")).and_then(Node::as_map_mut);
        let Some(body) = properties.and_then(|properties| properties.remove("Body")) else { continue };
        let Some(map) = body.as_map().filter(|_| body.as_intrinsic().is_none()) else {
            let message = format!("the Body of {} is not read here: its routes are missing", entry.key);
            warnings.push(Warning::new(&body.span, message));
            expanded.push(entry);
            continue;
        };
        let mut document = Documented { entry: &entry, body: map, made: Vec::new(), warnings };
        let added = if kind == "AWS::ApiGatewayV2::Api" { document.http(&routes)? } else { document.rest()? };
        let made = document.made;
        if let Some(properties) = entry.value.as_map_mut().and_then(|map| map.get_mut("Properties"))
            && let Some(properties) = properties.as_map_mut()
        {
            for (key, value) in added {
                if properties.get(key).is_none() {
                    let span = value.span.clone();
                    properties.insert(key, &span, value);
                }
            }
        }
        expanded.push(entry);
        expanded.extend(made);
    }
    rest::deploy_last(&mut expanded);
    Ok(Map::from_entries(distinct(expanded)?))
}

/// A route that is a resource already: its API and its key.
fn route(entry: &Entry) -> Option<(String, String)> {
    let is_route = entry.value.get("Type")?.as_str()? == "AWS::ApiGatewayV2::Route";
    let api = entry.value.at(&["Properties", "ApiId", "Ref"])?.as_str()?;
    let key = entry.value.at(&["Properties", "RouteKey"])?.as_str()?;
    is_route.then(|| (api.to_owned(), key.to_owned()))
}

fn distinct(entries: Vec<Entry>) -> Result<Vec<Entry>, TemplateError> {
    let mut ids = HashSet::new();
    match entries.iter().find(|entry| !ids.insert(entry.key.as_str())) {
        Some(entry) => {
            let message = format!("the document of an API makes a resource {}, and there is one", entry.key);
            Err(TemplateError::new(&entry.key_span, message))
        }
        None => Ok(entries),
    }
}

impl<'d> Documented<'d> {
    /// Every method of every path that leads somewhere.
    fn operations(&mut self) -> Result<Vec<Operation<'d>>, TemplateError> {
        let mut operations = Vec::new();
        let Some(paths) = self.body.get("paths").filter(|node| !node.is_null()) else { return Ok(operations) };
        let default = self.body.get("security").and_then(required);
        for path in paths.expect_map("paths")?.entries() {
            for entry in path.value.expect_map(&format!("the path {}", path.key))?.entries() {
                let is_any = entry.key == ANY;
                let method = entry.key.to_lowercase();
                if !is_any && !METHODS.contains(&method.as_str()) {
                    let is_other = entry.key.starts_with("x-")
                        || matches!(method.as_str(), "parameters" | "summary" | "description" | "servers");
                    if is_other {
                        continue;
                    }
                    let error = TemplateError::new(&entry.key_span, format!("{} is no method", entry.key));
                    return Err(hinted(error, || did_you_mean(&method, METHODS.iter().copied())));
                }
                let Some(integration) = entry.value.get(INTEGRATION) else {
                    let message = format!("{} {} has no {INTEGRATION}: it leads nowhere", entry.key, path.key);
                    self.warnings.push(Warning::new(&entry.key_span, message));
                    continue;
                };
                let method = if is_any { "ANY".to_owned() } else { method.to_uppercase() };
                let security = match entry.value.get("security") {
                    Some(own) => required(own),
                    None => default,
                };
                let security = security.filter(|(name, _)| *name != "NONE");
                operations.push(Operation { path: &path.key, method, entry, integration, security });
            }
        }
        Ok(operations)
    }

    /// Who may call, by name: what is said there, and of the API's authorizers.
    fn authorizers(&self) -> impl Iterator<Item = (&'d Entry, &'d Node)> + use<'d> {
        let newer = self.body.get("components").and_then(|components| components.get("securitySchemes"));
        let schemes = newer.or_else(|| self.body.get("securityDefinitions")).and_then(Node::as_map);
        let entries = schemes.map(Map::entries).unwrap_or_default();
        entries.iter().filter_map(|entry| Some((entry, entry.value.get(AUTHORIZER)?)))
    }

    fn authorizer_id(&self, name: &str) -> String {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("{}{letters}Authorizer", self.entry.key)
    }

    /// Adds a resource that the API's conditions and policies hold for.
    fn add(&mut self, place: &Entry, id: String, kind: &str, properties: Node) {
        let make = Make(&place.key_span);
        let mut attributes = make.map([("Type", make.text(kind)), ("Properties", properties)]);
        for key in ["Condition", "DeletionPolicy", "UpdateReplacePolicy"] {
            if let (Some(map), Some(value)) = (attributes.as_map_mut(), self.entry.value.get(key)) {
                map.insert(key, &place.key_span, value.clone());
            }
        }
        self.made.push(Entry { key: id, key_span: place.key_span.clone(), value: attributes });
    }

    /// What a document is called.
    fn title(&self) -> Option<Node> {
        self.body.get("info")?.get("title").filter(|node| !node.is_null()).cloned()
    }
}

/// The first of the schemes that a method requires, and its scopes.
fn required(security: &Node) -> Option<(&str, Option<&Node>)> {
    let entry = security.as_list()?.first()?.as_map()?.entries().first()?;
    let scopes = entry.value.as_list().is_none_or(|scopes| !scopes.is_empty());
    Some((entry.key.as_str(), scopes.then_some(&entry.value)))
}
