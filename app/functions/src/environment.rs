//! What the functions read from their environment, all of it when they start.
//!
//! | Variable | Function | Meaning |
//! |---|---|---|
//! | `_HANDLER` | all | which function this process is; Lambda sets it from the function's `Handler` |
//! | `EVENT_BUS_NAME` | announce-user, notice-sign-in, reread-user, create-profile, profile-api, reconcile-profiles | name or ARN of the bus; required, except by create-profile, which tells it of conflicts, and reconcile-profiles, which writes into the table without one |
//! | `ON_PUBLISH_FAILURE` | announce-user, notice-sign-in | what becomes of the user's call if the bus does not take the event. `fail`: Cognito tells the user. `continue`: it is logged, and found later. Unless said, a sign-up fails, because nothing else may ever tell of it but the next sign-in; a sign-in goes on, because the next one and the reconciler find the same |
//! | `EVENT_ATTRIBUTES` | announce-user, notice-sign-in, reread-user, reconcile-profiles | names of user attributes to pass on in `data.attributes`, with commas between; none by default. The same for all, or they contradict each other |
//! | `TABLE_NAME` | notice-sign-in, reread-user, create-profile, welcome-email, profile-api, reconcile-profiles | the profiles' table; required |
//! | `USER_POOL_ID` | reread-user, profile-api, reconcile-profiles | the pool whose users have profiles, and whose tokens are taken; required by the last two. reread-user passes over calls about other pools, and without it calls that name none |
//! | `UNIQUE_EMAIL` | create-profile, profile-api, reconcile-profiles | `true` if a verified address may be one profile's alone; `false` is the default |
//! | `RECONCILE_REPAIR` | reconcile-profiles | `true` (drift is repaired: by events if `EVENT_BUS_NAME` is set, else in the table) or `false` (the default: it is told); the event's `repair` goes first |
//! | `RECONCILE_MIN_AGE` | reconcile-profiles | seconds for which a user who was changed is left alone; 600 by default; the event's `minAge` goes first |
//! | `RECONCILE_RATE` | reconcile-profiles | calls of the pool per second; 20 by default |
//! | `CLIENT_IDS` | profile-api | the app clients whose tokens are taken, with commas between; required |
//! | `TOKEN_USE` | profile-api | `access` (the default), `id` or `any`: which tokens are taken. Id tokens delete no account |
//! | `TOKEN_KEYS_URL` | profile-api | where the pool's keys are, if not where Cognito has them |
//! | `ADMIN_GROUP` | profile-api | the group that reads every profile; `admin` unless said |
//! | `PROFILE_SCHEMA` | profile-api | a JSON Schema of the application's attributes, or the path of a file that has it; none by default |
//! | `CORS_ORIGINS` | profile-api | origins of web pages, with commas between, or `*`; none by default, since API Gateway and function URLs can do it |
//! | `BASE_PATH` | profile-api | what a domain's mapping puts before the paths, such as `/v1`; none by default |
//! | `SENDER_ADDRESS` | welcome-email | whom the mail is from; required, and verified in SES |
//! | `METRICS` | all | `emf` (the default: lines that CloudWatch makes metrics of) or `off` |
//! | `METRICS_NAMESPACE` | all | where the metrics are; `Tandem` by default |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | all | a collector for traces, by OTLP over HTTP: `http://localhost:4318` is one in a layer. No traces without it. `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME` and `OTEL_TRACES_SAMPLER` as OpenTelemetry has them |
//! | `AWS_LAMBDA_LOG_FORMAT`, `AWS_LAMBDA_LOG_LEVEL`, `RUST_LOG` | all | as Lambda and `lambda_runtime` have them |
//! | `AWS_REGION`, `AWS_ACCESS_KEY_ID`, …, `AWS_ENDPOINT_URL` | all | as every AWS SDK has them |

/// An environment in which a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// A variable is not there, or empty.
    #[error("the environment variable {name} is not set: give it {meaning}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What it should have been.
        meaning: &'static str,
    },
    /// A variable has a value that it cannot have.
    #[error("the environment variable {name} is {value:?}: it must be {expected}")]
    Value {
        /// The variable.
        name: &'static str,
        /// What it is.
        value: String,
        /// What it should have been.
        expected: &'static str,
    },
    /// `PROFILE_SCHEMA` is none.
    #[error("the environment variable PROFILE_SCHEMA cannot be used: {reason}")]
    Schema {
        /// Why.
        reason: String,
    },
    /// `_HANDLER` names none of our functions.
    #[error("there is no function {name:?} here: set the function's Handler to one of {}", crate::HANDLERS.join(", "))]
    Handler {
        /// What it names.
        name: String,
    },
}

/// A variable, or nothing if it is not set or empty.
#[expect(clippy::disallowed_methods, reason = "the one place of the app that reads the environment")]
pub(crate) fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

pub(crate) fn required(name: &'static str, meaning: &'static str) -> Result<String, Invalid> {
    optional(name).ok_or(Invalid::Missing { name, meaning })
}

/// The words of a list with commas between.
pub(crate) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
}

pub(crate) fn table_name() -> Result<String, Invalid> {
    required("TABLE_NAME", "the name of the profiles' table")
}

pub(crate) fn user_pool_id() -> Result<String, Invalid> {
    required("USER_POOL_ID", "the id of the user pool")
}

/// A number, or a default if it is not set.
pub(crate) fn number_or(name: &'static str, default: u32) -> Result<u32, Invalid> {
    let Some(value) = optional(name) else { return Ok(default) };
    value.parse().map_err(|_| Invalid::Value { name, value, expected: "a whole number" })
}

/// A variable that is `true` or `false`; not set, it is `false`.
pub(crate) fn flag(name: &'static str) -> Result<bool, Invalid> {
    match optional(name).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(Invalid::Value { name, value: other.to_owned(), expected: "true or false" }),
    }
}

pub(crate) fn bus_name() -> Result<String, Invalid> {
    required("EVENT_BUS_NAME", "the name or ARN of the bus to tell of users")
}

/// Names of attributes to pass on.
pub(crate) fn event_attributes() -> Vec<String> {
    list(&optional("EVENT_ATTRIBUTES").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_read_without_their_spaces() {
        assert_eq!(super::list(" locale, custom:plan ,"), ["locale", "custom:plan"]);
    }
}
