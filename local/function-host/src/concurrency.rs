//! How many invocations run at once: of one function, and of the account.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::Error;

/// Of an account, by default.
pub(crate) const ACCOUNT_CONCURRENCY_MAX: u32 = 1000;
/// Of which so many cannot be reserved.
pub(crate) const UNRESERVED_CONCURRENCY_MIN: u32 = 100;

/// A number of invocations under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter(Arc<AtomicU32>);

/// One invocation under way; it is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<AtomicU32>);

impl Counter {
    /// Lets one more in, unless `max` are in already.
    pub(crate) fn enter(&self, max: u32, reason: &'static str) -> Result<Permit, Error> {
        if self.0.fetch_add(1, Ordering::Relaxed) >= max {
            self.0.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::TooManyRequests { reason });
        }
        Ok(Permit(Arc::clone(&self.0)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
