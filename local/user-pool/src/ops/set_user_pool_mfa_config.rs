//! `SetUserPoolMfaConfig`. Kept and given back; nobody is asked for a second factor yet, which is said when it is set
//! and, where the pool demands one, at every sign-in. A call replaces the configuration of before as a whole.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::declared::MfaConfig;
use crate::pool::Pool;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    mfa_configuration: Option<String>,
    #[serde(flatten)]
    config: MfaConfig,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(flatten)]
    pub config: MfaConfig,
    pub mfa_configuration: String,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let kept = || pool.settings.mfa_configuration.clone().unwrap_or_else(|| "OFF".into());
    let mode = request.mfa_configuration.unwrap_or_else(kept);
    request.config.check(&mode)?;
    let now = room.world.clock.now();
    let name = &pool.settings.name;
    let mut unused = Vec::new();
    if mode != "OFF" {
        unused.push(format!("MfaConfiguration {mode}"));
    }
    if request.config.web_authn_configuration.is_some() {
        unused.push("WebAuthnConfiguration".into());
    }
    room.report_not_honoured(&format!("user pool {name}"), &unused);
    let config = room.store.replace_declared(&pool.id, MfaConfig::NAME, request.config, now).await?.document;
    let mut settings = pool.settings.clone();
    settings.mfa_configuration = Some(mode.clone());
    room.save_pool(Pool { settings, modified: now, ..(*pool).clone() }).await?;
    Ok(Response { config, mfa_configuration: mode })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;

    fn set(t: &Kit, mode: &str, token: bool) -> Value {
        let token = json!({"Enabled": token});
        json!({"UserPoolId": t.pool, "MfaConfiguration": mode, "SoftwareTokenMfaConfiguration": token})
    }

    #[tokio::test]
    async fn what_was_set_is_given_back() {
        let t = Kit::new().await;
        let pool = json!({"UserPoolId": t.pool});
        let before = t.call("GetUserPoolMfaConfig", pool.clone()).await.ok();
        assert_eq!(before, json!({"MfaConfiguration": "OFF"}));
        let answer = t.call("SetUserPoolMfaConfig", set(&t, "OPTIONAL", true)).await.ok();
        let expected = json!({"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": true}});
        assert_eq!(answer, expected);
        assert_eq!(t.call("GetUserPoolMfaConfig", pool.clone()).await.ok(), expected);
        assert_eq!(t.call("DescribeUserPool", pool).await.ok()["UserPool"]["MfaConfiguration"], "OPTIONAL");
        assert!(t.warnings().iter().any(|warning| warning.contains("MfaConfiguration OPTIONAL")));
    }

    #[tokio::test]
    async fn mode_and_factors_fit_each_other() {
        let t = Kit::new().await;
        let message = t.call("SetUserPoolMfaConfig", set(&t, "OFF", true)).await.error("InvalidParameterException");
        assert_eq!(message, "Invalid MFA configuration given, can't turn off MFA and configure an MFA together.");
        let message = t.call("SetUserPoolMfaConfig", set(&t, "ON", false)).await.error("InvalidParameterException");
        let expected = "Invalid MFA Configuration given. SMS MFA, Email MFA, or Software Token MFA must be enabled.";
        assert_eq!(message, expected);
        t.call("SetUserPoolMfaConfig", set(&t, "MAYBE", true)).await.error("InvalidParameterException");
        t.call("SetUserPoolMfaConfig", set(&t, "OFF", false)).await.ok();
    }

    #[tokio::test]
    async fn a_sign_in_without_the_factor_that_the_pool_demands_is_named() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let named =
            || t.warnings().iter().filter(|warning| warning.contains("AWS would ask for a second factor")).count();
        t.call("SetUserPoolMfaConfig", set(&t, "OPTIONAL", true)).await.ok();
        t.tokens("ann@example.com").await;
        assert_eq!(named(), 0);
        t.call("SetUserPoolMfaConfig", set(&t, "ON", true)).await.ok();
        t.tokens("ann@example.com").await;
        assert_eq!(named(), 1);
    }
}
