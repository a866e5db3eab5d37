//! `DeleteApiDestination`.

use aws_api::Call;

use super::Empty;
pub use super::describe_connection::Request;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Empty, Error> {
    let name = request.name()?;
    let deleted = room.shelf.change(move |book, connection| {
        let found = book.api_destinations.remove(&name).ok_or_else(|| Error::no_api_destination(&name))?;
        store::delete_document(connection, &*found)?;
        Ok(Empty {})
    });
    deleted.await
}
