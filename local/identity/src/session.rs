//! Credentials for a while, and who has them.

use std::ops::RangeInclusive;
use std::time::Duration;

use aws_api::{Arn, Call};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::error::Error;

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ANY: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// What SDKs send a session token in.
const TOKEN_HEADER: &str = "x-amz-security-token";
/// Of a role's id, behind `AROA`.
const ROLE_ID_CHARS: usize = 17;
const SESSION_NAME_CHARS: RangeInclusive<usize> = 2..=64;

/// Whoever calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Caller {
    /// `UserId`
    pub user_id: String,
    /// The account's number.
    pub account: String,
    /// Of a user or of a role's session.
    pub arn: String,
}

/// What requests are signed with.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

/// Somebody who has taken a role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumedRoleUser {
    assumed_role_id: String,
    arn: String,
}

impl Identity {
    /// Whose call it is: what the session token says, or the account itself.
    pub(crate) fn caller(&self, call: &Call) -> Caller {
        let read = |token: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok();
        call.header(TOKEN_HEADER).and_then(read).unwrap_or_else(|| {
            let account = self.world.place.account.clone();
            Caller { user_id: account.clone(), arn: format!("arn:aws:iam::{account}:root"), account }
        })
    }

    /// Credentials of somebody. On loopback any do; elsewhere only the caller's own key counts, which they have shown
    /// that they know.
    pub(crate) fn credentials(&self, caller: &Caller, duration_s: u32) -> Credentials {
        let random = &self.world.random;
        let (access_key_id, secret_access_key) =
            self.key.clone().unwrap_or_else(|| (format!("ASIA{}", random.letters(16, UPPER)), random.letters(40, ANY)));
        let session_token = URL_SAFE_NO_PAD.encode(serde_json::to_vec(caller).unwrap_or_default()); // texts serialise
        let expiration = self.world.clock.now().plus(Duration::from_secs(duration_s.into())).rfc3339_seconds();
        Credentials { access_key_id, secret_access_key, session_token, expiration }
    }
}

impl Caller {
    /// Whoever takes a role under a name.
    pub(crate) fn of_role(role_arn: &str, session_name: &str) -> Result<Self, Error> {
        let refused = || Error::RoleArn(role_arn.to_owned());
        let arn: Arn = role_arn.parse().map_err(|_| refused())?;
        let role = arn.resource.strip_prefix("role/").filter(|_| arn.service == "iam").ok_or_else(refused)?;
        let name = role.rsplit('/').next().filter(|name| !name.is_empty()).ok_or_else(refused)?;
        check_session_name(session_name)?;
        let account = arn.account.clone();
        Ok(Self {
            user_id: format!("{}:{session_name}", role_id(role_arn)),
            arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session_name}"),
            account,
        })
    }

    pub(crate) fn as_role_user(&self) -> AssumedRoleUser {
        AssumedRoleUser { assumed_role_id: self.user_id.clone(), arn: self.arn.clone() }
    }
}

/// The duration that was asked for, or the usual one.
pub(crate) fn duration_s(asked: Option<u32>, usual: u32, may: RangeInclusive<u32>) -> Result<u32, Error> {
    let seconds = asked.unwrap_or(usual);
    let rule = match seconds {
        _ if seconds < *may.start() => format!("greater than or equal to {}", may.start()),
        _ if seconds > *may.end() => format!("less than or equal to {}", may.end()),
        _ => return Ok(seconds),
    };
    let rule = format!("Member must have value {rule}");
    Err(Error::Constraint { value: seconds.to_string(), member: "durationSeconds", rule })
}

fn check_session_name(name: &str) -> Result<(), Error> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    let length = name.chars().count();
    let rule = if length < *SESSION_NAME_CHARS.start() {
        "Member must have length greater than or equal to 2"
    } else if length > *SESSION_NAME_CHARS.end() {
        "Member must have length less than or equal to 64"
    } else if !name.chars().all(is_plain) {
        "Member must satisfy regular expression pattern: [\\w+=,.@-]*"
    } else {
        return Ok(());
    };
    Err(Error::Constraint { value: name.to_owned(), member: "roleSessionName", rule: rule.to_owned() })
}

/// The same at every call: roles have an id for life (FNV-1a of the ARN, for want of a place where roles are kept).
fn role_id(arn: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut mix = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    arn.bytes().for_each(&mut mix);
    let mut id = "AROA".to_owned();
    for _ in 0..ROLE_ID_CHARS {
        let letter = usize::try_from(hash >> 59).unwrap_or(0); // of 32
        id.push(char::from(UPPER[letter]));
        hash = hash.rotate_left(5).wrapping_mul(0x0000_0100_0000_01b3);
    }
    id
}
