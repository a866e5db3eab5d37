//! What the function is told by its environment.

use crate::environment::{Invalid, flag, list, optional, required, table_name};

use super::schema::Schema;

/// What the function is told by its environment.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The id of the pool whose tokens are taken.
    pub user_pool: String,
    /// What those tokens have as `iss`.
    pub issuer: String,
    /// Where the pool's keys are.
    pub keys_url: String,
    /// The ids of the clients whose tokens are taken.
    pub clients: Vec<String>,
    /// Which tokens are taken.
    pub token_use: TokenUse,
    /// The profiles' table.
    pub table: String,
    /// Whether a verified address is one profile's alone: what erases a profile then gives the address back.
    pub unique_email: bool,
    /// Name or ARN of the bus that hears of a deleted account.
    pub bus: String,
    /// The group whose members may read every profile.
    pub admin_group: String,
    /// What the application's attributes have to follow.
    pub schema: Option<Schema>,
    /// The origins of web pages that may call: none, unless something in front of the function allows them.
    pub origins: Vec<String>,
    /// What the paths begin with beside the stage, where a domain of one's own maps to the API; empty, or `/` and more.
    pub base_path: String,
}

/// Which tokens are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenUse {
    /// Access tokens: the ones that are made for APIs.
    #[default]
    Access,
    /// Id tokens: for front-ends that send nothing else. They cannot delete an account.
    Id,
    /// Both.
    Any,
}

impl Settings {
    /// From `USER_POOL_ID`, `CLIENT_IDS`, `TABLE_NAME`, `EVENT_BUS_NAME`, and what may be left out.
    pub fn from_environment() -> Result<Self, Invalid> {
        let user_pool = required("USER_POOL_ID", "the id of the user pool whose tokens are taken")?;
        let clients = list(&required("CLIENT_IDS", "the ids of the app clients whose tokens are taken, with commas")?);
        let endpoint = optional("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER").or_else(|| optional("AWS_ENDPOINT_URL"));
        let Some(issuer) = issuer(&user_pool) else {
            return Err(Invalid::Value {
                name: "USER_POOL_ID",
                value: user_pool,
                expected: "a user pool's id, such as eu-west-1_aBcDeFgHi",
            });
        };
        let keys_url = optional("TOKEN_KEYS_URL").unwrap_or_else(|| keys_url(&user_pool, &issuer, endpoint.as_deref()));
        let schema = optional("PROFILE_SCHEMA").map(|text| Schema::from_setting(&text)).transpose();
        Ok(Self {
            table: table_name()?,
            unique_email: flag("UNIQUE_EMAIL")?,
            bus: required("EVENT_BUS_NAME", "the name or ARN of the bus that hears of deleted accounts")?,
            token_use: token_use(optional("TOKEN_USE"))?,
            admin_group: optional("ADMIN_GROUP").unwrap_or_else(|| "admin".to_owned()),
            schema: schema.map_err(|invalid| Invalid::Schema { reason: invalid.to_string() })?,
            origins: list(&optional("CORS_ORIGINS").unwrap_or_default()),
            base_path: base_path(&optional("BASE_PATH").unwrap_or_default()),
            user_pool,
            issuer,
            keys_url,
            clients,
        })
    }
}

/// What a pool writes as `iss`, whatever the endpoint: the region is the first part of its id.
pub(crate) fn issuer(user_pool: &str) -> Option<String> {
    let (region, rest) = user_pool.split_once('_')?;
    let is_region = !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_region || rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    Some(format!("https://cognito-idp.{region}.{suffix}/{user_pool}"))
}

fn keys_url(user_pool: &str, issuer: &str, endpoint: Option<&str>) -> String {
    match endpoint {
        Some(endpoint) => format!("{}/{user_pool}/.well-known/jwks.json", endpoint.trim_end_matches('/')),
        None => format!("{issuer}/.well-known/jwks.json"),
    }
}

fn token_use(value: Option<String>) -> Result<TokenUse, Invalid> {
    match value.as_deref() {
        None | Some("access") => Ok(TokenUse::Access),
        Some("id") => Ok(TokenUse::Id),
        Some("any") => Ok(TokenUse::Any),
        Some(_) => {
            let value = value.unwrap_or_default();
            Err(Invalid::Value { name: "TOKEN_USE", value, expected: "access, id or any" })
        }
    }
}

/// With one slash before it and none after.
fn base_path(text: &str) -> String {
    let text = text.trim_matches('/');
    if text.is_empty() { String::new() } else { format!("/{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pools_region_is_in_its_id() {
        let expected = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC";
        assert_eq!(issuer("eu-west-1_AbC").as_deref(), Some(expected));
        assert_eq!(
            issuer("cn-north-1_A").as_deref(),
            Some("https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_A")
        );
    }

    #[test]
    fn what_is_no_pools_id_has_no_issuer() {
        for id in ["", "eu-west-1", "_x", "eu-west-1_", "evil.example/_x", "eu-west-1_a/b"] {
            assert_eq!(issuer(id), None, "{id}");
        }
    }

    #[test]
    fn keys_are_with_the_issuer_or_at_the_endpoint() {
        assert_eq!(keys_url("r_p", "https://i/r_p", None), "https://i/r_p/.well-known/jwks.json");
        assert_eq!(keys_url("r_p", "https://i/r_p", Some("http://h:1/")), "http://h:1/r_p/.well-known/jwks.json");
    }

    #[test]
    fn a_base_path_has_one_slash() {
        assert_eq!((base_path("/v1/"), base_path("v1"), base_path("/")), ("/v1".into(), "/v1".into(), String::new()));
    }
}
