//! Strings as JSON writes them, and the words of Jackson's messages.

use std::fmt::Write as _;

/// How much of a source Jackson repeats in a message.
const SOURCE_SHOWN_CHARS_MAX: usize = 500;

/// A string as JSON writes it, quotes and all.
pub fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            c if u32::from(c) < 0x20 => _ = write!(json, "\\u{:04x}", u32::from(c)),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

/// What the escapes in a scanned string stand for. A lone surrogate has no place in our strings.
pub fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    let mut units: Vec<u16> = Vec::new();
    while let Some(c) = chars.next() {
        let escape = if c == '\\' { chars.next() } else { None };
        if escape == Some('u') {
            let code = chars.by_ref().take(4).fold(0, |code, c| code * 16 + c.to_digit(16).unwrap_or(0));
            units.push(u16::try_from(code).unwrap_or(0xfffd));
            continue;
        }
        text.push_str(&String::from_utf16_lossy(&units));
        units.clear();
        text.push(match escape {
            None => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(other) => other,
        });
    }
    text.push_str(&String::from_utf16_lossy(&units));
    text
}

/// Whether a word may begin so, as Java has it.
pub fn starts_word(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

/// Whether a word may go on so.
pub fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// A character and its code.
pub fn described(c: char) -> String {
    match u32::from(c) {
        code if c.is_control() => format!("(CTRL-CHAR, code {code})"),
        code if code > 255 => format!("'{c}' (code {code} / 0x{code:x})"),
        code => format!("'{c}' (code {code})"),
    }
}

/// `(String)"…"`, cut short, with control characters made visible.
pub fn shown_source(text: &str) -> String {
    let mut shown = String::from("(String)\"");
    let mut units = 0;
    for c in text.chars() {
        if units < SOURCE_SHOWN_CHARS_MAX {
            match c {
                '\n' | '\r' => shown.push(c),
                c if c.is_control() => _ = write!(shown, "\\u{:04X}", u32::from(c)),
                c => shown.push(c),
            }
        }
        units += c.len_utf16();
    }
    shown.push('"');
    if units > SOURCE_SHOWN_CHARS_MAX {
        let _ = write!(shown, "[truncated {} chars]", units - SOURCE_SHOWN_CHARS_MAX);
    }
    shown
}
