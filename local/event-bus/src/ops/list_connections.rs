//! `ListConnections`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::describe_connection::Summary;
use crate::connection::STATES;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::page::{self, page};
use crate::room::EventBus;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name_prefix: Option<String>,
    connection_state: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    connections: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.name(request.name_prefix.as_deref(), "namePrefix");
    constraints.one_of(request.connection_state.as_deref(), "connectionState", STATES).check()?;
    page::constrain(request.limit, request.next_token.as_deref())?;
    let book = room.shelf.book().await?;
    let prefix = request.name_prefix.as_deref().unwrap_or_default();
    let connections = book.connections.values().filter(|connection| {
        let has_state = request.connection_state.as_deref().is_none_or(|state| state == connection.state.as_str());
        connection.name.starts_with(prefix) && has_state
    });
    let page = page(connections, |connection| &connection.name, request.limit, request.next_token.as_deref())?;
    let connections = page.items.into_iter().map(|connection| Summary::of(connection, &room.world.place)).collect();
    Ok(Response { connections, next_token: page.next_token })
}
