//! `GetCSVHeader`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::import::header;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user_pool_id: String,
    #[serde(rename = "CSVHeader")]
    csv_header: Vec<String>,
}

#[expect(clippy::unused_async, reason = "every operation is awaited; this one needs nothing but the pool")]
pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    Ok(Response { csv_header: header(&pool.settings), user_pool_id: request.user_pool_id })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn the_columns_come_in_awss_order() {
        let schema = json!([{"Name": "plan", "AttributeDataType": "String"}]);
        let t = Kit::with_pool(json!({"PoolName": "p", "Schema": schema})).await;
        let answer = t.call("GetCSVHeader", json!({"UserPoolId": t.pool})).await.ok();
        let expected = [
            "name",
            "given_name",
            "family_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "email",
            "email_verified",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "phone_number",
            "phone_number_verified",
            "address",
            "updated_at",
            "cognito:mfa_enabled",
            "cognito:username",
            "custom:plan",
        ];
        assert_eq!(answer["CSVHeader"], json!(expected));
    }
}
