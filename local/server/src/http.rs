//! The one port: AWS's APIs, a pool's keys, and what looks inside.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_api::Signatures;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::apis::apis;
use crate::cloud::Rooms;
use crate::connections::{self, Limits};
use crate::introspection;
use crate::urls::function_urls;

/// What the handlers share.
pub struct Port {
    pub rooms: Arc<Rooms>,
    pub aws: aws_api::Router,
    pub address: Option<SocketAddr>,
}

/// Answers requests until the task is aborted.
pub async fn serve(listener: TcpListener, rooms: Arc<Rooms>, signatures: Signatures) {
    let aws = aws_api::Router::new(rooms.world.clone(), signatures, &rooms.services);
    let port = Arc::new(Port { rooms, aws, address: listener.local_addr().ok() });
    let inside = introspection::routes().layer(middleware::from_fn_with_state(Arc::clone(&port), only_from_here));
    let app = Router::new()
        .nest("/_tandem", inside)
        .route("/{pool}/.well-known/jwks.json", get(jwks))
        .route("/{pool}/.well-known/openid-configuration", get(discovery))
        .fallback(any_of_aws)
        .layer(middleware::from_fn_with_state(Arc::clone(&port), apis))
        .layer(middleware::from_fn_with_state(Arc::clone(&port), function_urls))
        .with_state(port);
    connections::serve(listener, app, Limits::of_the_port()).await;
}

async fn any_of_aws(State(port): State<Arc<Port>>, request: Request) -> Response<Body> {
    port.aws.answer(request).await
}

/// Looking inside needs no signature, so it is for this machine alone, and not for foreign pages in its browser.
async fn only_from_here(
    State(port): State<Arc<Port>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    if !from.ip().is_loopback() {
        let message = json!({"message": "this part of the server answers to the machine it runs on alone"});
        return (StatusCode::FORBIDDEN, axum::Json(message)).into_response();
    }
    match port.aws.admit(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal,
    }
}

/// A pool's public keys.
async fn jwks(State(port): State<Arc<Port>>, Path(pool): Path<String>) -> Response {
    published(port.rooms.pools.jwks(&pool).await)
}

/// A pool's discovery document.
async fn discovery(State(port): State<Arc<Port>>, Path(pool): Path<String>) -> Response {
    let endpoint = port.address.map(|address| format!("http://{address}")).unwrap_or_default();
    published(port.rooms.pools.discovery(&pool, &endpoint))
}

fn published(document: Result<Value, user_pool::Error>) -> Response {
    let any_page = [("access-control-allow-origin", "*")]; // as on AWS: keys are public
    match document {
        Ok(document) => (any_page, axum::Json(document)).into_response(),
        Err(error) => {
            (StatusCode::NOT_FOUND, any_page, axum::Json(json!({"message": error.to_string()}))).into_response()
        }
    }
}
