//! `DeleteConnection`. API destinations that use it become inactive.

use aws_api::Call;

pub use super::create_connection::Response;
pub use super::describe_connection::Request;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = request.name()?;
    let place = room.world.place.clone();
    let deleted = room.shelf.change(move |book, connection| {
        let found = book.connections.remove(&name).ok_or_else(|| Error::no_connection(&name))?;
        store::delete_document(connection, &*found)?;
        Ok(Response::of(&found, &place, "DELETING"))
    });
    deleted.await
}
