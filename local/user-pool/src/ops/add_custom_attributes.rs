//! `AddCustomAttributes`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::attributes::{Schema, SchemaAttribute, custom_name};
use crate::constraint::Constraints;
use crate::pool::Pool;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    custom_attributes: Vec<SchemaAttribute>,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let added = request.custom_attributes;
    Constraints::new().items("customAttributes", added.len(), 1..=25).check()?;
    let pool = room.pool(&request.user_pool_id)?;
    Schema::of(&pool.settings).check_additions(&added)?;
    let mut settings = pool.settings.clone();
    // Under the full name: `email` here is `custom:email`, not the standard attribute.
    let named = added.into_iter().map(|attribute| SchemaAttribute { name: custom_name(&attribute), ..attribute });
    settings.schema.extend(named);
    let modified = room.world.clock.now();
    room.save_pool(Pool { settings, modified, ..(*pool).clone() }).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;

    fn input(t: &Kit, attribute: &Value) -> Value {
        json!({"UserPoolId": t.pool, "CustomAttributes": [attribute]})
    }

    #[tokio::test]
    async fn a_new_attribute_can_be_set() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let set = json!({
            "UserPoolId": t.pool,
            "Username": "ann@example.com",
            "UserAttributes": [{"Name": "custom:plan", "Value": "free"}],
        });
        t.call("AdminUpdateUserAttributes", set.clone()).await.error("InvalidParameterException");
        t.call("AddCustomAttributes", input(&t, &json!({"Name": "plan", "AttributeDataType": "String"}))).await.ok();
        t.call("AdminUpdateUserAttributes", set).await.ok();
    }

    #[tokio::test]
    async fn a_name_is_taken_once() {
        let t = Kit::new().await;
        let plan = json!({"Name": "plan", "AttributeDataType": "String"});
        t.call("AddCustomAttributes", input(&t, &plan)).await.ok();
        let message = t.call("AddCustomAttributes", input(&t, &plan)).await.error("InvalidParameterException");
        assert_eq!(message, "custom:plan: Existing attribute already has name custom:plan.");
    }

    #[tokio::test]
    async fn what_is_no_custom_attribute_is_refused() {
        let t = Kit::new().await;
        let refused = [
            json!({"Name": "much-too-long-a-name-for-one"}),
            json!({"Name": "plan", "AttributeDataType": "Blob"}),
            json!({"Name": "plan", "Required": true}),
        ];
        for attribute in refused {
            t.call("AddCustomAttributes", input(&t, &attribute)).await.error("InvalidParameterException");
        }
        let none = json!({"UserPoolId": t.pool, "CustomAttributes": []});
        t.call("AddCustomAttributes", none).await.error("InvalidParameterException");
    }

    #[tokio::test]
    async fn a_custom_attribute_may_be_named_like_a_standard_one() {
        let t = Kit::new().await;
        t.call("AddCustomAttributes", input(&t, &json!({"Name": "email", "AttributeDataType": "String"}))).await.ok();
        let pool = t.call("DescribeUserPool", json!({"UserPoolId": t.pool})).await.ok();
        let names = pool["UserPool"]["SchemaAttributes"].as_array().expect("a list").iter();
        let names: Vec<_> = names.filter_map(|entry| entry["Name"].as_str()).collect();
        assert!(names.contains(&"custom:email") && names.contains(&"email"), "{names:?}");
    }
}
