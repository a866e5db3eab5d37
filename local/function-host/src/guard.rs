//! The guard: a process that outlives a killed server by a moment, and ends what functions leave behind.
//!
//! A function's own process dies with the server (`launcher.rs`), but what it has started would not. So the first
//! sandbox brings up a guard, which is told of every sandbox on its standard input. When that ends, the server has
//! ended, and whatever sandboxes it still had are cleared away. A server that stops in order leaves nothing to do.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Mutex;

use rustix::process::Signal;

use crate::process::{kill_strays, signal_group};
use crate::surroundings::Launcher;

/// The word behind a launcher's arguments that makes it a guard.
pub const GUARD_WORD: &str = "guard";

/// What is killed may have started something in that moment, so one looks again until nothing is left.
const ROUNDS_MAX: u32 = 10;

/// The server's end of it.
#[derive(Debug, Default)]
pub(crate) struct Guard(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    NotNeeded,
    Listening(ChildStdin),
    /// It could not be started, or has gone: sandboxes do without.
    Gone,
}

impl Guard {
    /// Tells of a sandbox by the address of its Runtime API; once more when its process is known.
    pub(crate) fn watch(&self, launcher: Option<&Launcher>, address: &str, pid: Option<u32>) {
        let Some(launcher) = launcher else { return };
        let mut state = self.0.lock().expect("no holder panics");
        if matches!(*state, State::NotNeeded) {
            *state = start(launcher);
        }
        state.say(&format!("+ {address} {}\n", pid.unwrap_or_default()));
    }

    /// Nothing of this sandbox is left.
    pub(crate) fn release(&self, address: &str) {
        self.0.lock().expect("no holder panics").say(&format!("- {address}\n"));
    }
}

impl State {
    fn say(&mut self, line: &str) {
        if let Self::Listening(guard) = self
            && let Err(error) = guard.write_all(line.as_bytes())
        {
            tracing::warn!(%error, "the guard is gone: if this server is killed, children of functions may live on");
            *self = Self::Gone;
        }
    }
}

fn start(launcher: &Launcher) -> State {
    let mut command = Command::new(&launcher.program);
    command.args(&launcher.args).arg(GUARD_WORD).env_clear().process_group(0); // Ctrl-C is not meant for it
    let guard = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    match guard.map(|mut guard| guard.stdin.take()) {
        Ok(Some(input)) => State::Listening(input),
        Ok(None) => State::Gone,
        Err(error) => {
            tracing::warn!(%error, "no guard: if this server is killed, children of functions may live on");
            State::Gone
        }
    }
}

/// Is a guard until `input` ends. To be called by a process that does nothing else.
pub fn guard_main(input: impl BufRead) {
    let mut sandboxes: HashMap<String, u32> = HashMap::new();
    for line in input.lines().map_while(Result::ok) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["+", address, pid] => drop(sandboxes.insert(address.to_owned(), pid.parse().unwrap_or_default())),
            ["-", address] => drop(sandboxes.remove(address)),
            _ => {}
        }
    }
    for pid in sandboxes.values().filter(|pid| **pid != 0) {
        signal_group(*pid, Signal::KILL);
    }
    let clear = || sandboxes.keys().map(|address| kill_strays(address)).sum::<usize>();
    for _ in 0..ROUNDS_MAX {
        if sandboxes.is_empty() || clear() == 0 {
            break;
        }
    }
}
