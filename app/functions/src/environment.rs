//! What the functions read from their environment, all of it when they start.
//!
//! | Variable | Function | Meaning |
//! |---|---|---|
//! | `_HANDLER` | all | which function this process is; Lambda sets it from the function's `Handler` |
//! | `EVENT_BUS_NAME` | announce-user, create-profile | name or ARN of the bus; required by announce-user; create-profile tells it of conflicts |
//! | `ON_PUBLISH_FAILURE` | announce-user | `fail` (the default: Cognito tells the user) or `continue` (log it, and leave the user to the reconciler) |
//! | `EVENT_ATTRIBUTES` | announce-user | names of user attributes to pass on in `data.attributes`, with commas between; none by default |
//! | `TABLE_NAME` | create-profile, welcome-email | the profiles' table; required |
//! | `UNIQUE_EMAIL` | create-profile | `true` if a verified address may be one profile's alone; `false` is the default |
//! | `SENDER_ADDRESS` | welcome-email | whom the mail is from; required, and verified in SES |
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

pub(crate) fn table_name() -> Result<String, Invalid> {
    required("TABLE_NAME", "the name of the profiles' table")
}

/// A variable that is `true` or `false`; not set, it is `false`.
pub(crate) fn flag(name: &'static str) -> Result<bool, Invalid> {
    match optional(name).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(Invalid::Value { name, value: other.to_owned(), expected: "true or false" }),
    }
}
