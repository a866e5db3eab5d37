//! `DeauthorizeConnection`: its secrets are forgotten.

use std::sync::Arc;

use aws_api::Call;

pub use super::create_connection::Response;
pub use super::describe_connection::Request;
use crate::connection::{AuthParameters, State};
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = request.name()?;
    let (place, now) = (room.world.place.clone(), room.world.clock.now());
    let deauthorized = room.shelf.change(move |book, connection| {
        let found = book.connections.get_mut(&name).ok_or_else(|| Error::no_connection(&name))?;
        let found = Arc::make_mut(found);
        found.auth = AuthParameters::default();
        found.state = State::Deauthorized;
        found.modified_at_ms = now.millis().max(found.modified_at_ms + 1);
        store::put_document(connection, found)?;
        Ok(Response::of(found, &place, "DEAUTHORIZING"))
    });
    deauthorized.await
}
