//! `UpdateConnection`: what is left out stays. The connection is authorised anew.

use std::sync::Arc;

use aws_api::Call;

pub use super::create_connection::{Request, Response};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.required(request.name.as_ref(), "name").name(request.name.as_deref(), "name");
    request.constrain(&mut constraints, false)?;
    let (place, now) = (room.world.place.clone(), room.world.clock.now());
    let name = request.name.clone().unwrap_or_default();
    let changed = room.shelf.change(move |book, connection_to_file| {
        let found = book.connections.get_mut(&name).ok_or_else(|| Error::no_connection(&name))?;
        let mut connection = (**found).clone();
        connection.description = request.description.or(connection.description);
        connection.authorization_type = request.authorization_type.unwrap_or(connection.authorization_type);
        connection.auth = connection.auth.updated(request.auth_parameters.unwrap_or_default());
        connection.auth.keep_only(&connection.authorization_type);
        connection.kms_key_identifier = request.kms_key_identifier.or(connection.kms_key_identifier);
        connection.check()?;
        // Tokens and states belong to what a connection was at a time, so two changes never have the same.
        connection.modified_at_ms = now.millis().max(connection.modified_at_ms + 1);
        connection.begin_authorization(now);
        store::put_document(connection_to_file, &connection)?;
        *found = Arc::new(connection);
        Ok(Response::of(found, &place, found.state.as_str()))
    });
    changed.await
}
