//! How an event is printed.

use super::source::Event;

const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const RESET: &str = "\x1b[0m";
/// Functions get colours by their names: cyan, green, yellow, blue, magenta, and their bright ones.
const COLOURS: [u8; 10] = [36, 32, 33, 34, 35, 96, 92, 93, 94, 95];

/// What lines look like.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// One JSON object per line.
    pub json: bool,
    pub colours: bool,
    /// Each says whose it is.
    pub named: bool,
}

impl Look {
    /// Without its end.
    pub fn line(self, event: &Event) -> String {
        if self.json {
            return serde_json::to_string(event).unwrap_or_default(); // texts and numbers always serialise
        }
        let time = time(event.timestamp);
        let name = if self.named { format!("{}  ", event.function) } else { String::new() };
        let message = event.message.trim_end();
        if !self.colours {
            return format!("{time}  {name}{message}");
        }
        let colour = colour_of(&event.function);
        let style = if is_platform(message) {
            DIM
        } else if is_error(message) {
            RED
        } else {
            ""
        };
        let end = if style.is_empty() { "" } else { RESET };
        format!("{DIM}{time}{RESET}  \x1b[{colour}m{name}{RESET}{style}{message}{end}")
    }
}

fn time(millis: i64) -> String {
    let instant = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    instant.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// What Lambda itself says of an invocation.
fn is_platform(message: &str) -> bool {
    ["START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "[tandem] "]
        .iter()
        .any(|start| message.starts_with(start))
        || (message.starts_with(r#"{"time":"#) && message.contains(r#""type":"platform."#))
}

/// The colour of a function's name.
pub fn colour_of(function: &str) -> u8 {
    COLOURS[function.bytes().map(usize::from).sum::<usize>() % COLOURS.len()]
}

/// Whether it looks like one.
pub fn is_error(message: &str) -> bool {
    ["ERROR", "[error]", "Traceback (most", "Task timed out after", "Runtime.ExitError", "panicked at"]
        .iter()
        .any(|sign| message.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(message: &str) -> Event {
        Event { function: "f".into(), timestamp: 1_767_225_600_123, message: message.into(), ..Event::default() }
    }

    const PLAIN: Look = Look { json: false, colours: false, named: false };

    #[test]
    fn a_line_has_time_name_and_message() {
        assert_eq!(PLAIN.line(&event("hello\n")), "2026-01-01T00:00:00.123Z  hello");
        let named = Look { named: true, ..PLAIN };
        assert_eq!(named.line(&event("a\nb\n")), "2026-01-01T00:00:00.123Z  f  a\nb");
    }

    #[test]
    fn colours_tell_what_a_line_is() {
        let look = Look { colours: true, ..PLAIN };
        assert!(look.line(&event("END RequestId: 1\n")).ends_with("\x1b[2mEND RequestId: 1\x1b[0m"));
        assert!(look.line(&event("x ERROR y")).ends_with("\x1b[31mx ERROR y\x1b[0m"));
        assert!(look.line(&event("x")).ends_with("\x1b[0mx"));
    }

    #[test]
    fn json_is_one_line() {
        let look = Look { json: true, ..PLAIN };
        let line = look.line(&event("a\nb\n"));
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!((line.lines().count(), &value["message"], &value["function"]), (1, &"a\nb\n".into(), &"f".into()));
    }
}
