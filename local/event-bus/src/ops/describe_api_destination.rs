//! `DescribeApiDestination`.

use aws_api::Call;
use serde::Serialize;
use world::{Place, Timestamp};

pub use super::describe_connection::Request;
use crate::api_destination::ApiDestination;
use crate::book::Book;
use crate::error::Error;
use crate::room::EventBus;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(flatten)]
    destination: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// An API destination as `ListApiDestinations` has it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary {
    api_destination_arn: String,
    name: String,
    api_destination_state: &'static str,
    connection_arn: String,
    invocation_endpoint: String,
    http_method: String,
    invocation_rate_limit_per_second: i64,
    creation_time: f64,
    last_modified_time: f64,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = request.name()?;
    let book = room.shelf.book().await?;
    let destination = book.api_destinations.get(&name).ok_or_else(|| Error::no_api_destination(&name))?;
    let description = destination.description.clone();
    Ok(Response { destination: Summary::of(destination, &book, &room.world.place), description })
}

impl Summary {
    pub fn of(destination: &ApiDestination, book: &Book, place: &Place) -> Self {
        Self {
            api_destination_arn: destination.arn(place),
            name: destination.name.clone(),
            api_destination_state: destination.state(book, place),
            connection_arn: destination.connection_arn.clone(),
            invocation_endpoint: destination.endpoint.clone(),
            http_method: destination.method.clone(),
            invocation_rate_limit_per_second: destination.rate_limit(),
            creation_time: Timestamp::from_millis(destination.created_at_ms).epoch_seconds(),
            last_modified_time: Timestamp::from_millis(destination.modified_at_ms).epoch_seconds(),
        }
    }
}
