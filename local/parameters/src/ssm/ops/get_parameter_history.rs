//! `GetParameterHistory`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::About;
use crate::constraint::Constraints;
use crate::page::page;
use crate::room::Parameters;
use crate::ssm::error::Error;
use crate::ssm::name::Named;
use crate::ssm::parameter::Version;
use crate::ssm::store;

/// The longest page, and the usual one.
const PAGE_MAX: i64 = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: String,
    #[serde(default)]
    with_decryption: bool,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    parameters: Vec<Past>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Past {
    #[serde(flatten)]
    about: About,
    value: String,
    labels: Vec<String>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    Constraints::new().range(request.max_results, "maxResults", 1, PAGE_MAX).check()?;
    let place = &room.world.place;
    let names = Named::whole(place, &request.name)?;
    let read =
        move |connection: &rusqlite::Connection| store::versions(connection, &store::existing(connection, &names)?);
    let versions = room.database.read(read).await?;
    let limit = usize::try_from(request.max_results.unwrap_or(PAGE_MAX)).unwrap_or_default();
    let (versions, next_token) =
        page(versions, |version| version.number.to_string(), limit, request.next_token.as_deref())?;
    let past = |version: Version| Past {
        about: About::of(&version, place),
        value: version.shown(request.with_decryption),
        labels: version.labels,
    };
    Ok(Response { parameters: versions.into_iter().map(past).collect(), next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn the_past_is_told_in_pages() {
        let t = Room::new();
        for n in ["one", "two", "three"] {
            t.put("a", n).await;
        }
        t.ssm("LabelParameterVersion", json!({ "Name": "a", "Labels": ["live"] })).await.ok();
        let first = t.ssm("GetParameterHistory", json!({ "Name": "a", "MaxResults": 2 })).await.ok();
        let input = json!({ "Name": "a", "MaxResults": 2, "NextToken": first["NextToken"] });
        let rest = t.ssm("GetParameterHistory", input).await.ok();
        assert_eq!((&first["Parameters"][0]["Value"], &first["Parameters"][1]["Version"]), (&json!("one"), &json!(2)));
        assert_eq!(rest["Parameters"][0]["Labels"], json!(["live"]));
        assert_eq!(rest.get("NextToken"), None);
        t.ssm("GetParameterHistory", json!({ "Name": "b" })).await.error("ParameterNotFound", "");
    }
}
