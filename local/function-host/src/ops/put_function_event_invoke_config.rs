//! `PutFunctionEventInvokeConfig`: replaces what was configured.

use aws_api::{ApiError, Call, Reply};

use crate::event_invoke::{EventInvokeAnswer, EventInvokeRequest};
use crate::host::FunctionHost;
use crate::ops::get_function_event_invoke_config::find;

pub(crate) type Request = EventInvokeRequest;

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let operation = "PutFunctionEventInvokeConfig";
    let named = find(host, operation, &request.function_name, request.qualifier.as_deref())?;
    request.check(&named.function.name, |other| host.named(other).is_some())?;
    let config = request.put(host.world().clock.now());
    let change = host.change(&named.function.name, |function| {
        function.at_mut(named.qualifier.as_deref()).event_invoke = Some(config.clone());
        Ok(())
    });
    change.await?;
    Reply::json(&EventInvokeAnswer::of(&config, named.versioned_arn()))
}
