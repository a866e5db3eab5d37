//! Holding up whoever guesses passwords: after five wrong ones a user's sign-ins are refused for a second, then two,
//! four, and so on up to about a quarter of an hour.
//!
//! In memory and bounded: a restart forgives. Source: the developer guide, "Authentication", lockout behaviour.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use world::Timestamp;

const FREE_FAILURES: u32 = 5;
const LOCK_MAX: Duration = Duration::from_mins(15);
/// Users remembered; those who failed longest ago are forgotten first.
const USERS_MAX: usize = 10_000;

/// Failed sign-ins by the user's row in the store.
#[derive(Debug, Default)]
pub struct Lockout(Mutex<HashMap<i64, Failures>>);

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    fn locked_until(self) -> Timestamp {
        let doublings = self.count.saturating_sub(FREE_FAILURES);
        if self.count < FREE_FAILURES {
            return self.last;
        }
        self.last.plus(Duration::from_secs(1 << doublings.min(10)).min(LOCK_MAX))
    }
}

impl Lockout {
    /// Whether a user must wait. An attempt while they must does not make it longer.
    pub fn is_locked(&self, user: i64, now: Timestamp) -> bool {
        let failures = self.0.lock().expect("no holder panics").get(&user).copied();
        failures.is_some_and(|failures| now < failures.locked_until())
    }

    /// Counts a wrong password.
    pub fn failed(&self, user: i64, now: Timestamp) {
        let mut users = self.0.lock().expect("no holder panics");
        users.retain(|_, failures| now < failures.last.plus(LOCK_MAX));
        if users.len() >= USERS_MAX
            && let Some(oldest) = users.iter().min_by_key(|(_, failures)| failures.last).map(|(user, _)| *user)
        {
            users.remove(&oldest);
        }
        let failures = users.entry(user).or_insert(Failures { count: 0, last: now });
        failures.count += 1;
        failures.last = now;
    }

    /// Forgives everything: the password was right.
    pub fn succeeded(&self, user: i64) {
        self.0.lock().expect("no holder panics").remove(&user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double() {
        let (lockout, start) = (Lockout::default(), Timestamp::from_millis(0));
        for _ in 0..4 {
            lockout.failed(1, start);
        }
        assert!(!lockout.is_locked(1, start));
        lockout.failed(1, start);
        assert!(lockout.is_locked(1, start.plus(Duration::from_millis(999))));
        let later = start.plus(Duration::from_secs(1));
        assert!(!lockout.is_locked(1, later));
        lockout.failed(1, later);
        assert!(lockout.is_locked(1, later.plus(Duration::from_millis(1999))));
        assert!(!lockout.is_locked(2, later), "somebody else");
    }

    #[test]
    fn a_right_password_forgives() {
        let (lockout, now) = (Lockout::default(), Timestamp::from_millis(0));
        for _ in 0..6 {
            lockout.failed(1, now);
        }
        lockout.succeeded(1);
        assert!(!lockout.is_locked(1, now));
    }
}
