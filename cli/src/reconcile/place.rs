//! What was typed, and what it means: which pool, which table, by which clients.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use http::{Method, Uri};
use serde_json::Value;
use tandem_pool::{Bus, Pool};
use tandem_profiles::{ProfileStore, Timestamp};
use tandem_reconcile::Pace;

use crate::api::Api;
use crate::arguments::PoolAndTable;

/// Calls of the pool per second on AWS. `ListUsers` and `ListUsersInGroup` share a category of 30 a second over all
/// pools of an account and region (`UserList` in cognito/latest/developerguide/quotas.html); the application wants some.
const RATE_ON_AWS: f64 = 20.0;

/// What one call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where progress is kept, beside the local cloud's state.
pub const STATE: &str = ".tandem/reconcile";

/// A pool and a table that can be reached.
pub struct Place {
    pub sdk: SdkConfig,
    pub user_pool_id: String,
    pub table: String,
    pub bus: Option<Bus>,
    pub attributes: Option<Vec<String>>,
    pub pace: Pace,
    pub state: PathBuf,
    /// How far the local cloud's clock is ahead of ours.
    ahead_ms: i64,
}

impl Place {
    /// Asks a local cloud for what was not said.
    pub async fn find(arguments: &PoolAndTable, word: &str) -> anyhow::Result<Self> {
        let local = Local::at(arguments).await;
        let said = |typed: &Option<String>| typed.clone().filter(|text| !text.is_empty());
        let of_local = |name: &str| Some(local.as_ref()?.stack.get(name)?.as_str()?.to_owned());
        let user_pool_id = said(&arguments.user_pool_id).or_else(|| of_local("userPoolId"));
        let user_pool_id = user_pool_id.context("which user pool? Name it with --user-pool-id or USER_POOL_ID")?;
        let table = said(&arguments.table).or_else(|| of_local("tableName"));
        let table = table.context("which table? Name it with --table or TABLE_NAME")?;
        ensure!(
            user_pool_id.contains('_') && !user_pool_id.contains(['/', ':', ' ']),
            "{user_pool_id} is no user pool's id: one looks like eu-west-1_AbCdEfGhI"
        );
        let sdk = sdk_config(arguments, &user_pool_id, local.is_some()).await?;
        let is_here = arguments.endpoint_url.as_deref().is_some_and(is_loopback);
        let bus = said(&arguments.event_bus);
        let bus = bus.map(|name| Bus::new(aws_sdk_eventbridge::Client::new(&sdk), name));
        let rate = arguments.rate.unwrap_or(if is_here { 0.0 } else { RATE_ON_AWS });
        let limit = |rate: f64| (rate > 0.0).then_some(rate);
        ensure!(
            rate >= 0.0 && arguments.read_capacity >= 0.0,
            "--rate and --read-capacity are numbers above zero, or 0"
        );
        // `EVENT_ATTRIBUTES=` in the environment of functions means none, here as well.
        let names = arguments.attributes.as_ref();
        let attributes = names.map(|names| names.iter().filter(|name| !name.is_empty()).cloned().collect());
        let state = arguments.state.clone();
        let state = state.unwrap_or_else(|| PathBuf::from(STATE).join(format!("{word}-{user_pool_id}")));
        Ok(Self {
            sdk,
            user_pool_id,
            table,
            bus,
            attributes,
            pace: Pace { calls: limit(rate), read_capacity: limit(arguments.read_capacity) },
            state,
            ahead_ms: local.map_or(0, |local| local.ahead_ms),
        })
    }

    pub fn pool(&self) -> Pool {
        Pool::new(self.pools(), self.user_pool_id.clone())
    }

    pub fn profiles(&self) -> ProfileStore {
        ProfileStore::new(aws_sdk_dynamodb::Client::new(&self.sdk), self.table.clone())
    }

    /// The time, as the place has it: an event from another clock would lose against the place's own.
    pub fn clock(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let ahead_ms = self.ahead_ms;
        move || Timestamp::from_millis(now_ms() + ahead_ms)
    }

    /// How many users and items there are, about; nothing where nobody says.
    pub async fn estimates(&self) -> (Option<u64>, Option<u64>) {
        let number = |number: i64| u64::try_from(number).ok().filter(|number| *number > 0);
        let pool = self.pools().describe_user_pool().user_pool_id(&self.user_pool_id).send().await;
        let users = pool.ok().and_then(|answer| answer.user_pool).map(|pool| i64::from(pool.estimated_number_of_users));
        let table = aws_sdk_dynamodb::Client::new(&self.sdk).describe_table().table_name(&self.table).send().await;
        let items = table.ok().and_then(|answer| answer.table?.item_count);
        (users.and_then(number), items.and_then(number))
    }

    fn pools(&self) -> aws_sdk_cognitoidentityprovider::Client {
        aws_sdk_cognitoidentityprovider::Client::new(&self.sdk)
    }
}

/// A local cloud of ours at the endpoint.
struct Local {
    stack: Value,
    ahead_ms: i64,
}

impl Local {
    /// `None` if somebody else is there, or nobody: the first real call will tell.
    async fn at(arguments: &PoolAndTable) -> Option<Self> {
        let endpoint = arguments.endpoint_url.as_ref().filter(|url| is_loopback(url))?;
        let api = Api::new(endpoint).ok()?;
        let stack = api.inside(Method::GET, "/_tandem/stack").await.ok()?;
        let health = api.inside(Method::GET, "/_tandem/health").await.ok()?;
        let now: Option<Timestamp> = health.get("now").and_then(Value::as_str).and_then(|now| now.parse().ok());
        Some(Self { stack, ahead_ms: now.map_or(0, |now| now.millis() - now_ms()) })
    }
}

fn is_loopback(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    matches!(host, "localhost" | "::1" | "[::1]") || host.starts_with("127.")
}

/// As the AWS CLI has it: environment, profiles, roles. The SDK's own retries are off: they would hide throttles.
async fn sdk_config(arguments: &PoolAndTable, pool: &str, is_local: bool) -> anyhow::Result<SdkConfig> {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(CALL_TIMEOUT);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts.build());
    if let Some(profile) = &arguments.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &arguments.endpoint_url {
        url.parse::<Uri>().ok().filter(|uri| uri.host().is_some()).with_context(|| format!("{url} is not a URL"))?;
        loader = loader.endpoint_url(url);
    }
    // A local cloud asks nobody who they are, and nobody has to look for keys in files or at a metadata service.
    if is_local && arguments.profile.is_none() {
        loader = loader.credentials_provider(Credentials::new("tandem", "tandem", None, None, "local cloud"));
    }
    if let Some(region) = &arguments.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let sdk = loader.load().await;
    if sdk.region().is_some() {
        return Ok(sdk);
    }
    let Some((region, _)) = pool.split_once('_') else { bail!("which region? Name it with --region or AWS_REGION") };
    Ok(sdk.into_builder().region(Region::new(region.to_owned())).build())
}

#[expect(clippy::disallowed_methods, reason = "the time comes in here")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Said until markers are compared.
const UNIQUE_EMAIL: &str =
    "markers of unique addresses are not compared yet: leave --unique-email and UNIQUE_EMAIL away";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_for_a_local_cloud() {
        for url in ["http://127.0.0.1:4566", "http://localhost:4566/", "http://[::1]:1"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["https://cognito-idp.eu-west-1.amazonaws.com", "http://localhost.example.com", "nonsense"] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
