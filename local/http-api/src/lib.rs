//! Amazon API Gateway: HTTP APIs (`apigatewayv2`) and REST APIs (`apigateway`) in front of Lambda functions.
//!
//! Two control planes stand over one engine. What an API is (`http_api.rs`, `rest_api.rs`) becomes, with a deployment,
//! what is served (`served.rs`): routes, who guards them, where they lead. The engine finds a request's route
//! (`route_key.rs`, `gateway.rs`), asks the route's guard (`authorize.rs`: JWT, user pools, functions, IAM), calls the
//! function with the event of its format (`event/`) and reads its answer (`answer.rs`).
//!
//! Not here: HTTP itself, which `server` speaks; WebSocket APIs, integrations other than functions (and mocks of REST
//! APIs), custom domains, API keys, usage plans: they are refused by name. Start at [`HttpApis`].

mod answer;
mod authorize;
mod cors;
mod document;
mod error;
mod event;
mod function_uri;
mod gateway;
mod http_api;
mod jwt;
mod lambda_authorizer;
mod mock;
mod ops;
mod outside;
mod policy;
mod refusal;
mod request;
mod rest_api;
mod rest_ops;
mod room;
mod route_key;
mod served;
mod store;
#[cfg(test)]
mod testing;

pub use gateway::Met;
pub use outside::{FunctionCall, FunctionFailure, Functions, Issuers};
pub use request::{BODY_BYTES_MAX, HttpAnswer, HttpRequest, api_id};
pub use room::{ApiAddress, HttpApis, Outside};
