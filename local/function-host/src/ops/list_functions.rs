//! `ListFunctions`, by name, in pages.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::configuration::FunctionConfiguration;
use crate::error::Error;
use crate::host::FunctionHost;
use crate::name::LATEST;

/// On a page, at most and by default.
const PAGE_MAX: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    /// The name of the last function of the page before.
    marker: Option<String>,
    max_items: Option<String>,
    function_version: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response<'a> {
    functions: Vec<FunctionConfiguration<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<&'a str>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let with_version = match request.function_version.as_deref() {
        None => false,
        Some("ALL") => true,
        Some(other) => {
            let constraint = "Member must satisfy enum value set: [ALL]";
            return Err(Error::constraint(other, "functionVersion", constraint).into());
        }
    };
    let page_size = page_size(request.max_items.as_deref())?;
    let all = host.all();
    let from = request.marker.map_or(0, |marker| all.partition_point(|other| other.function.name <= marker));
    let page = &all[from..all.len().min(from + page_size)];
    let more = from + page.len() < all.len();
    let functions = page.iter().map(|deployment| {
        let arn = &deployment.arn;
        let arn = if with_version { format!("{arn}:{LATEST}") } else { arn.clone() };
        FunctionConfiguration::listed(&deployment.function, arn)
    });
    let last = page.last().map(|deployment| deployment.function.name.as_str());
    Reply::json(&Response { functions: functions.collect(), next_marker: last.filter(|_| more) })
}

/// `MaxItems`: 1 to 10,000, of which Lambda gives 50 at a time.
fn page_size(max_items: Option<&str>) -> Result<usize, Error> {
    let Some(text) = max_items else { return Ok(PAGE_MAX) };
    match text.parse() {
        Ok(items @ 1..=10_000) => Ok(PAGE_MAX.min(items)),
        Ok(10_001..) => Err(Error::constraint(text, "maxItems", "Member must have value less than or equal to 10000")),
        _ => Err(Error::constraint(text, "maxItems", "Member must have value greater than or equal to 1")),
    }
}
