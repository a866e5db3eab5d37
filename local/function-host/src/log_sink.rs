//! Where what functions print is kept: somebody else's log streams, one per sandbox.
//!
//! Every line is an event, with its line feed, as on AWS; START, END and REPORT come between them as Lambda has
//! them. Handing a line over costs a call and no waiting: it is done wherever the line was read.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use world::{Clock, Timestamp};

use crate::logs::Report;

/// Of one event: a longer line becomes several.
const EVENT_BYTES_MAX: usize = 256 * 1024;

/// Takes what functions print. It must return at once: it is called between two reads of what is printed, and on
/// the path of an invocation.
pub trait LogSink: Send + Sync {
    /// One event of a stream.
    fn print(&self, stream: &LogStream, at: Timestamp, message: &str);
}

/// A log stream: that of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStream {
    /// The log group, `/aws/lambda/NAME` unless the function says otherwise.
    pub group: Arc<str>,
    /// `2026/01/01/[$LATEST]…`
    pub name: Arc<str>,
}

/// The sink of all sandboxes, once there is one.
pub(crate) type Sink = Arc<OnceLock<Arc<dyn LogSink>>>;

/// One sandbox's way into its stream.
pub(crate) struct Printer {
    sink: Sink,
    clock: Clock,
    stream: LogStream,
    version: String,
    format: Format,
    /// A line without its end.
    unfinished: Vec<u8>,
    /// The invocation whose START was printed and whose END was not.
    open: Option<Open>,
}

/// `LoggingConfig`, as far as it says what the platform's own lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
    /// JSON, and the system's level is above theirs.
    Silent,
}

struct Open {
    request_id: String,
    began: Instant,
}

impl Printer {
    pub(crate) fn new(sink: Sink, clock: Clock, stream: LogStream, version: String, format: Format) -> Self {
        Self { sink, clock, stream, version, format, unfinished: Vec::new(), open: None }
    }

    /// Whether it has said that this invocation began, and not that it ended.
    pub(crate) fn is_open(&self, request_id: &str) -> bool {
        self.open.as_ref().is_some_and(|open| open.request_id == request_id)
    }

    /// An invocation begins.
    pub(crate) fn begin(&mut self, request_id: &str) {
        if self.sink.get().is_none() {
            return;
        }
        self.open = Some(Open { request_id: request_id.to_owned(), began: Instant::now() });
        let version = &self.version;
        match self.format {
            Format::Text => self.print(&format!("START RequestId: {request_id} Version: {version}\n")),
            Format::Json => self.platform("start", &json!({ "requestId": request_id, "version": version })),
            Format::Silent => {}
        }
    }

    /// Something was printed.
    pub(crate) fn printed(&mut self, bytes: &[u8]) {
        if self.sink.get().is_none() {
            return;
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ended = piece.ends_with(b"\n");
            if ended && self.unfinished.is_empty() && piece.len() <= EVENT_BYTES_MAX {
                self.line(piece); // nearly all of them
                continue;
            }
            let mut rest = piece;
            while self.unfinished.len() + rest.len() > EVENT_BYTES_MAX {
                let (fits, more) = rest.split_at(EVENT_BYTES_MAX - self.unfinished.len());
                self.unfinished.extend_from_slice(fits);
                self.finish_line();
                rest = more;
            }
            self.unfinished.extend_from_slice(rest);
            if ended {
                self.finish_line();
            }
        }
    }

    /// What was printed without a line's end is an event all the same.
    pub(crate) fn finish_line(&mut self) {
        if !self.unfinished.is_empty() {
            let line = std::mem::take(&mut self.unfinished);
            self.line(&line);
        }
    }

    /// An invocation has ended, unless that was said before; `last_words` are the platform's own.
    pub(crate) fn close<'r>(
        &mut self,
        request_id: &'r str,
        last_words: Option<&str>,
        report: impl FnOnce(Duration) -> Report<'r>,
    ) {
        let Some(open) = self.open.take_if(|open| open.request_id == request_id) else { return };
        self.finish_line();
        if let Some(words) = last_words {
            self.print(words);
        }
        let report = report(open.began.elapsed());
        match self.format {
            Format::Text => report.lines().into_iter().for_each(|line| self.print(&line)),
            Format::Json => self.platform("report", &report.record()),
            Format::Silent => {}
        }
    }

    /// Runtimes write the lines of one message with carriage returns between them.
    fn line(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let body = text.trim_end_matches(['\r', '\n']);
        if body.contains('\r') {
            let ended = if text.ends_with('\n') { "\n" } else { "" };
            return self.print(&format!("{}{ended}", body.replace('\r', "\n")));
        }
        self.print(&text);
    }

    fn platform(&self, kind: &str, record: &serde_json::Value) {
        let time = self.clock.now().rfc3339_millis();
        self.print(&format!(r#"{{"time":"{time}","type":"platform.{kind}","record":{record}}}"#));
    }

    fn print(&self, message: &str) {
        if let Some(sink) = self.sink.get() {
            sink.print(&self.stream, self.clock.now(), message);
        }
    }
}

impl Report<'_> {
    /// As the JSON format has it.
    fn record(&self) -> serde_json::Value {
        let millis = |duration: Duration| (duration.as_secs_f64() * 100_000.0).round() / 100.0;
        let mut metrics = json!({
            "durationMs": millis(self.duration),
            "billedDurationMs": self.billed_ms(),
            "memorySizeMB": self.memory_mb,
            "maxMemoryUsedMB": self.memory_used_mb,
        });
        if let Some(init) = self.init {
            metrics["initDurationMs"] = json!(millis(init));
        }
        let mut status = self.status.unwrap_or("success").split("\tError Type: ");
        let mut record = json!({
            "requestId": self.request_id,
            "metrics": metrics,
            "status": status.next().map_or(Cow::Borrowed("success"), Cow::from),
        });
        if let Some(kind) = status.next() {
            record["errorType"] = json!(kind);
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::testing::Tandem;

    /// Keeps what it is given.
    #[derive(Default)]
    struct Kept(Mutex<Vec<String>>);

    impl LogSink for Kept {
        fn print(&self, _stream: &LogStream, _at: Timestamp, message: &str) {
            self.0.lock().expect("no holder panics").push(message.to_owned());
        }
    }

    fn printer(format: Format) -> (Printer, Arc<Kept>) {
        let (sink, kept) = (Sink::default(), Arc::<Kept>::default());
        let _ = sink.set(Arc::clone(&kept) as Arc<dyn LogSink>);
        let stream = LogStream { group: "g".into(), name: "s".into() };
        (Printer::new(sink, Clock::manual(Timestamp::from_millis(0)), stream, "$LATEST".into(), format), kept)
    }

    /// These pieces become these events.
    #[track_caller]
    fn check(pieces: &[&[u8]], expected: &[&str]) {
        let (mut printer, kept) = printer(Format::Text);
        for piece in pieces {
            printer.printed(piece);
        }
        printer.finish_line();
        assert_eq!(*kept.0.lock().expect("no holder panics"), expected);
    }

    fn report(request_id: &str) -> Report<'_> {
        Report {
            request_id,
            duration: Duration::from_micros(1500),
            memory_mb: 128,
            memory_used_mb: 5,
            init: None,
            status: Some("error\tError Type: Runtime.ExitError"),
        }
    }

    #[test]
    fn lines_are_events() {
        check(&[b"one\ntwo\n"], &["one\n", "two\n"]);
        check(&[b"on", b"e\nt", b"wo"], &["one\n", "two"]);
        check(&[b"\n"], &["\n"]);
        check(&["é".as_bytes().split_at(1).0, "é\n".as_bytes().split_at(1).1], &["é\n"]);
        check(&[b"a\rb\r\n"], &["a\nb\n"]); // one message of a runtime's
        check(&[b"\xff\n"], &["\u{fffd}\n"]);
    }

    #[test]
    fn a_long_line_is_several_events() {
        let (mut printer, kept) = printer(Format::Text);
        for _ in 0..10 {
            printer.printed(&vec![b'x'; EVENT_BYTES_MAX / 4]);
        }
        printer.printed(b"\n");
        let lengths: Vec<usize> = kept.0.lock().expect("no holder panics").iter().map(String::len).collect();
        assert_eq!(lengths, [EVENT_BYTES_MAX, EVENT_BYTES_MAX, EVENT_BYTES_MAX / 2 + 1]);
    }

    #[test]
    fn an_invocation_is_closed_once() {
        let (mut printer, kept) = printer(Format::Text);
        printer.begin("1");
        printer.printed(b"hello");
        printer.close("2", None, |_| report("2"));
        printer.close("1", Some("last words\n"), |_| report("1"));
        printer.close("1", Some("last words\n"), |_| report("1"));
        let expected = [
            "START RequestId: 1 Version: $LATEST\n",
            "hello",
            "last words\n",
            "END RequestId: 1\n",
            "REPORT RequestId: 1\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 5 MB\t\
             Status: error\tError Type: Runtime.ExitError\t\n",
        ];
        assert_eq!(*kept.0.lock().expect("no holder panics"), expected);
    }

    /// The function's own words, and the first word of the platform's with the place of its request among them.
    async fn told(tandem: &Tandem, function: &str, events: Vec<serde_json::Value>) -> Vec<String> {
        let kept = Arc::<Kept>::default();
        tandem.host.set_log_sink(Arc::clone(&kept) as Arc<dyn LogSink>);
        for event in events {
            tandem.invoke(function, event).await;
        }
        let lines = kept.0.lock().expect("no holder panics").clone();
        let mut ids: Vec<String> = Vec::new();
        let short = |line: &String| {
            let Some((word, rest)) = line.trim_end().split_once(" RequestId: ") else { return line.clone() };
            let id = rest.split([' ', '\t']).next().unwrap_or_default().to_owned();
            let place = ids.iter().position(|other| *other == id).unwrap_or_else(|| {
                ids.push(id);
                ids.len() - 1
            });
            format!("{word} {place}")
        };
        lines.iter().map(short).collect()
    }

    #[tokio::test]
    async fn a_stream_tells_one_invocation_after_the_other() {
        let tandem = Tandem::new();
        tandem.create("f", "h").await;
        let events =
            vec![json!({"do": "print", "lines": 1}), json!({"do": "fail"}), json!({"do": "print", "lines": 0})];
        let line = format!("{}\n", "x".repeat(99));
        let last = "and the last line\n";
        let expected = [
            "START 0", &line, last, "END 0", "REPORT 0", "START 1", "END 1", "REPORT 1", "START 2", last, "END 2",
            "REPORT 2",
        ];
        let lines = told(&tandem, "f", events).await;
        // What it prints while it comes up is there as well, and what the test runner prints in it.
        let begun = lines.iter().position(|line| line == "START 0").expect("it begins");
        assert!(lines[..begun].iter().any(|line| line.ends_with("coming up\n")), "{lines:?}");
        assert_eq!(lines[begun..], expected);
    }

    #[tokio::test]
    async fn how_an_invocation_ended_is_the_platforms_last_word() {
        let tandem = Tandem::new();
        tandem.create_with("f", "h", json!({"Timeout": 1})).await;
        let lines = told(&tandem, "f", vec![json!({"do": "exit", "code": 3}), json!({"do": "hang"})]).await;
        let exit = lines.iter().position(|line| line.ends_with("Runtime.ExitError\n")).expect("it says so");
        assert_eq!(lines[exit + 1..exit + 3], ["END 0", "REPORT 0"]);
        let timeout = lines.iter().position(|line| line.ends_with(" Task timed out after 1.00 seconds\n\n"));
        let timeout = timeout.expect("it says so");
        assert_eq!(lines[timeout + 1..timeout + 3], ["END 1", "REPORT 1"]);
    }

    #[test]
    fn the_platform_speaks_json_or_not_at_all() {
        let (mut json, kept) = printer(Format::Json);
        json.begin("1");
        json.close("1", None, |_| report("1"));
        let kept = kept.0.lock().expect("no holder panics").clone();
        let start = r#"{"time":"1970-01-01T00:00:00.000Z","type":"platform.start","record":{"requestId":"1","version":"$LATEST"}}"#;
        let end = json!({
            "requestId": "1",
            "status": "error",
            "errorType": "Runtime.ExitError",
            "metrics": { "durationMs": 1.5, "billedDurationMs": 2, "memorySizeMB": 128, "maxMemoryUsedMB": 5 },
        });
        let told: serde_json::Value = serde_json::from_str(&kept[1]).expect("JSON");
        assert_eq!((kept[0].as_str(), &told["record"]), (start, &end));
        let (mut silent, kept) = printer(Format::Silent);
        silent.begin("1");
        silent.close("1", None, |_| report("1"));
        assert_eq!(kept.0.lock().expect("no holder panics").len(), 0);
    }
}
