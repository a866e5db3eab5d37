//! `PutFunctionEventInvokeConfig`: replaces what was configured.

use aws_api::{ApiError, Call, Reply};

use crate::event_invoke::{EventInvokeAnswer, EventInvokeRequest};
use crate::host::FunctionHost;
use crate::ops::get_function_event_invoke_config::{find, not_configured};

pub(crate) type Request = EventInvokeRequest;

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let found = find(host, "PutFunctionEventInvokeConfig", &request.function_name, request.qualifier.as_deref())?;
    let name = &found.function.name;
    request.check(name, |other| host.named(other).is_some())?;
    let now = host.world().clock.now();
    let arn = host.world().place.arn("lambda", &found.function.latest_resource());
    let change = host.change(name, |function| {
        function.event_invoke = Some(request.put(now));
        Ok(())
    });
    let changed = change.await?;
    let config = changed.function.event_invoke.as_ref().ok_or_else(|| not_configured(&arn))?;
    Reply::json(&EventInvokeAnswer::of(config, arn.clone()))
}
