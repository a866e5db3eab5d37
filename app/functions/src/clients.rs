//! How the SDK's clients are set up: quickly, because every cold start waits for it.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use crate::environment::optional;

/// What an asynchronous function may wait for one call; its own time-out is longer.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1000);
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(3000);
const OPERATION_TIMEOUT: Duration = Duration::from_millis(8000);

/// The SDK's settings. Where the credentials are in the environment, as in every Lambda function, nothing else is
/// asked for them: no profile files, no metadata service. Other variables (`AWS_ENDPOINT_URL` and its forms for one
/// service, `AWS_MAX_ATTEMPTS`, `AWS_USE_FIPS_ENDPOINT`, …) count as always.
pub async fn sdk_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT);
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts.build());
    if let Some(region) = optional("AWS_REGION").or_else(|| optional("AWS_DEFAULT_REGION")) {
        loader = loader.region(Region::new(region));
    }
    if optional("AWS_ACCESS_KEY_ID").is_some() {
        loader = loader
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .profile_files(EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, "").build());
    }
    loader.load().await
}
