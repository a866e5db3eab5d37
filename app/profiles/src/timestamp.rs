//! Points in time as events and items carry them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch, written as RFC 3339 with exactly three decimals and `Z`.
///
/// The width of the text is fixed, so DynamoDB's comparison of strings is a comparison of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(i64);

/// The last moment that can be written: the year 9999 ends in all time zones within two days from it.
const MILLIS_MAX: i64 = 253_402_207_200_000;

impl Timestamp {
    /// From milliseconds since the Unix epoch; a time before 1970 or after the year 9999 becomes the nearest
    /// that is not.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(0, MILLIS_MAX))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, as DynamoDB's time to live wants them.
    pub const fn seconds(self) -> u64 {
        (self.0 / 1000).unsigned_abs()
    }

    /// This time and so many days more.
    #[must_use]
    pub fn plus_days(self, days: u16) -> Self {
        const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
        Self::from_millis(self.0 + i64::from(days) * DAY_MILLIS)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{instant:.3}")
    }
}

/// A text that should have been a time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time must be RFC 3339 with milliseconds in UTC, such as 2026-01-01T00:00:00.000Z")]
pub struct InvalidTimestamp;

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Accepts any offset and precision; finer than milliseconds is cut off.
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let instant: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp)?;
        Ok(Self::from_millis(instant.as_millisecond()))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, InvalidTimestamp> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, written: &str) {
        assert_eq!(text.parse::<Timestamp>().expect("it parses").to_string(), written);
    }

    #[test]
    fn is_written_with_milliseconds() {
        check("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z");
    }

    #[test]
    fn is_written_in_utc() {
        check("2026-01-01T01:00:00.5+01:00", "2026-01-01T00:00:00.500Z");
    }

    #[test]
    fn is_cut_to_milliseconds() {
        check("2026-01-01T00:00:00.123999Z", "2026-01-01T00:00:00.123Z");
    }

    #[test]
    fn keeps_its_width_at_both_ends() {
        assert_eq!(Timestamp::from_millis(i64::MIN).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "9999-12-30T22:00:00.000Z");
    }

    #[test]
    fn refuses_what_is_no_time() {
        assert_eq!("yesterday".parse::<Timestamp>(), Err(InvalidTimestamp));
    }
}
