//! `InvokeAsync`: the operation that `Invoke` with the type `Event` replaced.

use aws_api::{ApiError, Call, RawBody, Reply};
use http::StatusCode;

use crate::host::FunctionHost;

pub(crate) type Request = RawBody;

pub(crate) async fn run(host: &FunctionHost, _: Request, call: &Call) -> Result<Reply, ApiError> {
    let reference = call.path.get("FunctionName").map_or("", String::as_str);
    let named = host.find("InvokeFunction", reference, None)?;
    host.enqueue(&named, &call.request_id, &call.body, &call.trace).await?;
    Ok(Reply::bytes(StatusCode::ACCEPTED, "{}"))
}
