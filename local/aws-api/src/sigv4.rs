//! AWS Signature Version 4, verified. Only where the server listens beyond loopback.
//!
//! The header form alone: presigned URLs and chunked bodies are refused by name. Bodies are always covered
//! (`UNSIGNED-PAYLOAD` is S3's, over TLS, and neither is here), as are the host, the date and every `x-amz-`
//! header: what is not signed could be changed by anybody on the way. Session tokens are not looked at: a key
//! is known or not. The region of the scope may be any, since one server stands for all of them.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>;
//! tested against the crate `aws-sigv4`, which the SDK for Rust signs with.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::request::Parts;
use subtle::ConstantTimeEq;
use world::Timestamp;

use crate::ApiError;
use crate::router::read_pairs;

/// Access key ids and their secrets.
pub type Credentials = HashMap<String, String>;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
const DATE_HEADER: &str = "x-amz-date";
const PAYLOAD_HEADER: &str = "x-amz-content-sha256";
/// As `aws-sigv4` and botocore may leave it out of what they sign.
const TOKEN_HEADER: &str = "x-amz-security-token";

/// How far the client's clock may be from ours.
const SKEW_MAX: Duration = Duration::from_mins(15);
const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// Verifies the signature of a request over `body`, for `service` (its signing name), at `now`.
pub fn verify(
    credentials: &Credentials,
    request: &Parts,
    body: &[u8],
    service: &str,
    now: Timestamp,
) -> Result<(), ApiError> {
    verify_as(credentials, request, body, service, now).map_err(|refusal| refusal.into_error(request))
}

/// Why a signature does not count. The words are AWS's.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("Missing Authentication Token")]
    MissingToken,
    #[error("{0}")]
    Incomplete(String),
    #[error("{0}")]
    Invalid(String),
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

impl Refusal {
    /// The JSON protocols answer 400, REST answers 403; without any signature it is 403 everywhere.
    fn into_error(self, request: &Parts) -> ApiError {
        let (code, is_forbidden) = match self {
            Self::MissingToken => ("MissingAuthenticationTokenException", true),
            Self::Incomplete(_) => ("IncompleteSignatureException", false),
            Self::Invalid(_) | Self::Mismatch => ("InvalidSignatureException", false),
            Self::UnknownKey => ("UnrecognizedClientException", false),
        };
        let is_rest = !request.headers.contains_key("x-amz-target");
        let error = ApiError::new(code, self.to_string());
        if is_forbidden || is_rest { error.status(StatusCode::FORBIDDEN) } else { error }
    }
}

fn verify_as(
    credentials: &Credentials,
    request: &Parts,
    body: &[u8],
    service: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = header("authorization");
    refuse_presigned(request, authorization.is_some())?;
    let authorization = authorization.filter(|text| text.starts_with("AWS4-")).ok_or(Refusal::MissingToken)?;
    let date = header(DATE_HEADER).or_else(|| header("date"));
    let authorization = Authorization::read(authorization, date.is_some())?;
    let date = date.unwrap_or_default();
    let scope = Scope::read(authorization.credential)?;
    scope.check(date, service)?;
    check_date(date, now)?;
    check_signed_headers(request, &authorization)?;
    let secret = credentials.get(scope.key_id).ok_or(Refusal::UnknownKey)?;

    let canonical = canonical_request(request, &authorization, &payload_hash(request, body)?);
    let Scope { day, region, .. } = scope;
    let to_sign = format!("{ALGORITHM}\n{date}\n{day}/{region}/{service}/{TERMINATOR}\n{}", sha256_hex(&canonical));
    let key = [day, region, service, TERMINATOR]
        .iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac_sha256(&key, part.as_bytes()).as_ref().to_vec());
    let signature = hex(hmac_sha256(&key, to_sign.as_bytes()).as_ref());
    let is_equal: bool = signature.as_bytes().ct_eq(authorization.signature.as_bytes()).into();
    if is_equal { Ok(()) } else { Err(Refusal::Mismatch) }
}

fn refuse_presigned(request: &Parts, has_header: bool) -> Result<(), Refusal> {
    let query = request.uri.query().unwrap_or_default();
    if !read_pairs(query).any(|(name, _)| name == "X-Amz-Algorithm" || name == "X-Amz-Signature") {
        return Ok(());
    }
    Err(if has_header {
        Refusal::Invalid(
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.".into(),
        )
    } else {
        let hint = "sign with the Authorization header";
        Refusal::Incomplete(format!("Presigned URLs (X-Amz-Algorithm) are not supported by this server: {hint}"))
    })
}

/// The parts of the `Authorization` header.
struct Authorization<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn read(text: &'a str, has_date: bool) -> Result<Self, Refusal> {
        let (algorithm, parameters) = text.split_once(' ').unwrap_or((text, ""));
        if algorithm != ALGORITHM {
            return Err(Refusal::Incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
        }
        let find = |wanted: &str| {
            let mut parameters = parameters.split(',').filter_map(|parameter| parameter.trim().split_once('='));
            parameters.find(|(name, value)| *name == wanted && !value.is_empty()).map(|(_, value)| value)
        };
        let (credential, signature, signed_headers) = (find("Credential"), find("Signature"), find("SignedHeaders"));
        if let (Some(credential), Some(signature), Some(signed_headers), true) =
            (credential, signature, signed_headers, has_date)
        {
            return Ok(Self { credential, signed_headers, signature });
        }
        let mut message = String::new();
        for (name, value) in [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)] {
            if value.is_none() {
                let _ = write!(message, "Authorization header requires '{name}' parameter. ");
            }
        }
        if !has_date {
            message += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
        }
        let hashed = STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()));
        let _ = write!(message, "(Hashed with SHA-256 and encoded with Base64) Authorization={hashed}");
        Err(Refusal::Incomplete(message))
    }
}

/// `KEYID/20260101/us-east-1/dynamodb/aws4_request`.
#[derive(Clone, Copy)]
struct Scope<'a> {
    key_id: &'a str,
    day: &'a str,
    region: &'a str,
    service: &'a str,
    terminator: &'a str,
}

impl<'a> Scope<'a> {
    fn read(credential: &'a str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = credential.split('/').collect();
        let [key_id, day, region, service, terminator] = parts[..] else {
            return Err(Refusal::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, \
                 got '{credential}'"
            )));
        };
        Ok(Self { key_id, day, region, service, terminator })
    }

    fn check(&self, date: &str, service: &str) -> Result<(), Refusal> {
        let Self { day, terminator, .. } = self;
        let is_of_day = date.split_once('T').is_some_and(|(date_day, _)| date_day == *day);
        Err(Refusal::Invalid(if self.service != service {
            format!("Credential should be scoped to correct service: '{service}'. ")
        } else if *terminator != TERMINATOR {
            format!("Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'. ")
        } else if self.region.is_empty() {
            "Credential should be scoped to a valid region. ".into()
        } else if !is_of_day {
            let date_day = date.split('T').next().unwrap_or_default();
            format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{day}' != \
                 '{date_day}', from '{date}'."
            )
        } else {
            return Ok(());
        }))
    }
}

fn check_date(date: &str, now: Timestamp) -> Result<(), Refusal> {
    let Ok(read) = jiff::civil::DateTime::strptime(DATE_FORMAT, date) else {
        let hint = "See http://en.wikipedia.org/wiki/ISO_8601";
        return Err(Refusal::Incomplete(format!("Date must be in ISO-8601 'basic format'. Got '{date}'. {hint}")));
    };
    let sent = jiff::tz::TimeZone::UTC.to_timestamp(read).map_or(i64::MIN, jiff::Timestamp::as_millisecond);
    let sent = Timestamp::from_millis(sent);
    let earliest = Timestamp::from_millis(now.millis() - i64::try_from(SKEW_MAX.as_millis()).unwrap_or(0));
    let latest = now.plus(SKEW_MAX);
    let basic = |time: Timestamp| time.format(DATE_FORMAT);
    if sent < earliest {
        let (earliest, now) = (basic(earliest), basic(now));
        return Err(Refusal::Invalid(format!(
            "Signature expired: {date} is now earlier than {earliest} ({now} - 15 min.)"
        )));
    }
    if sent > latest {
        let (latest, now) = (basic(latest), basic(now));
        return Err(Refusal::Invalid(format!(
            "Signature not yet current: {date} is still later than {latest} ({now} + 15 min.)"
        )));
    }
    Ok(())
}

/// The host, the date and all of AWS's own headers must be signed, and what is signed must be there.
fn check_signed_headers(request: &Parts, authorization: &Authorization<'_>) -> Result<(), Refusal> {
    let is_signed = |name: &str| authorization.signed_headers.split(';').any(|signed| signed == name);
    if !is_signed("host") {
        return Err(Refusal::Invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.".into()));
    }
    let date_header = if request.headers.contains_key(DATE_HEADER) { DATE_HEADER } else { "date" };
    let needs = |name: &str| name == date_header || (name.starts_with("x-amz-") && name != TOKEN_HEADER);
    let unsigned = request.headers.keys().map(http::HeaderName::as_str).find(|name| needs(name) && !is_signed(name));
    if let Some(name) = unsigned {
        return Err(Refusal::Invalid(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")));
    }
    // In order, so each once: a name over and over would have its value copied as often.
    if !authorization.signed_headers.split(';').is_sorted_by(|one, next| one < next) {
        return Err(Refusal::Mismatch);
    }
    let is_there = |name: &str| name == "host" || request.headers.contains_key(name);
    if authorization.signed_headers.split(';').all(is_there) { Ok(()) } else { Err(Refusal::Mismatch) }
}

/// The hash that the signature must be over: that of the body, which a client may state but not replace.
fn payload_hash(request: &Parts, body: &[u8]) -> Result<String, Refusal> {
    let hash = sha256_hex(body);
    match request.headers.get(PAYLOAD_HEADER).map(|stated| stated.to_str().unwrap_or_default()) {
        None => Ok(hash),
        Some(stated) if stated == hash => Ok(hash),
        Some(stated) if stated == "UNSIGNED-PAYLOAD" || stated.starts_with("STREAMING-") => {
            Err(Refusal::Invalid(format!("{PAYLOAD_HEADER}: {stated} is not supported by this server: sign the body")))
        }
        Some(_) => Err(Refusal::Mismatch),
    }
}

fn canonical_request(request: &Parts, authorization: &Authorization<'_>, payload_hash: &str) -> Vec<u8> {
    let mut canonical = format!("{}\n{}\n", request.method, encode(request.uri.path().as_bytes(), true)).into_bytes();
    let pairs = read_pairs(request.uri.query().unwrap_or_default());
    let mut pairs: Vec<_> =
        pairs.map(|(name, value)| (encode(name.as_bytes(), false), encode(value.as_bytes(), false))).collect();
    pairs.sort();
    let query: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    canonical.extend(query.join("&").into_bytes());
    canonical.push(b'\n');
    for name in authorization.signed_headers.split(';') {
        canonical.extend(name.as_bytes());
        canonical.push(b':');
        canonical.extend(header_value(request, name));
        canonical.push(b'\n');
    }
    canonical.extend(format!("\n{}\n{payload_hash}", authorization.signed_headers).into_bytes());
    canonical
}

/// All values of a header, joined by commas, each without outer and double spaces.
fn header_value(request: &Parts, name: &str) -> Vec<u8> {
    let mut joined = Vec::new();
    for (index, value) in request.headers.get_all(name).iter().enumerate() {
        if index > 0 {
            joined.push(b',');
        }
        let mut words = value.as_bytes().split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        joined.extend(words.next().unwrap_or_default());
        for word in words {
            joined.push(b' ');
            joined.extend(word);
        }
    }
    // An absolute request target (as proxies send it) carries the host itself.
    if joined.is_empty() && name == "host" {
        joined.extend(request.uri.authority().map_or("", http::uri::Authority::as_str).as_bytes());
    }
    joined
}

/// Percent-encodes all but unreserved characters. A path, which is encoded already, is so a second time.
fn encode(bytes: &[u8], is_path: bool) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(*byte)),
            b'/' if is_path => encoded.push('/'),
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

fn hmac_sha256(key: &[u8], bytes: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), bytes)
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
