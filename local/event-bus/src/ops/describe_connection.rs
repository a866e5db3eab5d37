//! `DescribeConnection`.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use world::{Place, Timestamp};

use crate::connection::{AuthParameters, Connection};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;

/// Also of `DeleteConnection` and `DeauthorizeConnection`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(flatten)]
    connection: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    secret_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_identifier: Option<String>,
    auth_parameters: AuthParameters,
}

/// A connection as `ListConnections` has it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary {
    connection_arn: String,
    name: String,
    connection_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<String>,
    authorization_type: String,
    creation_time: f64,
    last_modified_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authorized_time: Option<f64>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = request.name()?;
    let (book, place) = (room.shelf.book().await?, &room.world.place);
    let connection = book.connections.get(&name).ok_or_else(|| Error::no_connection(&name))?;
    Ok(Response {
        connection: Summary::of(connection, place),
        description: connection.description.clone(),
        secret_arn: connection.secret_arn(place),
        kms_key_identifier: connection.kms_key_identifier.clone(),
        auth_parameters: connection.auth.shown(),
    })
}

impl Request {
    /// The name, checked.
    pub fn name(self) -> Result<String, Error> {
        let mut constraints = Constraints::new();
        constraints.required(self.name.as_ref(), "name").name(self.name.as_deref(), "name");
        constraints.check()?;
        Ok(self.name.unwrap_or_default())
    }
}

impl Summary {
    pub fn of(connection: &Connection, place: &Place) -> Self {
        let seconds = |millis: i64| Timestamp::from_millis(millis).epoch_seconds();
        Self {
            connection_arn: connection.arn(place),
            name: connection.name.clone(),
            connection_state: connection.state.as_str(),
            state_reason: connection.state_reason.clone(),
            authorization_type: connection.authorization_type.clone(),
            creation_time: seconds(connection.created_at_ms),
            last_modified_time: seconds(connection.modified_at_ms),
            last_authorized_time: connection.authorized_at_ms.map(seconds),
        }
    }
}
