//! `UpdateFunctionEventInvokeConfig`: changes what is given.

use aws_api::{ApiError, Call, Reply};

use crate::event_invoke::{EventInvokeAnswer, EventInvokeRequest};
use crate::host::FunctionHost;
use crate::ops::get_function_event_invoke_config::{find_configured, not_configured};

pub(crate) type Request = EventInvokeRequest;

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let operation = "UpdateFunctionEventInvokeConfig";
    let named = find_configured(host, operation, &request.function_name, request.qualifier.as_deref())?;
    request.check(&named.function.name, |other| host.named(other).is_some())?;
    let now = host.world().clock.now();
    let arn = named.versioned_arn();
    let mut changed = None;
    let change = host.change(&named.function.name, |function| {
        let config = function.at_mut(named.qualifier.as_deref()).event_invoke.as_mut();
        let config = config.ok_or_else(|| not_configured(&arn))?;
        request.update(config, now);
        changed = Some(config.clone());
        Ok(())
    });
    change.await?;
    Reply::json(&EventInvokeAnswer::of(&changed.ok_or_else(|| not_configured(&arn))?, arn.clone()))
}
