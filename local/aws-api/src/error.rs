//! How an operation fails.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use serde_json::{Map, Value};

/// An error as AWS's clients know it: a code (the exception's name), a message and a status.
///
/// Rooms keep enums of their own and convert them here in one exhaustive `match`.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// The exception's name, such as `UserNotFoundException`; with a namespace where the service sends one
    /// (`com.amazonaws.sqs#QueueDoesNotExist`).
    pub code: Cow<'static, str>,
    /// In AWS's words.
    pub message: String,
    /// 400 for nearly all.
    pub status: StatusCode,
    /// Members of the body beside type and message: `reasonCode`, `Type`, `Item`.
    pub members: Map<String, Value>,
    /// Headers beside the usual ones: SQS's `x-amzn-query-error`.
    pub headers: Vec<(&'static str, String)>,
}

impl ApiError {
    /// A client's fault, status 400.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            status: StatusCode::BAD_REQUEST,
            members: Map::new(),
            headers: Vec::new(),
        }
    }

    /// Our own fault, status 500. The cause is logged where it arises and not told to the client.
    pub fn internal(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(code, message).status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The exception for a body that could not be read as the operation's input.
    pub(crate) const SERIALIZATION: &'static str = "SerializationException";

    /// The body could not be read as the operation's input.
    pub fn serialization(message: impl Into<String>) -> Self {
        Self::new(Self::SERIALIZATION, message)
    }

    /// There is no such operation here (yet): named, so that nobody has to guess.
    pub fn unknown_operation(operation: &str) -> Self {
        Self::new("UnknownOperationException", format!("{operation} is not implemented by this server"))
    }

    /// With another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With a member in the body.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The code without its namespace: what `x-amzn-ErrorType` carries.
    pub fn short_code(&self) -> &str {
        self.code.rsplit('#').next().unwrap_or(&self.code)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.short_code(), self.message)
    }
}

impl std::error::Error for ApiError {}
