//! What Cognito answers when it refuses: one variant per exception, the exact words in constructors.
//!
//! Sources of the texts: the API model's documentation, and reports of real answers.

use aws_api::ApiError;
use storage::StorageError;

/// An exception of the user pool API. All are status 400 but [`Error::Internal`].
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variants are AWS's exceptions, by their names")]
pub enum Error {
    #[error("{0}")]
    AliasExists(String),
    #[error("Invalid verification code provided, please try again.")]
    CodeMismatch,
    #[error("{0}")]
    DuplicateProvider(String),
    #[error("Invalid code provided, please request a code again.")]
    ExpiredCode,
    #[error("A group with the name already exists.")]
    GroupExists,
    #[error("{0}")]
    InvalidLambdaResponse(String),
    #[error("{0}")]
    InvalidOAuthFlow(String),
    #[error("{0}")]
    InvalidParameter(String),
    #[error("{0}")]
    InvalidPassword(String),
    #[error("{0}")]
    LimitExceeded(String),
    #[error("{0}")]
    NotAuthorized(String),
    #[error("Password reset required for the user")]
    PasswordResetRequired,
    #[error("{0}")]
    PreconditionNotMet(String),
    #[error("{0}")]
    ResourceNotFound(String),
    #[error("{0}")]
    ScopeDoesNotExist(String),
    #[error("{0}")]
    UnexpectedLambda(String),
    #[error("{0}")]
    UnsupportedOperation(String),
    #[error("{0}")]
    UnsupportedTokenType(String),
    #[error("{0}")]
    UnsupportedUserState(String),
    #[error("{0}")]
    UserLambdaValidation(String),
    #[error("User is not confirmed.")]
    UserNotConfirmed,
    #[error("{0}")]
    UserNotFound(String),
    #[error("{0}")]
    UsernameExists(String),
    /// Ours: the store failed.
    #[error("The request could not be stored.")]
    Internal(#[from] StorageError),
}

impl Error {
    /// Of the admin operations and of sign-in with the legacy setting.
    pub fn no_such_user() -> Self {
        Self::UserNotFound("User does not exist.".into())
    }

    /// Of the public operations around codes.
    pub fn no_such_user_of_client() -> Self {
        Self::UserNotFound("Username/client id combination not found.".into())
    }

    /// A wrong password, or an unknown user where their existence is hidden.
    pub fn wrong_credentials() -> Self {
        Self::NotAuthorized("Incorrect username or password.".into())
    }

    /// Sign-in of somebody whom an administrator has disabled.
    pub fn user_disabled() -> Self {
        Self::NotAuthorized("User is disabled.".into())
    }

    /// Confirming somebody who is not waiting for it.
    pub fn not_to_be_confirmed(status: &str) -> Self {
        Self::NotAuthorized(format!("User cannot be confirmed. Current status is {status}"))
    }

    /// No pool of this id.
    pub fn no_such_pool(id: &str) -> Self {
        Self::ResourceNotFound(format!("User pool {id} does not exist."))
    }

    /// No client of this id.
    pub fn no_such_client(id: &str) -> Self {
        Self::ResourceNotFound(format!("User pool client {id} does not exist."))
    }

    /// No group of this name.
    pub fn no_such_group() -> Self {
        Self::ResourceNotFound("Group not found.".into())
    }

    /// More of something than AWS's quotas allow. The words are ours.
    pub fn too_many(what: &str, most: usize) -> Self {
        Self::LimitExceeded(format!("Exceeded the maximum number of {what}: {most}"))
    }

    /// An address or number that somebody has; `attribute` is `email` or `phone_number`.
    pub fn name_taken(attribute: &str) -> Self {
        Self::UsernameExists(format!("An account with the given {attribute} already exists."))
    }

    /// An alias that somebody has.
    pub fn alias_taken(attribute: &str) -> Self {
        Self::AliasExists(format!("An account with the {attribute} already exists."))
    }

    /// Too much of one thing within an hour.
    pub fn too_often() -> Self {
        Self::LimitExceeded("Attempt limit exceeded, please try after some time.".into())
    }

    /// An attribute that this client's callers may not set, or that nobody but an administrator may.
    pub fn not_writable() -> Self {
        Self::NotAuthorized("A client attempted to write unauthorized attribute".into())
    }

    /// A reset of a password that nobody has set yet.
    pub fn not_to_be_reset() -> Self {
        Self::NotAuthorized("User password cannot be reset in the current state.".into())
    }

    /// A reset for somebody whom no code can reach.
    pub fn nowhere_to_send() -> Self {
        let message = "Cannot reset password for the user as there is no registered/verified email or phone_number";
        Self::InvalidParameter(message.into())
    }

    /// A token that is none of ours, or is not the kind that is asked for.
    pub fn invalid_access_token() -> Self {
        Self::NotAuthorized("Invalid Access Token".into())
    }

    /// The exception's name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AliasExists(_) => "AliasExistsException",
            Self::CodeMismatch => "CodeMismatchException",
            Self::DuplicateProvider(_) => "DuplicateProviderException",
            Self::ExpiredCode => "ExpiredCodeException",
            Self::GroupExists => "GroupExistsException",
            Self::InvalidLambdaResponse(_) => "InvalidLambdaResponseException",
            Self::InvalidOAuthFlow(_) => "InvalidOAuthFlowException",
            Self::InvalidParameter(_) => "InvalidParameterException",
            Self::InvalidPassword(_) => "InvalidPasswordException",
            Self::LimitExceeded(_) => "LimitExceededException",
            Self::NotAuthorized(_) => "NotAuthorizedException",
            Self::PasswordResetRequired => "PasswordResetRequiredException",
            Self::PreconditionNotMet(_) => "PreconditionNotMetException",
            Self::ResourceNotFound(_) => "ResourceNotFoundException",
            Self::ScopeDoesNotExist(_) => "ScopeDoesNotExistException",
            Self::UnexpectedLambda(_) => "UnexpectedLambdaException",
            Self::UnsupportedOperation(_) => "UnsupportedOperationException",
            Self::UnsupportedTokenType(_) => "UnsupportedTokenTypeException",
            Self::UnsupportedUserState(_) => "UnsupportedUserStateException",
            Self::UserLambdaValidation(_) => "UserLambdaValidationException",
            Self::UserNotConfirmed => "UserNotConfirmedException",
            Self::UserNotFound(_) => "UserNotFoundException",
            Self::UsernameExists(_) => "UsernameExistsException",
            Self::Internal(_) => "InternalErrorException",
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match &error {
            Error::Internal(cause) => {
                tracing::error!(%cause, "the store failed");
                Self::internal(error.code(), error.to_string())
            }
            _ => Self::new(error.code(), error.to_string()),
        }
    }
}
