//! What an API says itself, in the place of a function: 401, 403, 404, 5xx, in the words of either kind.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::json;

use crate::mock::header;
use crate::request::HttpAnswer;
use crate::served::{GatewayResponse, Kind};

/// A request that got no answer of a function's.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub cause: Cause,
    /// For people who look at the console, never for the caller.
    pub why: String,
    /// `www-authenticate`
    pub challenge: Option<String>,
}

/// What sort of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The path leads to no stage.
    NoStage,
    /// No route takes it.
    NoRoute,
    /// The authorizer's identity is missing or worth nothing.
    Unauthorized,
    /// The token of a user pool has expired (REST APIs say so).
    Expired,
    /// The scopes do not suffice.
    Forbidden,
    /// An authorizer's policy does not allow it.
    AccessDenied,
    /// An authorizer's policy forbids it.
    ExplicitlyDenied,
    /// The authorizer failed.
    AuthorizerFailed,
    /// The function could not be called.
    NotCalled,
    /// The function failed, or its answer cannot be sent.
    BadAnswer,
    /// Too many of the function run.
    Throttled,
    /// The function took too long.
    TimedOut,
    /// The request, or its event.
    TooLarge,
}

impl Refusal {
    pub fn new(cause: Cause, why: impl Into<String>) -> Self {
        Self { cause, why: why.into(), challenge: None }
    }

    pub fn challenge(mut self, challenge: String) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// The answer, in the words of the API's kind; a REST API may have configured others.
    pub fn answer(&self, kind: Kind, configured: &BTreeMap<String, GatewayResponse>) -> HttpAnswer {
        match kind {
            Kind::Http => self.of_http(),
            Kind::Rest => self.of_rest(configured),
        }
    }

    fn of_http(&self) -> HttpAnswer {
        let (status, message) = match self.cause {
            Cause::NoStage | Cause::NoRoute => (StatusCode::NOT_FOUND, "Not Found"),
            Cause::Unauthorized | Cause::Expired => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Cause::Forbidden | Cause::AccessDenied | Cause::ExplicitlyDenied => (StatusCode::FORBIDDEN, "Forbidden"),
            Cause::AuthorizerFailed | Cause::NotCalled | Cause::BadAnswer => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Cause::Throttled | Cause::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
            Cause::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        };
        let answer = HttpAnswer::json(status, json!({ "message": message }).to_string());
        match &self.challenge {
            Some(challenge) => answer.header("www-authenticate", challenge),
            None => answer,
        }
    }

    fn of_rest(&self, configured: &BTreeMap<String, GatewayResponse>) -> HttpAnswer {
        let Words { status, message, exception, response } = self.words();
        let default = if status.is_client_error() { "DEFAULT_4XX" } else { "DEFAULT_5XX" };
        let custom = configured.get(response).or_else(|| configured.get(default));
        let status = custom.and_then(|custom| custom.status_code.as_ref()?.parse().ok()).unwrap_or(status);
        let quoted = json!(message).to_string();
        let template = custom.and_then(|custom| custom.response_templates.get("application/json"));
        let body = match template {
            Some(template) => template
                .replace("$context.error.messageString", &quoted)
                .replace("$context.error.message", message.unwrap_or_default())
                .replace("$context.error.responseType", response),
            // AWS writes the member with a capital where an authorizer's policy is the reason.
            None if matches!(self.cause, Cause::AccessDenied | Cause::ExplicitlyDenied) => {
                json!({ "Message": message }).to_string()
            }
            None => json!({ "message": message }).to_string(),
        };
        let mut answer = HttpAnswer::json(status, body).header("x-amzn-errortype", exception);
        for (name, value) in custom.into_iter().flat_map(|custom| &custom.response_parameters) {
            if let Some((name, value)) = header(name, value) {
                answer.headers.insert(name, value);
            }
        }
        answer
    }

    fn words(&self) -> Words {
        let words = |status, message, exception, response| Words { status, message, exception, response };
        let internal = StatusCode::INTERNAL_SERVER_ERROR;
        let forbidden = StatusCode::FORBIDDEN;
        match self.cause {
            Cause::NoStage => words(forbidden, Some("Forbidden"), "ForbiddenException", "DEFAULT_4XX"),
            Cause::NoRoute => words(
                forbidden,
                Some("Missing Authentication Token"),
                "MissingAuthenticationTokenException",
                "MISSING_AUTHENTICATION_TOKEN",
            ),
            Cause::Unauthorized => {
                words(StatusCode::UNAUTHORIZED, Some("Unauthorized"), "UnauthorizedException", "UNAUTHORIZED")
            }
            Cause::Expired => words(
                StatusCode::UNAUTHORIZED,
                Some("The incoming token has expired"),
                "UnauthorizedException",
                "EXPIRED_TOKEN",
            ),
            Cause::Forbidden => words(forbidden, Some("Forbidden"), "ForbiddenException", "ACCESS_DENIED"),
            Cause::AccessDenied => words(
                forbidden,
                Some("User is not authorized to access this resource"),
                "AccessDeniedException",
                "ACCESS_DENIED",
            ),
            Cause::ExplicitlyDenied => words(
                forbidden,
                Some("User is not authorized to access this resource with an explicit deny"),
                "AccessDeniedException",
                "ACCESS_DENIED",
            ),
            Cause::AuthorizerFailed => {
                words(internal, None, "AuthorizerConfigurationException", "AUTHORIZER_CONFIGURATION_ERROR")
            }
            Cause::NotCalled | Cause::Throttled => words(
                internal,
                Some("Internal server error"),
                "InternalServerErrorException",
                "API_CONFIGURATION_ERROR",
            ),
            Cause::BadAnswer => words(
                StatusCode::BAD_GATEWAY,
                Some("Internal server error"),
                "InternalServerErrorException",
                "DEFAULT_5XX",
            ),
            Cause::TimedOut => words(
                StatusCode::GATEWAY_TIMEOUT,
                Some("Endpoint request timed out"),
                "InternalServerErrorException",
                "INTEGRATION_TIMEOUT",
            ),
            Cause::TooLarge => words(
                StatusCode::PAYLOAD_TOO_LARGE,
                Some("Request Too Long"),
                "RequestEntityTooLargeException",
                "REQUEST_TOO_LARGE",
            ),
        }
    }
}

/// What a REST API says.
struct Words {
    status: StatusCode,
    message: Option<&'static str>,
    exception: &'static str,
    /// The type by which a gateway response is configured.
    response: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cause: Cause, kind: Kind, status: u16, body: &str) {
        let answer = Refusal::new(cause, "why").answer(kind, &BTreeMap::new());
        assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (status, body.as_bytes()), "{cause:?}");
    }

    #[test]
    fn each_kind_has_its_words() {
        check(Cause::NoRoute, Kind::Http, 404, r#"{"message":"Not Found"}"#);
        check(Cause::NoRoute, Kind::Rest, 403, r#"{"message":"Missing Authentication Token"}"#);
        check(Cause::BadAnswer, Kind::Http, 500, r#"{"message":"Internal Server Error"}"#);
        check(Cause::BadAnswer, Kind::Rest, 502, r#"{"message":"Internal server error"}"#);
        check(Cause::TimedOut, Kind::Http, 503, r#"{"message":"Service Unavailable"}"#);
        check(Cause::TimedOut, Kind::Rest, 504, r#"{"message":"Endpoint request timed out"}"#);
        check(Cause::AuthorizerFailed, Kind::Rest, 500, r#"{"message":null}"#);
    }

    #[test]
    fn a_rest_api_can_say_it_otherwise() {
        let custom = GatewayResponse {
            status_code: Some("418".into()),
            response_parameters: [("gatewayresponse.header.X".to_owned(), "'y'".to_owned())].into(),
            response_templates: [("application/json".to_owned(), "{\"m\":$context.error.messageString}".to_owned())]
                .into(),
            ..GatewayResponse::default()
        };
        let configured = BTreeMap::from([("DEFAULT_4XX".to_owned(), custom)]);
        let answer = Refusal::new(Cause::Unauthorized, "why").answer(Kind::Rest, &configured);
        assert_eq!((answer.status.as_u16(), answer.headers["x"].as_bytes()), (418, b"y".as_slice()));
        assert_eq!(answer.body, "{\"m\":\"Unauthorized\"}");
    }
}
