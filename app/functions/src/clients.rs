//! How the SDK's clients are set up: quickly, because every cold start waits for it.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use crate::environment::optional;

/// What an asynchronous function may wait for one call; its own time-out is longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);

/// What fits into the 5 seconds that Cognito gives a trigger, a cold start included: two tries of a call, the second one
/// soon. The SDK's own connect time-out alone is 3.1.
const TRIGGER_CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
const TRIGGER_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
const TRIGGER_OPERATION_TIMEOUT: Duration = Duration::from_secs(3);
const TRIGGER_ATTEMPTS: u32 = 2;
const TRIGGER_BACKOFF: Duration = Duration::from_millis(100);

/// Where the services that the functions call may be found apart from the others.
const SERVICE_ENDPOINTS: [&str; 4] = [
    "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_EVENTBRIDGE",
    "AWS_ENDPOINT_URL_SESV2",
];

/// How long a user pool's trigger waits for one call.
pub(crate) fn trigger_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(TRIGGER_CONNECT_TIMEOUT)
        .operation_attempt_timeout(TRIGGER_ATTEMPT_TIMEOUT)
        .operation_timeout(TRIGGER_OPERATION_TIMEOUT)
        .build()
}

/// How often a user pool's trigger tries one call.
pub(crate) fn trigger_retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(TRIGGER_ATTEMPTS).with_initial_backoff(TRIGGER_BACKOFF)
}

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
    if is_plain() {
        loader = loader.http_client(aws_smithy_http_client::Builder::new().build_http());
    }
    loader.load().await
}

/// Whether no call needs TLS, as in the local cloud. To have it ready means to read some hundred certificates, which is
/// most of what a start would take.
fn is_plain() -> bool {
    optional("AWS_ENDPOINT_URL").is_some_and(|url| url.starts_with("http://"))
        && SERVICE_ENDPOINTS.iter().all(|name| optional(name).is_none_or(|url| url.starts_with("http://")))
        && optional("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_none()
}
