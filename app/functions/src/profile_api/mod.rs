//! `profile-api`: a person's own profile over HTTP, and everybody's for administrators.
//!
//! It stands behind an API Gateway HTTP API or a function URL and trusts neither: Cognito's token is verified here
//! (`token.rs`), whatever an authorizer in front has done. What can be changed are the application's attributes alone;
//! the identity's follow the user pool. `docs/profile-api.md` tells how to use it, `docs/openapi/profile-api.json`
//! is written from the code.
//!
//! A request comes in at [`ProfileApi::handle`], loses the part of its path that belongs to the front (`front.rs`), and
//! goes by the routes of `openapi.rs` to `me.rs` or `profiles.rs`. How an account ends is in `account.rs`.

mod account;
mod conditions;
mod cors;
mod document;
mod front;
mod keys;
mod limits;
mod me;
mod merge_patch;
mod openapi;
mod problem;
mod profiles;
mod schema;
mod settings;
#[cfg(test)]
mod testing;
mod token;

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use axum::body::Body;
use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Request, Response};
use lambda_http::{RequestExt as _, Service as _, service_fn};
use tandem_pool::Bus;
use tandem_profiles::{Attributes, ProfileStore, Standing, Timestamp, UserId, UserProfile};

pub use openapi::document as openapi_document;
pub use schema::{InvalidSchema, Schema};
pub use settings::{Settings, TokenUse};

use account::Accounts;
use keys::Keys;
use problem::{Kind, Problem};
use token::{Caller, Verifier};

use crate::invocation::Invocations;

/// What `_HANDLER` is for this function.
pub const HANDLER: &str = "profile-api";

/// The longest body that is read: an item of DynamoDB is no larger.
const BODY_BYTES_MAX: usize = 400 * 1024;

/// Somebody waits for every call. A deletion makes three of them, the bus's being shorter, within Lambda's 15 seconds.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(4);

/// Serves until the Lambda service ends the process.
pub(crate) async fn run(
    sdk: &SdkConfig,
    settings: Settings,
    invocations: Invocations,
) -> Result<(), lambda_runtime::Error> {
    let connector = crate::clients::connector(&settings.keys_url);
    let api = ProfileApi::new(sdk, settings, connector, crate::clock::now);
    let invocations = Arc::new(invocations);
    lambda_http::run(service_fn(move |request: lambda_http::Request| {
        let (api, invocations) = (api.clone(), Arc::clone(&invocations));
        let context = request.lambda_context();
        let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
        let traceparent = traceparent.map(ToOwned::to_owned);
        let work = Box::pin(async move { Ok(api.handle(request).await) });
        async move { invocations.around("http", traceparent.as_deref(), &context, work).await }
    }))
    .await
}

/// The function, with its clients made. Cheap to clone.
#[derive(Clone)]
pub struct ProfileApi {
    routes: axum::Router,
    state: Arc<Api>,
}

/// What the handlers share.
pub(crate) struct Api {
    settings: Settings,
    profiles: ProfileStore,
    accounts: Accounts,
    verifier: Verifier,
    clock: fn() -> Timestamp,
}

impl ProfileApi {
    /// With SDK settings for `DynamoDB`, `EventBridge` and Cognito, and a connection that the pool's keys are fetched by.
    pub fn new(sdk: &SdkConfig, settings: Settings, connector: SharedHttpConnector, clock: fn() -> Timestamp) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT);
        let sdk = sdk.to_builder().timeout_config(timeouts.build()).build();
        let profiles = ProfileStore::new(aws_sdk_dynamodb::Client::new(&sdk), &settings.table);
        let profiles = if settings.unique_email { profiles.with_unique_email() } else { profiles };
        let bus = Bus::new(aws_sdk_eventbridge::Client::new(&sdk), &settings.bus);
        let accounts = Accounts::new(&sdk, bus, profiles.clone(), &settings.user_pool);
        let keys = Keys::new(connector, settings.keys_url.clone());
        let verifier = Verifier::new(&settings, keys);
        let state = Arc::new(Api { settings, profiles, accounts, verifier, clock });
        let (routes, _) = openapi::routes().split_for_parts();
        let routes = routes
            .route("/openapi.json", axum::routing::get(openapi::serve))
            .fallback(async || Problem::new(Kind::NoSuchPath))
            .with_state(Arc::clone(&state));
        Self { routes, state }
    }

    /// One request; every outcome is an answer.
    pub async fn handle(&self, request: lambda_http::Request) -> Response<Body> {
        let origin = cors::origin(request.headers(), &self.state.settings.origins);
        let method = request.method().clone();
        let (request, route) = front::inward(request, &self.state.settings.base_path);
        let response = if let Some(answer) = origin.as_ref().and_then(|_| cors::preflight(&request)) {
            answer
        } else if request.body().len() > BODY_BYTES_MAX {
            axum::response::IntoResponse::into_response(Problem::new(Kind::BodyTooLarge))
        } else {
            self.route(request.map(Body::from)).await
        };
        let mut response = front::outward(response, &method);
        if !self.state.settings.origins.is_empty() {
            cors::allow(response.headers_mut(), origin);
        }
        tracing::info!(%method, route, status = response.status().as_u16(), "request answered");
        response
    }

    async fn route(&self, request: Request<Body>) -> Response<Body> {
        let mut routes = self.routes.clone();
        match routes.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

impl Api {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Somebody's profile, or why there is none.
    async fn profile(&self, user: &UserId) -> Result<UserProfile<Attributes>, Problem> {
        if let Some(profile) = self.profiles.get(user).await? {
            return Ok(profile);
        }
        match self.profiles.standing(user).await? {
            Standing::Tombstone { .. } => Err(Problem::new(Kind::AccountDeleted)),
            // Written between the two readings.
            Standing::Profile { .. } | Standing::Absent => Err(Problem::new(Kind::NoProfile)),
        }
    }

    /// The caller's own profile, for a caller whom the pool would still let in.
    async fn own_profile(&self, caller: &Caller) -> Result<UserProfile<Attributes>, Problem> {
        let profile = self.profile(&caller.user).await?;
        if profile.identity.enabled { Ok(profile) } else { Err(Problem::new(Kind::AccountDisabled)) }
    }
}

/// Whoever calls: every handler that takes one is for signed-in people alone.
impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(AUTHORIZATION).iter();
        let header = values.next().ok_or_else(|| Problem::new(Kind::NoToken))?;
        let text = header.to_str().unwrap_or_default();
        let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
        if !scheme.eq_ignore_ascii_case("bearer") || values.next().is_some() {
            return Err(Problem::new(Kind::NoToken));
        }
        Ok(api.verifier.verify(token.trim(), api.now()).await?)
    }
}
