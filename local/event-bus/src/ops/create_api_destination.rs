//! `CreateApiDestination`.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use world::Timestamp;

use crate::api_destination::{ApiDestination, METHODS, check_endpoint, connection_by_arn};
use crate::book::Book;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

/// Also of `UpdateApiDestination`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    pub name: Option<String>,
    pub description: Option<String>,
    pub connection_arn: Option<String>,
    pub invocation_endpoint: Option<String>,
    pub http_method: Option<String>,
    pub invocation_rate_limit_per_second: Option<i64>,
}

/// Also of `UpdateApiDestination`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    api_destination_arn: String,
    api_destination_state: &'static str,
    creation_time: f64,
    last_modified_time: f64,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.required(request.name.as_ref(), "name");
    constraints.required(request.connection_arn.as_ref(), "connectionArn");
    constraints.required(request.invocation_endpoint.as_ref(), "invocationEndpoint");
    constraints.required(request.http_method.as_ref(), "httpMethod");
    request.constrain(&mut constraints)?;
    let now = room.world.clock.now();
    let destination = ApiDestination {
        name: request.name.unwrap_or_default(),
        id: room.world.random.uuid(),
        description: request.description,
        connection_arn: request.connection_arn.unwrap_or_default(),
        endpoint: request.invocation_endpoint.unwrap_or_default(),
        method: request.http_method.unwrap_or_default(),
        rate_limit_per_second: request.invocation_rate_limit_per_second,
        created_at_ms: now.millis(),
        modified_at_ms: now.millis(),
    };
    let place = room.world.place.clone();
    let made = room.shelf.change(move |book, connection| {
        if book.api_destinations.contains_key(&destination.name) {
            let message = format!("An api-destination '{}' already exists.", destination.name);
            return Err(Error::ResourceAlreadyExists(message));
        }
        check_connection(book, &place, &destination)?;
        store::put_document(connection, &destination)?;
        let response = Response::of(&destination, book, &place);
        book.api_destinations.insert(destination.name.clone(), destination.into());
        Ok(response)
    });
    made.await
}

/// Its connection must be there.
pub fn check_connection(book: &Book, place: &world::Place, destination: &ApiDestination) -> Result<(), Error> {
    let arn = &destination.connection_arn;
    let missing = || Error::ResourceNotFound(format!("Connection '{arn}' does not exist."));
    connection_by_arn(book, place, arn).map(drop).ok_or_else(missing)
}

impl Request {
    /// Lengths and words.
    pub fn constrain(&self, constraints: &mut Constraints) -> Result<(), Error> {
        constraints.name(self.name.as_deref(), "name");
        constraints.length(self.description.as_deref(), "description", 0, 512);
        constraints.length(self.connection_arn.as_deref(), "connectionArn", 1, 1600);
        constraints.length(self.invocation_endpoint.as_deref(), "invocationEndpoint", 1, 2048);
        constraints.one_of(self.http_method.as_deref(), "httpMethod", METHODS);
        constraints.range(
            self.invocation_rate_limit_per_second,
            "invocationRateLimitPerSecond",
            1,
            i64::from(i32::MAX),
        );
        constraints.check()?;
        self.invocation_endpoint.as_deref().map_or(Ok(()), |endpoint| check_endpoint(endpoint, "InvocationEndpoint"))
    }
}

impl Response {
    pub fn of(destination: &ApiDestination, book: &Book, place: &world::Place) -> Self {
        Self {
            api_destination_arn: destination.arn(place),
            api_destination_state: destination.state(book, place),
            creation_time: Timestamp::from_millis(destination.created_at_ms).epoch_seconds(),
            last_modified_time: Timestamp::from_millis(destination.modified_at_ms).epoch_seconds(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Room;

    async fn connection(t: &Room) -> Value {
        let auth = json!({ "ApiKeyAuthParameters": { "ApiKeyName": "x-key", "ApiKeyValue": "hush" } });
        let connection = json!({ "Name": "c", "AuthorizationType": "API_KEY", "AuthParameters": auth });
        t.call("CreateConnection", connection).await.ok()["ConnectionArn"].clone()
    }

    fn destination(name: &str, connection: &Value) -> Value {
        json!({ "Name": name, "ConnectionArn": connection, "InvocationEndpoint": "http://localhost:1/hook", "HttpMethod": "POST" })
    }

    #[tokio::test]
    async fn is_as_active_as_its_connection() {
        let t = Room::new();
        let arn = connection(&t).await;
        let made = t.call("CreateApiDestination", destination("d", &arn)).await.ok();
        assert_eq!(made["ApiDestinationState"], "ACTIVE");
        t.call("DeauthorizeConnection", json!({ "Name": "c" })).await.ok();
        let described = t.call("DescribeApiDestination", json!({ "Name": "d" })).await.ok();
        let expected = json!({
            "ApiDestinationArn": made["ApiDestinationArn"], "Name": "d", "ApiDestinationState": "INACTIVE",
            "ConnectionArn": arn, "InvocationEndpoint": "http://localhost:1/hook", "HttpMethod": "POST",
            "InvocationRateLimitPerSecond": 300, "CreationTime": 1_767_225_600.0, "LastModifiedTime": 1_767_225_600.0,
        });
        assert_eq!(described, expected);
    }

    #[tokio::test]
    async fn updates_lists_and_deletes() {
        let t = Room::new();
        let arn = connection(&t).await;
        for name in ["d1", "d2", "e"] {
            t.call("CreateApiDestination", destination(name, &arn)).await.ok();
        }
        t.call("UpdateApiDestination", json!({ "Name": "d1", "InvocationRateLimitPerSecond": 5 })).await.ok();
        let d1 = t.call("DescribeApiDestination", json!({ "Name": "d1" })).await.ok();
        assert_eq!((&d1["InvocationRateLimitPerSecond"], &d1["HttpMethod"]), (&json!(5), &json!("POST")));
        let listed =
            t.call("ListApiDestinations", json!({ "NamePrefix": "d", "ConnectionArn": arn, "Limit": 1 })).await.ok();
        assert_eq!((&listed["ApiDestinations"][0]["Name"], listed["NextToken"].is_string()), (&json!("d1"), true));
        t.call("DeleteApiDestination", json!({ "Name": "d1" })).await.ok();
        let message = "Failed to describe the api-destination(s). An api-destination 'd1' does not exist.";
        for operation in ["DescribeApiDestination", "DeleteApiDestination", "UpdateApiDestination"] {
            t.call(operation, json!({ "Name": "d1" })).await.error("ResourceNotFoundException", message);
        }
    }

    #[tokio::test]
    async fn refuses() {
        let t = Room::new();
        let arn = connection(&t).await;
        t.call("CreateApiDestination", destination("d", &arn)).await.ok();
        let again = t.call("CreateApiDestination", destination("d", &arn)).await;
        again.error("ResourceAlreadyExistsException", "An api-destination 'd' already exists.");
        let missing =
            t.call("CreateApiDestination", destination("e", &json!("arn:aws:events:r:1:connection/x/y"))).await;
        missing.error("ResourceNotFoundException", "Connection 'arn:aws:events:r:1:connection/x/y' does not exist.");
        for endpoint in ["ftp://x/", "https://", "https:///x", "http://*/x", "http://u@h/", "http://h/ x", "x"] {
            let mut request = destination("e", &arn);
            request["InvocationEndpoint"] = endpoint.into();
            let message =
                "Parameter InvocationEndpoint is not valid. Reason: It is not the address of an HTTP endpoint.";
            t.call("CreateApiDestination", request).await.error("ValidationException", message);
        }
    }
}
