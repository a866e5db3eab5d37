//! `GetIntegrations`, in pages.

use aws_api::Call;

use super::List;
use crate::document::page;
use crate::error::Error;
use crate::http_api::Integration;
use crate::room::HttpApis;

pub type Request = super::ListRequest;

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<List<Integration>, Error> {
    room.read_http(&request.api_id, |api| {
        let all = api.integrations.values().cloned().collect();
        page(all, request.max_results.as_deref(), request.next_token.as_deref()).map(List::from)
    })
}
