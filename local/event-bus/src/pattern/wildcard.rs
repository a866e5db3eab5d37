//! The `wildcard` operator: `*` stands for any run of characters, `\*` and `\\` for themselves.

/// A compiled wildcard: the literal pieces between the stars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wildcard {
    pieces: Vec<Box<str>>,
}

impl Wildcard {
    /// Reads one. The error is `event-ruler`'s; it counts bytes and includes the opening quote.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = vec![String::new()];
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let at = text.len() - rest.len() + 1;
            rest = &rest[c.len_utf8()..];
            let next = rest.chars().next();
            match (c, next) {
                ('*', Some('*')) => return Err(format!("Consecutive wildcard characters at pos {at}")),
                ('*', _) => pieces.push(String::new()),
                ('\\', Some(escaped @ ('*' | '\\'))) => {
                    push(&mut pieces, escaped);
                    rest = &rest[1..];
                }
                ('\\', _) => return Err(format!("Invalid escape character at pos {at}")),
                (c, _) => push(&mut pieces, c),
            }
        }
        Ok(Self { pieces: pieces.into_iter().map(String::into_boxed_str).collect() })
    }

    /// Whether the whole of `text` fits. Leftmost-first is right for every piece but the last, which must end it.
    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = &self.pieces[..] else {
            return self.pieces.first().is_some_and(|only| **only == *text);
        };
        let Some(mut rest) = text.strip_prefix(&**first) else { return false };
        for piece in middle {
            let Some(at) = rest.find(&**piece) else { return false };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(&**last)
    }

    /// The pieces between the stars.
    pub fn pieces(&self) -> &[Box<str>] {
        &self.pieces
    }
}

fn push(pieces: &mut [String], c: char) {
    if let Some(last) = pieces.last_mut() {
        last.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(wildcard: &str, text: &str, expected: bool) {
        assert_eq!(Wildcard::parse(wildcard).expect("a wildcard").matches(text), expected, "{wildcard} {text}");
    }

    #[test]
    fn stars_stand_for_any_run() {
        check("a*b", "ab", true);
        check("a*b", "axxb", true);
        check("a*b", "axxbc", false);
        check("*", "", true);
        check("", "", true);
        check("", "a", false);
        check("a*a", "a", false);
        check("*ab*b", "abb", true);
        check("*ab*b", "ab", false);
        check(r"a\*b", "a*b", true);
        check(r"a\*b", "axb", false);
        check(r"\\*", r"\x", true);
        check("*é*", "né!", true);
    }

    #[test]
    fn mistakes_are_placed() {
        assert_eq!(Wildcard::parse("ab**").expect_err("two stars"), "Consecutive wildcard characters at pos 3");
        assert_eq!(Wildcard::parse(r"ab\c").expect_err("an escape"), "Invalid escape character at pos 3");
        assert_eq!(Wildcard::parse(r"ab\").expect_err("an escape"), "Invalid escape character at pos 3");
    }

    /// All ways through, by recursion.
    fn slowly(wildcard: &[u8], text: &[u8]) -> bool {
        match (wildcard.first(), text.first()) {
            (None, None) => true,
            (Some(b'*'), _) => slowly(&wildcard[1..], text) || (!text.is_empty() && slowly(wildcard, &text[1..])),
            (Some(a), Some(b)) => a == b && slowly(&wildcard[1..], &text[1..]),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_slow_way(wildcard in "(\\*?[ab]{0,2}){0,4}", text in "[ab]{0,9}") {
            let Ok(compiled) = Wildcard::parse(&wildcard) else { return Ok(()) };
            prop_assert_eq!(compiled.matches(&text), slowly(wildcard.as_bytes(), text.as_bytes()));
        }
    }
}
