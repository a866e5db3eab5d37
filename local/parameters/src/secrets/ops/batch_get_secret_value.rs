//! `BatchGetSecretValue`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::{Shown, value};
use crate::constraint::Constraints;
use crate::page::page;
use crate::room::Parameters;
use crate::secrets::error::Error;
use crate::secrets::filter::{self, Filter};
use crate::secrets::store;

/// The longest page, and the usual one.
const PAGE_MAX: i64 = 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    secret_id_list: Option<Vec<String>>,
    filters: Option<Vec<Filter>>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    secret_values: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    errors: Vec<Failed>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    secret_id: String,
    error_code: &'static str,
    message: String,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.range(request.max_results, "maxResults", 1, PAGE_MAX);
    if let Some(ids) = &request.secret_id_list {
        constraints.count(ids, "secretIdList", 1, 20);
    }
    constraints.check()?;
    let (ids, next_token) = match (request.secret_id_list, request.filters) {
        (Some(_), None) if request.max_results.is_some() => {
            let message = "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.";
            return Err(Error::InvalidParameter(message.into()));
        }
        (Some(ids), None) => (ids, None),
        (None, Some(filters)) => filtered(room, filters, request.max_results, request.next_token).await?,
        _ => {
            let message = "Either 'SecretIdList' or 'Filters' must be provided, but not both.";
            return Err(Error::InvalidParameter(message.into()));
        }
    };
    let (mut secret_values, mut errors) = (Vec::new(), Vec::new());
    for secret_id in ids {
        match value(room, &secret_id, None, None).await {
            Ok(shown) => secret_values.push(shown),
            Err(error @ (Error::Storage(_) | Error::Damaged(_))) => return Err(error),
            Err(error) => errors.push(Failed { secret_id, error_code: error.code(), message: error.to_string() }),
        }
    }
    Ok(Response { secret_values, next_token, errors })
}

/// The names of a page of the secrets that all filters take.
async fn filtered(
    room: &Parameters,
    filters: Vec<Filter>,
    limit: Option<i64>,
    token: Option<String>,
) -> Result<(Vec<String>, Option<String>), Error> {
    filter::check(&filters)?;
    let now = room.world.clock.now().millis();
    let read = move |connection: &rusqlite::Connection| {
        let mut secrets = store::secrets(connection, now)?;
        secrets.retain(|secret| secret.deletion_at.is_none() && filters.iter().all(|filter| filter.takes(secret)));
        Ok::<_, Error>(secrets)
    };
    let names = room.database.read(read).await?.into_iter().map(|secret| secret.name).collect();
    let limit = usize::try_from(limit.unwrap_or(PAGE_MAX)).unwrap_or_default();
    Ok(page(names, String::clone, limit, token.as_deref())?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Room, names};

    #[tokio::test]
    async fn each_has_its_value_or_its_error() {
        let t = Room::new();
        t.create_secret("a", "1").await;
        t.create_secret("b", "2").await;
        let batch = t.secrets("BatchGetSecretValue", json!({ "SecretIdList": ["b", "x", "a"] })).await.ok();
        assert_eq!(names(&batch["SecretValues"]), ["b", "a"]);
        let error = json!({
            "SecretId": "x", "ErrorCode": "ResourceNotFoundException",
            "Message": "Secrets Manager can't find the specified secret.",
        });
        assert_eq!(batch["Errors"], json!([error]));
    }

    #[tokio::test]
    async fn filters_have_pages() {
        let t = Room::new();
        for name in ["a1", "a2", "b"] {
            t.create_secret(name, "v").await;
        }
        let mut input = json!({ "Filters": [{ "Key": "name", "Values": ["a"] }], "MaxResults": 1 });
        let first = t.secrets("BatchGetSecretValue", input.clone()).await.ok();
        input["NextToken"] = first["NextToken"].clone();
        let second = t.secrets("BatchGetSecretValue", input).await.ok();
        assert_eq!(
            (names(&first["SecretValues"]), names(&second["SecretValues"])),
            (vec!["a1".into()], vec!["a2".into()])
        );
        assert_eq!(second.get("NextToken"), None);
        let message = "Either 'SecretIdList' or 'Filters' must be provided, but not both.";
        t.secrets("BatchGetSecretValue", json!({})).await.error("InvalidParameterException", message);
    }
}
