//! `CreateUserPoolClient`.
//!
//! A client's id is made up unless the name begins with `_custom_id_:`, as `LocalStack`'s users know it: then the
//! rest is the id; a name may follow behind one more colon, which no name contains: `_custom_id_:{id}:{name}`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::{client_oauth, only};
use crate::client::{Client, ClientId, ClientSettings};
use crate::constraint::Constraints;
use crate::{Error, UserPools};

const PINNED_ID_PREFIX: &str = "_custom_id_:";
const ID_LENGTH: usize = 26;
const SECRET_LENGTH: usize = 51;

const FLOWS: &[&str] = &[
    "ADMIN_NO_SRP_AUTH",
    "CUSTOM_AUTH_FLOW_ONLY",
    "USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_CUSTOM_AUTH",
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
    "ALLOW_USER_AUTH",
];
/// Flows that a client may list and nobody can use here yet.
const FLOWS_NOT_THERE: &[&str] = &["CUSTOM_AUTH_FLOW_ONLY", "ALLOW_CUSTOM_AUTH", "ALLOW_USER_AUTH"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    #[serde(default)]
    generate_secret: bool,
    #[serde(flatten)]
    settings: ClientSettings,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user_pool_client: UserPoolClientType,
}

/// The API's shape of a client.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserPoolClientType {
    client_id: String,
    user_pool_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    creation_date: f64,
    last_modified_date: f64,
    #[serde(flatten)]
    settings: ClientSettings,
}

impl UserPoolClientType {
    /// Of a client, with the defaults that AWS shows.
    pub fn of(client: &Client) -> Self {
        let mut settings = client.settings.clone();
        settings.refresh_token_validity.get_or_insert(30);
        settings.auth_session_validity.get_or_insert(3);
        settings.enable_token_revocation.get_or_insert(true);
        Self {
            client_id: client.id.0.clone(),
            user_pool_id: client.pool.0.clone(),
            client_secret: client.secret.clone(),
            creation_date: client.created.epoch_seconds(),
            last_modified_date: client.modified.epoch_seconds(),
            settings,
        }
    }
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let mut settings = request.settings;
    let mut pinned = None;
    if let Some(rest) = settings.client_name.strip_prefix(PINNED_ID_PREFIX) {
        let (id, name) = rest.split_once(':').unwrap_or((rest, rest));
        pinned = Some(pinned_id(id)?);
        settings.client_name = name.to_owned();
    }
    check(&settings)?;
    client_oauth::check(room, &pool, &settings, request.generate_secret).await?;
    let id = pinned.unwrap_or_else(|| ClientId(room.world.random.alphanumeric(ID_LENGTH)));
    if room.client(&id.0).is_ok() {
        return Err(Error::InvalidParameter(format!("A client with the pinned id {id} already exists.")));
    }
    report(room, &settings);
    let now = room.world.clock.now();
    let client = Client {
        id,
        pool: pool.id.clone(),
        secret: request.generate_secret.then(|| room.world.random.alphanumeric(SECRET_LENGTH)),
        settings,
        created: now,
        modified: now,
    };
    let client = room.save_client(client).await?;
    Ok(Response { user_pool_client: UserPoolClientType::of(&client) })
}

fn pinned_id(id: &str) -> Result<ClientId, Error> {
    let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '+';
    Constraints::new().length("clientId", id, 1..=128).pattern("clientId", id, r"[\w+]+", fits).check()?;
    Ok(ClientId(id.to_owned()))
}

/// The rules that hold for a client's settings, new or changed.
pub fn check(settings: &ClientSettings) -> Result<(), Error> {
    let name_fits = |c: char| c.is_alphanumeric() || c == '_' || c.is_whitespace() || "+=,.@-".contains(c);
    Constraints::new()
        .length("clientName", &settings.client_name, 1..=128)
        .pattern("clientName", &settings.client_name, r"[\w\s+=,.@-]+", name_fits)
        .number("authSessionValidity", settings.auth_session_validity.unwrap_or(3).into(), 3..=15)
        .number("refreshTokenValidity", settings.refresh_token_validity.unwrap_or(30).into(), 0..=315_360_000)
        .check()?;
    let flows = settings.explicit_auth_flows.as_deref().unwrap_or_default();
    for flow in flows {
        only("explicitAuthFlows", flow, FLOWS)?;
    }
    let (new, old) = (flows.iter().any(|flow| flow.starts_with("ALLOW_")), |flow: &String| !flow.starts_with("ALLOW_"));
    if new && flows.iter().any(old) {
        let message = "Legacy ExplicitAuthFlows may not be mixed with the new ALLOW_ values.";
        return Err(Error::InvalidParameter(message.into()));
    }
    if let Some(mode) = &settings.prevent_user_existence_errors {
        only("preventUserExistenceErrors", mode, &["LEGACY", "ENABLED"])?;
    }
    check_lives(settings)
}

/// Access and id tokens live between five minutes and a day, refresh tokens between an hour and ten years.
fn check_lives(settings: &ClientSettings) -> Result<(), Error> {
    const DAY_S: u64 = 86_400;
    let short = [("AccessTokenValidity", settings.access_token_life()), ("IdTokenValidity", settings.id_token_life())];
    let wrong = short.into_iter().find(|(_, life)| !(300..=DAY_S).contains(&life.as_secs()));
    let refresh = settings.refresh_token_life().as_secs();
    let wrong = wrong.map(|(name, _)| (name, "5 minutes and 1 day")).or_else(|| {
        (!(3600..=3650 * DAY_S).contains(&refresh)).then_some(("RefreshTokenValidity", "60 minutes and 3650 days"))
    });
    match wrong {
        None => Ok(()),
        Some((name, range)) => {
            Err(Error::InvalidParameter(format!("Invalid range for token validity: {name} must be between {range}.")))
        }
    }
}

/// Says by name what has no effect here.
pub fn report(room: &UserPools, settings: &ClientSettings) {
    let mut names = settings.not_honoured();
    let flows = settings.explicit_auth_flows.iter().flatten();
    let flows = flows.filter(|flow| FLOWS_NOT_THERE.contains(&flow.as_str()));
    names.extend(flows.map(|flow| format!("ExplicitAuthFlows.{flow}")));
    room.report_not_honoured(&format!("user pool client {}", settings.client_name), &names);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn old_and_new_names_of_flows_do_not_mix() {
        let t = Kit::new().await;
        let flows = ["USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"];
        let input = json!({"UserPoolId": t.pool, "ClientName": "c", "ExplicitAuthFlows": flows});
        t.call("CreateUserPoolClient", input).await.error("InvalidParameterException");
    }

    #[tokio::test]
    async fn a_secret_is_made_when_asked_for() {
        let t = Kit::new().await;
        let create = |secret: bool| json!({"UserPoolId": t.pool, "ClientName": "c", "GenerateSecret": secret});
        let with = t.call("CreateUserPoolClient", create(true)).await.ok();
        assert!(with["UserPoolClient"]["ClientSecret"].is_string());
        let without = t.call("CreateUserPoolClient", create(false)).await.ok();
        assert!(without["UserPoolClient"].get("ClientSecret").is_none());
    }
}
