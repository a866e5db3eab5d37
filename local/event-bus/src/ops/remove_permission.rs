//! `RemovePermission`. Its tests are with `PutPermission`.

use aws_api::Call;
use serde::Deserialize;

use super::Empty;
use super::put_permission::{policy_of, statements};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    event_bus_name: Option<String>,
    statement_id: Option<String>,
    #[serde(default)]
    remove_all_permissions: bool,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Empty, Error> {
    let mut constraints = Constraints::new();
    constraints.bus(request.event_bus_name.as_deref(), "eventBusName");
    constraints.name(request.statement_id.as_deref(), "statementId").check()?;
    let name = room.bus_name(request.event_bus_name.as_deref());
    let now = room.world.clock.now();
    let removed = room.shelf.change(move |book, connection| {
        let bus = book.bus_mut(&name)?;
        let mut left = statements(bus);
        let before = left.len();
        let id = request.statement_id.as_deref();
        left.retain(|statement| !request.remove_all_permissions && statement["Sid"].as_str() != id);
        if left.len() == before && !request.remove_all_permissions {
            return Err(Error::no_statement());
        }
        bus.policy = (!left.is_empty()).then(|| policy_of(&left));
        bus.modified_at = now;
        store::put_bus(connection, bus)?;
        Ok(Empty {})
    });
    removed.await
}
