//! Calls of the two services: at their pace, counted, and repeated where that helps.
//!
//! The clients' own retries must be off, or throttles would be hidden behind them. No jitter: one process asks, one
//! page after the other, so there is no herd to break up.

use std::sync::Arc;
use std::time::Duration;

use crate::limiter::Limiter;
use crate::meter::{Meter, Operation};

/// How often a service may ask for fewer before a call is given up: with the waits below more than two minutes.
const THROTTLES_MAX: u32 = 20;
/// How often a call is made that fails for another reason.
const ATTEMPTS: u32 = 5;
const WAIT_FIRST: Duration = Duration::from_millis(200);
const WAIT_MAX: Duration = Duration::from_secs(10);

/// A pace without a limit that was too fast comes down to this: more than half of what Cognito lets an account ask.
const CALLS_KNOWN: f64 = 16.0;
/// The same in read capacity units of the table.
const CAPACITY_KNOWN: f64 = 500.0;

/// How fast the services may be asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Calls of the pool per second; none for as fast as it answers.
    pub calls: Option<f64>,
    /// Read capacity units of the table per second; none for as fast as it answers.
    pub read_capacity: Option<f64>,
}

/// An error of one of the two services.
pub(crate) trait Failure {
    fn is_throttle(&self) -> bool;
    fn is_retryable(&self) -> bool;
}

impl Failure for tandem_pool::Error {
    fn is_throttle(&self) -> bool {
        matches!(self, Self::Throttled { .. })
    }

    fn is_retryable(&self) -> bool {
        self.is_retryable()
    }
}

impl Failure for tandem_profiles::Error {
    fn is_throttle(&self) -> bool {
        self.is_throttle()
    }

    fn is_retryable(&self) -> bool {
        self.is_retryable()
    }
}

pub(crate) struct Calls {
    pool: Limiter,
    table: Limiter,
    pub meter: Arc<Meter>,
}

impl Calls {
    pub fn new(pace: Pace, meter: Arc<Meter>) -> Self {
        let pool = Limiter::new(pace.calls, CALLS_KNOWN);
        Self { pool, table: Limiter::new(pace.read_capacity, CAPACITY_KNOWN), meter }
    }

    /// A call of the pool.
    pub async fn pool<T, E: Failure>(
        &self,
        operation: Operation,
        call: impl AsyncFn() -> Result<T, E>,
    ) -> Result<T, E> {
        self.repeated(&self.pool, 1.0, operation, call).await
    }

    /// A call of the table; what it has cost, [`Self::read`] is told.
    pub async fn table<T, E: Failure>(
        &self,
        operation: Operation,
        call: impl AsyncFn() -> Result<T, E>,
    ) -> Result<T, E> {
        self.repeated(&self.table, 0.0, operation, call).await
    }

    /// Read capacity units that a call of the table has cost.
    pub fn read(&self, capacity: f64) {
        self.meter.read(capacity);
        self.table.spent(capacity);
    }

    async fn repeated<T, E: Failure>(
        &self,
        limiter: &Limiter,
        units: f64,
        operation: Operation,
        call: impl AsyncFn() -> Result<T, E>,
    ) -> Result<T, E> {
        let (mut throttles, mut failures) = (0, 0);
        loop {
            limiter.turn(units).await;
            self.meter.asked(operation);
            let error = match call().await {
                Ok(answer) => {
                    limiter.went_well();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let tries = if error.is_throttle() {
                limiter.throttled();
                self.meter.throttled();
                throttles += 1;
                if throttles == THROTTLES_MAX {
                    return Err(error);
                }
                throttles
            } else {
                failures += 1;
                if failures == ATTEMPTS || !error.is_retryable() {
                    return Err(error);
                }
                failures
            };
            tokio::time::sleep((WAIT_FIRST * 2_u32.pow(tries.min(10) - 1)).min(WAIT_MAX)).await;
        }
    }
}
