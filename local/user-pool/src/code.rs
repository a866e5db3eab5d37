//! Codes that are sent to prove an address: six digits, once, for a while.

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use world::{Random, Timestamp};

use crate::Error;

const DIGITS: usize = 6;
/// Wrong guesses before a code is worth nothing: AWS allows 15 confirmations in an hour.
const WRONG_GUESSES_MAX: u32 = 15;
const SIGN_UP_LIFE: Duration = Duration::from_hours(24);
const PASSWORD_LIFE: Duration = Duration::from_hours(1);

/// What a code is good for; a newer code for the same purpose replaces the older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Confirms a sign-up.
    SignUp,
    /// Allows a new password.
    Password,
    /// Proves an e-mail address.
    Email,
    /// Proves a phone number.
    PhoneNumber,
}

impl Purpose {
    /// The purpose of a code that proves an attribute.
    pub fn verifying(attribute: &str) -> Option<Self> {
        match attribute {
            "email" => Some(Self::Email),
            "phone_number" => Some(Self::PhoneNumber),
            _ => None,
        }
    }

    fn life(self) -> Duration {
        match self {
            Self::SignUp | Self::Email | Self::PhoneNumber => SIGN_UP_LIFE,
            Self::Password => PASSWORD_LIFE,
        }
    }
}

/// A code as the store keeps it: not the digits, but what proves that somebody knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub purpose: Purpose,
    digest: [u8; 32],
    /// Milliseconds since the epoch.
    pub expires: i64,
    wrong_guesses: u32,
    /// The attribute that got it (`email`, `phone_number`), which it proves.
    pub attribute: String,
    /// A new value of the attribute that waits for this code.
    pub new_value: Option<String>,
}

/// How a guess went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    Right,
    Wrong,
    Expired,
    /// Too many wrong ones before.
    Refused,
}

impl Code {
    /// A new code; the digits are for the message alone.
    pub fn new(
        purpose: Purpose,
        attribute: &str,
        secret: &[u8; 32],
        now: Timestamp,
        random: &Random,
    ) -> (Self, String) {
        let digits = random.digits(DIGITS);
        let code = Self {
            purpose,
            digest: digest(secret, &digits),
            expires: now.plus(purpose.life()).millis(),
            wrong_guesses: 0,
            attribute: attribute.into(),
            new_value: None,
        };
        (code, digits)
    }

    /// Judges a guess, and remembers a wrong one: save the user afterwards.
    pub fn guess(&mut self, digits: &str, secret: &[u8; 32], now: Timestamp) -> Guess {
        if self.wrong_guesses >= WRONG_GUESSES_MAX {
            return Guess::Refused;
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let right = hmac::verify(&key, digits.as_bytes(), &self.digest).is_ok(); // in constant time
        if !right {
            self.wrong_guesses += 1;
            Guess::Wrong
        } else if now.millis() >= self.expires {
            Guess::Expired
        } else {
            Guess::Right
        }
    }
}

impl Guess {
    /// The exception for every guess but the right one.
    pub fn check(self) -> Result<(), Error> {
        match self {
            Self::Right => Ok(()),
            Self::Wrong => Err(Error::CodeMismatch),
            Self::Expired => Err(Error::ExpiredCode),
            Self::Refused => Err(Error::too_often()),
        }
    }
}

fn digest(secret: &[u8; 32], digits: &str) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), digits.as_bytes());
    let mut digest = [0; 32];
    digest.copy_from_slice(tag.as_ref());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use world::World;

    const SECRET: [u8; 32] = [7; 32];

    #[test]
    fn a_code_is_good_for_a_day() {
        let world = World::for_tests(1);
        let now = world.clock.now();
        let (mut code, digits) = Code::new(Purpose::SignUp, "email", &SECRET, now, &world.random);
        assert_eq!(code.guess("000000", &SECRET, now), Guess::Wrong);
        assert_eq!(code.guess(&digits, &SECRET, now), Guess::Right);
        assert_eq!(code.guess(&digits, &SECRET, now.plus(SIGN_UP_LIFE)), Guess::Expired);
    }

    #[test]
    fn guessing_ends() {
        let world = World::for_tests(1);
        let now = world.clock.now();
        let (mut code, digits) = Code::new(Purpose::SignUp, "email", &SECRET, now, &world.random);
        for _ in 0..WRONG_GUESSES_MAX {
            assert_eq!(code.guess("x", &SECRET, now), Guess::Wrong);
        }
        assert_eq!(code.guess(&digits, &SECRET, now), Guess::Refused);
    }
}
