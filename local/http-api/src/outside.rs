//! What an API needs of other rooms; `server` implements it.

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;
use world::TraceId;

/// A function to call.
#[derive(Clone, Debug)]
pub struct FunctionCall {
    /// With or without a qualifier.
    pub function_arn: String,
    /// What the function's policy must let call it: `arn:aws:execute-api:…:{api}/{stage}/{METHOD}/{path}`. None where
    /// the API acts with credentials of its own, as the account.
    pub source_arn: Option<String>,
    /// JSON.
    pub event: Bytes,
    /// The trace of the request.
    pub trace: TraceId,
    /// Of the request, and of the invocation.
    pub request_id: String,
}

/// Why a function gave no payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FunctionFailure {
    /// It ran and failed: its own message.
    Failed(String),
    /// Too many of it run.
    Throttled(String),
    /// It could not be called: it is not there, or its policy does not let the API in.
    NotCalled(String),
}

/// Calls functions.
#[async_trait]
pub trait Functions: Send + Sync {
    /// Runs a function and waits for its payload.
    async fn call(&self, call: FunctionCall) -> Result<Bytes, FunctionFailure>;
}

/// Knows the keys of those who issue tokens. There is no network: only issuers of this server have any.
#[async_trait]
pub trait Issuers: Send + Sync {
    /// The JSON Web Key Set of the user pool of this id, if there is such a pool.
    async fn user_pool_keys(&self, pool_id: &str) -> Option<Value>;
}
