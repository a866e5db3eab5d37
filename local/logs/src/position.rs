//! Where an event stands in its group: its time, and a number that grows with every event stored. Event ids and
//! page tokens are made of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Error;

/// Digits of an event's id, as on AWS.
const ID_DIGITS: usize = 56;
const AT_DIGITS: usize = 20;

/// The place of an event; later events compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Milliseconds since the epoch.
    pub at: i64,
    /// Of all events ever stored.
    pub n: i64,
}

/// A page token of `GetLogEvents`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// What comes after.
    After(Position),
    /// What comes before.
    Before(Position),
}

impl Position {
    /// Before everything at this time or later.
    pub fn before(at: i64) -> Self {
        Self { at, n: 0 }
    }

    /// The next possible place.
    pub fn next(self) -> Self {
        Self { n: self.n.saturating_add(1), ..self }
    }

    /// The last possible place before this.
    pub fn previous(self) -> Self {
        Self { n: self.n.saturating_sub(1), ..self }
    }

    /// 56 digits.
    pub fn digits(self) -> String {
        format!("3{:0at$}{:0n$}", self.at.max(0), self.n.max(0), at = AT_DIGITS - 1, n = ID_DIGITS - AT_DIGITS)
    }

    fn from_digits(digits: &str) -> Option<Self> {
        let fits = digits.len() == ID_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        let digits = if fits { digits.strip_prefix('3')? } else { return None };
        let (at, n) = digits.split_at(AT_DIGITS - 1);
        Some(Self { at: at.parse().ok()?, n: n.parse().ok()? })
    }

    /// The page token of `FilterLogEvents`.
    pub fn token(self) -> String {
        URL_SAFE_NO_PAD.encode(self.digits())
    }

    /// The place in such a token.
    pub fn from_token(token: &str) -> Result<Self, Error> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        let digits = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        digits.and_then(|digits| Self::from_digits(&digits)).ok_or_else(Error::bad_token)
    }
}

impl Cursor {
    /// `f/…/s` leads forward, `b/…/s` backward.
    pub fn token(self) -> String {
        match self {
            Self::After(position) => format!("f/{}/s", position.digits()),
            Self::Before(position) => format!("b/{}/s", position.digits()),
        }
    }

    /// Reads a token.
    pub fn from_token(token: &str) -> Result<Self, Error> {
        let (direction, rest) = token.split_once('/').ok_or_else(Error::bad_token)?;
        let digits = rest.strip_suffix("/s").unwrap_or(rest);
        let position = Position::from_digits(digits).ok_or_else(Error::bad_token)?;
        match direction {
            "f" => Ok(Self::After(position)),
            "b" => Ok(Self::Before(position)),
            _ => Err(Error::bad_token()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tokens_come_back(at in 0_i64.., n in 0_i64.., forward: bool) {
            let position = Position { at, n };
            let cursor = if forward { Cursor::After(position) } else { Cursor::Before(position) };
            prop_assert_eq!(Cursor::from_token(&cursor.token()).expect("a token"), cursor);
            prop_assert_eq!(Position::from_token(&position.token()).expect("a token"), position);
        }

        #[test]
        fn ids_sort_as_positions_do(a in (0_i64.., 0_i64..), b in (0_i64.., 0_i64..)) {
            let (a, b) = (Position { at: a.0, n: a.1 }, Position { at: b.0, n: b.1 });
            prop_assert_eq!(a.digits().len(), ID_DIGITS);
            prop_assert_eq!(a.digits().cmp(&b.digits()), a.cmp(&b));
        }

        #[test]
        fn no_text_breaks_it(text in ".*") {
            let _ = (Cursor::from_token(&text), Position::from_token(&text));
        }
    }
}
