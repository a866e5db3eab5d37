//! `CreateConnection`.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use world::{Place, Timestamp};

use crate::api_call::is_reserved;
use crate::api_destination::check_endpoint;
use crate::connection::{AuthParameters, Connection, State, TYPES};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    pub name: Option<String>,
    pub description: Option<String>,
    pub authorization_type: Option<String>,
    pub auth_parameters: Option<AuthParameters>,
    pub invocation_connectivity_parameters: Option<Value>,
    pub kms_key_identifier: Option<String>,
}

/// Of every operation that changes a connection.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    connection_arn: String,
    connection_state: &'static str,
    creation_time: f64,
    last_modified_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authorized_time: Option<f64>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.required(request.name.as_ref(), "name").name(request.name.as_deref(), "name");
    constraints.required(request.authorization_type.as_ref(), "authorizationType");
    constraints.required(request.auth_parameters.as_ref(), "authParameters");
    request.constrain(&mut constraints, true)?;
    let now = room.world.clock.now();
    let mut auth = request.auth_parameters.unwrap_or_default();
    let authorization_type = request.authorization_type.unwrap_or_default();
    auth.keep_only(&authorization_type);
    let mut connection = Connection {
        name: request.name.unwrap_or_default(),
        id: room.world.random.uuid(),
        secret_id: format!("{}-{}", room.world.random.uuid(), room.world.random.alphanumeric(6)),
        description: request.description,
        authorization_type,
        auth,
        kms_key_identifier: request.kms_key_identifier,
        state: State::Authorized,
        state_reason: None,
        created_at_ms: now.millis(),
        modified_at_ms: now.millis(),
        authorized_at_ms: None,
    };
    connection.check()?;
    connection.begin_authorization(now);
    let place = room.world.place.clone();
    let made = room.shelf.change(move |book, connection_to_file| {
        if book.connections.contains_key(&connection.name) {
            return Err(Error::ResourceAlreadyExists(format!("Connection {} already exists.", connection.name)));
        }
        store::put_document(connection_to_file, &connection)?;
        let response = Response::of(&connection, &place, connection.state.as_str());
        book.connections.insert(connection.name.clone(), connection.into());
        Ok(response)
    });
    made.await
}

impl Request {
    /// Lengths and words, and what we have not.
    pub fn constrain(&self, constraints: &mut Constraints, is_new: bool) -> Result<(), Error> {
        constraints.length(self.description.as_deref(), "description", 0, 512);
        constraints.one_of(self.authorization_type.as_deref(), "authorizationType", TYPES);
        constraints.length(self.kms_key_identifier.as_deref(), "kmsKeyIdentifier", 0, 2048);
        if let Some(auth) = &self.auth_parameters {
            auth.constrain(constraints, is_new);
        }
        constraints.check()?;
        let auth = self.auth_parameters.as_ref();
        let is_private = auth.is_some_and(|auth| auth.connectivity_parameters.is_some());
        if self.invocation_connectivity_parameters.is_some() || is_private {
            return Err(Error::not_implemented("A connection to a private API (ConnectivityParameters)"));
        }
        let oauth = auth.and_then(|auth| auth.oauth_parameters.as_ref());
        if let Some(endpoint) = oauth.and_then(|oauth| oauth.authorization_endpoint.as_deref()) {
            check_endpoint(endpoint, "AuthorizationEndpoint")?;
        }
        if self.kms_key_identifier.is_some() {
            tracing::warn!("KmsKeyIdentifier of a connection is kept and shown, and has no effect");
        }
        let parameters = auth.and_then(|auth| auth.invocation_http_parameters.as_ref());
        let headers = parameters.iter().flat_map(|parameters| &parameters.header_parameters);
        for header in headers.filter(|header| is_reserved(&header.key)) {
            tracing::warn!(header = header.key, "EventBridge takes this header out of calls of API destinations");
        }
        Ok(())
    }
}

impl Response {
    pub fn of(connection: &Connection, place: &Place, state: &'static str) -> Self {
        let seconds = |millis: i64| Timestamp::from_millis(millis).epoch_seconds();
        Self {
            connection_arn: connection.arn(place),
            connection_state: state,
            creation_time: seconds(connection.created_at_ms),
            last_modified_time: seconds(connection.modified_at_ms),
            last_authorized_time: connection.authorized_at_ms.map(seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use storage::Location;
    use world::World;

    use crate::HttpResponse;
    use crate::testing::Room;

    fn basic(name: &str) -> Value {
        let parameters = json!({ "HeaderParameters": [
            { "Key": "x-open", "Value": "o", "IsValueSecret": false },
            { "Key": "x-hidden", "Value": "hush", "IsValueSecret": true },
        ] });
        json!({ "Name": name, "AuthorizationType": "BASIC", "AuthParameters": {
            "BasicAuthParameters": { "Username": "u", "Password": "hush" }, "InvocationHttpParameters": parameters,
        } })
    }

    fn oauth(name: &str) -> Value {
        json!({ "Name": name, "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS", "AuthParameters": { "OAuthParameters": {
            "ClientParameters": { "ClientID": "id", "ClientSecret": "hush" },
            "AuthorizationEndpoint": "https://auth.example.com/token", "HttpMethod": "POST",
        } } })
    }

    async fn describe(t: &Room, name: &str) -> Value {
        t.call("DescribeConnection", json!({ "Name": name })).await.ok()
    }

    #[tokio::test]
    async fn secrets_are_kept_and_never_given_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let open = || Room::over(World::for_tests(1), Location::File(dir.path().join("bus.db")));
        {
            let t = open();
            let made = t.call("CreateConnection", basic("c")).await.ok();
            assert_eq!(
                (&made["ConnectionState"], &made["CreationTime"]),
                (&json!("AUTHORIZED"), &json!(1_767_225_600.0))
            );
            assert_eq!(made["LastAuthorizedTime"], 1_767_225_600.0);
        }
        let t = open();
        let described = describe(&t, "c").await;
        let expected = json!({
            "BasicAuthParameters": { "Username": "u" },
            "InvocationHttpParameters": { "HeaderParameters": [
                { "Key": "x-open", "Value": "o", "IsValueSecret": false }, { "Key": "x-hidden", "IsValueSecret": true },
            ] },
        });
        assert_eq!(described["AuthParameters"], expected);
        let secret = described["SecretArn"].as_str().expect("an ARN");
        assert!(
            secret.starts_with("arn:aws:secretsmanager:us-east-1:000000000000:secret:events!connection/c/"),
            "{secret}"
        );
        let book = t.bus.shelf.book().await.expect("a book");
        assert!(!format!("{book:?}").contains("hush"));
    }

    #[tokio::test]
    async fn a_token_is_fetched_by_itself() {
        let t = Room::new();
        let made = t.call("CreateConnection", oauth("c")).await.ok();
        assert_eq!(made["ConnectionState"], "AUTHORIZING");
        let body = br#"{"access_token":"hush-token","token_type":"bearer","expires_in":3600}"#.to_vec();
        t.answer(Ok(HttpResponse { status: 200, body, ..HttpResponse::default() }));
        t.bus.authorize_waiting().await.expect("it asks");
        let request = t.requests().remove(0);
        assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "https://auth.example.com/token"));
        assert!(request.headers.contains(&("authorization".into(), "Basic aWQ6aHVzaA==".into())));
        assert_eq!(request.body, b"grant_type=client_credentials");
        assert_eq!(describe(&t, "c").await["ConnectionState"], "AUTHORIZED");
    }

    #[tokio::test]
    async fn a_refused_token_deauthorizes() {
        let t = Room::new();
        t.call("CreateConnection", oauth("c")).await.ok();
        t.answer(Ok(HttpResponse { status: 401, ..HttpResponse::default() }));
        t.bus.authorize_waiting().await.expect("it asks");
        let described = describe(&t, "c").await;
        let reason = "ERROR_FROM_TARGET: The authorization endpoint answered with status 401.";
        assert_eq!(
            (&described["ConnectionState"], &described["StateReason"]),
            (&json!("DEAUTHORIZED"), &json!(reason))
        );
        t.call("UpdateConnection", json!({ "Name": "c", "Description": "again" })).await.ok();
        assert_eq!(describe(&t, "c").await["ConnectionState"], "AUTHORIZING");
    }

    #[tokio::test]
    async fn updates_keep_what_they_do_not_give() {
        let t = Room::new();
        t.call("CreateConnection", basic("c")).await.ok();
        let update = json!({ "Name": "c", "AuthParameters": { "BasicAuthParameters": { "Username": "v" } } });
        t.call("UpdateConnection", update).await.ok();
        assert_eq!(describe(&t, "c").await["AuthParameters"]["BasicAuthParameters"], json!({ "Username": "v" }));
        let book = t.bus.shelf.book().await.expect("a book");
        let password =
            book.connections["c"].auth.basic_auth_parameters.as_ref().and_then(|basic| basic.password.as_ref());
        assert_eq!(password.map(crate::connection::Secret::reveal), Some("hush"));
        let key = json!({ "ApiKeyAuthParameters": { "ApiKeyName": "x-key", "ApiKeyValue": "hush" } });
        t.call("UpdateConnection", json!({ "Name": "c", "AuthorizationType": "API_KEY", "AuthParameters": key }))
            .await
            .ok();
        let described = describe(&t, "c").await;
        assert_eq!(described["AuthParameters"].get("BasicAuthParameters"), None);
        assert_eq!(described["AuthParameters"]["ApiKeyAuthParameters"], json!({ "ApiKeyName": "x-key" }));
        let missing = t.call("UpdateConnection", json!({ "Name": "c", "AuthorizationType": "BASIC" })).await;
        let message = "Parameter AuthParameters is not valid. Reason: BASIC authorization needs BasicAuthParameters.";
        missing.error("ValidationException", message);
    }

    #[tokio::test]
    async fn deauthorizes_lists_and_deletes() {
        let t = Room::new();
        t.call("CreateConnection", basic("c1")).await.ok();
        t.call("CreateConnection", oauth("c2")).await.ok();
        t.call("CreateConnection", basic("c1"))
            .await
            .error("ResourceAlreadyExistsException", "Connection c1 already exists.");
        let listed = t.call("ListConnections", json!({ "ConnectionState": "AUTHORIZING" })).await.ok();
        assert_eq!(
            (listed["Connections"].as_array().map(Vec::len), &listed["Connections"][0]["Name"]),
            (Some(1), &json!("c2"))
        );
        assert_eq!(
            t.call("DeauthorizeConnection", json!({ "Name": "c1" })).await.ok()["ConnectionState"],
            "DEAUTHORIZING"
        );
        let described = describe(&t, "c1").await;
        assert_eq!((&described["ConnectionState"], &described["AuthParameters"]), (&json!("DEAUTHORIZED"), &json!({})));
        assert_eq!(t.call("DeleteConnection", json!({ "Name": "c1" })).await.ok()["ConnectionState"], "DELETING");
        let message = "Failed to describe the connection(s). Connection 'c1' does not exist.";
        for operation in ["DescribeConnection", "DeleteConnection", "DeauthorizeConnection", "UpdateConnection"] {
            t.call(operation, json!({ "Name": "c1" })).await.error("ResourceNotFoundException", message);
        }
    }

    #[tokio::test]
    async fn refusals_show_no_secret() {
        let t = Room::new();
        let mut long = basic("c");
        long["AuthParameters"]["BasicAuthParameters"]["Password"] = "p".repeat(513).into();
        let message = "1 validation error detected: Value at 'authParameters.basicAuthParameters.password' failed to satisfy constraint: Member must have length less than or equal to 512";
        t.call("CreateConnection", long).await.error("ValidationException", message);
        let none = json!({ "Name": "c", "AuthorizationType": "NONE", "AuthParameters": {} });
        let message = "1 validation error detected: Value 'NONE' at 'authorizationType' failed to satisfy constraint: Member must satisfy enum value set: [BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]";
        t.call("CreateConnection", none).await.error("ValidationException", message);
        let mut private = basic("c");
        private["InvocationConnectivityParameters"] = json!({});
        let message = "A connection to a private API (ConnectivityParameters) is not implemented by this server.";
        t.call("CreateConnection", private).await.error("ValidationException", message);
    }
}
