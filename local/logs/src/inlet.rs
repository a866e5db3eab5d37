//! Where printed lines wait to be stored: bounded, and never in the way of who prints.
//!
//! A line that does not fit is dropped and counted; the count becomes a line of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

/// What waits at most.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Of one stream: a function that prints 100 MB loses lines of its own, and not those of others.
const STREAM_BYTES_MAX: usize = 1024 * 1024;
/// From here on the writer does not wait for more.
const PRESSING_BYTES: usize = 512 * 1024;
/// What a line costs beside its text.
const LINE_BYTES: usize = 100;

/// A group and a stream in it.
pub type StreamName = (Arc<str>, Arc<str>);

/// The buffer.
#[derive(Debug, Default)]
pub struct Inlet {
    waiting: Mutex<Waiting>,
    /// There is something.
    pub arrived: Notify,
    /// There is much.
    pub pressing: Notify,
}

/// What waits.
#[derive(Debug, Default)]
struct Waiting {
    streams: BTreeMap<StreamName, Printed>,
    bytes: usize,
}

/// What was printed into one stream.
#[derive(Debug, Default)]
pub struct Printed {
    /// Time and text, in the order of printing.
    pub lines: Vec<(i64, String)>,
    /// How many lines there was no room for.
    pub dropped: u64,
    bytes: usize,
}

impl Inlet {
    /// Takes a line if there is room.
    pub fn push(&self, group: &Arc<str>, stream: &Arc<str>, at: i64, text: &str) {
        let bytes = text.len() + LINE_BYTES;
        let mut waiting = self.waiting.lock().expect("no holder panics");
        let before = waiting.bytes;
        let is_first = waiting.streams.is_empty();
        let printed = waiting.streams.entry((Arc::clone(group), Arc::clone(stream))).or_default();
        if before + bytes > WAITING_BYTES_MAX || printed.bytes + bytes > STREAM_BYTES_MAX {
            printed.dropped += 1;
        } else {
            printed.bytes += bytes;
            printed.lines.push((at, text.to_owned()));
            waiting.bytes += bytes;
        }
        let after = waiting.bytes;
        drop(waiting);
        if is_first {
            self.arrived.notify_one();
        }
        if before < PRESSING_BYTES && after >= PRESSING_BYTES {
            self.pressing.notify_one();
        }
    }

    /// Everything that waits, by stream.
    pub fn take(&self) -> BTreeMap<StreamName, Printed> {
        std::mem::take(&mut *self.waiting.lock().expect("no holder panics")).streams
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(inlet: &Inlet, stream: &str, lines: i64) -> (usize, u64) {
        let (group, name) = (Arc::from("g"), Arc::from(stream));
        for at in 0..lines {
            inlet.push(&group, &name, at, &"x".repeat(900));
        }
        let waiting = inlet.waiting.lock().expect("no holder panics");
        let printed = &waiting.streams[&(group, name)];
        (printed.lines.len(), printed.dropped)
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let inlet = Inlet::default();
        let (kept, dropped) = push(&inlet, "noisy", 10_000);
        assert_eq!((kept, dropped), (STREAM_BYTES_MAX / 1000, 10_000 - (STREAM_BYTES_MAX / 1000) as u64));
        assert_eq!(push(&inlet, "quiet", 1), (1, 0));
        inlet.take();
        assert_eq!(push(&inlet, "noisy", 1), (1, 0));
    }

    #[test]
    fn many_streams_share_one_bound() {
        let inlet = Inlet::default();
        let kept: usize = (0..10).map(|n| push(&inlet, &n.to_string(), 2_000).0).sum();
        assert_eq!(kept, WAITING_BYTES_MAX / 1000);
    }
}
