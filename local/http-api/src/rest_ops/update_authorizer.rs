//! `UpdateAuthorizer`: another name, other pools, another function.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html>: pools come and go one by one, by
//! `add` and `remove` of `/providerARNs`.

use aws_api::Call;
use serde::Deserialize;

use super::create_authorizer::{HARMLESS, NAME_TAKEN};
use super::patch::{PatchOperation, apply};
use super::update_rest_api::{as_members, members_of};
use crate::document::{read, report_not_honoured};
use crate::error::Error;
use crate::rest_api::Authorizer;
use crate::room::HttpApis;

const POOLS: &str = "/providerARNs";
const TTL: &str = "authorizerResultTtlInSeconds";

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    authorizer_id: String,
    #[serde(rename = "patchOperations", default)]
    patch_operations: Vec<PatchOperation>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Authorizer, Error> {
    let (pools, others): (Vec<_>, Vec<_>) =
        request.patch_operations.into_iter().partition(|change| change.path == POOLS);
    room.change_rest(&request.restapi_id, |api| {
        let before = api.authorizers.get(&request.authorizer_id).ok_or_else(|| Error::no_such("Authorizer"))?;
        let mut members = members_of(before);
        let left = apply(&mut members, &others)?;
        // Changes are texts, whatever the member is.
        if let Some(seconds) = members.get(TTL).and_then(|value| value.as_str()?.parse::<i64>().ok()) {
            members.insert(TTL.to_owned(), seconds.into());
        }
        let mut authorizer: Authorizer = read(members)?;
        for change in pools {
            let arn = change.value.unwrap_or_default();
            authorizer.provider_arns.retain(|known| *known != arn);
            if change.op != "remove" {
                authorizer.provider_arns.push(arn);
            }
        }
        authorizer.id.clone_from(&request.authorizer_id);
        authorizer.check()?;
        if api.authorizers.values().any(|other| other.id != authorizer.id && other.name == authorizer.name) {
            return Err(Error::conflict(NAME_TAKEN));
        }
        let mut other = authorizer.other.clone();
        other.extend(as_members(left));
        let what = format!("authorizer {} of {}", authorizer.name, api.settings.name);
        report_not_honoured(&room.world, &what, &other, HARMLESS);
        api.authorizers.insert(request.authorizer_id, authorizer.clone());
        Ok(authorizer)
    })
    .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn it_keeps_its_id_and_takes_another_name_and_pool() {
        let t = Room::new();
        t.rest_api().await;
        let pool = |id: &str| format!("arn:aws:cognito-idp:us-east-1:000000000000:userpool/{id}");
        let of = |name: &str| {
            json!({"restapi_id": "rest", "name": name, "type": "COGNITO_USER_POOLS", "providerARNs": [pool("us-east-1_a")],
                "identitySource": "method.request.header.Authorization"})
        };
        let made = t.rest("CreateAuthorizer", of("one")).await.ok();
        t.rest("CreateAuthorizer", of("two")).await.ok();
        let request = |changes: serde_json::Value| json!({"restapi_id": "rest", "authorizer_id": made["id"], "patchOperations": changes});
        let changes = json!([
            {"op": "replace", "path": "/name", "value": "three"},
            {"op": "add", "path": "/providerARNs", "value": pool("us-east-1_b")},
            {"op": "remove", "path": "/providerARNs", "value": pool("us-east-1_a")},
            {"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": "60"},
        ]);
        let found = t.rest("UpdateAuthorizer", request(changes)).await.ok();
        assert_eq!(
            (&found["id"], &found["name"], &found["providerARNs"], &found["authorizerResultTtlInSeconds"]),
            (&made["id"], &json!("three"), &json!([pool("us-east-1_b")]), &json!(60))
        );
        let taken = json!([{"op": "replace", "path": "/name", "value": "two"}]);
        t.rest("UpdateAuthorizer", request(taken)).await.error("ConflictException");
        let none = json!([{"op": "remove", "path": "/providerARNs", "value": pool("us-east-1_b")}]);
        t.rest("UpdateAuthorizer", request(none)).await.error("BadRequestException");
        let nobody = json!({"restapi_id": "rest", "authorizer_id": "nobody", "patchOperations": []});
        t.rest("UpdateAuthorizer", nobody).await.error("NotFoundException");
    }
}
