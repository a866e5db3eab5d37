//! Making resources by API calls, so that a second start finds what the first one made.

use std::sync::Arc;

use aws_api::{ApiError, Call, Service};
use serde_json::Value;
use world::{TraceId, World};

use crate::StackError;

/// The newer of API Gateway's APIs: both are signed with one name.
pub const API_GATEWAY_V2: &str = "apigatewayv2";

/// The services, called without HTTP.
pub struct Resources<'a> {
    world: &'a World,
    services: &'a [Arc<dyn Service>],
}

impl<'a> Resources<'a> {
    /// Calls go to these services.
    pub fn new(world: &'a World, services: &'a [Arc<dyn Service>]) -> Self {
        Self { world, services }
    }

    /// The world that the resources are made in.
    pub fn world(&self) -> &World {
        self.world
    }

    /// Whether a service has this operation.
    pub fn has(&self, (service, operation): (&str, &str)) -> bool {
        self.find(service, operation).is_some()
    }

    /// By its signing name, or by its target where two services sign with one name.
    fn find(&self, service: &str, operation: &str) -> Option<&Arc<dyn Service>> {
        let has = |candidate: &&Arc<dyn Service>| candidate.operations().iter().any(|(name, _)| *name == operation);
        let by_target = self.services.iter().filter(|candidate| candidate.name().target == service).find(has);
        by_target.or_else(|| self.services.iter().filter(|candidate| candidate.name().signing == service).find(has))
    }

    /// Calls an operation of the service with this signing name or target.
    pub async fn call(&self, service: &str, operation: &'static str, input: &Value) -> Result<Value, ApiError> {
        let Some(service) = self.find(service, operation) else {
            return Err(ApiError::unknown_operation(&format!("{service} {operation}")));
        };
        let trace = TraceId::new(self.world.clock.now(), &self.world.random);
        let call = Call::internal(operation, input, trace, self.world.random.uuid());
        let reply = service.call(&call).await?;
        if reply.status.is_client_error() || reply.status.is_server_error() {
            return Err(error_in(&reply.body)); // DynamoDB's errors come as bytes, see `tables`
        }
        Ok(serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
    }

    /// Calls an operation that must succeed.
    pub async fn make(
        &self,
        service: &str,
        operation: &'static str,
        resource: &str,
        input: &Value,
    ) -> Result<Value, StackError> {
        let failed = |error| StackError { operation, resource: resource.to_owned(), error };
        self.call(service, operation, input).await.map_err(failed)
    }

    /// Calls an operation that may say that the resource is there already, with this exception.
    pub async fn make_unless(
        &self,
        exists: &str,
        service: &str,
        operation: &'static str,
        resource: &str,
        input: &Value,
    ) -> Result<(), StackError> {
        match self.make(service, operation, resource, input).await {
            Err(failure) if failure.error.short_code() == exists => Ok(()),
            result => result.map(drop),
        }
    }
}

fn error_in(body: &[u8]) -> ApiError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let message = text("message").or_else(|| text("Message")).unwrap_or_default();
    ApiError::new(text("__type").unwrap_or_else(|| "InternalFailure".into()), message)
}
