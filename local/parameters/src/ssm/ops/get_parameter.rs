//! `GetParameter`.

use aws_api::Call;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use world::Place;

use super::Shown;
use crate::room::Parameters;
use crate::secrets;
use crate::ssm::error::Error;
use crate::ssm::name::{self, Named, SECRET_PREFIX};
use crate::ssm::parameter::{SECURE, TEXT};
use crate::ssm::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: String,
    #[serde(default)]
    with_decryption: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    parameter: Shown,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    let named = Named::read(&room.world.place, &request.name)?;
    if named.names[0].starts_with(SECRET_PREFIX) {
        return secret(room, request).await.map(|parameter| Response { parameter });
    }
    let (place, decrypts) = (room.world.place.clone(), request.with_decryption);
    let read = move |connection: &Connection| find(connection, &place, &named, decrypts);
    room.database.read(read).await.map(|parameter| Response { parameter })
}

/// The version that is named.
pub fn find(connection: &Connection, place: &Place, named: &Named, with_decryption: bool) -> Result<Shown, Error> {
    let version = store::named(connection, named)?;
    Ok(Shown::of(version, with_decryption, named.selector.as_deref(), place))
}

/// A secret, which is a parameter under a path of AWS's:
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html>
pub async fn secret(room: &Parameters, request: Request) -> Result<Shown, Error> {
    if !request.with_decryption {
        let message = "WithDecryption flag must be True for retrieving a Secret Manager secret.";
        return Err(Error::invalid(message));
    }
    let id = request.name.trim_start_matches(SECRET_PREFIX).to_owned();
    let missing = |error: secrets::error::Error| match error {
        secrets::error::Error::Storage(error) => Error::Storage(error),
        error => Error::Validation(format!(
            "An error occurred (ParameterNotFound) when referencing Secrets Manager: {error}"
        )),
    };
    let found = secrets::ops::value(room, &id, None, None).await.map_err(missing)?;
    Ok(Shown {
        arn: name::arn(&room.world.place, &request.name),
        name: request.name,
        kind: SECURE.to_owned(),
        value: found.string().unwrap_or_default().to_owned(),
        version: 0,
        selector: None,
        last_modified_date: found.created_date(),
        source_result: Some(serde_json::to_string(&found).unwrap_or_default()),
        data_type: TEXT.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Room;

    async fn value(t: &Room, name: &str) -> Value {
        t.ssm("GetParameter", json!({ "Name": name })).await.ok()["Parameter"]["Value"].clone()
    }

    #[tokio::test]
    async fn a_parameter_is_given_back_as_on_aws() {
        let t = Room::new();
        t.put("/a/b", "v").await;
        let expected = json!({
            "Name": "/a/b",
            "Type": "String",
            "Value": "v",
            "Version": 1,
            "LastModifiedDate": t.now(),
            "ARN": "arn:aws:ssm:us-east-1:000000000000:parameter/a/b",
            "DataType": "text",
        });
        for name in ["/a/b", "arn:aws:ssm:us-east-1:000000000000:parameter/a/b"] {
            let found = t.ssm("GetParameter", json!({ "Name": name })).await.ok();
            assert_eq!(found, json!({ "Parameter": expected }));
        }
    }

    #[tokio::test]
    async fn a_version_is_selected_by_number_and_label() {
        let t = Room::new();
        for n in ["one", "two", "three"] {
            t.put("a", n).await;
        }
        let label = json!({ "Name": "a", "ParameterVersion": 2, "Labels": ["live"] });
        t.ssm("LabelParameterVersion", label).await.ok();
        assert_eq!((value(&t, "a").await, value(&t, "a:1").await), (json!("three"), json!("one")));
        let arn = "arn:aws:ssm:us-east-1:000000000000:parameter/a:live";
        let found = t.ssm("GetParameter", json!({ "Name": arn })).await.ok();
        assert_eq!(found["Parameter"]["Selector"], ":live");
        assert_eq!(found["Parameter"]["Value"], "two");
        let message = "Systems Manager could not find version 9 of a. Verify the version and try again.";
        t.ssm("GetParameter", json!({ "Name": "a:9" })).await.error("ParameterVersionNotFound", message);
        t.ssm("GetParameter", json!({ "Name": "b" })).await.error("ParameterNotFound", "");
    }

    #[tokio::test]
    async fn a_secure_value_is_opaque_unless_it_is_asked_for() {
        let t = Room::new();
        let put = json!({ "Name": "a", "Value": "hunter2", "Type": "SecureString" });
        t.ssm("PutParameter", put).await.ok();
        let hidden = value(&t, "a").await;
        assert!(hidden.as_str().is_some_and(|text| text.starts_with("AQICAH") && text.len() > 100), "{hidden}");
        let shown = t.ssm("GetParameter", json!({ "Name": "a", "WithDecryption": true })).await.ok();
        assert_eq!(shown["Parameter"]["Value"], "hunter2");
    }

    #[tokio::test]
    async fn a_secret_is_a_parameter_too() {
        let t = Room::new();
        let made = t.create_secret("db", "hunter2").await;
        let name = "/aws/reference/secretsmanager/db";
        let found = t.ssm("GetParameter", json!({ "Name": name, "WithDecryption": true })).await.ok();
        let found = &found["Parameter"];
        assert_eq!(
            (&found["Name"], &found["Value"], &found["Type"]),
            (&json!(name), &json!("hunter2"), &json!("SecureString"))
        );
        let source: Value = serde_json::from_str(found["SourceResult"].as_str().expect("a text")).expect("JSON");
        assert_eq!(source["ARN"], made["ARN"]);
        let message = "WithDecryption flag must be True for retrieving a Secret Manager secret.";
        t.ssm("GetParameter", json!({ "Name": name })).await.error("ValidationException", message);
    }
}
