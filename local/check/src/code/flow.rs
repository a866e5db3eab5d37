//! How a function in JavaScript ends: where it returns what, and whether it can run out at its end. Only its own
//! statements are seen; functions within it answer to somebody else.

use std::ops::Range;

use super::{Body, Code, Function};

/// How a function ends.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// Whether it can come to its end without a `return` or a `throw`.
    pub runs_out: bool,
    /// Its own returns.
    pub returns: Vec<Return>,
    /// The `throw` or `raise` tokens that stand where an error was caught.
    pub rethrows: Vec<usize>,
}

/// A `return`.
#[derive(Clone, Debug)]
pub struct Return {
    /// The word itself; behind an arrow, where the value begins.
    pub at: usize,
    /// What is returned. Empty if nothing is.
    pub value: Range<usize>,
}

/// Words that begin a statement, so that a line that starts with one ends the statement before it.
const STATEMENTS: &[&str] = &[
    "return", "throw", "if", "for", "while", "do", "try", "switch", "const", "let", "var", "function", "class",
    "break", "continue", "async", "await", "else", "case", "default",
];

/// How this function ends.
pub fn of(code: &Code, function: &Function) -> Flow {
    match &function.body {
        Body::Expression(value) => {
            let returned = Return { at: value.start, value: value.clone() };
            Flow { returns: vec![returned], ..Flow::default() }
        }
        Body::Block(tokens) => {
            let mut walk = Walk { code, flow: Flow::default(), catches: 0, breaks: false };
            let runs_out = walk.block(tokens.clone());
            Flow { runs_out, ..walk.flow }
        }
    }
}

struct Walk<'c> {
    code: &'c Code,
    flow: Flow,
    /// How many `catch` blocks are around.
    catches: usize,
    /// Whether a `break` was met.
    breaks: bool,
}

impl Walk<'_> {
    /// Walks through statements; whether what comes behind them is reached.
    fn block(&mut self, tokens: Range<usize>) -> bool {
        let (mut at, mut goes_on) = (tokens.start, true);
        while at < tokens.end {
            let (next, reached) = self.statement(at, tokens.end);
            goes_on &= reached;
            at = next.max(at + 1);
        }
        goes_on
    }

    /// Walks through the statement here: where the next one begins, and whether it is reached.
    fn statement(&mut self, at: usize, end: usize) -> (usize, bool) {
        let code = self.code;
        if code.is_mark(at, "{") {
            return (code.after(at), self.braces(at));
        }
        if !code.is_any_word(at) {
            return (self.end_of_statement(at, end), true);
        }
        match code.word(at) {
            "if" => self.branches(at, end),
            "for" | "while" => {
                let head = if code.is_word(at + 1, "await") { at + 2 } else { at + 1 };
                let is_endless = code.is_word(at, "while") && code.is_word(head + 1, "true");
                let outer = std::mem::replace(&mut self.breaks, false);
                let (next, _) = self.statement(code.after(head), end);
                let reached = !is_endless || self.breaks;
                self.breaks = outer;
                (next, reached)
            }
            "do" => {
                let (next, _) = self.statement(at + 1, end);
                (self.end_of_statement(next, end), true)
            }
            "switch" => self.switch(at),
            "try" => self.attempt(at),
            "return" => {
                let next = self.end_of_statement(at, end);
                let value = at + 1..if code.is_mark(next - 1, ";") { next - 1 } else { next };
                let is_bare = value.is_empty() || code.begins_line(at + 1);
                let value = if is_bare { at + 1..at + 1 } else { value };
                self.flow.returns.push(Return { at, value });
                (next, false)
            }
            "throw" => {
                if self.catches > 0 {
                    self.flow.rethrows.push(at);
                }
                (self.end_of_statement(at, end), false)
            }
            "break" => {
                self.breaks = true;
                (self.end_of_statement(at, end), true)
            }
            "async" if code.is_word(at + 1, "function") => (self.after_declaration(at, end), true),
            "function" | "class" => (self.after_declaration(at, end), true),
            _ => (self.end_of_statement(at, end), true),
        }
    }

    fn braces(&mut self, open: usize) -> bool {
        let end = self.code.closing(open).unwrap_or(open);
        self.block(open + 1..end)
    }

    fn branches(&mut self, at: usize, end: usize) -> (usize, bool) {
        let (next, then_goes_on) = self.statement(self.code.after(at + 1), end);
        if !self.code.is_word(next, "else") {
            return (next, true);
        }
        let (next, else_goes_on) = self.statement(next + 1, end);
        (next, then_goes_on || else_goes_on)
    }

    fn switch(&mut self, at: usize) -> (usize, bool) {
        let open = self.code.after(at + 1);
        let end = self.code.closing(open).unwrap_or(open);
        let outer = std::mem::replace(&mut self.breaks, false);
        let (mut has_default, mut last_goes_on, mut here) = (false, true, open + 1);
        while here < end {
            if self.code.is_word(here, "case") || self.code.is_word(here, "default") {
                has_default |= self.code.is_word(here, "default");
                while here < end && !self.code.is_mark(here, ":") {
                    here = self.code.after(here);
                }
                here += 1;
                last_goes_on = true;
                continue;
            }
            let (next, reached) = self.statement(here, end);
            last_goes_on &= reached;
            here = next.max(here + 1);
        }
        let reached = !has_default || last_goes_on || self.breaks;
        self.breaks = outer;
        (end + 1, reached)
    }

    fn attempt(&mut self, at: usize) -> (usize, bool) {
        let mut reached = self.braces(at + 1);
        let mut next = self.code.after(at + 1);
        if self.code.is_word(next, "catch") {
            let open = if self.code.is_mark(next + 1, "(") { self.code.after(next + 1) } else { next + 1 };
            self.catches += 1;
            reached |= self.braces(open);
            self.catches -= 1;
            next = self.code.after(open);
        }
        if self.code.is_word(next, "finally") {
            reached &= self.braces(next + 1);
            next = self.code.after(next + 1);
        }
        (next, reached)
    }

    /// Behind the braces of a function or a class.
    fn after_declaration(&self, at: usize, end: usize) -> usize {
        let mut here = at;
        while here < end && !self.code.is_mark(here, "{") {
            here = self.code.after(here);
        }
        self.code.after(here)
    }

    /// Behind a statement that ends with a semicolon or a line.
    fn end_of_statement(&self, at: usize, end: usize) -> usize {
        let mut here = at;
        while here < end {
            if self.code.is_mark(here, ";") {
                return here + 1;
            }
            let begins = STATEMENTS.contains(&self.code.word(here)) && self.code.is_any_word(here);
            if here > at && begins && self.code.begins_line(here) && !self.is_unfinished(here) {
                return here;
            }
            here = self.code.after(here);
        }
        end
    }

    /// Whether the line before goes on here: `x =⏎ await y`.
    fn is_unfinished(&self, here: usize) -> bool {
        let last = self.code.word(here - 1);
        !self.code.is_any_word(here - 1)
            && !self.code.is_text(here - 1)
            && !matches!(last, ")" | "]" | "}")
            && !last.starts_with(|c: char| c.is_ascii_digit())
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    /// What a handler with this body returns, and whether it can run out.
    #[track_caller]
    fn check(body: &str, returns: &[&str], runs_out: bool) {
        let code = sample("a.js", &format!("exports.handler = async (event) => {{\n{body}\n}}"));
        let flow = code.flow(&code.function("handler").expect("it is there"));
        let found: Vec<&str> = flow
            .returns
            .iter()
            .map(|one| {
                if one.value.is_empty() {
                    ""
                } else {
                    &code.source.text[code.span(&one.value).start..code.span(&one.value).end]
                }
            })
            .collect();
        assert_eq!((found.as_slice(), flow.runs_out), (returns, runs_out));
    }

    #[test]
    fn a_return_at_the_end() {
        check("await a();\nreturn event;", &["event"], false);
        check("await a()\nreturn event", &["event"], false);
        check("await a();", &[], true);
        check("return\nevent", &[""], false);
    }

    #[test]
    fn returns_of_others_do_not_count() {
        check("list.map((x) => { return x; });", &[], true);
        check("function f() { return 1; }\nconst g = function () { return 2; };", &[], true);
        check("const p = new Promise((done) => {\n  return done();\n})\nawait p", &[], true);
    }

    #[test]
    fn branches() {
        check("if (a) { return event; }", &["event"], true);
        check("if (a) return event; else { throw b; }", &["event"], false);
        check("if (a) { return event } else if (b) { return c }", &["event", "c"], true);
        check("if (a) {\n  await b()\n}\nreturn event", &["event"], false);
        check("if (a) return event\nelse throw b", &["event"], false);
        check("if (a)\n  return event\nelse\n  return b", &["event", "b"], false);
    }

    #[test]
    fn attempts() {
        check("try { await a(); return event; } catch (e) { console.log(e); }", &["event"], true);
        check("try { await a(); return event; } catch { throw b; }", &["event"], false);
        check("try { await a(); } catch (e) {} finally { return event; }", &["event"], false);
        let code = sample("a.js", "exports.handler = async () => { try { throw 1 } catch (e) { throw e } }");
        assert_eq!(code.flow(&code.function("handler").expect("it is there")).rethrows.len(), 1);
    }

    #[test]
    fn switches_and_loops() {
        check("switch (a) { case 1: return event; default: return event; }", &["event", "event"], false);
        check("switch (a) { case 1: b(); break; default: return event; }", &["event"], true);
        check("switch (a) { case 1: return event; }", &["event"], true);
        check("for (const a of b) { return event; }", &["event"], true);
        check("while (true) { if (a) return event; }", &["event"], false);
        check("do { a() } while (b)\nreturn event", &["event"], false);
    }
}
