//! Problem documents (RFC 9457): what every answer that is no success says, and in which words.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::IntoResponse;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;
use tandem_profiles::Error;
use utoipa::ToSchema;

use super::merge_patch;
use super::token::Refused;

pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// RFC 5789: what a resource takes as a patch.
pub(crate) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// The scope that Cognito asks for before it deletes an account.
pub(crate) const USER_ADMIN_SCOPE: &str = "aws.cognito.signin.user.admin";

/// How many faults are listed: enough to correct a form by, and few enough to read.
pub(crate) const FAULTS_MAX: usize = 20;

/// What went wrong, by what the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    NoToken,
    InvalidToken,
    MissingScope,
    NotAnAdministrator,
    AccountDisabled,
    NoSuchPath,
    NoProfile,
    MethodNotAllowed,
    LostRace,
    AccountDeleted,
    Changed,
    BodyTooLarge,
    NotAMergePatch,
    NotJson,
    OwnedAttribute,
    AgainstSchema,
    NotStorable,
    Unavailable,
    HalfDeleted,
    Broken,
}

impl Kind {
    /// The last part of `type`, the status, and the title.
    fn parts(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::NoToken => ("no-token", 401, "Sign in first: send a Cognito token as `Authorization: Bearer …`"),
            Self::InvalidToken => ("invalid-token", 401, "The token is not accepted: sign in again, or refresh it"),
            Self::MissingScope => ("missing-scope", 403, "The token was not made for this"),
            Self::NotAnAdministrator => ("not-an-administrator", 403, "This is for administrators"),
            Self::AccountDisabled => ("account-disabled", 403, "The account is disabled"),
            Self::NoSuchPath => ("no-such-path", 404, "There is nothing at this path"),
            Self::NoProfile => ("no-profile", 404, "There is no profile, or not yet"),
            Self::MethodNotAllowed => ("method-not-allowed", 405, "This path has other methods: see `Allow`"),
            Self::LostRace => ("lost-race", 409, "Others were changing the profile all the time: try again"),
            Self::AccountDeleted => ("account-deleted", 410, "The account was deleted"),
            Self::Changed => ("changed", 412, "The profile is not as the request wants it: read it again"),
            Self::BodyTooLarge => ("body-too-large", 413, "The body is too large"),
            Self::NotAMergePatch => ("not-a-merge-patch", 415, "Send a JSON merge patch"),
            Self::NotJson => ("not-json", 400, "The body is not JSON"),
            Self::OwnedAttribute => ("owned-attribute", 422, "Some of this belongs to the identity"),
            Self::AgainstSchema => ("against-schema", 422, "The profile would not follow its schema"),
            Self::NotStorable => ("not-storable", 422, "Some of this cannot be stored"),
            Self::Unavailable => ("unavailable", 503, "Something that is needed does not answer: try again"),
            Self::HalfDeleted => ("half-deleted", 503, "The account is deleted, the profile not yet: try again"),
            Self::Broken => ("broken", 500, "Something is wrong on our side"),
        }
    }

    /// RFC 6750's challenge, where the token is what is wrong.
    fn challenge(self) -> Option<String> {
        match self {
            Self::NoToken => Some("Bearer".into()),
            Self::InvalidToken => Some("Bearer error=\"invalid_token\"".into()),
            Self::MissingScope => Some(format!("Bearer error=\"insufficient_scope\", scope=\"{USER_ADMIN_SCOPE}\"")),
            _ => None,
        }
    }

    /// When to try again, in seconds.
    fn retry_after(self) -> Option<&'static str> {
        match self {
            // A profile comes within moments of the sign-up.
            Self::NoProfile | Self::LostRace | Self::Unavailable | Self::HalfDeleted => Some("1"),
            _ => None,
        }
    }
}

/// One thing that is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// Where, as a JSON pointer in a URI's fragment; `#` is all of it.
    #[schema(example = "#/settings/theme")]
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl Fault {
    /// At a JSON pointer.
    pub(crate) fn at(pointer: impl std::fmt::Display, detail: impl Into<String>) -> Self {
        Self { pointer: format!("#{pointer}"), detail: detail.into() }
    }
}

/// A problem document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Which problem: `urn:tandem:problem:` and a name that stays the same.
    #[serde(rename = "type")]
    #[schema(example = "urn:tandem:problem:owned-attribute")]
    pub kind: String,
    /// What it is, for people; the same for all of a type.
    pub title: &'static str,
    /// The status of the answer.
    #[schema(example = 422)]
    pub status: u16,
    /// What it is in this case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<Cow<'static, str>>,
    /// What is wrong with the body, place by place; the first 20 faults.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<Fault>,
    #[serde(skip)]
    #[schema(ignore)]
    which: Which,
}

/// `Kind`, which utoipa need not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Which(Kind);

impl Problem {
    pub(crate) fn new(kind: Kind) -> Self {
        let (name, status, title) = kind.parts();
        let (detail, errors) = (None, Vec::new());
        Self { kind: format!("urn:tandem:problem:{name}"), title, status, detail, errors, which: Which(kind) }
    }

    pub(crate) fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(crate) fn errors(mut self, mut errors: Vec<Fault>) -> Self {
        errors.truncate(FAULTS_MAX);
        self.errors = errors;
        self
    }

    #[cfg(test)]
    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.which.0 == kind
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let body = serde_json::to_string(&self).expect("a problem is made of strings and numbers");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(challenge) = self.which.0.challenge().and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.which.0.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        if self.which.0 == Kind::NotAMergePatch {
            headers.insert(ACCEPT_PATCH, HeaderValue::from_static(merge_patch::MEDIA_TYPE));
        }
        response
    }
}

/// What the store fails with. The words go to the log, which may have them; the caller is told what to do.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match &error {
            Error::NoProfile(_) => Self::new(Kind::NoProfile),
            Error::Conflict { .. } => Self::new(Kind::LostRace),
            Error::OwnedAttribute { name } => Self::owned([name.as_str()]),
            Error::Refused { operation: "UpdateItem", code, message, .. } if code == "ValidationException" => {
                // DynamoDB's words may quote a value, and are about expressions that the caller has not written.
                let size = message.contains("size");
                tracing::warn!(size, "DynamoDB does not store what a patch leaves");
                let why =
                    if size { "the profile would be too large" } else { "DynamoDB does not take one of the values" };
                Self::new(Kind::NotStorable).detail(why)
            }
            Error::Unavailable { .. } => {
                tracing::error!("{error}");
                Self::new(Kind::Unavailable)
            }
            _ => {
                tracing::error!("{error}");
                Self::new(Kind::Broken)
            }
        }
    }
}

impl Problem {
    /// Names that the application does not own.
    pub(crate) fn owned<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let detail = "belongs to the identity: change it in the user pool, or choose another name";
        let errors = names.into_iter().map(|name| Fault::at(format_args!("/{}", pointer_token(name)), detail));
        Self::new(Kind::OwnedAttribute).errors(errors.collect())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::KeysUnavailable => Self::new(Kind::Unavailable).detail("the user pool's keys cannot be fetched"),
            other => {
                tracing::warn!("a token was refused: {other}");
                Self::new(Kind::InvalidToken).detail(other.to_string())
            }
        }
    }
}

/// A name in a JSON pointer (RFC 6901), as a URI's fragment has it.
pub(crate) fn pointer_token(name: &str) -> String {
    let mut token = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'~' => token.push_str("~0"),
            b'/' => token.push_str("~1"),
            // RFC 3986: what a fragment may have as it is.
            byte if byte.is_ascii_alphanumeric() || b"-._!$&'()*+,;=:@?".contains(&byte) => {
                token.push(char::from(byte));
            }
            _ => {
                use std::fmt::Write as _;
                let _ = write!(token, "%{byte:02X}");
            }
        }
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_fragments() {
        assert_eq!(pointer_token("a/b~c d\u{e9}"), "a~1b~0c%20d%C3%A9");
    }

    #[test]
    fn a_challenge_says_what_is_wrong_with_the_token() {
        let challenge = |kind| {
            let response = Problem::new(kind).into_response();
            response.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().expect("text").to_owned())
        };
        assert_eq!(challenge(Kind::NoToken).as_deref(), Some("Bearer"));
        assert_eq!(challenge(Kind::InvalidToken).as_deref(), Some("Bearer error=\"invalid_token\""));
        assert_eq!(challenge(Kind::NoProfile), None);
    }

    #[test]
    fn a_document_has_the_members_of_the_rfc() {
        let problem = Problem::owned(["email"]);
        let document = serde_json::to_value(&problem).expect("JSON");
        assert_eq!(document["type"], "urn:tandem:problem:owned-attribute");
        assert_eq!(document["status"], 422);
        assert_eq!(document["errors"][0]["pointer"], "#/email");
        assert!(document.get("detail").is_none() && document.get("which").is_none(), "{document}");
    }
}
