//! What a run keeps beside itself, and how it is told to end.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::bail;
use tandem_reconcile::{Directory, Error, Spool};
use tokio::signal::unix::{SignalKind, signal};

use super::place::{Place, STATE};

/// The directory with the progress.
pub struct Kept {
    spool: Arc<Directory>,
    path: PathBuf,
}

impl Kept {
    /// Opens it; with `restart`, nothing of an earlier run stays.
    pub async fn open(place: &Place, restart: bool) -> anyhow::Result<Self> {
        let kept = Self { spool: Arc::new(Directory::open(&place.state)?), path: place.state.clone() };
        if restart {
            kept.spool.clear().await?;
        }
        Ok(kept)
    }

    pub fn spool(&self) -> Arc<dyn Spool> {
        Arc::clone(&self.spool) as Arc<dyn Spool>
    }

    /// Takes the directory away, if nothing but ours is in it.
    pub fn remove(self) {
        let path = self.path;
        drop(self.spool);
        // Whatever cannot be removed is somebody else's, or nobody's trouble.
        let _ = fs::remove_file(path.join("lock"));
        let _ = fs::remove_dir(&path);
        if path.starts_with(STATE) {
            // Where nobody named a directory, the ones around it may be ours as well; they stay if anything is in them.
            let _ = fs::remove_dir(STATE);
            let _ = STATE.split_once('/').map(|(above, _)| fs::remove_dir(above));
        }
    }

    /// How to go on after Ctrl-C.
    pub fn stopped<T>(self) -> anyhow::Result<T> {
        bail!("stopped; what has been done is kept in {}: the same command goes on from there", self.path.display())
    }

    /// How to go on after an error. If nothing has been done yet, nothing is kept.
    pub async fn failed<T>(self, error: Error, has_begun: bool) -> anyhow::Result<T> {
        let is_anothers = matches!(error, Error::OtherRun { .. });
        if has_begun && !is_anothers {
            let path = self.path.display();
            bail!("{error} (what has been done is kept in {path}: the same command goes on from there)");
        }
        if !is_anothers {
            // The error itself is what there is to tell.
            let _ = self.spool.clear().await;
            self.remove();
        }
        Err(error.into())
    }
}

/// The wish to end, by Ctrl-C or SIGTERM. Who wishes it twice does not wait.
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn on_signals() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                let Ok(mut signals) = signal(kind) else { return };
                while signals.recv().await.is_some() {
                    if stop.swap(true, Ordering::Relaxed) {
                        std::process::exit(2);
                    }
                    eprintln!("ending with this page; once more ends at once");
                }
            });
        }
        Self(stop)
    }

    pub fn is_stopped(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let stop = Arc::clone(&self.0);
        move || stop.load(Ordering::Relaxed)
    }
}
