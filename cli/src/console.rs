//! What people see of a running `tandem dev`, on standard error: warnings, and what functions print.
//!
//! A line says when, who or how bad, and what. What a function printed comes without the time and the request id that
//! runtimes put before it: `tandem logs` has the whole.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::{self, Debug, Write as _};
use std::io::{self, IsTerminal};
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::logs::{colour_of, is_error};

const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RESET: &str = "\x1b[0m";
/// The target of what functions print.
const FUNCTION: &str = "function";
/// Lines of one message begin below each other.
const NEXT_LINE: &str = "\n    ";
/// Of a message: some name all that they were given.
const CHARS_MAX: usize = 2000;
/// A warning that is so old is told again.
const AGAIN_SECONDS: i64 = 10;
/// `2026-01-01T00:00:00.000Z`
const TIME_CHARS: usize = 24;
/// `63e5a81a-0062-47e9-9efe-7ab67bd7e5d1`
const UUID_CHARS: usize = 36;
/// Where runtimes put level, time and request id.
const HEAD_FIELDS: usize = 3;

/// Begins to show what happens; `RUST_LOG` says how much.
pub fn show() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,function=info"));
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours);
    lines.event_format(Lines::default()).init();
}

#[derive(Default)]
struct Lines {
    told: Mutex<Told>,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut said = Said::default();
        event.record(&mut said);
        let now = jiff::Timestamp::now();
        let time = now.strftime("%H:%M:%S%.3f").to_string();
        let (level, colours) = (*event.metadata().level(), out.has_ansi_escapes());
        if event.metadata().target() == FUNCTION {
            return writeln!(out, "{}", said.printed(&time, colours));
        }
        let text = said.told("", level, false);
        if level == Level::WARN && self.told.lock().is_ok_and(|mut told| told.just_now(text, now.as_second())) {
            return Ok(());
        }
        writeln!(out, "{}", said.told(&time, level, colours))
    }
}

/// Warnings, and the seconds at which they were told last: what each function of a stack has to say of the same layer is
/// said once.
#[derive(Default)]
struct Told(HashMap<String, i64>);

impl Told {
    /// Whether it was told just now; if not, it is now.
    fn just_now(&mut self, text: String, second: i64) -> bool {
        self.0.retain(|_, told| second - *told < AGAIN_SECONDS);
        match self.0.entry(text) {
            Entry::Occupied(_) => true,
            Entry::Vacant(vacant) => {
                vacant.insert(second);
                false
            }
        }
    }
}

/// An event's fields.
#[derive(Default)]
struct Said {
    message: String,
    function: String,
    /// What there is to say about the message.
    detail: String,
    /// ` name=value` of all others.
    rest: String,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            "function" => value.clone_into(&mut self.function),
            "detail" => value.clone_into(&mut self.detail),
            // Strings can always be written to.
            name => drop(write!(self.rest, " {name}={value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl Said {
    /// What a function printed.
    fn printed(&self, time: &str, colours: bool) -> String {
        let (name, text) = (clean(&self.function), clean(&without_head(&self.message)));
        if !colours {
            return format!("{time} {name}: {text}");
        }
        let (begin, end) = if is_error(&text) { (RED, RESET) } else { ("", "") };
        format!("{DIM}{time}{RESET} \x1b[{}m{name}:{RESET} {begin}{text}{end}", colour_of(&self.function))
    }

    /// What the local cloud itself has to say.
    fn told(&self, time: &str, level: Level, colours: bool) -> String {
        let whose = if self.function.is_empty() { String::new() } else { format!("{}: ", self.function) };
        let detail = if self.detail.is_empty() { String::new() } else { format!(": {}", self.detail) };
        let (text, rest) = (clean(&format!("{whose}{}{detail}", self.message)), clean(&self.rest));
        let text = if text.is_empty() { text } else { format!(" {text}") };
        if !colours {
            return format!("{time} {level}{text}{rest}");
        }
        let colour = match level {
            Level::ERROR => RED,
            Level::WARN => YELLOW,
            _ => GREEN,
        };
        let rest = if rest.is_empty() { rest } else { format!("{DIM}{rest}{RESET}") };
        format!("{DIM}{time}{RESET} {colour}{level}{RESET}{text}{rest}")
    }
}

/// Without the time and the request id that runtimes put before what is printed.
fn without_head(line: &str) -> String {
    let fields = line.splitn(HEAD_FIELDS + 1, '\t').enumerate();
    let is_head = |text: &str| text == "undefined" || is_time(text) || is_uuid(text);
    let kept: Vec<&str> =
        fields.filter(|(at, text)| *at >= HEAD_FIELDS || !is_head(text)).map(|(_, text)| text).collect();
    kept.join(" ")
}

fn is_time(text: &str) -> bool {
    text.len() == TIME_CHARS && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

fn is_uuid(text: &str) -> bool {
    text.len() == UUID_CHARS && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Nothing that is printed may move the cursor of somebody's terminal. Runtimes write the lines of one message with
/// carriage returns between them.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for (at, letter) in text.trim_end().chars().enumerate() {
        if at == CHARS_MAX {
            clean.push('…');
            break;
        }
        match letter {
            '\n' | '\r' => clean.push_str(NEXT_LINE),
            '\t' => clean.push(' '),
            letter if letter.is_control() => clean.extend(letter.escape_default()),
            letter => clean.push(letter),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a function printed is shown so.
    #[track_caller]
    fn check(printed: &str, shown: &str) {
        let said = Said { message: printed.into(), function: "f".into(), ..Said::default() };
        assert_eq!(said.printed("00:00:00.000", false), format!("00:00:00.000 f: {shown}"));
    }

    #[test]
    fn what_functions_print_comes_without_its_head() {
        let (time, id) = ("2026-01-01T00:00:00.000Z", "63e5a81a-0062-47e9-9efe-7ab67bd7e5d1");
        check("hello", "hello");
        check(&format!("{time}\t{id}\tINFO\thello\tyou"), "INFO hello you");
        check(&format!("{time}\tundefined\tERROR\tx"), "ERROR x");
        check(&format!("[INFO]\t{time}\t{id}\thello"), "[INFO] hello");
        check(&format!("a\tb\tc\td\t{id}"), &format!("a b c d {id}"));
    }

    #[test]
    fn a_warning_is_not_told_again_at_once() {
        let mut told = Told::default();
        assert!(!told.just_now("a".into(), 0));
        assert!(told.just_now("a".into(), AGAIN_SECONDS - 1));
        assert!(!told.just_now("b".into(), AGAIN_SECONDS - 1));
        assert!(!told.just_now("a".into(), AGAIN_SECONDS));
    }

    #[test]
    fn nothing_moves_the_cursor() {
        check("[ERROR] a\rTraceback\r  b\r", "[ERROR] a\n    Traceback\n      b");
        check("\x1b[2Jx\x07", "\\u{1b}[2Jx\\u{7}");
        check(&"x".repeat(CHARS_MAX + 1), &format!("{}…", "x".repeat(CHARS_MAX)));
    }

    #[test]
    fn a_warning_names_its_function_first() {
        let said = Said {
            message: "is gone".into(),
            function: "f".into(),
            detail: "for good".into(),
            rest: " request_id=1".into(),
        };
        let expected = "00:00:00.000 WARN f: is gone: for good request_id=1";
        assert_eq!(said.told("00:00:00.000", Level::WARN, false), expected);
        let said = Said { rest: " operation=SignUp".into(), ..Said::default() };
        assert_eq!(said.told("00:00:00.000", Level::ERROR, false), "00:00:00.000 ERROR operation=SignUp");
    }
}
