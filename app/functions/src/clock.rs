//! The time, from outside.

use tandem_profiles::Timestamp;
use tokio::time::Instant;

/// The time now. Handlers take it as a parameter.
#[expect(clippy::disallowed_methods, reason = "the one place of the app that reads the system's clock")]
pub fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// The time in one run, going on from the moment at which it began.
#[derive(Clone, Copy)]
pub(crate) struct Running {
    began_at: Timestamp,
    began: Instant,
}

impl Running {
    /// It is `now`.
    pub fn since(now: Timestamp) -> Self {
        Self { began_at: now, began: Instant::now() }
    }

    /// What it is by now.
    pub fn now(self) -> Timestamp {
        let millis = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.began_at.millis().saturating_add(millis))
    }
}
