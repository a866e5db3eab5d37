//! The time, from outside.

use tandem_profiles::Timestamp;

/// The time now. Handlers take it as a parameter.
#[expect(clippy::disallowed_methods, reason = "the one place of the app that reads the system's clock")]
pub fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
