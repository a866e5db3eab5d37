//! What was typed, and what it means: which pool, which table, by which clients.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use tandem_pool::{Bus, Pool};
use tandem_profiles::{ProfileStore, Timestamp};
use tandem_reconcile::Pace;

use crate::arguments::PoolAndTable;
use crate::aws::{Aws, is_loopback};

/// Calls of the pool per second on AWS. `ListUsers` and `ListUsersInGroup` share a category of 30 a second over all
/// pools of an account and region (`UserList` in cognito/latest/developerguide/quotas.html); the application wants some.
const RATE_ON_AWS: f64 = 20.0;

/// Where progress is kept, beside the local cloud's state.
pub const STATE: &str = ".tandem/reconcile";

/// A pool and a table that can be reached.
pub struct Place {
    aws: Arc<Aws>,
    /// Without the SDK's own retries, which would hide throttles.
    sdk: SdkConfig,
    pub user_pool_id: String,
    pub table: String,
    pub bus: Option<Bus>,
    /// Whether a verified address may be one profile's alone.
    is_unique_email: bool,
    pub attributes: Option<Vec<String>>,
    pub pace: Pace,
    pub state: PathBuf,
}

impl Place {
    /// Asks a local cloud for what was not said.
    pub async fn find(arguments: &PoolAndTable, word: &str) -> anyhow::Result<Self> {
        let aws = Aws::reach(&arguments.reach, arguments.user_pool_id.as_deref()).await?;
        let said = |typed: &Option<String>| typed.clone().filter(|text| !text.is_empty());
        let user_pool_id = said(&arguments.user_pool_id).or_else(|| aws.local("userPoolId"));
        let user_pool_id = user_pool_id.context("which user pool? Name it with --user-pool-id or USER_POOL_ID")?;
        let table = said(&arguments.table).or_else(|| aws.local("tableName"));
        let table = table.context("which table? Name it with --table or TABLE_NAME")?;
        ensure!(
            user_pool_id.contains('_') && !user_pool_id.contains(['/', ':', ' ']),
            "{user_pool_id} is no user pool's id: one looks like eu-west-1_AbCdEfGhI"
        );
        let sdk = aws.sdk.to_builder().retry_config(RetryConfig::disabled()).build();
        let is_here = arguments.reach.endpoint_url.as_deref().is_some_and(is_loopback);
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
            aws: Arc::new(aws),
            sdk,
            user_pool_id,
            table,
            bus,
            is_unique_email: arguments.unique_email,
            attributes,
            pace: Pace { calls: limit(rate), read_capacity: limit(arguments.read_capacity) },
            state,
        })
    }

    pub fn pool(&self) -> Pool {
        Pool::new(self.pools(), self.user_pool_id.clone())
    }

    pub fn profiles(&self) -> ProfileStore {
        let profiles = ProfileStore::new(aws_sdk_dynamodb::Client::new(&self.sdk), self.table.clone());
        if self.is_unique_email { profiles.with_unique_email() } else { profiles }
    }

    /// The time, as the place has it: an event from another clock would lose against the place's own.
    pub fn clock(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let aws = Arc::clone(&self.aws);
        move || aws.now()
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
