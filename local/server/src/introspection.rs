//! `/_tandem/`: what is there, what happened, and waiting for it. The contract stands in `docs/introspection.md`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_api::Call;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post, put};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use user_pool::FederatedSignIn;
use world::{Account, FaultPlan, Kind, Outcome, TraceId};

use crate::faults;
use crate::http::Port;
use crate::settle::settle;
use crate::uploads::user_import;

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
        .route("/federated-sign-in", post(federated_sign_in))
        .route("/user-import/{pool}/{job}", put(user_import))
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FederatedSignInBody {
    user_pool_id: String,
    provider: String,
    user_id: String,
    #[serde(default)]
    attributes: Map<String, Value>,
    client_id: Option<String>,
}

/// Does what managed login does when an identity provider has said who somebody is.
async fn federated_sign_in(State(port): Inside, body: Bytes) -> Response {
    let body: FederatedSignInBody = match serde_json::from_slice(&body) {
        Ok(body) => body,
        Err(error) => {
            let shape = r#"{"userPoolId","provider","userId","attributes":{…},"clientId"?}"#;
            return refused(&format!("the body must be {shape}: {error}"));
        }
    };
    let world = &port.rooms.world;
    let trace = TraceId::new(world.clock.now(), &world.random);
    let call = Call::internal("FederatedSignIn", &Value::Null, trace.clone(), world.random.uuid());
    let what = format!("federated sign-in through {}", body.provider);
    let (moment, began) = (world.timeline.moment(Kind::ApiCall, what), Instant::now());
    let asked = FederatedSignIn {
        user_pool_id: body.user_pool_id,
        client_id: body.client_id,
        provider: body.provider,
        user_id: body.user_id,
        attributes: body
            .attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name, text(value)?)))
            .collect::<BTreeMap<_, _>>(),
    };
    let signed_in = port.rooms.pools.federated_sign_in(asked, &call).await;
    let moment = moment.took(began.elapsed()).trace(Some(trace)).about(call.whom());
    match signed_in {
        Ok(user) => {
            world.timeline.record(moment);
            let tokens = json!({
                "idToken": user.id_token, "accessToken": user.access_token, "refreshToken": user.refresh_token,
                "expiresIn": user.expires_in_seconds, "tokenType": "Bearer",
            });
            let (sub, username) = (user.sub.0, user.username);
            Json(json!({
                "userSub": sub, "username": username, "isNew": user.is_new, "clientId": user.client_id, "tokens": tokens,
            }))
            .into_response()
        }
        Err(error) => {
            world.timeline.record(moment.outcome(Outcome::Failed).detail(error.to_string()));
            let body = json!({"error": error.code(), "message": error.to_string()});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    }
}

/// What a provider says is text to a pool; nothing is nothing.
fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
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
