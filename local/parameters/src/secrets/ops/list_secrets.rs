//! `ListSecrets`.

use std::collections::BTreeMap;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::describe_secret::{About, stages};
use crate::constraint::Constraints;
use crate::page::page;
use crate::room::Parameters;
use crate::secrets::error::Error;
use crate::secrets::filter::{self, Filter};
use crate::secrets::secret::{Secret, Versions};
use crate::secrets::store;

/// The longest page, and the usual one.
const PAGE_MAX: i64 = 100;
const SORTS: &[&str] = &["created-date", "last-accessed-date", "last-changed-date", "name"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    #[serde(default)]
    include_planned_deletion: bool,
    max_results: Option<i64>,
    next_token: Option<String>,
    #[serde(default)]
    filters: Vec<Filter>,
    sort_order: Option<String>,
    sort_by: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    secret_list: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(flatten)]
    about: About,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secret_versions_to_stages: BTreeMap<String, Vec<String>>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.range(request.max_results, "maxResults", 1, PAGE_MAX);
    constraints.one_of(request.sort_order.as_deref(), "sortOrder", &["asc", "desc"]);
    constraints.one_of(request.sort_by.as_deref(), "sortBy", SORTS).check()?;
    filter::check(&request.filters)?;
    let now = room.world.clock.now().millis();
    let limit = usize::try_from(request.max_results.unwrap_or(PAGE_MAX)).unwrap_or_default();
    let read = move |connection: &rusqlite::Connection| {
        let mut secrets = store::secrets(connection, now)?;
        secrets.retain(|secret| request.wants(secret));
        request.sort(&mut secrets);
        let token = request.next_token.as_deref();
        let (secrets, next_token) = page(secrets, |secret| secret.name.clone(), limit, token)?;
        let with_versions = |secret: Secret| Ok((store::versions(connection, &secret)?, secret));
        let secrets: Vec<(Versions, Secret)> = secrets.into_iter().map(with_versions).collect::<Result<_, Error>>()?;
        Ok::<_, Error>((secrets, next_token))
    };
    let (secrets, next_token) = room.database.read(read).await?;
    let place = &room.world.place;
    let listed = |(versions, secret): (Versions, Secret)| Listed {
        about: About::of(place, &secret),
        secret_versions_to_stages: stages(&versions),
    };
    Ok(Response { secret_list: secrets.into_iter().map(listed).collect(), next_token })
}

impl Request {
    fn wants(&self, secret: &Secret) -> bool {
        (self.include_planned_deletion || secret.deletion_at.is_none())
            && self.filters.iter().all(|filter| filter.takes(secret))
    }

    /// The newest first, unless it is said otherwise. What is equal stays in the order of names.
    fn sort(&self, secrets: &mut [Secret]) {
        match self.sort_by.as_deref() {
            Some("name") => {}
            Some("last-accessed-date") => secrets.sort_by_key(|secret| secret.accessed_at),
            Some("last-changed-date") => secrets.sort_by_key(|secret| secret.changed_at),
            _ => secrets.sort_by_key(|secret| secret.created_at),
        }
        if self.sort_order.as_deref() != Some("asc") {
            secrets.reverse();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::testing::{Room, names, token};

    async fn listed(t: &Room, input: Value) -> Vec<String> {
        names(&t.secrets("ListSecrets", input).await.ok()["SecretList"])
    }

    async fn filled() -> Room {
        let t = Room::new();
        for (name, description, tag) in [("app/a", "The main Database", "x"), ("app/b", "", "y"), ("c", "spare", "x")] {
            let input = json!({
                "Name": name, "ClientRequestToken": token(1), "SecretString": "v", "Description": description,
                "Tags": [{ "Key": "stage", "Value": tag }],
            });
            t.secrets("CreateSecret", input).await.ok();
            t.world.clock.advance(Duration::from_secs(1));
        }
        t
    }

    #[tokio::test]
    async fn filters_take_beginnings() {
        let t = filled().await;
        let by =
            |key: &str, values: &[&str]| json!({ "Filters": [{ "Key": key, "Values": values }], "SortOrder": "asc" });
        assert_eq!(listed(&t, by("name", &["app/"])).await, ["app/a", "app/b"]);
        assert_eq!(listed(&t, by("name", &["!app/a"])).await, ["app/b", "c"]);
        assert_eq!(listed(&t, by("description", &["data", "spare"])).await, ["app/a", "c"]);
        assert_eq!(listed(&t, by("tag-key", &["sta"])).await.len(), 3);
        assert_eq!(listed(&t, by("tag-value", &["y"])).await, ["app/b"]);
        assert_eq!(listed(&t, by("all", &["x main"])).await, ["app/a"]);
        let answer = t.secrets("ListSecrets", by("size", &["1"])).await;
        assert!(answer.message("ValidationException").contains("Member must satisfy enum value set: [description"));
    }

    #[tokio::test]
    async fn pages_and_orders() {
        let t = filled().await;
        assert_eq!(listed(&t, json!({})).await, ["c", "app/b", "app/a"]);
        let first = t.secrets("ListSecrets", json!({ "MaxResults": 2, "SortOrder": "asc" })).await.ok();
        assert_eq!(names(&first["SecretList"]), ["app/a", "app/b"]);
        let rest = json!({ "MaxResults": 2, "SortOrder": "asc", "NextToken": first["NextToken"] });
        assert_eq!(listed(&t, rest).await, ["c"]);
        t.secrets("DeleteSecret", json!({ "SecretId": "c" })).await.ok();
        assert_eq!(listed(&t, json!({})).await.len(), 2);
        assert_eq!(listed(&t, json!({ "IncludePlannedDeletion": true })).await.len(), 3);
    }
}
