//! `reconcile-profiles`: compares profiles with the pool, on a schedule.
//!
//! A run ends half a minute before the function would be ended, and the next one goes on where it stopped: what has been
//! read waits in the profiles' table meanwhile. Two runs at a time are refused, so give the function a reserved
//! concurrency of one and no retries of its own.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use lambda_runtime::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_pool::{Bus, Pool};
use tandem_profiles::{ProfileStore, Timestamp};
use tandem_reconcile::{Ended, Pace, Reconciliation, Repair, Report, Surroundings, Table, fresh_key};

use crate::environment::{self, Invalid};
use crate::error::Error;

/// What `_HANDLER` is for this function.
pub const HANDLER: &str = "reconcile-profiles";

/// What is left for recording when a run stops. A call may take some seconds, and a throttled one some more.
const MARGIN_MS: i64 = 30_000;

/// So many findings are logged one by one; the rest are counted.
const LOGGED_MAX: u64 = 100;

/// What the function needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The pool.
    pub user_pool_id: String,
    /// The profiles' table.
    pub table: String,
    /// Where events go; without a bus, repairs are written into the table.
    pub bus: Option<String>,
    /// The attributes that publishers pass on.
    pub attributes: Vec<String>,
    /// Whether a verified address may be one profile's alone.
    pub unique_email: bool,
    /// Whether drift is repaired, if the event does not say.
    pub repair: bool,
    /// Who was changed less than so many seconds ago is left alone, if the event does not say.
    pub min_age_seconds: u32,
    /// Calls of the pool per second.
    pub rate: u32,
}

impl Settings {
    /// From the environment of the function.
    pub fn from_environment() -> Result<Self, Invalid> {
        Ok(Self {
            user_pool_id: environment::user_pool_id()?,
            table: environment::table_name()?,
            bus: environment::optional("EVENT_BUS_NAME"),
            attributes: environment::event_attributes(),
            unique_email: environment::flag("UNIQUE_EMAIL")?,
            repair: environment::flag("RECONCILE_REPAIR")?,
            min_age_seconds: environment::number_or("RECONCILE_MIN_AGE", 600)?,
            rate: environment::number_or("RECONCILE_RATE", 20)?,
        })
    }
}

/// What an event may say. A schedule's own event says nothing of this.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wish {
    repair: Option<bool>,
    min_age: Option<u32>,
}

/// The function.
pub struct ReconcileProfiles {
    sdk: SdkConfig,
    settings: Settings,
}

impl ReconcileProfiles {
    /// Without the SDK's own retries: they would hide from us that a service asks for fewer calls.
    pub fn new(sdk: SdkConfig, settings: Settings) -> Self {
        let sdk = sdk.into_builder().retry_config(RetryConfig::disabled()).build();
        Self { sdk, settings }
    }

    /// One run, or a part of one; answers with what it came to.
    pub async fn handle(
        &self,
        event: &Value,
        context: &Context,
        clock: impl Fn() -> Timestamp + Copy + Send + Sync + 'static,
    ) -> Result<Value, Error> {
        let wish: Wish = match event {
            Value::Object(_) => {
                Wish::deserialize(event).map_err(|_| Error::InvalidReconcileEvent("its fields".into()))?
            }
            _ => Wish::default(),
        };
        let began = clock();
        let deadline = i64::try_from(context.deadline).unwrap_or(i64::MAX);
        // A function that has little time has still some for its work.
        let margin = MARGIN_MS.min((deadline.saturating_sub(began.millis())) / 3);
        let is_over = move || clock().millis() >= deadline - margin;
        let run = self.run(&wish, began, clock, is_over);
        match run.run().await? {
            Ended::Stopped => {
                let meter = run.meter();
                let part = json!({"done": false, "users": meter.users(), "items": meter.items()});
                tracing::info!(
                    users = meter.users(),
                    items = meter.items(),
                    "reconciliation goes on with the next run"
                );
                Ok(part)
            }
            Ended::Done(report) => {
                tell(&run, &report).await?;
                run.clear().await?;
                let mut answer = json!({"done": true, "left": report.counts.left()});
                answer["report"] = serde_json::to_value(&*report).unwrap_or_default();
                Ok(answer)
            }
        }
    }

    fn run(
        &self,
        wish: &Wish,
        now: Timestamp,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        is_stopped: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Reconciliation {
        let settings = &self.settings;
        let tables = aws_sdk_dynamodb::Client::new(&self.sdk);
        let pools = aws_sdk_cognitoidentityprovider::Client::new(&self.sdk);
        let repair = match (wish.repair.unwrap_or(settings.repair), &settings.bus) {
            (false, _) => Repair::No,
            (true, Some(bus)) => Repair::Bus(Bus::new(aws_sdk_eventbridge::Client::new(&self.sdk), bus.as_str())),
            (true, None) => Repair::Table,
        };
        let min_age = wish.min_age.unwrap_or(settings.min_age_seconds);
        let profiles = ProfileStore::new(tables.clone(), settings.table.as_str());
        let spool = Table::new(tables, settings.table.as_str(), &settings.user_pool_id, now);
        Reconciliation::new(
            Pool::new(pools, settings.user_pool_id.as_str()),
            if settings.unique_email { profiles.with_unique_email() } else { profiles },
            tandem_reconcile::Settings {
                attributes: Some(settings.attributes.clone()),
                groups: true,
                min_age: Duration::from_secs(min_age.into()),
                repair,
                pace: Pace { calls: (settings.rate > 0).then_some(settings.rate.into()), read_capacity: None },
            },
            Arc::new(spool),
            Surroundings { clock: Box::new(clock), is_stopped: Box::new(is_stopped), key: fresh_key() },
        )
    }
}

/// Into the log: ids and kinds, nothing personal.
async fn tell(run: &Reconciliation, report: &Report) -> Result<(), Error> {
    let mut told = 0;
    run.findings(|finding| {
        told += 1;
        if told <= LOGGED_MAX {
            let (kind, outcome) = (finding.kind.as_str(), finding.outcome.as_str());
            tracing::warn!(kind, outcome, fields = ?finding.fields, user_id = %finding.user_id, "drift");
        }
    })
    .await?;
    let counts = &report.counts;
    tracing::info!(
        users = counts.users,
        profiles = counts.profiles,
        findings = counts.findings(),
        left = counts.left(),
        young = counts.young,
        throttles = report.requests.throttles,
        "profiles compared with the pool"
    );
    Ok(())
}
