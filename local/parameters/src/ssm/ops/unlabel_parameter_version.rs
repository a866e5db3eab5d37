//! `UnlabelParameterVersion`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::label_parameter_version::check_labels;
use crate::room::Parameters;
use crate::ssm::error::Error;
use crate::ssm::name::Named;
use crate::ssm::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: String,
    parameter_version: i64,
    labels: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    removed_labels: Vec<String>,
    invalid_labels: Vec<String>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    check_labels(&request.labels)?;
    let names = Named::whole(&room.world.place, &request.name)?;
    let changed = room.database.write(move |connection| {
        let parameter = store::existing(connection, &names)?;
        let mut versions = store::versions(connection, &parameter)?;
        let number = request.parameter_version;
        let version = versions.iter_mut().find(|version| version.number == number);
        let version = version.ok_or_else(|| Error::no_version(&parameter.name, &number.to_string()))?;
        let (removed_labels, invalid_labels): (Vec<String>, Vec<String>) =
            request.labels.into_iter().partition(|label| version.labels.contains(label));
        version.labels.retain(|label| !removed_labels.contains(label));
        store::save_labels(connection, &parameter, &versions)?;
        Ok::<_, Error>(Response { removed_labels, invalid_labels })
    });
    changed.await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn labels_that_are_not_there_are_named() {
        let t = Room::new();
        t.put("a", "1").await;
        t.ssm("LabelParameterVersion", json!({ "Name": "a", "Labels": ["live", "test"] })).await.ok();
        let input = json!({ "Name": "a", "ParameterVersion": 1, "Labels": ["live", "other"] });
        let expected = json!({ "RemovedLabels": ["live"], "InvalidLabels": ["other"] });
        assert_eq!(t.ssm("UnlabelParameterVersion", input).await.ok(), expected);
        let past = t.ssm("GetParameterHistory", json!({ "Name": "a" })).await.ok();
        assert_eq!(past["Parameters"][0]["Labels"], json!(["test"]));
    }
}
