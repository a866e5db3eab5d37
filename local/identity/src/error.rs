//! How STS refuses.

use aws_api::ApiError;

/// A refusal, in AWS's words.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Input that breaks a constraint of the model.
    #[error("1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}")]
    Constraint {
        /// What was given.
        value: String,
        /// The member, as the message has it.
        member: &'static str,
        /// What must be.
        rule: String,
    },
    /// An ARN that is none of a role's.
    #[error("{0} is invalid")]
    RoleArn(String),
    /// A token that cannot be read.
    #[error("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")]
    IdentityToken,
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Constraint { .. } | Error::RoleArn(_) => "ValidationError",
            Error::IdentityToken => "InvalidIdentityToken",
        };
        Self::new(code, error.to_string())
    }
}
