//! `UpdateUserPool`.
//!
//! What a call leaves out goes back to its default, as documented; but `Policies` (each policy on its own),
//! `MfaConfiguration` and the name stay, as measured on AWS: <https://github.com/go-to-k/cdkd/issues/1982>. So a call
//! that only names something else takes the triggers and the automatic verification away: that is AWS's way too.
//!
//! How people sign in and what case counts for is settled for good when the pool is made.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::create_user_pool;
use crate::pool::{PasswordPolicy, Policies, Pool, Settings};
use crate::{Error, UserPools};

/// What `DescribeUserPool` gives and no call sets: callers who send a description back are not punished for it.
const OUTPUT_ONLY: &[&str] = &[
    "Arn",
    "CreationDate",
    "CustomDomain",
    "Domain",
    "EmailConfigurationFailure",
    "EstimatedNumberOfUsers",
    "Id",
    "LastModifiedDate",
    "SchemaAttributes",
    "SmsConfigurationFailure",
    "Status",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    policies: Option<GivenPolicies>,
    #[serde(flatten)]
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GivenPolicies {
    password_policy: Option<PasswordPolicy>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let old = &pool.settings;
    refuse_immutable(old, &request.settings)?;
    let mut settings = request.settings;
    settings.others.retain(|name, _| !OUTPUT_ONLY.contains(&name.as_str()));
    keep(old, &mut settings, request.policies);
    create_user_pool::check(&settings)?;
    room.report_not_honoured(&format!("user pool {}", settings.name), &settings.not_honoured());
    let modified = room.world.clock.now();
    room.save_pool(Pool { settings, modified, ..(*pool).clone() }).await?;
    Ok(Response {})
}

/// No members of this call on AWS: the same again is let pass, a change is not.
fn refuse_immutable(old: &Settings, new: &Settings) -> Result<(), Error> {
    let differs = |old: &Option<Vec<String>>, new: &Option<Vec<String>>| {
        new.as_ref().is_some_and(|new| new != old.as_deref().unwrap_or_default())
    };
    let case = new.username_configuration.map(|configuration| configuration.case_sensitive);
    let changed = [
        ("AliasAttributes", differs(&old.alias_attributes, &new.alias_attributes)),
        ("UsernameAttributes", differs(&old.username_attributes, &new.username_attributes)),
        ("UsernameConfiguration", case.is_some_and(|case| case != old.is_case_sensitive())),
    ];
    if let Some((name, _)) = changed.into_iter().find(|(_, changed)| *changed) {
        return Err(Error::InvalidParameter(format!("Updates are not allowed for property - {name}.")));
    }
    if !new.schema.is_empty() && new.schema != old.schema {
        let message = "Existing schema attributes cannot be modified or deleted.";
        return Err(Error::InvalidParameter(message.into()));
    }
    Ok(())
}

/// Takes over what survives a call that does not name it.
fn keep(old: &Settings, new: &mut Settings, policies: Option<GivenPolicies>) {
    if new.name.is_empty() {
        new.name.clone_from(&old.name);
    }
    new.alias_attributes.clone_from(&old.alias_attributes);
    new.username_attributes.clone_from(&old.username_attributes);
    new.username_configuration = old.username_configuration;
    new.schema.clone_from(&old.schema);
    if new.mfa_configuration.is_none() {
        new.mfa_configuration.clone_from(&old.mfa_configuration);
    }
    new.policies = old.policies.clone();
    if let Some(GivenPolicies { password_policy, others }) = policies {
        let Policies { password_policy: kept, others: kept_others } = &mut new.policies;
        if let Some(password_policy) = password_policy {
            *kept = password_policy;
        }
        kept_others.extend(others);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;

    async fn described(t: &Kit) -> Value {
        t.call("DescribeUserPool", json!({"UserPoolId": t.pool})).await.ok()["UserPool"].take()
    }

    #[tokio::test]
    async fn triggers_and_verification_are_lost_when_they_are_left_out() {
        let t = Kit::new().await;
        t.attach("PostConfirmation").await;
        assert!(described(&t).await["LambdaConfig"]["PostConfirmation"].is_string());
        t.call("UpdateUserPool", json!({"UserPoolId": t.pool})).await.ok();
        let pool = described(&t).await;
        assert!(pool.get("LambdaConfig").is_none());
        assert!(pool.get("AutoVerifiedAttributes").is_none());
    }

    #[tokio::test]
    async fn policies_and_name_stay_when_they_are_left_out() {
        let policy = json!({"MinimumLength": 12, "RequireSymbols": false});
        let pool = json!({"PoolName": "mine", "Policies": {"PasswordPolicy": policy}, "DeletionProtection": "ACTIVE"});
        let t = Kit::with_pool(pool).await;
        t.call("UpdateUserPool", json!({"UserPoolId": t.pool, "Policies": {}})).await.ok();
        let pool = described(&t).await;
        assert_eq!(pool["Name"], "mine");
        assert_eq!(pool["Policies"]["PasswordPolicy"]["MinimumLength"], 12);
        assert_eq!(pool["DeletionProtection"], "INACTIVE");
    }

    #[tokio::test]
    async fn a_policy_replaces_the_one_before_as_a_whole() {
        let t = Kit::new().await;
        let update = json!({"UserPoolId": t.pool, "Policies": {"PasswordPolicy": {"MinimumLength": 6}}});
        t.call("UpdateUserPool", update).await.ok();
        let policy = described(&t).await["Policies"]["PasswordPolicy"].take();
        assert_eq!((&policy["MinimumLength"], &policy["RequireSymbols"]), (&json!(6), &json!(false)));
    }

    #[tokio::test]
    async fn how_people_sign_in_is_settled_for_good() {
        let t = Kit::new().await;
        let refused = [
            json!({"UsernameConfiguration": {"CaseSensitive": true}}),
            json!({"UsernameAttributes": ["email", "phone_number"]}),
            json!({"AliasAttributes": ["email"]}),
            json!({"Schema": [{"Name": "email", "Required": true}]}),
        ];
        for mut input in refused {
            input["UserPoolId"] = json!(t.pool);
            t.call("UpdateUserPool", input).await.error("InvalidParameterException");
        }
        let same = json!({"UserPoolId": t.pool, "UsernameConfiguration": {"CaseSensitive": false}});
        t.call("UpdateUserPool", same).await.ok();
        assert_eq!(described(&t).await["UsernameConfiguration"]["CaseSensitive"], false);
    }

    #[tokio::test]
    async fn verification_before_an_update_needs_automatic_verification() {
        let t = Kit::new().await;
        let settings = json!({"AttributesRequireVerificationBeforeUpdate": ["email"]});
        let input = json!({"UserPoolId": t.pool, "UserAttributeUpdateSettings": settings});
        let message = t.call("UpdateUserPool", input).await.error("InvalidParameterException");
        let expected =
            "All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes";
        assert_eq!(message, expected);
    }

    #[tokio::test]
    async fn a_description_can_be_sent_back() {
        let t = Kit::new().await;
        let mut description = described(&t).await;
        description["UserPoolId"] = json!(t.pool);
        t.call("UpdateUserPool", description.clone()).await.ok();
        description.as_object_mut().expect("an object").remove("UserPoolId");
        assert_eq!(described(&t).await, description);
    }
}
