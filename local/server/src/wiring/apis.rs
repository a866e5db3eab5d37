//! What APIs need: functions behind their routes, and the keys of user pools for their authorizers.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use function_host::{Caller, FunctionHost, Invocation, InvokeError};
use http_api::{FunctionCall, FunctionFailure, Functions, Issuers};
use serde_json::Value;
use user_pool::UserPools;

/// API Gateway as functions see it.
const PRINCIPAL: &str = "apigateway.amazonaws.com";

/// The rooms that an API reaches.
pub struct ApisOutside {
    pub functions: Arc<FunctionHost>,
    pub pools: Arc<UserPools>,
}

#[async_trait]
impl Functions for ApisOutside {
    async fn call(&self, call: FunctionCall) -> Result<Bytes, FunctionFailure> {
        let caller = match call.source_arn {
            Some(source_arn) => Caller::Service { principal: PRINCIPAL.into(), source_arn },
            None => Caller::Account,
        };
        let invocation = Invocation {
            function: call.function_arn,
            payload: call.event,
            trace: call.trace,
            caller: caller.clone(),
            client_context: None,
            request_id: Some(call.request_id),
        };
        match self.functions.invoke(invocation).await {
            Ok(invoked) if invoked.function_error.is_some() => {
                let error: Value = serde_json::from_slice(&invoked.payload).unwrap_or_default();
                Err(FunctionFailure::Failed(error["errorMessage"].as_str().unwrap_or_default().to_owned()))
            }
            Ok(invoked) => Ok(invoked.payload),
            Err(InvokeError::Throttled { reason }) => Err(FunctionFailure::Throttled(reason.to_owned())),
            Err(InvokeError::AccessDenied(message)) => {
                let Caller::Service { source_arn, .. } = caller else {
                    return Err(FunctionFailure::NotCalled(message));
                };
                let hint =
                    format!("{message} (AddPermission for {PRINCIPAL} with a SourceArn like {source_arn} makes one)");
                Err(FunctionFailure::NotCalled(hint))
            }
            Err(error) => Err(FunctionFailure::NotCalled(error.to_string())),
        }
    }
}

#[async_trait]
impl Issuers for ApisOutside {
    async fn user_pool_keys(&self, pool_id: &str) -> Option<Value> {
        self.pools.jwks(pool_id).await.ok()
    }
}
