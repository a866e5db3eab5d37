//! `UpdateApiDestination`: what is left out stays.

use std::sync::Arc;

use aws_api::Call;

use super::create_api_destination::check_connection;
pub use super::create_api_destination::{Request, Response};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.required(request.name.as_ref(), "name");
    request.constrain(&mut constraints)?;
    let (place, now) = (room.world.place.clone(), room.world.clock.now());
    let name = request.name.clone().unwrap_or_default();
    let changed = room.shelf.change(move |book, connection| {
        let found = book.api_destinations.get(&name).ok_or_else(|| Error::no_api_destination(&name))?;
        let mut destination = (**found).clone();
        destination.description = request.description.or(destination.description);
        destination.connection_arn = request.connection_arn.unwrap_or(destination.connection_arn);
        destination.endpoint = request.invocation_endpoint.unwrap_or(destination.endpoint);
        destination.method = request.http_method.unwrap_or(destination.method);
        let rate_limit = request.invocation_rate_limit_per_second;
        destination.rate_limit_per_second = rate_limit.or(destination.rate_limit_per_second);
        destination.modified_at_ms = now.millis();
        check_connection(book, &place, &destination)?;
        store::put_document(connection, &destination)?;
        let response = Response::of(&destination, book, &place);
        book.api_destinations.insert(name, Arc::new(destination));
        Ok(response)
    });
    changed.await
}
