//! What a client's settings for managed login and federation must keep to. They have no effect yet; but a template that
//! AWS would refuse is refused here too.

use crate::client::ClientSettings;
use crate::constraint::Constraints;
use crate::declared::{IdentityProvider, ResourceServer};
use crate::pool::Pool;
use crate::{Error, UserPools};

const SCOPES: &[&str] = &["phone", "email", "openid", "profile", "aws.cognito.signin.user.admin"];
/// The pool itself, in `SupportedIdentityProviders`.
const THE_POOL: &str = "COGNITO";

/// Checks flows, scopes and identity providers.
pub async fn check(room: &UserPools, pool: &Pool, settings: &ClientSettings, has_secret: bool) -> Result<(), Error> {
    check_flows(settings, has_secret)?;
    for provider in settings.supported_identity_providers.iter().flatten().filter(|name| *name != THE_POOL) {
        if room.store.find_declared::<IdentityProvider>(&pool.id, provider).await?.is_none() {
            let message = format!("The provider {provider} does not exist for User Pool {}.", pool.id);
            return Err(Error::InvalidParameter(message));
        }
    }
    for scope in settings.allowed_oauth_scopes.iter().flatten().filter(|scope| !SCOPES.contains(&scope.as_str())) {
        if !is_of_a_resource_server(room, pool, scope).await? {
            return Err(Error::ScopeDoesNotExist(format!("Invalid scope requested: {scope}")));
        }
    }
    Ok(())
}

fn check_flows(settings: &ClientSettings, has_secret: bool) -> Result<(), Error> {
    let flows = settings.allowed_oauth_flows.as_deref().unwrap_or_default();
    let mut constraints = Constraints::new();
    for flow in flows {
        constraints = constraints.one_of("allowedOAuthFlows", flow, &["code", "implicit", "client_credentials"]);
    }
    constraints.check()?;
    let invalid = |message: &str| Err(Error::InvalidOAuthFlow(message.into()));
    let scopes = settings.allowed_oauth_scopes.as_deref().unwrap_or_default();
    if settings.allows_oauth == Some(true) && (flows.is_empty() || scopes.is_empty()) {
        return invalid(
            "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.",
        );
    }
    if !flows.iter().any(|flow| flow == "client_credentials") {
        return Ok(());
    }
    if flows.len() > 1 {
        return invalid("client_credentials flow can not be selected along with code flow or implicit flow.");
    }
    if !has_secret {
        return invalid("client_credentials flow can not be selected if client does not have a client secret.");
    }
    Ok(())
}

/// `{identifier}/{scope}`; the identifier may have slashes, the scope none.
async fn is_of_a_resource_server(room: &UserPools, pool: &Pool, scope: &str) -> Result<bool, Error> {
    let Some((identifier, name)) = scope.rsplit_once('/') else { return Ok(false) };
    let server = room.store.find_declared::<ResourceServer>(&pool.id, identifier).await?;
    Ok(server.is_some_and(|server| server.document.scopes.iter().any(|scope| scope.scope_name == name)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Answer, Kit};

    async fn create(t: &Kit, settings: Value) -> Answer {
        let mut input = json!({"UserPoolId": t.pool, "ClientName": "c"});
        input.as_object_mut().expect("an object").append(&mut settings.as_object().expect("an object").clone());
        t.call("CreateUserPoolClient", input).await
    }

    #[tokio::test]
    async fn a_provider_must_be_there() {
        let t = Kit::new().await;
        create(&t, json!({"SupportedIdentityProviders": ["COGNITO"]})).await.ok();
        let google = json!({"SupportedIdentityProviders": ["COGNITO", "Google"]});
        let message = create(&t, google.clone()).await.error("InvalidParameterException");
        assert_eq!(message, format!("The provider Google does not exist for User Pool {}.", t.pool));
        t.call("CreateIdentityProvider", t.provider("Google")).await.ok();
        let client = create(&t, google).await.ok();
        assert_eq!(client["UserPoolClient"]["SupportedIdentityProviders"], json!(["COGNITO", "Google"]));
    }

    #[tokio::test]
    async fn a_scope_must_be_there() {
        let t = Kit::new().await;
        create(&t, json!({"AllowedOAuthScopes": ["openid", "email"]})).await.ok();
        let scopes = json!({"AllowedOAuthScopes": ["https://example.com/orders/read"]});
        create(&t, scopes.clone()).await.error("ScopeDoesNotExistException");
        let server = json!({
            "UserPoolId": t.pool, "Identifier": "https://example.com/orders", "Name": "orders",
            "Scopes": [{"ScopeName": "read", "ScopeDescription": "reads"}],
        });
        t.call("CreateResourceServer", server).await.ok();
        create(&t, scopes).await.ok();
        create(&t, json!({"AllowedOAuthScopes": ["https://example.com/orders/write"]}))
            .await
            .error("ScopeDoesNotExistException");
    }

    #[tokio::test]
    async fn flows_that_exclude_each_other() {
        let t = Kit::new().await;
        let (all, scopes) = (["client_credentials", "code"], ["openid"]);
        let wrong = [
            json!({"AllowedOAuthFlows": all, "GenerateSecret": true}),
            json!({"AllowedOAuthFlows": ["client_credentials"]}),
            json!({"AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthScopes": scopes}),
            json!({"AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthFlows": ["code"]}),
        ];
        for settings in wrong {
            create(&t, settings).await.error("InvalidOAuthFlowException");
        }
        create(&t, json!({"AllowedOAuthFlows": ["password"]})).await.error("InvalidParameterException");
        create(&t, json!({"AllowedOAuthFlows": ["client_credentials"], "GenerateSecret": true})).await.ok();
        let code = json!({
            "AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": scopes,
        });
        let client = create(&t, code).await.ok()["UserPoolClient"].take();
        assert_eq!(client["AllowedOAuthFlows"], json!(["code"]));
        assert_eq!(client["AllowedOAuthFlowsUserPoolClient"], true);
    }
}
