//! What a function prints: standard output and error through one pipe, so in the order in which it was printed.
//!
//! However much it is, we hold the last 4 KB (what `X-Amz-Log-Result` shows) and one unfinished line. Lines go
//! to the sandbox's log stream (`log_sink.rs`), and to `tracing` under the target `function`: so many of one
//! invocation and no more.

use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use tokio::net::unix::pipe::Receiver;
use tracing::Level;

use crate::log_sink::Printer;

/// Of `X-Amz-Log-Result`.
const TAIL_BYTES_MAX: usize = 4096;
/// Of a line as people are shown it; the rest is left out.
const LINE_BYTES_MAX: usize = 2048;
/// Of one invocation as people are shown them.
const LINES_MAX: u32 = 200;
/// Read at once.
const READ_BYTES: usize = 16 * 1024;
/// Read before others get their turn: a function that prints without end must not keep a worker.
const READS_MAX: usize = 32;

/// The output of one sandbox.
pub(crate) struct Logs {
    pipe: Receiver,
    function: String,
    version: String,
    state: Mutex<State>,
}

struct State {
    tail: VecDeque<u8>,
    printer: Printer,
    line: Vec<u8>,
    lines_shown: u32,
    /// The first invocation's tail begins with what the function printed while it came up.
    used: bool,
    closed: bool,
}

/// The figures of an invocation, as its REPORT line has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) duration: Duration,
    pub(crate) memory_mb: u32,
    pub(crate) memory_used_mb: u64,
    /// Of the first invocation of a sandbox.
    pub(crate) init: Option<Duration>,
    /// ` Status: timeout` and such, if it went wrong.
    pub(crate) status: Option<&'a str>,
}

impl Logs {
    /// Takes the reading end of a pipe.
    pub(crate) fn new(function: String, version: String, pipe: io::PipeReader, printer: Printer) -> io::Result<Self> {
        let state =
            State { tail: VecDeque::new(), printer, line: Vec::new(), lines_shown: 0, used: false, closed: false };
        Ok(Self { pipe: Receiver::from_owned_fd(pipe.into())?, function, version, state: Mutex::new(state) })
    }

    /// Reads what is printed as it is printed; returns when nobody can print any more.
    pub(crate) async fn follow(&self) {
        while self.pipe.readable().await.is_ok() {
            if self.read(|buffer| self.pipe.try_read(buffer)) {
                return;
            }
        }
    }

    /// Reads what was printed up to now, so that an invocation's tail holds all of its output. It asks the
    /// kernel itself: the runtime may not have heard yet that there is something to read.
    pub(crate) fn catch_up(&self) {
        self.read(|buffer| Ok(rustix::io::read(&self.pipe, buffer)?));
    }

    /// An invocation begins; `tail` tells whether its caller wants to see the log.
    pub(crate) fn begin(&self, request_id: &str, tail: bool) {
        let mut state = self.state.lock().expect("no holder panics");
        if state.used {
            state.tail.clear();
        }
        state.used = true;
        state.lines_shown = 0;
        if tail {
            state.append(format!("START RequestId: {request_id} Version: {}\n", self.version).as_bytes());
        }
    }

    /// An invocation begins, and whatever is printed from now on is its own; what was printed before is not.
    pub(crate) fn open(&self, request_id: &str) {
        self.catch_up();
        self.state.lock().expect("no holder panics").printer.begin(request_id);
    }

    /// An invocation has ended: nothing that is printed later is its own. Saying it again does nothing.
    pub(crate) fn close<'r>(
        &self,
        request_id: &'r str,
        last_words: Option<&str>,
        report: impl FnOnce(Duration) -> Report<'r>,
    ) {
        if !self.state.lock().expect("no holder panics").printer.is_open(request_id) {
            return;
        }
        self.catch_up();
        let mut state = self.state.lock().expect("no holder panics");
        state.printer.close(request_id, last_words, report);
        if !state.line.is_empty() {
            self.show(&mut state, b"\n"); // the next invocation's first line is another
        }
    }

    /// The last that was printed.
    pub(crate) fn tail(&self) -> String {
        self.state.lock().expect("no holder panics").text()
    }

    /// Whether the pipe is at its end. Reads and notes under one lock: two readers must not swap their pieces.
    fn read(&self, mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> bool {
        let mut buffer = [0; READ_BYTES];
        let mut state = self.state.lock().expect("no holder panics");
        for _ in 0..READS_MAX {
            match read(&mut buffer) {
                Ok(0) => state.closed = true,
                Ok(count) => {
                    state.append(&buffer[..count]);
                    state.printer.printed(&buffer[..count]);
                    self.show(&mut state, &buffer[..count]);
                    continue;
                }
                Err(_) => {} // nothing there for now
            }
            break;
        }
        if state.closed {
            state.printer.finish_line();
        }
        if state.closed && !state.line.is_empty() {
            self.show(&mut state, b"\n");
        }
        state.closed
    }

    fn show(&self, state: &mut State, bytes: &[u8]) {
        if !tracing::enabled!(target: "function", Level::INFO) {
            return;
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            let room = LINE_BYTES_MAX.saturating_sub(state.line.len());
            state.line.extend_from_slice(&text[..text.len().min(room)]);
            if !ended {
                continue;
            }
            if state.lines_shown < LINES_MAX {
                let line = String::from_utf8_lossy(&state.line);
                tracing::info!(target: "function", function = self.function, "{line}");
            } else if state.lines_shown == LINES_MAX {
                tracing::info!(target: "function", function = self.function, "(what else it printed is left out)");
            }
            state.lines_shown = state.lines_shown.saturating_add(1);
            state.line.clear();
        }
    }
}

impl State {
    fn append(&mut self, bytes: &[u8]) {
        let kept = &bytes[bytes.len().saturating_sub(TAIL_BYTES_MAX)..];
        let excess = (self.tail.len() + kept.len()).saturating_sub(TAIL_BYTES_MAX);
        self.tail.drain(..excess);
        self.tail.extend(kept);
    }

    fn text(&self) -> String {
        let (front, back) = self.tail.as_slices();
        String::from_utf8_lossy(&[front, back].concat()).into_owned()
    }
}

impl Report<'_> {
    /// What an invocation printed, with its END and REPORT: no more than a tail may have.
    pub(crate) fn behind(&self, mut printed: String) -> String {
        if !printed.is_empty() && !printed.ends_with('\n') {
            printed.push('\n');
        }
        printed.extend(self.lines());
        let excess = printed.len().saturating_sub(TAIL_BYTES_MAX);
        printed.drain(..printed.ceil_char_boundary(excess));
        printed
    }

    /// What the invocation is billed for: the time it took, begun milliseconds counting whole.
    pub(crate) fn billed_ms(&self) -> u64 {
        let billed = self.duration + self.init.unwrap_or_default();
        u64::try_from(billed.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    /// END and REPORT.
    pub(crate) fn lines(&self) -> [String; 2] {
        let Self { request_id, memory_mb, memory_used_mb, .. } = self;
        let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let billed = self.billed_ms();
        let duration = millis(self.duration);
        let init = self.init.map_or(String::new(), |init| format!("Init Duration: {:.2} ms\t", millis(init)));
        let status = self.status.map_or(String::new(), |status| format!("Status: {status}\t"));
        let end = format!("END RequestId: {request_id}\n");
        let report = format!(
            "REPORT RequestId: {request_id}\tDuration: {duration:.2} ms\tBilled Duration: {billed} ms\tMemory Size: \
             {memory_mb} MB\tMax Memory Used: {memory_used_mb} MB\t{init}{status}\n"
        );
        [end, report]
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use world::Clock;

    use super::*;
    use crate::log_sink::{Format, LogStream, Sink};

    fn logs() -> (Logs, io::PipeWriter) {
        let (reader, writer) = io::pipe().expect("a pipe");
        let stream = LogStream { group: "g".into(), name: "s".into() };
        let printer = Printer::new(Sink::default(), Clock::system(), stream, "$LATEST".into(), Format::Text);
        (Logs::new("f".into(), "$LATEST".into(), reader, printer).expect("logs"), writer)
    }

    #[tokio::test]
    async fn a_tail_has_everything_between_start_and_report() {
        let (logs, mut writer) = logs();
        writer.write_all(b"coming up\n").expect("it is printed");
        logs.catch_up();
        logs.begin("1", true);
        writer.write_all(b"hello").expect("it is printed");
        logs.catch_up();
        let report = Report {
            request_id: "1",
            duration: Duration::from_micros(1500),
            memory_mb: 128,
            memory_used_mb: 5,
            init: Some(Duration::from_millis(12)),
            status: None,
        };
        let expected = "coming up\nSTART RequestId: 1 Version: $LATEST\nhello\nEND RequestId: 1\nREPORT RequestId: 1\t\
                        Duration: 1.50 ms\tBilled Duration: 14 ms\tMemory Size: 128 MB\tMax Memory Used: 5 MB\t\
                        Init Duration: 12.00 ms\t\n";
        assert_eq!(report.behind(logs.tail()), expected);
        logs.begin("2", true);
        assert_eq!(logs.tail(), "START RequestId: 2 Version: $LATEST\n");
    }

    #[tokio::test]
    async fn much_output_takes_little_memory() {
        let (logs, mut writer) = logs();
        let printing = std::thread::spawn(move || {
            for _ in 0..1000 {
                writer.write_all(&[b'x'; 10_000]).expect("it is printed");
            }
            writer.write_all(b"the end").expect("it is printed");
        });
        logs.follow().await;
        printing.join().expect("it printed");
        let state = logs.state.lock().expect("no holder panics");
        assert!(state.tail.len() <= TAIL_BYTES_MAX && state.line.len() <= LINE_BYTES_MAX);
        assert!(state.text().ends_with("xthe end"));
    }
}
