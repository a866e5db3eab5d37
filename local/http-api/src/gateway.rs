//! The engine: from a request to its route, past the route's guard, to a function and back.
//!
//! It is asked in two steps, since whoever speaks HTTP must know between them who may call ([`Met::has_cors`]) and
//! whether a signature has to be checked ([`Met::is_signed`]): [`HttpApis::meet`], then [`HttpApis::answer`].

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ORIGIN};
use http::{HeaderMap, Method};
use serde_json::Value;
use tokio::time::Instant;
use world::{Kind as MomentKind, Outcome, TraceId};

use crate::answer;
use crate::authorize::Identity;
use crate::cors::Cors;
use crate::event::{Asked, event_of};
use crate::function_uri;
use crate::outside::{FunctionCall, FunctionFailure};
use crate::refusal::{Cause, Refusal};
use crate::request::{HttpAnswer, HttpRequest};
use crate::room::{Api, HttpApis};
use crate::route_key::{Parameters, RouteKey, find_http, find_rest};
use crate::served::{Format, FunctionTarget, GatewayResponse, Guard, Kind, Served, ServedRoute, Target};

/// Of an event: what a function takes at once.
const EVENT_BYTES_MAX: usize = 6 * 1024 * 1024;

/// What a request is for: an API, its stage, a route of what is deployed there.
#[derive(Clone, Debug)]
pub struct Met {
    pub(crate) kind: Kind,
    pub(crate) api_id: String,
    pub(crate) name: String,
    /// `{id}.execute-api.us-east-1.localhost`
    pub(crate) domain: String,
    /// None if the path leads to no stage.
    pub(crate) stage: Option<String>,
    pub(crate) deployment_id: Option<String>,
    pub(crate) variables: BTreeMap<String, String>,
    /// As it came, stage and all.
    pub(crate) full_path: String,
    /// Behind the stage.
    pub(crate) path: String,
    /// None if no route takes the request.
    pub(crate) route: Option<ServedRoute>,
    pub(crate) parameters: Parameters,
    cors: Option<Cors>,
    binary_media_types: Vec<String>,
    gateway_responses: BTreeMap<String, GatewayResponse>,
    asked_by_pages: bool,
    /// The routes that there are, for whoever wonders why none took the request.
    routes: Vec<String>,
}

impl Met {
    /// Whether it is meant for pages of other sites: CORS is configured, or a route answers `OPTIONS` there.
    pub fn has_cors(&self) -> bool {
        self.cors.is_some() || self.asked_by_pages
    }

    /// Whether callers must sign.
    pub fn is_signed(&self) -> bool {
        matches!(self.route, Some(ServedRoute { guard: Guard::Signature, .. }))
    }

    /// `GET /users/{id}`, or `$default`.
    pub(crate) fn route_key(&self) -> String {
        self.route.as_ref().map(|route| route.key.to_string()).unwrap_or_default()
    }

    /// `/users/{id}`, or `$default`.
    pub(crate) fn route_path(&self) -> &str {
        self.route.as_ref().map_or("", |route| route.key.path())
    }

    /// Whether a REST API counts a media type among the binary ones.
    pub(crate) fn is_binary(&self, kind: &str) -> bool {
        self.binary_media_types.iter().any(|known| {
            known == "*/*" || known == kind || {
                let main = known.strip_suffix("/*");
                main.is_some_and(|main| kind.split('/').next() == Some(main))
            }
        })
    }

    /// The function that an address means, with the stage's variables in it.
    pub(crate) fn function_arn(&self, uri: &str) -> Result<String, String> {
        let uri = function_uri::with_variables(uri, &self.variables);
        function_uri::function_arn(&uri).map(str::to_owned).ok_or_else(|| format!("{uri} names no function"))
    }

    /// Says that a request's body is larger than [`crate::BODY_BYTES_MAX`].
    pub fn too_large(&self) -> HttpAnswer {
        let refusal = Refusal::new(Cause::TooLarge, format!("{}: the body is too large, or broke off", self.label()));
        tracing::warn!("{} → {}", self.full_path, refusal.why);
        refusal.answer(self.kind, &self.gateway_responses)
    }

    fn label(&self) -> String {
        let kind = match self.kind {
            Kind::Http => "HTTP API",
            Kind::Rest => "REST API",
        };
        format!("{kind} {}", self.name)
    }
}

impl HttpApis {
    /// What a request is for; none if there is no such API. `path` is as it came, under the API's own address.
    pub fn meet(&self, id: &str, method: &Method, path: &str) -> Option<Met> {
        let api = self.api(id)?;
        let path = if path.is_empty() { "/" } else { path };
        let mut met = Met {
            kind: api.kind(),
            api_id: id.to_owned(),
            name: api.name().to_owned(),
            domain: self.domain(id),
            stage: None,
            deployment_id: None,
            variables: BTreeMap::new(),
            full_path: path.to_owned(),
            path: path.to_owned(),
            route: None,
            parameters: Parameters::new(),
            cors: None,
            binary_media_types: Vec::new(),
            gateway_responses: BTreeMap::new(),
            asked_by_pages: false,
            routes: Vec::new(),
        };
        let served = match &*api {
            Api::Http(api) => api.stage_of(path).and_then(|(stage, rest)| {
                met.stage = Some(stage.stage_name.clone());
                met.deployment_id.clone_from(&stage.deployment_id);
                met.variables.clone_from(&stage.stage_variables);
                rest.clone_into(&mut met.path);
                api.served_by(stage)
            }),
            Api::Rest(api) => api.stage_of(path).and_then(|(stage, rest)| {
                met.stage = Some(stage.stage_name.clone());
                met.deployment_id = Some(stage.deployment_id.clone());
                met.variables.clone_from(&stage.variables);
                rest.clone_into(&mut met.path);
                api.served_by(stage)
            }),
        };
        if let Some(served) = served {
            met.look_up(served, method);
        }
        Some(met)
    }

    /// Says that there is no such API.
    pub fn unknown(&self, id: &str) -> HttpAnswer {
        tracing::warn!(id, "there is no API of this id");
        // As AWS's front door says it, whatever kind of API was meant.
        HttpAnswer::json(http::StatusCode::FORBIDDEN, r#"{"message":"Forbidden"}"#)
    }

    /// Answers a request; every outcome is an answer. Whether the caller's signature is right has been looked at
    /// before.
    pub async fn answer(&self, met: Met, request: HttpRequest, trace: TraceId) -> HttpAnswer {
        let what = format!("{} {} → {}", request.method, met.full_path, met.label());
        let moment = self.world.timeline.moment(MomentKind::ApiCall, &what).trace(Some(trace.clone()));
        let moment = moment.id("requestId", &request.request_id).id("apiId", &met.api_id);
        let began = Instant::now();
        if let Some(preflight) = met.cors.as_ref().and_then(|cors| cors.preflight(&request)) {
            self.world.timeline.record(moment.detail("preflight, answered as CORS is configured"));
            return with_ids(preflight, met.kind, &request.request_id, &trace);
        }
        let mut about = Vec::new();
        let (mut answer, moment) = match self.carry_out(&met, &request, &trace, &mut about).await {
            Ok(answer) => {
                let failed = answer.status.is_server_error();
                let detail = format!("{}: {}", met.route_key(), answer.status);
                let moment = moment.detail(detail);
                (answer, if failed { moment.outcome(Outcome::Failed) } else { moment })
            }
            Err(refusal) => {
                let answer = refusal.answer(met.kind, &met.gateway_responses);
                let route = if met.route.is_some() { format!("{}: ", met.route_key()) } else { String::new() };
                let detail = format!("{route}{}: {}", answer.status, refusal.why);
                tracing::warn!(request_id = request.request_id, "{what}: {detail}");
                (answer, moment.outcome(Outcome::Failed).detail(detail))
            }
        };
        self.world.timeline.record(moment.took(began.elapsed()).about(about));
        if let (Some(cors), Some(origin)) = (&met.cors, request.headers.get(ORIGIN)) {
            cors.apply(origin, &mut answer.headers);
        }
        with_ids(answer, met.kind, &request.request_id, &trace)
    }

    async fn carry_out(
        &self,
        met: &Met,
        request: &HttpRequest,
        trace: &TraceId,
        about: &mut Vec<String>,
    ) -> Result<HttpAnswer, Refusal> {
        let Some(stage) = &met.stage else {
            return Err(Refusal::new(Cause::NoStage, "the path leads to no stage"));
        };
        let Some(route) = &met.route else {
            let why = if met.deployment_id.is_none() {
                format!("nothing is deployed to the stage {stage}")
            } else if met.routes.is_empty() {
                format!("what is deployed to the stage {stage} has no routes")
            } else {
                format!("no route takes it; the stage {stage} has {}", met.routes.join(", "))
            };
            return Err(Refusal::new(Cause::NoRoute, why));
        };
        let admitted = self.authorize(&route.guard, met, request, trace).await?;
        *about = admitted.about;
        match &route.target {
            None => Err(Refusal::new(Cause::NotCalled, "no integration is attached to the route")),
            Some(Target::Mock(mock)) => mock.answer().map_err(|why| Refusal::new(Cause::NotCalled, why)),
            Some(Target::Function(target)) => self.call_function(target, met, request, &admitted.identity, trace).await,
        }
    }

    async fn call_function(
        &self,
        target: &FunctionTarget,
        met: &Met,
        request: &HttpRequest,
        identity: &Identity,
        trace: &TraceId,
    ) -> Result<HttpAnswer, Refusal> {
        let asked = Asked { met, request, identity, account: &self.world.place.account };
        let event = Value::Object(event_of(target.format, asked)).to_string();
        if event.len() > EVENT_BYTES_MAX {
            let why = format!("the event would have {} bytes, and a function takes {EVENT_BYTES_MAX}", event.len());
            return Err(Refusal::new(Cause::TooLarge, why));
        }
        let call = FunctionCall {
            function_arn: met.function_arn(&target.uri).map_err(|why| Refusal::new(Cause::NotCalled, why))?,
            source_arn: (!target.as_account).then(|| self.source_arn(met, request)),
            event: Bytes::from(event),
            trace: trace.clone(),
            request_id: request.request_id.clone(),
        };
        let limit = Duration::from_millis(target.timeout_ms);
        let payload = match tokio::time::timeout(limit, self.functions.call(call)).await {
            Ok(Ok(payload)) => payload,
            Ok(Err(FunctionFailure::Failed(message))) => {
                return Err(Refusal::new(Cause::BadAnswer, format!("the function failed: {message}")));
            }
            Ok(Err(FunctionFailure::Throttled(why))) => return Err(Refusal::new(Cause::Throttled, why)),
            Ok(Err(FunctionFailure::NotCalled(why))) => return Err(Refusal::new(Cause::NotCalled, why)),
            Err(_) => {
                let why = format!("the function took longer than the integration's {} ms", target.timeout_ms);
                return Err(Refusal::new(Cause::TimedOut, why));
            }
        };
        let read = match target.format {
            Format::Http1 => answer::of_http1(&payload),
            Format::Http2 => answer::of_http2(&payload),
            Format::Rest => answer::of_rest(&payload, met.accepts_binary(&request.headers)),
        };
        read.map_err(|why| Refusal::new(Cause::BadAnswer, format!("the function's answer cannot be sent: {why}")))
    }

    /// What a function's permission is for: the route, not the path that somebody asked for.
    fn source_arn(&self, met: &Met, request: &HttpRequest) -> String {
        let stage = met.stage.as_deref().unwrap_or_default();
        let tail = match met.route.as_ref().map(|route| &route.key) {
            Some(RouteKey::Path { path, .. }) => format!("{}{path}", request.method),
            Some(RouteKey::Default) | None => met.route_path().to_owned(),
        };
        self.arn(&format!("{}/{stage}/{tail}", met.api_id))
    }

    /// What an authorizer's policy is about: the path that was asked for.
    pub(crate) fn method_arn(&self, met: &Met, request: &HttpRequest) -> String {
        let stage = met.stage.as_deref().unwrap_or_default();
        self.arn(&format!("{}/{stage}/{}{}", met.api_id, request.method, met.path))
    }

    pub(crate) fn arn(&self, resource: &str) -> String {
        self.world.place.arn("execute-api", resource)
    }
}

/// What AWS's front door adds to an answer.
fn with_ids(answer: HttpAnswer, kind: Kind, request_id: &str, trace: &TraceId) -> HttpAnswer {
    match kind {
        Kind::Http => answer.header("apigw-requestid", request_id),
        Kind::Rest => answer
            .header("x-amzn-requestid", request_id)
            .header("x-amz-apigw-id", request_id)
            .header("x-amzn-trace-id", &trace.header()),
    }
}

impl Met {
    fn look_up(&mut self, served: &Served, method: &Method) {
        let routes = || served.routes.iter().map(|route| (&route.key, route));
        let find = |method: &str| match self.kind {
            Kind::Http => find_http(routes(), method, &self.path),
            Kind::Rest => find_rest(routes(), method, &self.path),
        };
        let is_of_pages =
            |route: &ServedRoute| matches!(&route.key, RouteKey::Path { method, .. } if method == "OPTIONS");
        let asked_by_pages = find("OPTIONS").is_some_and(|(route, _)| is_of_pages(route));
        let found = find(method.as_str()).map(|(route, parameters)| (route.clone(), parameters));
        self.asked_by_pages = asked_by_pages;
        if let Some((route, parameters)) = found {
            self.route = Some(route);
            self.parameters = parameters;
        } else {
            self.routes = served.routes.iter().map(|route| route.key.to_string()).collect();
        }
        self.cors.clone_from(&served.cors);
        self.binary_media_types.clone_from(&served.binary_media_types);
        self.gateway_responses.clone_from(&served.gateway_responses);
    }

    /// Whether the first type that a caller accepts is one of the binary ones.
    fn accepts_binary(&self, headers: &HeaderMap) -> bool {
        let accepted = headers.get(ACCEPT).map(crate::event::text_of).unwrap_or_default();
        let first = accepted.split([',', ';']).next().unwrap_or_default().trim().to_ascii_lowercase();
        self.is_binary(&first)
    }
}
