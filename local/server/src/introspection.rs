//! `/_tandem/`: what is there, what happened, and waiting for it. The contract stands in `docs/introspection.md`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use world::{Account, FaultPlan};

use crate::faults;
use crate::http::Port;
use crate::settle::settle;

/// How long `settle` waits unless told otherwise.
const SETTLE_LIMIT_MS: u64 = 10_000;
/// The furthest that the clock goes ahead in one call: ten years.
const ADVANCE_S_MAX: u64 = 10 * 366 * 86_400;

type Inside = State<Arc<Port>>;

/// The routes below `/_tandem`.
pub fn routes() -> Router<Arc<Port>> {
    Router::new()
        .route("/health", get(health))
        .route("/stack", get(stack))
        .route("/settle", post(settled))
        .route("/timeline", get(timeline))
        .route("/mailbox", get(mailbox))
        .route("/clock", post(clock))
        .route("/faults", get(get_faults).put(put_faults).delete(delete_faults))
        .route("/reset", post(reset))
}

async fn health(State(port): Inside) -> Json<Value> {
    Json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "now": port.rooms.world.clock.now().rfc3339_millis(),
        "pending": *port.rooms.queues.watch_pending().borrow(),
    }))
}

async fn stack(State(port): Inside) -> Response {
    Json(port.rooms.deployment.stack()).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SettleQuery {
    timeout_ms: Option<u64>,
}

async fn settled(State(port): Inside, Query(query): Query<SettleQuery>) -> Response {
    let limit = Duration::from_millis(query.timeout_ms.unwrap_or(SETTLE_LIMIT_MS));
    let rooms = &port.rooms;
    match settle(&rooms.world, &rooms.queues, &rooms.lanes, &rooms.pools, &rooms.functions, &rooms.bus, limit).await {
        Ok(()) => Json(json!({"settled": true})).into_response(),
        Err(pending) => {
            let body = json!({"settled": false, "pending": pending, "count": *rooms.queues.watch_pending().borrow()});
            (StatusCode::GATEWAY_TIMEOUT, Json(body)).into_response()
        }
    }
}

#[derive(Deserialize)]
struct TimelineQuery {
    user: Option<String>,
}

async fn timeline(State(port): Inside, Query(query): Query<TimelineQuery>) -> Response {
    let timeline = &port.rooms.world.timeline;
    let moments = match &query.user {
        Some(user) => timeline.of(user),
        None => timeline.all(),
    };
    Json(json!({"user": query.user, "moments": moments})).into_response()
}

#[derive(Deserialize)]
struct MailboxQuery {
    to: Option<String>,
}

async fn mailbox(State(port): Inside, Query(query): Query<MailboxQuery>) -> Response {
    match port.rooms.mail.messages(query.to.as_deref()).await {
        Ok(messages) => Json(json!({"messages": messages})).into_response(),
        Err(error) => failed(&error),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClockBody {
    advance_seconds: u64,
}

async fn clock(State(port): Inside, body: Bytes) -> Response {
    let Ok(ClockBody { advance_seconds }) = serde_json::from_slice(&body) else {
        return refused(r#"the body must be {"advanceSeconds": N}, N a whole number"#);
    };
    if advance_seconds > ADVANCE_S_MAX {
        return refused("the clock goes ahead by ten years at most");
    }
    let clock = &port.rooms.world.clock;
    clock.advance(Duration::from_secs(advance_seconds));
    Json(json!({"now": clock.now().rfc3339_millis()})).into_response()
}

/// The plan, and how often each of its faults struck.
async fn get_faults(State(port): Inside) -> Json<Account> {
    Json(port.rooms.world.faults.account())
}

/// Begins a plan in the place of the one before.
async fn put_faults(State(port): Inside, body: Bytes) -> Response {
    let plan = serde_json::from_slice::<FaultPlan>(&body).map_err(|error| error.to_string());
    match plan.and_then(|plan| faults::check(&plan, &port.rooms.services).map(|()| plan)) {
        Ok(plan) => {
            port.rooms.world.faults.replace(plan);
            Json(port.rooms.world.faults.account()).into_response()
        }
        Err(error) => refused(&format!("this is no fault plan: {error}")),
    }
}

/// Ends the plan; answers what became of it.
async fn delete_faults(State(port): Inside) -> Json<Account> {
    Json(port.rooms.world.faults.replace(FaultPlan::default()))
}

/// Forgets everything and makes the stack anew.
async fn reset(State(port): Inside) -> Response {
    let rooms = &port.rooms;
    let emptied = async {
        rooms.queues.reset().await.map_err(|error| error.to_string())?;
        rooms.bus.reset().await.map_err(|error| error.to_string())?;
        rooms.functions.reset().await.map_err(|error| error.to_string())?;
        rooms.pools.reset().await.map_err(|error| error.to_string())?;
        rooms.tables.reset().await.map_err(|error| error.to_string())?;
        rooms.mail.reset().await.map_err(|error| error.to_string())?;
        rooms.logs.reset().await.map_err(|error| error.to_string())?;
        rooms.parameters.reset().await.map_err(|error| error.to_string())?;
        rooms.apis.reset().await.map_err(|error| error.to_string())?;
        rooms.set_given().await.map_err(|error| error.to_string())?;
        rooms.world.timeline.clear();
        rooms.world.faults.replace(rooms.faults.clone());
        rooms.deployment.reset().await.map_err(|error| error.to_string())?;
        rooms.load_stack().await.map_err(|error| error.to_string())
    };
    match emptied.await {
        Ok(loaded) => Json(loaded.stack).into_response(),
        Err(error) => failed(&error),
    }
}

fn refused(message: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"message": message}))).into_response()
}

fn failed(error: &dyn std::fmt::Display) -> Response {
    tracing::error!(%error, "a look inside failed");
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"message": error.to_string()}))).into_response()
}
