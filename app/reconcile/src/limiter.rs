//! How fast to ask: a pace that is halved when a service says that it was too fast, and regained slowly.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// The slowest pace: a service that wants less than this is out of order.
const RATE_MIN: f64 = 0.5;

/// So many answers in a row bring the pace from nothing to what was asked for.
const ANSWERS_TO_REGAIN: f64 = 200.0;

/// The longest wait that is ever planned, so that no arithmetic ends in a wait for ever.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// A pace in units per second: requests, or units of capacity. No bursts are saved up: the quota is the whole
/// account's, and others want their share at any moment.
#[derive(Debug)]
pub struct Limiter {
    /// Infinite for none.
    rate_max: f64,
    /// What a pace without a limit comes down to when it was too fast.
    rate_known: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rate: f64,
    next: Option<Instant>,
}

impl Limiter {
    /// At most this many units per second; without a limit, as fast as it goes until the service complains, then
    /// `rate_known`.
    pub fn new(rate_max: Option<f64>, rate_known: f64) -> Self {
        let rate_max = rate_max.map_or(f64::INFINITY, |rate| rate.max(RATE_MIN));
        Self { rate_max, rate_known, state: Mutex::new(State { rate: rate_max, next: None }) }
    }

    /// Waits until so many units may be spent, and spends them.
    pub async fn turn(&self, units: f64) {
        let slot = self.reserve(units);
        if slot > Instant::now() {
            tokio::time::sleep_until(slot).await;
        }
    }

    /// Notes units that were spent before anybody knew how many.
    pub fn spent(&self, units: f64) {
        self.reserve(units);
    }

    fn reserve(&self, units: f64) -> Instant {
        let now = Instant::now();
        let mut state = self.state.lock().expect("no panic");
        let slot = state.next.map_or(now, |next| next.max(now));
        let wait = Duration::try_from_secs_f64(units / state.rate).unwrap_or(WAIT_MAX).min(WAIT_MAX);
        state.next = Some(slot + wait);
        slot
    }

    /// The service has answered.
    pub fn went_well(&self) {
        let mut state = self.state.lock().expect("no panic");
        let step = if self.rate_max.is_finite() { self.rate_max } else { self.rate_known } / ANSWERS_TO_REGAIN;
        state.rate = (state.rate + step).min(self.rate_max);
    }

    /// The service has asked for fewer.
    pub fn throttled(&self) {
        let mut state = self.state.lock().expect("no panic");
        let slower = if state.rate.is_finite() { state.rate / 2.0 } else { self.rate_known };
        state.rate = slower.max(RATE_MIN);
    }

    /// Units per second at the moment; infinite without a limit.
    pub fn rate(&self) -> f64 {
        self.state.lock().expect("no panic").rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn seconds_for(limiter: &Limiter, turns: u32) -> f64 {
        let began = Instant::now();
        for _ in 0..turns {
            limiter.turn(1.0).await;
        }
        (Instant::now() - began).as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_its_pace() {
        let limiter = Limiter::new(Some(20.0), 50.0);
        let took = seconds_for(&limiter, 101).await;
        assert!((5.0..5.2).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn saves_nothing_up() {
        let limiter = Limiter::new(Some(10.0), 50.0);
        limiter.turn(1.0).await;
        tokio::time::advance(Duration::from_secs(100)).await;
        let took = seconds_for(&limiter, 11).await;
        assert!((1.0..1.2).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_there_is_no_wait() {
        assert!(seconds_for(&Limiter::new(None, 50.0), 1000).await < 0.01);
    }

    #[test]
    fn halves_its_pace_and_regains_it_slowly() {
        let limiter = Limiter::new(Some(20.0), 50.0);
        limiter.throttled();
        limiter.throttled();
        assert!((limiter.rate() - 5.0).abs() < 1e-9);
        for _ in 0..149 {
            limiter.went_well();
        }
        assert!(limiter.rate() < 20.0);
        for _ in 0..10 {
            limiter.went_well();
        }
        assert!((limiter.rate() - 20.0).abs() < 1e-9);
    }

    #[test]
    fn never_stops_altogether() {
        let limiter = Limiter::new(Some(1.0), 50.0);
        for _ in 0..100 {
            limiter.throttled();
        }
        assert!((limiter.rate() - RATE_MIN).abs() < 1e-9);
    }

    #[test]
    fn a_pace_without_limit_gets_one_when_it_was_too_fast() {
        let limiter = Limiter::new(None, 50.0);
        limiter.throttled();
        assert!((limiter.rate() - 50.0).abs() < 1e-9);
        limiter.went_well();
        assert!(limiter.rate() > 50.0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_spent_is_waited_for_afterwards() {
        let limiter = Limiter::new(Some(100.0), 50.0);
        limiter.turn(0.0).await;
        limiter.spent(250.0);
        let took = seconds_for(&limiter, 1).await;
        assert!((2.4..2.6).contains(&took), "{took}");
    }
}
