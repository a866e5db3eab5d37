//! Time as a parameter.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// A point in time: milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, as tokens carry them.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Seconds with a fraction, as AWS's JSON protocols write dates.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of any real date fit into 53 bits")]
    pub fn epoch_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// This time and `duration` more.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 with milliseconds: `2026-01-01T00:00:00.000Z`.
    pub fn rfc3339_millis(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S%.3fZ")
    }

    /// RFC 3339 with whole seconds, as EventBridge's envelope has it: `2026-01-01T00:00:00Z`.
    pub fn rfc3339_seconds(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%SZ")
    }

    /// In UTC, by `jiff`'s strftime directives.
    pub fn format(self, directives: &str) -> String {
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        instant.to_zoned(jiff::tz::TimeZone::UTC).strftime(directives).to_string()
    }
}

/// The time, and waiting for it. Cheap to clone: all clones tell the same time.
///
/// Deadlines of processes (a function's time-out) follow the real passing of time; everything that AWS
/// counts in minutes or days (codes, tokens, retries, retention) asks this clock, which can be advanced.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    /// Milliseconds: the whole time of a manual clock, the lead over the system's of any other.
    shift: AtomicI64,
    ticking: bool,
    /// Wakes sleepers when the clock jumps.
    jumps: watch::Sender<()>,
}

impl Clock {
    /// The system's clock, which [`Clock::advance`] can set ahead.
    pub fn system() -> Self {
        Self::new(0, true)
    }

    /// A clock that stands still until it is advanced.
    pub fn manual(start: Timestamp) -> Self {
        Self::new(start.0, false)
    }

    fn new(shift: i64, ticking: bool) -> Self {
        Self(Arc::new(Inner { shift: AtomicI64::new(shift), ticking, jumps: watch::Sender::new(()) }))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let shift = self.0.shift.load(Ordering::Relaxed);
        Timestamp(if self.0.ticking { system_millis().saturating_add(shift) } else { shift })
    }

    /// Sets the clock ahead and wakes whoever waits for a time that has come by it.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let _ = self.0.shift.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |shift| Some(shift.saturating_add(by)));
        self.0.jumps.send_replace(());
    }

    /// Returns when the clock shows `due` or later: at once, by the passing of time, or by a jump.
    pub async fn sleep_until(&self, due: Timestamp) {
        let mut jumps = self.0.jumps.subscribe();
        loop {
            let left = due.since(self.now());
            if left.is_zero() && self.now() >= due {
                return;
            }
            if self.0.ticking {
                tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    _ = jumps.changed() => {}
                }
            } else if jumps.changed().await.is_err() {
                return; // the last handle of the clock is gone: nobody can advance it any more
            }
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
fn system_millis() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_epoch.map_or(0, |duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_aws_does() {
        let time = Timestamp::from_millis(1_767_225_600_123);
        assert_eq!(time.rfc3339_millis(), "2026-01-01T00:00:00.123Z");
        assert_eq!(time.rfc3339_seconds(), "2026-01-01T00:00:00Z");
    }

    #[tokio::test]
    async fn a_jump_wakes_a_sleeper() {
        let clock = Clock::manual(Timestamp::from_millis(0));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(Timestamp::from_millis(60_000)).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_mins(1));
        sleeper.await.expect("the sleeper returns");
    }
}
