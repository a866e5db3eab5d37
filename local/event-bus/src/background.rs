//! What the bus does by itself, beside answering and delivering: schedules fire, replays run, connections get their
//! tokens, and what is too old is swept out. The server runs [`EventBus::run`] beside its own loops.

use std::time::Duration;

use crate::error::Error;
use crate::room::EventBus;
use crate::store;

/// How often what is too old is looked for.
const SWEEP_EVERY: Duration = Duration::from_hours(1);
/// A replay that has ended is told of so long.
const REPLAYS_KEPT: Duration = Duration::from_hours(90 * 24);
/// The wait after a failure of the file system. It is no waiting of AWS's, so it follows real time.
pub const AFTER_FAILURE: Duration = Duration::from_secs(1);

impl EventBus {
    /// Everything that the bus does by itself. Never returns; may be dropped at any point.
    pub async fn run(&self) {
        tokio::join!(self.run_schedules(), self.run_replays(), self.run_authorisations(), self.run_sweeps());
    }

    async fn run_sweeps(&self) {
        loop {
            if let Err(error) = self.sweep().await {
                tracing::error!(%error, "archives could not be swept");
            }
            self.world.clock.sleep_until(self.world.clock.now().plus(SWEEP_EVERY)).await;
        }
    }

    /// Deletes what archives need not keep, and replays that ended long ago.
    pub(crate) async fn sweep(&self) -> Result<(), Error> {
        let now = self.world.clock.now();
        let book = self.shelf.book().await?;
        for archive in book.archives.values().filter(|archive| archive.retention_days > 0) {
            let (name, cutoff) = (archive.name.clone(), archive.cutoff(now));
            self.shelf.database().write(move |connection| store::forget_kept(connection, &name, cutoff)).await?;
        }
        let is_old = move |ended: Option<i64>| ended.is_some_and(|ended| now.millis() - ended > millis(REPLAYS_KEPT));
        if book.replays.values().any(|replay| is_old(replay.ended_at_ms)) {
            self.shelf
                .change(move |book, connection| {
                    let old: Vec<_> =
                        book.replays.values().filter(|replay| is_old(replay.ended_at_ms)).cloned().collect();
                    for replay in old {
                        store::delete_document(connection, &*replay)?;
                        book.replays.remove(&replay.name);
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
