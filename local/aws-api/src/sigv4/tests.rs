//! Against the signer of the SDK for Rust: what it signs counts, and nothing else does.

use std::time::UNIX_EPOCH;

use aws_credential_types::Credentials as Identity;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::{HeaderName, HeaderValue, Request};
use proptest::prelude::*;

use super::*;

const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

struct Sent {
    parts: Parts,
    body: Vec<u8>,
}

/// Signs as the SDK does.
fn signed(mut request: http::request::Builder, body: &[u8], at: Timestamp, token: Option<&str>) -> Sent {
    request = request.header("host", "127.0.0.1:4566");
    let (mut parts, ()) = request.body(()).expect("a request").into_parts();
    let identity = Identity::new(KEY_ID, SECRET, token.map(str::to_owned), None, "test").into();
    let time = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.millis()).expect("after 1970"));
    let params = v4::SigningParams::builder().identity(&identity).region("us-east-1").name("dynamodb").time(time);
    let params = params.settings(SigningSettings::default()).build().expect("all is set").into();
    let uri = format!("http://127.0.0.1:4566{}", parts.uri);
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text")));
    let signable = SignableRequest::new(parts.method.as_str(), &uri, headers, SignableBody::Bytes(body));
    let (instructions, _) = sign(signable.expect("it can be signed"), &params).expect("it is signed").into_parts();
    for (name, value) in instructions.headers() {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        parts.headers.insert(name, HeaderValue::from_str(value).expect("a value"));
    }
    Sent { parts, body: body.to_vec() }
}

fn post() -> http::request::Builder {
    Request::post("/").header("x-amz-target", "DynamoDB_20120810.ListTables")
}

fn sent() -> Sent {
    signed(post(), b"{}", NOW, None)
}

impl Sent {
    fn verify(&self) -> Result<(), ApiError> {
        let credentials = Credentials::from([(KEY_ID.to_owned(), SECRET.to_owned())]);
        verify(&credentials, &self.parts, &self.body, "dynamodb", NOW)
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.parts.headers.insert(name, HeaderValue::from_str(value).expect("a value"));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.parts.headers.remove(name);
        self
    }

    fn with_authorization(self, change: impl Fn(&str) -> String) -> Self {
        let changed = change(self.parts.headers["authorization"].to_str().expect("text"));
        self.with("authorization", &changed)
    }

    #[track_caller]
    fn refused(&self, code: &str, status: u16, message: &str) {
        let error = self.verify().expect_err("it is refused");
        assert_eq!((error.code.as_ref(), error.status.as_u16()), (code, status), "{error}");
        assert!(error.message.contains(message), "{}", error.message);
        assert!(!error.message.contains(SECRET));
    }
}

#[test]
fn takes_a_good_signature() {
    sent().verify().expect("it is good");
    signed(post(), b"{}", NOW, Some("a session token")).verify().expect("it is good with a token");
}

#[test]
fn takes_a_clock_that_is_a_little_off() {
    let off = |seconds: i64| signed(post(), b"{}", Timestamp::from_millis(NOW.millis() + seconds * 1000), None);
    off(-899).verify().expect("not too early");
    off(899).verify().expect("not too late");
    let expired =
        "Signature expired: 20251231T234459Z is now earlier than 20251231T234500Z (20260101T000000Z - 15 min.)";
    off(-901).refused("InvalidSignatureException", 400, expired);
    let early =
        "Signature not yet current: 20260101T001501Z is still later than 20260101T001500Z (20260101T000000Z + 15";
    off(901).refused("InvalidSignatureException", 400, early);
}

#[test]
fn refuses_what_is_missing() {
    sent().without("authorization").refused("MissingAuthenticationTokenException", 403, "Missing Authentication Token");
    sent().with("authorization", "Bearer x").refused("MissingAuthenticationTokenException", 403, "Missing");
    let date = "requires existence of either a 'X-Amz-Date' or a 'Date' header.";
    sent().without(DATE_HEADER).refused("IncompleteSignatureException", 400, date);
    sent().with_authorization(|text| text.replace("Signature=", "Sgn=")).refused(
        "IncompleteSignatureException",
        400,
        "Authorization header requires 'Signature' parameter.",
    );
    sent().with(DATE_HEADER, "yesterday").with_authorization(str::to_owned).refused(
        "InvalidSignatureException",
        400,
        "Date in Credential scope does not match",
    );
}

#[test]
fn refuses_a_foreign_scope() {
    let scope = |from: &'static str, to: &'static str| sent().with_authorization(move |text| text.replace(from, to));
    let invalid = "InvalidSignatureException";
    scope("/dynamodb/", "/lambda/").refused(invalid, 400, "scoped to correct service: 'dynamodb'");
    scope("aws4_request", "aws3_request").refused(invalid, 400, "valid terminator: 'aws4_request'");
    scope("/20260101/", "/20260102/").refused(invalid, 400, "'20260102' != '20260101', from '20260101T000000Z'.");
    scope("/us-east-1/", "/eu-west-1/").refused(invalid, 400, "does not match the signature you provided");
    scope("/us-east-1/", "/").refused("IncompleteSignatureException", 400, "exactly 5 slash-delimited elements");
    scope(KEY_ID, "AKIDOTHER").refused("UnrecognizedClientException", 400, "security token included in the request");
    scope(ALGORITHM, "AWS4-ECDSA-P256-SHA256").refused("IncompleteSignatureException", 400, "Unsupported AWS");
}

#[test]
fn refuses_what_is_not_covered() {
    let invalid = "InvalidSignatureException";
    sent().with("x-amz-invocation-type", "Event").refused(invalid, 400, "'x-amz-invocation-type' must be");
    sent().with(PAYLOAD_HEADER, "UNSIGNED-PAYLOAD").refused(invalid, 400, "'x-amz-content-sha256' must be");
    let unsigned = signed(post().header(PAYLOAD_HEADER, "UNSIGNED-PAYLOAD"), b"{}", NOW, None);
    unsigned.refused(invalid, 400, "UNSIGNED-PAYLOAD is not supported");
    let other = signed(post().header(PAYLOAD_HEADER, sha256_hex(b"{ }")), b"{}", NOW, None);
    other.refused(invalid, 400, "does not match");
    let stated = signed(post().header(PAYLOAD_HEADER, sha256_hex(b"{}")), b"{}", NOW, None);
    stated.verify().expect("a true hash is good");
    sent().with_authorization(|text| text.replace("host;", "")).refused(invalid, 400, "'Host' must be");
}

#[test]
fn refuses_a_presigned_url() {
    let presigned = |with_header: bool| {
        let uri = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0";
        let sent = signed(Request::get(uri), b"", NOW, None);
        if with_header { sent } else { sent.without("authorization") }
    };
    presigned(false).refused("IncompleteSignatureException", 403, "Presigned URLs (X-Amz-Algorithm) are not supported");
    presigned(true).refused("InvalidSignatureException", 403, "Found both 'X-Amz-Algorithm'");
}

/// Paths and queries as SDKs send them: escaped where they must be.
fn target() -> impl Strategy<Value = String> {
    let segment = "([A-Za-z0-9._~-]|%[0-9A-F]{2}|[:@$]){1,8}";
    let segment = segment.prop_filter("no dots alone", |text: &String| !text.chars().all(|c| c == '.'));
    let pair = ("[A-Za-z0-9.-]{1,6}", "([A-Za-z0-9_~-]|%2[0-9A-F]|%C3%BC){0,8}");
    let path = prop::collection::vec(segment, 0..4).prop_map(|segments| format!("/{}", segments.join("/")));
    let query = prop::collection::vec(pair.prop_map(|(name, value)| format!("{name}={value}")), 0..4);
    (path, query).prop_map(|(path, query)| if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) })
}

prop_compose! {
    fn request()(
        method in prop::sample::select(vec!["GET", "POST", "PUT", "DELETE"]),
        target in target(),
        value in "[ -~]{0,20}",
        more in prop::collection::vec("[a-z]{1,5}", 0..3),
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) -> Sent {
        let mut request = Request::builder().method(method).uri(target).header("x-amz-meta", value.trim());
        for value in more {
            request = request.header("accept", value);
        }
        signed(request, &body, NOW, None)
    }
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sent").field(&self.parts).field(&self.body).finish()
    }
}

fn mismatches(sent: &Sent) -> bool {
    sent.verify().is_err()
}

proptest! {
    #[test]
    fn what_the_sdk_signs_is_good(sent in request()) {
        prop_assert!(sent.verify().is_ok(), "{:?}", sent.verify());
    }

    #[test]
    fn a_changed_body_is_not(mut sent in request(), at in any::<prop::sample::Index>(), flip in 1..=u8::MAX) {
        sent.body.push(0);
        prop_assert!(mismatches(&sent));
        sent.body.pop();
        if !sent.body.is_empty() {
            let at = at.index(sent.body.len());
            sent.body[at] ^= flip;
            prop_assert!(mismatches(&sent));
        }
    }

    #[test]
    fn a_changed_target_is_not(mut sent in request(), at in any::<prop::sample::Index>(), letter in "[a-z]") {
        let mut text = sent.parts.uri.to_string();
        let at = at.index(text.len());
        // A letter of an escape may change its case only: `%2a` is `%2A`.
        prop_assume!(at > 0 && !text[at..=at].eq_ignore_ascii_case(&letter));
        text.replace_range(at..=at, &letter);
        prop_assume!(text.parse::<http::Uri>().is_ok());
        sent.parts.uri = text.parse().expect("it was one just now");
        prop_assert!(mismatches(&sent), "{text}");
    }

    #[test]
    fn a_changed_header_is_not(mut sent in request(), at in any::<prop::sample::Index>(), letter in "[a-z0-9]") {
        for name in ["host", "x-amz-date", "x-amz-meta", "accept", "authorization"] {
            let Some(value) = sent.parts.headers.get(name).cloned() else { continue };
            let mut text = value.to_str().expect("text").to_owned();
            if text.is_empty() {
                continue;
            }
            let at = at.index(text.len());
            if text[at..=at] == letter {
                continue;
            }
            text.replace_range(at..=at, &letter);
            sent.parts.headers.insert(name, HeaderValue::from_str(&text).expect("a value"));
            let is_spacing = name == "authorization" && value.as_bytes()[at] == b' ';
            prop_assert!(is_spacing || mismatches(&sent), "{name}: {text}");
            sent = restored(sent, name, &value);
        }
    }

    #[test]
    fn nothing_panics(authorization in "(AWS4-HMAC-SHA256 )?[ -~]{0,80}", date in "[0-9TZ]{0,17}") {
        let sent = sent().with("authorization", &authorization).with(DATE_HEADER, &date);
        prop_assert!(mismatches(&sent));
    }
}

fn restored(mut sent: Sent, name: &'static str, value: &HeaderValue) -> Sent {
    sent.parts.headers.insert(name, value.clone());
    sent
}
