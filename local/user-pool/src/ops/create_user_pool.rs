//! `CreateUserPool`.
//!
//! A pool's id is made up unless the tag `_custom_id_` pins it, as `LocalStack`'s users know it: then it is
//! `{region}_{value}`, or the value itself where it has a region already.

use aws_api::Call;
use serde::Serialize;

use super::describe_user_pool::UserPoolType;
use super::only;
use crate::attributes::{Schema, is_standard};
use crate::constraint::Constraints;
use crate::pool::{Pool, PoolId, Settings};
use crate::{Error, UserPools};

/// The tag that pins an id; it is not stored.
const PINNED_ID_TAG: &str = "_custom_id_";
const EMAIL_LENGTH_MAX: usize = 20_000;
const SMS_LENGTH_MAX: usize = 140;
const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

pub type Request = Settings;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user_pool: UserPoolType,
}

pub async fn run(room: &UserPools, mut settings: Request, _call: &Call) -> Result<Response, Error> {
    check(&settings)?;
    let custom: Vec<_> = settings.schema.iter().filter(|declared| !is_standard(&declared.name)).cloned().collect();
    Schema::of(&Settings::default()).check_additions(&custom)?;
    let pinned = settings.user_pool_tags.remove(PINNED_ID_TAG);
    let id = pool_id(room, pinned.as_deref())?;
    if room.pool(&id.0).is_ok() {
        return Err(Error::InvalidParameter(format!("A user pool with the pinned id {id} already exists.")));
    }
    room.report_not_honoured(&format!("user pool {}", settings.name), &settings.not_honoured());
    let now = room.world.clock.now();
    let pool = Pool {
        arn: room.world.place.arn("cognito-idp", &format!("userpool/{id}")),
        id,
        settings,
        created: now,
        modified: now,
        secret: room.world.random.bytes(),
    };
    let pool = room.save_pool(pool).await?;
    room.keyring.warm_up();
    Ok(Response { user_pool: UserPoolType::of(&pool, 0) })
}

/// The rules that hold for a pool's settings, new or changed.
pub fn check(settings: &Settings) -> Result<(), Error> {
    let name_fits = |c: char| c.is_alphanumeric() || c == '_' || c.is_whitespace() || "+=,.@-".contains(c);
    let policy = &settings.policies.password_policy;
    Constraints::new()
        .length("poolName", &settings.name, 1..=128)
        .pattern("poolName", &settings.name, r"[\w\s+=,.@-]+", name_fits)
        .number("policies.passwordPolicy.minimumLength", policy.minimum_length.into(), 6..=99)
        .number(
            "policies.passwordPolicy.temporaryPasswordValidityDays",
            policy.temporary_password_validity_days.into(),
            0..=365,
        )
        .check()?;
    if settings.uses_username_attributes() && settings.alias_attributes.as_ref().is_some_and(|list| !list.is_empty()) {
        let message = "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.";
        return Err(Error::InvalidParameter(message.into()));
    }
    for name in settings.username_attributes.iter().flatten() {
        only("usernameAttributes", name, &["phone_number", "email"])?;
    }
    for name in settings.alias_attributes.iter().flatten() {
        only("aliasAttributes", name, &["phone_number", "email", "preferred_username"])?;
    }
    for name in settings.auto_verified_attributes.iter().flatten() {
        only("autoVerifiedAttributes", name, &["phone_number", "email"])?;
    }
    if let Some(mode) = &settings.deletion_protection {
        only("deletionProtection", mode, &["ACTIVE", "INACTIVE"])?;
    }
    check_texts(settings)?;
    check_triggers(settings)?;
    if let Some(mode) = &settings.mfa_configuration {
        only("mfaConfiguration", mode, &["OFF", "ON", "OPTIONAL"])?;
    }
    let waiting = settings.user_attribute_update_settings.as_ref();
    let waiting = waiting.map(|settings| settings.attributes_require_verification_before_update.as_slice());
    if waiting.unwrap_or_default().iter().any(|name| !settings.auto_verifies(name)) {
        let message =
            "All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes";
        return Err(Error::InvalidParameter(message.into()));
    }
    Ok(())
}

/// The older and the newer way to name the function for tokens must name the same.
fn check_triggers(settings: &Settings) -> Result<(), Error> {
    let triggers = &settings.lambda_config;
    let Some(config) = &triggers.pre_token_generation_config else { return Ok(()) };
    let member = "lambdaConfig.preTokenGenerationConfig.lambdaVersion";
    only(member, &config.lambda_version, &["V1_0", "V2_0", "V3_0"])?;
    if triggers.pre_token_generation.as_ref().is_some_and(|function| *function != config.lambda_arn) {
        let message = "PreTokenGeneration and PreTokenGenerationConfig must name the same function.";
        return Err(Error::InvalidParameter(message.into()));
    }
    Ok(())
}

/// A message that verifies has a place for its code.
fn check_texts(settings: &Settings) -> Result<(), Error> {
    let template = settings.verification_message_template.clone().unwrap_or_default();
    let texts = [
        ("emailVerificationMessage", &settings.email_verification_message, EMAIL_LENGTH_MAX),
        ("smsVerificationMessage", &settings.sms_verification_message, SMS_LENGTH_MAX),
        ("verificationMessageTemplate.emailMessage", &template.email_message, EMAIL_LENGTH_MAX),
        ("verificationMessageTemplate.smsMessage", &template.sms_message, SMS_LENGTH_MAX),
    ];
    let mut constraints = Constraints::new();
    for (member, text, length_max) in texts {
        let Some(text) = text else { continue };
        constraints = constraints.length(member, text, 6..=length_max);
        constraints = constraints.containing(member, text, "{####}", r".*\{####\}.*");
    }
    constraints.check()
}

fn pool_id(room: &UserPools, pinned: Option<&str>) -> Result<PoolId, Error> {
    let region = &room.world.place.region;
    let Some(pinned) = pinned else {
        return Ok(PoolId(format!("{region}_{}", room.world.random.letters(9, ID_ALPHABET))));
    };
    let (region, name) = pinned.rsplit_once('_').unwrap_or((region, pinned));
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message =
            format!("The pinned id {pinned} must be letters and digits, with or without a region: us-east-1_example1");
        return Err(Error::InvalidParameter(message));
    }
    Ok(PoolId(format!("{region}_{name}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn an_id_looks_as_on_aws() {
        let t = Kit::new().await;
        let pool = t.call("CreateUserPool", json!({"PoolName": "p"})).await.ok();
        let id = pool["UserPool"]["Id"].as_str().expect("an id").to_owned();
        assert!(id.starts_with("us-east-1_") && id.len() == "us-east-1_".len() + 9, "{id}");
        assert_eq!(pool["UserPool"]["Arn"], format!("arn:aws:cognito-idp:us-east-1:000000000000:userpool/{id}"));
    }

    #[tokio::test]
    async fn an_id_can_be_pinned() {
        let t = Kit::new().await;
        let input = json!({"PoolName": "p", "UserPoolTags": {"_custom_id_": "Example1"}});
        assert_eq!(t.call("CreateUserPool", input.clone()).await.ok()["UserPool"]["Id"], "us-east-1_Example1");
        t.call("CreateUserPool", input).await.error("InvalidParameterException");
    }

    #[tokio::test]
    async fn a_verification_message_needs_a_place_for_the_code() {
        let t = Kit::new().await;
        let with = |text: &str| json!({"PoolName": "p", "EmailVerificationMessage": text});
        t.call("CreateUserPool", with("Welcome!")).await.error("InvalidParameterException");
        t.call("CreateUserPool", with("Your code: {####}")).await.ok();
    }

    #[tokio::test]
    async fn the_function_for_tokens_is_one() {
        let t = Kit::new().await;
        let with = |version: &str, older: Option<&str>| {
            let config = json!({"LambdaVersion": version, "LambdaArn": "arn:aws:lambda:r:1:function:f"});
            let triggers = json!({"PreTokenGeneration": older, "PreTokenGenerationConfig": config});
            json!({"PoolName": "p", "LambdaConfig": triggers})
        };
        t.call("CreateUserPool", with("V4_0", None)).await.error("InvalidParameterException");
        let other = with("V2_0", Some("arn:aws:lambda:r:1:function:g"));
        t.call("CreateUserPool", other).await.error("InvalidParameterException");
        let pool = t.call("CreateUserPool", with("V2_0", Some("arn:aws:lambda:r:1:function:f"))).await.ok();
        assert_eq!(pool["UserPool"]["LambdaConfig"]["PreTokenGenerationConfig"]["LambdaVersion"], "V2_0");
    }

    #[tokio::test]
    async fn what_a_password_policy_leaves_out_is_not_required() {
        let t = Kit::new().await;
        let create = json!({"PoolName": "p", "Policies": {"PasswordPolicy": {"RequireNumbers": true}}});
        let pool = t.call("CreateUserPool", create).await.ok();
        let expected = json!({
            "MinimumLength": 8, "RequireUppercase": false, "RequireLowercase": false, "RequireNumbers": true,
            "RequireSymbols": false, "TemporaryPasswordValidityDays": 7,
        });
        assert_eq!(pool["UserPool"]["Policies"]["PasswordPolicy"], expected);
        for policies in [json!({}), json!({"PasswordPolicy": null})] {
            let pool = t.call("CreateUserPool", json!({"PoolName": "p", "Policies": policies})).await.ok();
            assert_eq!(pool["UserPool"]["Policies"]["PasswordPolicy"]["RequireSymbols"], true);
        }
    }

    #[tokio::test]
    async fn custom_attributes_keep_to_the_rules_from_the_start() {
        let t = Kit::new().await;
        let with = |required: bool| json!({"PoolName": "p", "Schema": [{"Name": "plan", "Required": required}]});
        let message = t.call("CreateUserPool", with(true)).await.error("InvalidParameterException");
        assert_eq!(message, "Required custom attributes are not supported currently.");
        t.call("CreateUserPool", with(false)).await.ok();
    }

    #[tokio::test]
    async fn the_two_ways_to_sign_in_by_address_exclude_each_other() {
        let t = Kit::new().await;
        let input = json!({"PoolName": "p", "UsernameAttributes": ["email"], "AliasAttributes": ["email"]});
        t.call("CreateUserPool", input).await.error("InvalidParameterException");
    }
}
