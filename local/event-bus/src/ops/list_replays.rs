//! `ListReplays`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::describe_replay::Summary;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::page::{self, page};
use crate::replay::STATES;
use crate::room::EventBus;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name_prefix: Option<String>,
    state: Option<String>,
    event_source_arn: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    replays: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.name(request.name_prefix.as_deref(), "namePrefix");
    constraints.length(request.event_source_arn.as_deref(), "eventSourceArn", 1, 1600);
    constraints.one_of(request.state.as_deref(), "state", STATES).check()?;
    page::constrain(request.limit, request.next_token.as_deref())?;
    let (book, place) = (room.shelf.book().await?, &room.world.place);
    let prefix = request.name_prefix.as_deref().unwrap_or_default();
    let is_of = |archive: &str| {
        let arn = place.arn("events", &format!("archive/{archive}"));
        request.event_source_arn.as_ref().is_none_or(|asked| *asked == arn)
    };
    let replays = book.replays.values().filter(|replay| {
        let has_state = request.state.as_deref().is_none_or(|state| state == replay.state.as_str());
        replay.name.starts_with(prefix) && has_state && is_of(&replay.archive)
    });
    let page = page(replays, |replay| &replay.name, request.limit, request.next_token.as_deref())?;
    let replays = page.items.into_iter().map(|replay| Summary::of(replay, place)).collect();
    Ok(Response { replays, next_token: page.next_token })
}
