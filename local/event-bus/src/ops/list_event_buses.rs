//! `ListEventBuses`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::describe_event_bus::Response as Bus;
use crate::constraint::{BUS_NAME_FORM, Constraints, is_bus_name};
use crate::error::Error;
use crate::page::{self, page};
use crate::room::EventBus;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name_prefix: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    event_buses: Vec<Bus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let prefix = request.name_prefix.as_deref();
    Constraints::new()
        .length(prefix, "namePrefix", 1, 256)
        .form(prefix, "namePrefix", BUS_NAME_FORM, is_bus_name)
        .check()?;
    page::constrain(request.limit, request.next_token.as_deref())?;
    let book = room.shelf.book().await?;
    let prefix = prefix.unwrap_or_default();
    let buses = book.buses().filter(|bus| bus.name.starts_with(prefix));
    let page = page(buses, |bus| &bus.name, request.limit, request.next_token.as_deref())?;
    Ok(Response { event_buses: page.items.into_iter().map(|bus| Bus::of(bus)).collect(), next_token: page.next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn lists_in_pages() {
        let t = Room::new();
        for name in ["x-1", "x-2", "x-3", "y"] {
            t.call("CreateEventBus", json!({ "Name": name })).await.ok();
        }
        let first = t.call("ListEventBuses", json!({ "NamePrefix": "x-", "Limit": 2 })).await.ok();
        assert_eq!(first["EventBuses"].as_array().map(Vec::len), Some(2));
        let rest = json!({ "NamePrefix": "x-", "Limit": 2, "NextToken": first["NextToken"] });
        let second = t.call("ListEventBuses", rest).await.ok();
        assert_eq!(second["EventBuses"][0]["Name"], "x-3");
        assert_eq!(second.get("NextToken"), None);
        let all = t.call("ListEventBuses", json!({})).await.ok();
        assert_eq!(all["EventBuses"].as_array().map(Vec::len), Some(5));
    }
}
