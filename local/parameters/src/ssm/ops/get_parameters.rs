//! `GetParameters`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::{Shown, get_parameter};
use crate::constraint::Constraints;
use crate::room::Parameters;
use crate::ssm::error::Error;
use crate::ssm::name::Named;

/// Parameters of one call.
pub const NAMES_MAX: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    names: Vec<String>,
    #[serde(default)]
    with_decryption: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    parameters: Vec<Shown>,
    invalid_parameters: Vec<String>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    Constraints::new().count(&request.names, "names", 1, NAMES_MAX).check()?;
    let (place, decrypts) = (room.world.place.clone(), request.with_decryption);
    let read = move |connection: &rusqlite::Connection| {
        let (mut parameters, mut invalid_parameters) = (Vec::new(), Vec::new());
        for name in request.names {
            match get_parameter::find(connection, &place, &Named::read(&place, &name)?, decrypts) {
                Ok(shown) => parameters.push(shown),
                Err(Error::ParameterNotFound(_) | Error::ParameterVersionNotFound(_)) => invalid_parameters.push(name),
                Err(error) => return Err(error),
            }
        }
        Ok(Response { parameters, invalid_parameters })
    };
    room.database.read(read).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn those_that_are_not_there_are_named() {
        let t = Room::new();
        t.put("/a", "1").await;
        t.put("/b", "2").await;
        let found = t.ssm("GetParameters", json!({ "Names": ["/b", "/c", "/a:7", "/a:1"] })).await.ok();
        let values: Vec<_> = found["Parameters"].as_array().expect("a list").iter().map(|one| &one["Value"]).collect();
        assert_eq!(values, ["2", "1"]);
        assert_eq!(found["InvalidParameters"], json!(["/c", "/a:7"]));
        let names = vec!["a"; 11];
        let message = format!(
            "1 validation error detected: Value '[{}]' at 'names' failed to satisfy constraint: Member must have length \
             less than or equal to 10",
            names.join(", ")
        );
        t.ssm("GetParameters", json!({ "Names": names })).await.error("ValidationException", &message);
    }
}
