//! `DeleteParameters`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::get_parameters::NAMES_MAX;
use crate::constraint::Constraints;
use crate::room::Parameters;
use crate::ssm::error::Error;
use crate::ssm::name::Named;
use crate::ssm::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    names: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    deleted_parameters: Vec<String>,
    invalid_parameters: Vec<String>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    Constraints::new().count(&request.names, "names", 1, NAMES_MAX).check()?;
    let place = room.world.place.clone();
    let deleted = room.database.write(move |connection| {
        let (mut deleted_parameters, mut invalid_parameters) = (Vec::new(), Vec::new());
        for name in request.names {
            match store::parameter(connection, &Named::whole(&place, &name)?)? {
                Some(parameter) => {
                    store::delete(connection, &parameter)?;
                    deleted_parameters.push(name);
                }
                None => invalid_parameters.push(name),
            }
        }
        Ok::<_, Error>(Response { deleted_parameters, invalid_parameters })
    });
    deleted.await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn those_that_are_not_there_are_named() {
        let t = Room::new();
        t.put("a", "1").await;
        let expected = json!({ "DeletedParameters": ["a"], "InvalidParameters": ["b"] });
        assert_eq!(t.ssm("DeleteParameters", json!({ "Names": ["a", "b"] })).await.ok(), expected);
    }
}
