//! Which records of a shard are done, and so where reading begins again after a restart.
//!
//! Lanes work side by side, so records are done out of order. The checkpoint is the last record before which
//! nothing is open: behind it a record may be handed out a second time, but none is ever passed over.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::sync::Notify;

/// The records that were read and are not behind the checkpoint yet.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    state: Mutex<State>,
    /// The checkpoint has moved.
    pub(crate) moved: Notify,
}

#[derive(Debug, Default)]
struct State {
    open: VecDeque<Line>,
    /// The sequence number of the last record of all that are done, if it was not taken yet.
    checkpoint: Option<String>,
}

#[derive(Debug)]
struct Line {
    sequence_number: String,
    is_done: bool,
}

impl Ledger {
    /// Notes a record that was read; they come in order.
    pub(crate) fn read(&self, sequence_number: &str) {
        let line = Line { sequence_number: sequence_number.to_owned(), is_done: false };
        self.state.lock().expect("no holder panics").open.push_back(line);
    }

    /// Notes records that are done.
    pub(crate) fn done<'a>(&self, sequence_numbers: impl IntoIterator<Item = &'a str>) {
        let mut state = self.state.lock().expect("no holder panics");
        for done in sequence_numbers {
            let place = state.open.partition_point(|line| is_before(&line.sequence_number, done));
            if let Some(line) = state.open.get_mut(place).filter(|line| line.sequence_number == done) {
                line.is_done = true;
            }
        }
        while let Some(line) = state.open.pop_front_if(|line| line.is_done) {
            state.checkpoint = Some(line.sequence_number);
        }
        drop(state);
        self.moved.notify_one();
    }

    /// The checkpoint, if it has moved since it was last taken.
    pub(crate) fn take_checkpoint(&self) -> Option<String> {
        self.state.lock().expect("no holder panics").checkpoint.take()
    }
}

/// Sequence numbers are decimal and of any length.
fn is_before(a: &str, b: &str) -> bool {
    (a.len(), a) < (b.len(), b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_checkpoint_waits_for_the_slowest() {
        let ledger = Ledger::default();
        for number in ["8", "9", "10"] {
            ledger.read(number);
        }
        ledger.done(["10", "9"]);
        assert_eq!(ledger.take_checkpoint(), None);
        ledger.done(["8"]);
        assert_eq!(ledger.take_checkpoint().as_deref(), Some("10"));
        assert_eq!(ledger.take_checkpoint(), None);
    }

    proptest! {
        #[test]
        fn the_checkpoint_is_the_end_of_what_is_done(order in Just((0..20_usize).collect::<Vec<_>>()).prop_shuffle()) {
            let ledger = Ledger::default();
            (0..20).for_each(|number| ledger.read(&number.to_string()));
            let mut is_done = [false; 20];
            let mut checkpoint = None;
            for number in order {
                ledger.done([number.to_string().as_str()]);
                is_done[number] = true;
                checkpoint = ledger.take_checkpoint().or(checkpoint);
                let wanted = is_done.iter().take_while(|done| **done).count();
                prop_assert_eq!(&checkpoint, &wanted.checked_sub(1).map(|last| last.to_string()));
            }
        }
    }
}
