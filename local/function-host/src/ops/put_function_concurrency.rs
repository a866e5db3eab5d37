//! `PutFunctionConcurrency`: reserves concurrency for a function, which is also all it gets.

use std::sync::atomic::Ordering;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::concurrency::UNRESERVED_CONCURRENCY_MIN;
use crate::error::Error;
use crate::host::FunctionHost;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    reserved_concurrent_executions: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reserved_concurrent_executions: Option<u32>,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Response, Error> {
    let found = host.find_function("PutFunctionConcurrency", &request.function_name)?;
    let Ok(reserved) = u32::try_from(request.reserved_concurrent_executions) else {
        let value = request.reserved_concurrent_executions.to_string();
        let constraint = "Member must have value greater than or equal to 0";
        return Err(Error::constraint(&value, "reservedConcurrentExecutions", constraint));
    };
    let change = host.change(&found.function.name, |function| {
        let free = host.unreserved_max.load(Ordering::Relaxed) + function.reserved_concurrency.unwrap_or(0);
        if free < reserved.saturating_add(UNRESERVED_CONCURRENCY_MIN) {
            return Err(Error::InvalidParameterValue(format!(
                "Specified ReservedConcurrentExecutions for function decreases account's \
                 UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_CONCURRENCY_MIN}]."
            )));
        }
        function.reserved_concurrency = Some(reserved);
        Ok(())
    });
    let changed = change.await?;
    Ok(Response { reserved_concurrent_executions: changed.function.reserved_concurrency })
}
