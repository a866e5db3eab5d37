//! `ListArchives`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::describe_archive::Summary;
use crate::archive::{ENABLED, STATES};
use crate::constraint::{Constraints, NAME_FORM, is_name};
use crate::error::Error;
use crate::page::{self, page};
use crate::room::EventBus;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name_prefix: Option<String>,
    event_source_arn: Option<String>,
    state: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    archives: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let prefix = request.name_prefix.as_deref();
    let mut constraints = Constraints::new();
    constraints.length(prefix, "namePrefix", 1, 48).form(prefix, "namePrefix", NAME_FORM, is_name);
    constraints.length(request.event_source_arn.as_deref(), "eventSourceArn", 1, 1600);
    constraints.one_of(request.state.as_deref(), "state", STATES).check()?;
    page::constrain(request.limit, request.next_token.as_deref())?;
    let book = room.shelf.book().await?;
    let bus = request.event_source_arn.as_deref().map(|arn| room.bus_name(Some(arn)));
    let archives = book.archives.values().filter(|archive| {
        archive.name.starts_with(prefix.unwrap_or_default())
            && bus.as_ref().is_none_or(|bus| archive.bus == *bus)
            && request.state.as_deref().is_none_or(|state| state == ENABLED)
    });
    let page = page(archives, |archive| &archive.name, request.limit, request.next_token.as_deref())?;
    let mut archives = Vec::with_capacity(page.items.len());
    for archive in page.items {
        archives.push(Summary::of(archive, room.holdings(archive).await?, &room.world.place));
    }
    Ok(Response { archives, next_token: page.next_token })
}
