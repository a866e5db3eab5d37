//! `DeleteArchive`, and all that is in it.

use aws_api::Call;
use world::Timestamp;

use super::Empty;
pub use super::describe_archive::Request;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Empty, Error> {
    let name = request.name()?;
    let deleted = room.shelf.change(move |book, connection| {
        let archive = book.archives.remove(&name).ok_or_else(|| Error::no_archive(&name))?;
        store::delete_document(connection, &*archive)?;
        store::forget_kept(connection, &name, Timestamp::from_millis(i64::MAX))?;
        Ok(Empty {})
    });
    deleted.await
}
