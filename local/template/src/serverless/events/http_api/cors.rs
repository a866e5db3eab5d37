//! `provider.httpApi.cors`.

use crate::error::TemplateError;
use crate::node::Node;
use crate::serverless::function_url::unique;
use crate::serverless::service::{Service, falsy};
use crate::serverless::write::Block;

const HEADERS: &[&str] = &[
    "Content-Type",
    "X-Amz-Date",
    "Authorization",
    "X-Api-Key",
    "X-Amz-Security-Token",
    "X-Amz-User-Agent",
    "X-Amzn-Trace-Id",
];

/// What ANY stands for.
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "OPTIONS", "HEAD", "DELETE"];

/// `true` allows all origins and the methods of the routes; a map says what differs.
pub(super) fn configuration<'r>(
    service: &Service,
    methods: impl Iterator<Item = &'r str>,
) -> Result<Option<Block>, TemplateError> {
    let Some(cors) = service.provider(&["httpApi", "cors"]).filter(|node| !falsy(node)) else { return Ok(None) };
    let span = &cors.span;
    if cors.as_map().is_none() && cors.as_bool() != Some(true) {
        return Err(cors.unexpected("provider.httpApi.cors", "true or a map"));
    }
    let setting = |key: &str| cors.get(key).filter(|node| !falsy(node));
    let texts = |items: &[&str]| Node::list(span, items.iter().map(|item| Node::string(span, *item)).collect());
    let list = |node: &Node| match node.as_list() {
        Some(_) => unique(node),
        None => Node::list(&node.span, vec![node.clone()]),
    };
    let mut of_routes = vec!["OPTIONS"];
    for method in methods {
        let named: &[&str] = if method == "ANY" { METHODS } else { &[method] };
        for method in named {
            if !of_routes.contains(method) {
                of_routes.push(method);
            }
        }
    }
    Ok(Some(
        Block::at(span)
            .maybe("AllowCredentials", setting("allowCredentials"))
            .set("AllowHeaders", setting("allowedHeaders").map_or_else(|| texts(HEADERS), list))
            .set("AllowMethods", setting("allowedMethods").map_or_else(|| texts(&of_routes), list))
            .set("AllowOrigins", setting("allowedOrigins").map_or_else(|| texts(&["*"]), list))
            .maybe("ExposeHeaders", setting("exposedResponseHeaders").map(list))
            .maybe("MaxAge", cors.get("maxAge")),
    ))
}
