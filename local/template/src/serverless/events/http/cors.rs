//! `cors` of methods: an OPTIONS method per path that answers by itself.

use crate::error::TemplateError;
use crate::node::Node;
use crate::serverless::service::{Draft, falsy};
use crate::serverless::write::{Block, resource};
use crate::source::Span;

use super::{Api, Method, method_id};

const HEADERS: &[&str] = &[
    "Content-Type",
    "X-Amz-Date",
    "Authorization",
    "X-Api-Key",
    "X-Amz-Security-Token",
    "X-Amz-User-Agent",
    "X-Amzn-Trace-Id",
];

/// What a path's methods allow together.
struct Preflight<'m> {
    path: &'m str,
    span: &'m Span,
    origins: Vec<String>,
    headers: Vec<String>,
    methods: Vec<String>,
    credentials: bool,
    max_age: Option<String>,
    cache_control: Option<String>,
}

pub(super) fn preflights(
    methods: &[Method],
    api: &Api,
    ids: &mut Vec<String>,
    draft: &mut Draft,
) -> Result<(), TemplateError> {
    let mut preflights: Vec<Preflight> = Vec::new();
    for method in methods {
        let Some(cors) = method.event.truthy("cors") else { continue };
        let found = preflights.iter().position(|preflight| preflight.path == method.path);
        let index = found.unwrap_or_else(|| {
            preflights.push(Preflight::new(&method.path, method.event.span));
            preflights.len() - 1
        });
        preflights[index].add(cors, &method.verb)?;
    }
    for preflight in preflights {
        let id = method_id(preflight.path, "options");
        draft.resource(&id, preflight.span, preflight.method(api));
        ids.push(id);
    }
    Ok(())
}

impl<'m> Preflight<'m> {
    fn new(path: &'m str, span: &'m Span) -> Self {
        let (origins, headers, methods) = (Vec::new(), Vec::new(), Vec::new());
        Self { path, span, origins, headers, methods, credentials: false, max_age: None, cache_control: None }
    }

    fn add(&mut self, cors: &Node, method: &str) -> Result<(), TemplateError> {
        let origins = match cors.get("origins").or_else(|| cors.get("origin")) {
            Some(origins) => texts(origins, "origins")?,
            None => vec!["*".to_owned()],
        };
        let headers = match cors.get("headers").filter(|headers| !falsy(headers)) {
            Some(headers) => texts(headers, "headers")?,
            None => HEADERS.iter().map(|header| (*header).to_owned()).collect(),
        };
        let mut methods = match cors.get("methods") {
            Some(methods) => texts(methods, "methods")?,
            None => Vec::new(),
        };
        methods.extend(["OPTIONS".to_owned(), method.to_uppercase()]);
        union(&mut self.origins, origins);
        union(&mut self.headers, headers);
        union(&mut self.methods, methods);
        self.credentials |= cors.get("allowCredentials").is_some_and(|node| !falsy(node));
        let text = |key: &str| cors.get(key).and_then(Node::as_str).map(str::to_owned);
        self.max_age = text("maxAge").or(self.max_age.take());
        self.cache_control = text("cacheControl").or(self.cache_control.take());
        Ok(())
    }

    fn method(&self, api: &Api) -> Block {
        let span = self.span;
        let headers = self.answer();
        let named = |value: &dyn Fn(&str) -> Node| {
            headers.iter().fold(Block::at(span), |block, (name, text)| {
                block.set(&format!("method.response.header.{name}"), value(text))
            })
        };
        let allowed = named(&|_| Node::plain(span, "true"));
        let values = named(&|text| Node::string(span, text));
        let template = if self.origins.len() > 1 { origin_template(&self.origins) } else { String::new() };
        let method_response = Block::at(span)
            .set("StatusCode", "200")
            .set("ResponseParameters", allowed)
            .set("ResponseModels", Block::at(span));
        let integration_response = Block::at(span)
            .set("StatusCode", "200")
            .set("ResponseParameters", values)
            .set("ResponseTemplates", Block::at(span).set("application/json", template));
        let integration = Block::at(span)
            .set("Type", "MOCK")
            .set("RequestTemplates", Block::at(span).set("application/json", "{statusCode:200}"))
            .set("ContentHandling", "CONVERT_TO_TEXT")
            .set("IntegrationResponses", vec![integration_response]);
        let properties = Block::at(span)
            .set("AuthorizationType", "NONE")
            .set("HttpMethod", "OPTIONS")
            .set("MethodResponses", vec![method_response])
            .set("RequestParameters", Block::at(span))
            .set("Integration", integration)
            .set("ResourceId", api.resource(self.path, span))
            .set("RestApiId", &api.id);
        resource(span, "AWS::ApiGateway::Method", properties)
    }

    /// The headers of the answer, their values in API Gateway's quotes.
    fn answer(&self) -> Vec<(&'static str, String)> {
        let quoted = |text: &str| format!("'{text}'");
        let methods = self.methods.join(",").replace("ANY", "DELETE,GET,HEAD,PATCH,POST,PUT");
        let mut headers = vec![
            ("Access-Control-Allow-Origin", quoted(self.origins.first().map_or("*", String::as_str))),
            ("Access-Control-Allow-Headers", quoted(&self.headers.join(","))),
            ("Access-Control-Allow-Methods", quoted(&methods)),
        ];
        if self.credentials {
            headers.push(("Access-Control-Allow-Credentials", quoted("true")));
        }
        headers.extend(self.max_age.as_deref().map(|age| ("Access-Control-Max-Age", quoted(age))));
        headers.extend(self.cache_control.as_deref().map(|control| ("Cache-Control", quoted(control))));
        headers
    }
}

/// Answers with the origin that asked, if it is one of several.
fn origin_template(origins: &[String]) -> String {
    let one_of: Vec<String> = origins
        .iter()
        .map(|origin| format!("$origin.matches(\"{}\")", origin.replace('.', "[.]").replacen('*', ".+", 1)))
        .collect();
    format!(
        "#set($origin = $input.params(\"Origin\"))\n#if($origin == \"\") #set($origin = $input.params(\"origin\")) #end\n\
         #if({}) #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin) #end",
        one_of.join(" || ")
    )
}

fn texts(node: &Node, what: &str) -> Result<Vec<String>, TemplateError> {
    if let Some(text) = node.as_str() {
        return Ok(text.split(',').map(|part| part.trim().to_owned()).collect());
    }
    node.expect_list(what)?.iter().map(|item| item.expect_str(what).map(str::to_owned)).collect()
}

/// What is new stands first, as in the framework.
fn union(all: &mut Vec<String>, more: Vec<String>) {
    let mut united: Vec<String> = Vec::new();
    for text in more.into_iter().chain(std::mem::take(all)) {
        if !united.contains(&text) {
            united.push(text);
        }
    }
    *all = united;
}
