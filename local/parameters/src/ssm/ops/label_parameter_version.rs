//! `LabelParameterVersion`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::room::Parameters;
use crate::ssm::error::Error;
use crate::ssm::name::Named;
use crate::ssm::parameter::label;
use crate::ssm::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: String,
    parameter_version: Option<i64>,
    labels: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    invalid_labels: Vec<String>,
    parameter_version: i64,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    check_labels(&request.labels)?;
    let names = Named::whole(&room.world.place, &request.name)?;
    let labelled = room.database.write(move |connection| {
        let parameter = store::existing(connection, &names)?;
        let mut versions = store::versions(connection, &parameter)?;
        let at = match request.parameter_version {
            None => versions.len().checked_sub(1),
            Some(number) => versions.iter().position(|version| version.number == number),
        };
        let wanted = request.parameter_version.unwrap_or_default().to_string();
        let at = at.ok_or_else(|| Error::no_version(&parameter.name, &wanted))?;
        let invalid_labels = label(&mut versions, at, request.labels)?;
        store::save_labels(connection, &parameter, &versions)?;
        Ok::<_, Error>(Response { invalid_labels, parameter_version: versions[at].number })
    });
    labelled.await
}

/// What the service's model wants of a list of labels.
pub fn check_labels(labels: &[String]) -> Result<(), Error> {
    let mut constraints = Constraints::new();
    constraints.count(labels, "labels", 1, 10);
    if labels.iter().any(|label| label.is_empty() || label.len() > 100) {
        let rule = "satisfy constraint: [Member must have length less than or equal to 100, Member must have length \
                    greater than or equal to 1]";
        constraints.violated(&format!("[{}]", labels.join(", ")), "labels", rule);
    }
    Ok(constraints.check()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn a_label_is_on_one_version() {
        let t = Room::new();
        t.put("a", "1").await;
        t.put("a", "2").await;
        let label = |version: i64| json!({ "Name": "a", "ParameterVersion": version, "Labels": ["live"] });
        t.ssm("LabelParameterVersion", label(1)).await.ok();
        let moved = t.ssm("LabelParameterVersion", label(2)).await.ok();
        assert_eq!(moved, json!({ "InvalidLabels": [], "ParameterVersion": 2 }));
        let past = t.ssm("GetParameterHistory", json!({ "Name": "a" })).await.ok();
        assert_eq!(
            (&past["Parameters"][0]["Labels"], &past["Parameters"][1]["Labels"]),
            (&json!([]), &json!(["live"]))
        );
        let message = "Systems Manager could not find version 3 of a. Verify the version and try again.";
        t.ssm("LabelParameterVersion", label(3)).await.error("ParameterVersionNotFound", message);
    }

    #[tokio::test]
    async fn labels_have_a_form_and_are_ten() {
        let t = Room::new();
        t.put("a", "1").await;
        let labels = json!({ "Name": "a", "Labels": ["AWSx", "ssm", "1st", "a b", "good"] });
        let answer = t.ssm("LabelParameterVersion", labels).await.ok();
        assert_eq!(answer["InvalidLabels"], json!(["AWSx", "ssm", "1st", "a b"]));
        let labels: Vec<_> = (0..10).map(|n| format!("l{n}")).collect();
        t.ssm("LabelParameterVersion", json!({ "Name": "a", "Labels": labels })).await.error(
            "ParameterVersionLabelLimitExceeded",
            "A parameter version can have maximum 10 labels.Move one or more labels to another version and try again.",
        );
    }
}
