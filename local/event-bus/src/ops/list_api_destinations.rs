//! `ListApiDestinations`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::describe_api_destination::Summary;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::page::{self, page};
use crate::room::EventBus;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name_prefix: Option<String>,
    connection_arn: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    api_destinations: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.name(request.name_prefix.as_deref(), "namePrefix");
    constraints.length(request.connection_arn.as_deref(), "connectionArn", 1, 1600).check()?;
    page::constrain(request.limit, request.next_token.as_deref())?;
    let book = room.shelf.book().await?;
    let prefix = request.name_prefix.as_deref().unwrap_or_default();
    let destinations = book.api_destinations.values().filter(|destination| {
        let is_of = request.connection_arn.as_ref().is_none_or(|arn| destination.connection_arn == *arn);
        destination.name.starts_with(prefix) && is_of
    });
    let page = page(destinations, |destination| &destination.name, request.limit, request.next_token.as_deref())?;
    let place = &room.world.place;
    let api_destinations = page.items.into_iter().map(|destination| Summary::of(destination, &book, place)).collect();
    Ok(Response { api_destinations, next_token: page.next_token })
}
