//! AWS's APIs for the tools of this binary: on AWS, at any endpoint, or in a local cloud, which is asked for what was
//! not said.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use http::{Method, Uri};
use serde_json::Value;
use tandem_profiles::Timestamp;

use crate::api::Api;
use crate::arguments::Reach;

/// What one call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// AWS, or what stands for it.
pub struct Aws {
    pub sdk: SdkConfig,
    local: Option<Local>,
}

/// A local cloud of ours at the endpoint.
struct Local {
    stack: Value,
    /// How far its clock is ahead of ours.
    ahead_ms: i64,
}

impl Aws {
    /// As the AWS CLI finds it: environment, profiles, roles. Without a region, the one that begins `pool`'s id.
    pub async fn reach(reach: &Reach, pool: Option<&str>) -> anyhow::Result<Self> {
        let local = Local::at(reach).await?;
        let timeouts =
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(CALL_TIMEOUT);
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts.build());
        if let Some(profile) = &reach.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = &reach.endpoint_url {
            url.parse::<Uri>()
                .ok()
                .filter(|uri| uri.host().is_some())
                .with_context(|| format!("{url} is not a URL"))?;
            loader = loader.endpoint_url(url);
        }
        // A local cloud asks nobody who they are, and nobody has to look for keys in files or at a metadata service.
        if local.is_some() && reach.profile.is_none() {
            loader = loader.credentials_provider(Credentials::new("tandem", "tandem", None, None, "local cloud"));
        }
        let region = reach.region.clone().or_else(|| local.as_ref()?.text("region"));
        if let Some(region) = region {
            loader = loader.region(Region::new(region));
        }
        let mut sdk = loader.load().await;
        if sdk.region().is_none() {
            let Some((region, _)) = pool.and_then(|pool| pool.split_once('_')) else {
                bail!("which region? Name it with --region or AWS_REGION")
            };
            sdk = sdk.into_builder().region(Region::new(region.to_owned())).build();
        }
        Ok(Self { sdk, local })
    }

    /// What the local cloud's stack says under this name; `None` on AWS.
    pub fn local(&self, name: &str) -> Option<String> {
        self.local.as_ref()?.text(name)
    }

    /// The names under which the local cloud's stack has a list.
    pub fn local_list(&self, name: &str) -> Vec<String> {
        let list = self.local.as_ref().and_then(|local| local.stack.get(name)?.as_array());
        list.into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    }

    /// The time, as the place has it: an event from another clock would lose against the place's own.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(now_ms() + self.local.as_ref().map_or(0, |local| local.ahead_ms))
    }
}

impl Local {
    /// `None` if somebody else is there; an error if nobody is.
    async fn at(reach: &Reach) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = reach.endpoint_url.as_ref().filter(|url| is_loopback(url)) else { return Ok(None) };
        let Ok(api) = Api::new(endpoint) else { return Ok(None) };
        api.reach().await?;
        let asked = async {
            let stack = api.inside(Method::GET, "/_tandem/stack").await.ok()?;
            let health = api.inside(Method::GET, "/_tandem/health").await.ok()?;
            let now: Option<Timestamp> = health.get("now").and_then(Value::as_str).and_then(|now| now.parse().ok());
            Some(Self { stack, ahead_ms: now.map_or(0, |now| now.millis() - now_ms()) })
        };
        Ok(asked.await)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.stack.get(name)?.as_str().map(ToOwned::to_owned)
    }
}

/// Whether an endpoint is on this machine.
pub fn is_loopback(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    matches!(host, "localhost" | "::1" | "[::1]") || host.starts_with("127.")
}

#[expect(clippy::disallowed_methods, reason = "the time comes in here")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

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
