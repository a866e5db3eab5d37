//! Load: so many workers, each with a connection, one request after the other.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use futures_util::future::try_join_all;
use tokio::time::Instant;

use crate::http::Connection;

/// When to stop.
#[derive(Clone, Copy)]
pub enum Until {
    Count(u64),
    Elapsed(Duration),
}

/// What a load came to.
pub struct Load {
    /// Of all rounds, in order of size.
    latencies: Vec<Duration>,
    elapsed: Duration,
}

impl Load {
    #[expect(clippy::cast_precision_loss, reason = "nobody makes 2^52 requests")]
    pub fn count(&self) -> f64 {
        self.latencies.len() as f64
    }

    pub fn per_second(&self) -> f64 {
        self.count() / self.elapsed.as_secs_f64()
    }

    pub fn median_ms(&self) -> f64 {
        self.latencies.get(self.latencies.len() / 2).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
    }
}

/// Runs `round` over and over on `workers` connections; each round gets the next number, from 0.
pub async fn run(
    address: SocketAddr,
    workers: usize,
    until: Until,
    round: impl AsyncFn(&mut Connection, u64) -> Result<()>,
) -> Result<Load> {
    let timed = async |connection: &mut Connection, number| {
        let began = Instant::now();
        round(connection, number).await?;
        Ok(began.elapsed())
    };
    run_timed(address, workers, until, timed).await
}

/// The same where a round says by itself how long its interesting part took.
pub async fn run_timed(
    address: SocketAddr,
    workers: usize,
    until: Until,
    round: impl AsyncFn(&mut Connection, u64) -> Result<Duration>,
) -> Result<Load> {
    let next = Cell::new(0);
    let began = Instant::now();
    let work = async || -> Result<Vec<Duration>> {
        let mut connection = Connection::open(address).await?;
        let mut latencies = Vec::new();
        loop {
            let number: u64 = next.get();
            let is_over = match until {
                Until::Count(count) => number >= count,
                Until::Elapsed(period) => began.elapsed() >= period,
            };
            if is_over {
                return Ok(latencies);
            }
            next.set(number + 1);
            latencies.push(round(&mut connection, number).await?);
        }
    };
    let all = try_join_all((0..workers).map(|_| work())).await?;
    let elapsed = began.elapsed();
    let mut latencies = all.concat();
    latencies.sort_unstable();
    Ok(Load { latencies, elapsed })
}
