//! `GetAccountSettings`: Lambda's default limits, and what is used of them.

use std::sync::atomic::Ordering;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::code::{UNZIPPED_BYTES_MAX, ZIPPED_BYTES_MAX};
use crate::concurrency::ACCOUNT_CONCURRENCY_MAX;
use crate::error::Error;
use crate::host::FunctionHost;

/// 75 GB.
const TOTAL_CODE_BYTES_MAX: u64 = 80_530_636_800;

#[derive(Debug, Deserialize)]
pub(crate) struct Request {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Response {
    account_limit: Limit,
    account_usage: Usage,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Limit {
    total_code_size: u64,
    code_size_unzipped: u64,
    code_size_zipped: usize,
    concurrent_executions: u32,
    unreserved_concurrent_executions: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Usage {
    total_code_size: u64,
    function_count: usize,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, _: Request, _call: &Call) -> Result<Response, Error> {
    let all = host.all();
    let layers = host.layers();
    let layers = layers.values().flat_map(|layer| layer.visible()).map(|(_, version)| version.size_bytes).sum::<u64>();
    Ok(Response {
        account_limit: Limit {
            total_code_size: TOTAL_CODE_BYTES_MAX,
            code_size_unzipped: UNZIPPED_BYTES_MAX,
            code_size_zipped: ZIPPED_BYTES_MAX,
            concurrent_executions: ACCOUNT_CONCURRENCY_MAX,
            unreserved_concurrent_executions: host.unreserved_max.load(Ordering::Relaxed),
        },
        account_usage: Usage {
            total_code_size: all
                .iter()
                .flat_map(|deployment| deployment.function.codes())
                .map(|code| code.size_bytes)
                .sum::<u64>()
                + layers,
            function_count: all.len(),
        },
    })
}
