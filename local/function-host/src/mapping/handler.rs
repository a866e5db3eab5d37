//! What a poller does with a batch: hand it to the function, or tell a destination that it was given up.

use std::sync::Weak;

use async_trait::async_trait;
use bytes::Bytes;
use world::TraceId;

use crate::error::InvokeError;
use crate::host::FunctionHost;
use crate::invocation::{Caller, Invocation, Invoked};

/// The function behind a mapping, and where its failures go. Tests have one of their own.
#[async_trait]
pub(crate) trait Handler: Send + Sync {
    async fn handle(&self, function_arn: &str, payload: String, trace: &TraceId) -> Result<Invoked, InvokeError>;
    async fn give_up(&self, destination_arn: &str, body: String) -> Result<(), String>;
}

#[async_trait]
impl Handler for Weak<FunctionHost> {
    async fn handle(&self, function_arn: &str, payload: String, trace: &TraceId) -> Result<Invoked, InvokeError> {
        let host = self.upgrade().ok_or_else(|| InvokeError::Unavailable("the function host is gone".into()))?;
        let invocation = Invocation {
            function: function_arn.to_owned(),
            payload: Bytes::from(payload),
            trace: trace.clone(),
            caller: Caller::Account, // a mapping acts by the function's own role
            client_context: None,
            request_id: None,
        };
        host.invoke(invocation).await
    }

    async fn give_up(&self, destination_arn: &str, body: String) -> Result<(), String> {
        let host = self.upgrade().ok_or("the function host is gone")?;
        let trace = TraceId::new(host.world().clock.now(), &host.world().random);
        host.destinations.send(destination_arn, body, Vec::new(), &trace).await
    }
}
