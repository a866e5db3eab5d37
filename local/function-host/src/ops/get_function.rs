//! `GetFunction`: configuration, where the code lies, tags, reserved concurrency.

use std::collections::BTreeMap;

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::configuration::FunctionConfiguration;
use crate::function::Source;
use crate::host::FunctionHost;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    qualifier: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response<'a> {
    configuration: FunctionConfiguration<'a>,
    code: CodeLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<Concurrency>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CodeLocation {
    repository_type: &'static str,
    /// AWS gives a URL of S3; here it tells where the code lies.
    location: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Concurrency {
    reserved_concurrent_executions: u32,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let named = host.find("GetFunction", &request.function_name, request.qualifier.as_deref())?;
    let function = &named.function;
    let shown = named.shown()?;
    let location = match &shown.code.source {
        Source::Unpacked(name) => format!("file://{}", host.code_directory().join(name).display()),
        Source::OnDisk(path) => format!("file://{}", path.display()),
        Source::BuiltIn(id) => format!("built-in:{id}"),
    };
    Reply::json(&Response {
        configuration: FunctionConfiguration::of(host, shown, &named.qualified_arn()),
        code: CodeLocation { repository_type: "S3", location },
        tags: (!function.tags.is_empty()).then_some(&function.tags),
        concurrency: function.reserved_concurrency.map(|max| Concurrency { reserved_concurrent_executions: max }),
    })
}
