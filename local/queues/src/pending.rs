//! How much is not finished, over all lanes: what "has everything settled?" is answered from.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;
use world::Timestamp;

/// A job that is not finished, for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The lane's name.
    pub lane: &'static str,
    /// What the job is, in its room's words.
    pub label: String,
    /// When it may be handed out, or was.
    pub due: Timestamp,
    /// Whether it is handed out.
    pub running: bool,
    /// Failed attempts so far.
    pub attempt: u32,
}

/// The number of jobs that are not finished, and news of it.
#[derive(Debug)]
pub(crate) struct Total {
    count: AtomicUsize,
    news: watch::Sender<usize>,
}

impl Total {
    pub fn new() -> Self {
        Self { count: AtomicUsize::new(0), news: watch::Sender::new(0) }
    }

    /// A lane had `before` and has `after`. To be told under the lane's lock, published after it.
    pub fn shift(&self, before: usize, after: usize) {
        if after >= before {
            self.count.fetch_add(after - before, Ordering::SeqCst);
        } else {
            self.count.fetch_sub(before - after, Ordering::SeqCst);
        }
    }

    /// Tells whoever watches. Not under a lane's lock: a watcher may hold the news and ask the lane.
    pub fn publish(&self) {
        self.news.send_if_modified(|news| {
            let count = self.count.load(Ordering::SeqCst);
            std::mem::replace(news, count) != count
        });
    }

    pub fn watch(&self) -> watch::Receiver<usize> {
        self.news.subscribe()
    }
}
