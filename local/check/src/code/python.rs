//! Functions in Python: by their indentation.

use std::ops::Range;

use super::{Body, Code, Flow, Function, Return};

/// The function of this name at the top of a module.
pub fn find(code: &Code, name: &str) -> Option<Function> {
    let def = code.all().find(|&token| {
        code.is_word(token, "def")
            && code.is_word(token + 1, name)
            && code.begins_line(first_of(code, token))
            && indent(code, first_of(code, token)) == 0
    })?;
    let start = first_of(code, def);
    let close = code.closing(def + 2)?;
    let colon = (close..code.all().end).find(|&token| code.is_mark(token, ":"))?;
    let first = colon + 1;
    let end = (first..code.all().end)
        .find(|&token| code.begins_line(token) && indent(code, token) == 0 && !is_within_brackets(code, first, token))
        .unwrap_or(code.all().end);
    let parameters = (def + 3..close)
        .filter(|&token| code.is_any_word(token) && (token == def + 3 || code.is_mark(token - 1, ",")))
        .map(|token| Some(code.word(token).to_owned()))
        .collect();
    Some(Function { start, is_async: start != def, parameters, body: Body::Block(first..end) })
}

/// `async def` begins with `async`.
fn first_of(code: &Code, def: usize) -> usize {
    if def > 0 && code.is_word(def - 1, "async") { def - 1 } else { def }
}

/// Columns before the line of a token.
fn indent(code: &Code, token: usize) -> usize {
    let start = code.tokens[token].start;
    let line = code.source.text[..start].rfind('\n').map_or(0, |at| at + 1);
    code.source.text[line..start].chars().take_while(|c| c.is_whitespace()).count()
}

fn is_within_brackets(code: &Code, start: usize, token: usize) -> bool {
    (start..token).any(|open| code.closing(open).is_some_and(|end| end >= token))
}

/// How a function ends.
pub fn flow(code: &Code, function: &Function) -> Flow {
    let lines = lines(code, function.body.tokens());
    let mut walk = Walk { code, lines: &lines, flow: Flow::default(), catches: 0 };
    let runs_out = walk.block(0..lines.len());
    Flow { runs_out, ..walk.flow }
}

/// A logical line: its tokens and its indentation.
struct Line {
    tokens: Range<usize>,
    indent: usize,
}

fn lines(code: &Code, tokens: Range<usize>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut at = tokens.start;
    while at < tokens.end {
        let mut end = code.after(at);
        while end < tokens.end && !code.begins_line(end) && !code.is_mark(end - 1, ";") {
            end = code.after(end);
        }
        let goes_on = lines.last().is_some_and(|line: &Line| code.is_mark(line.tokens.end - 1, "\\"));
        match lines.last_mut() {
            Some(line) if goes_on => line.tokens.end = end.min(tokens.end),
            _ => lines.push(Line { tokens: at..end.min(tokens.end), indent: indent(code, at) }),
        }
        at = end;
    }
    lines
}

struct Walk<'c> {
    code: &'c Code,
    lines: &'c [Line],
    flow: Flow,
    catches: usize,
}

impl Walk<'_> {
    /// Walks through the lines of one block; whether what comes behind is reached.
    fn block(&mut self, lines: Range<usize>) -> bool {
        let (mut at, mut goes_on) = (lines.start, true);
        while at < lines.end {
            let (next, reached) = self.statement(at, lines.end);
            goes_on &= reached;
            at = next;
        }
        goes_on
    }

    /// The lines that belong to the one here: those that are further in.
    fn inner(&self, at: usize, end: usize) -> Range<usize> {
        let indent = self.lines[at].indent;
        let stop = (at + 1..end).find(|&line| self.lines[line].indent <= indent).unwrap_or(end);
        at + 1..stop
    }

    /// The body of a compound statement: lines further in, or what stands behind its colon.
    fn body(&mut self, at: usize, end: usize) -> (usize, bool) {
        let inner = self.inner(at, end);
        if !inner.is_empty() {
            return (inner.end, self.block(inner));
        }
        let tokens = self.lines[at].tokens.clone();
        let mut colon = tokens.start;
        while colon < tokens.end && !self.code.is_mark(colon, ":") {
            colon = self.code.after(colon);
        }
        (at + 1, self.simple(colon + 1..tokens.end))
    }

    fn word(&self, at: usize) -> &str {
        self.code.word(self.lines[at].tokens.start)
    }

    /// Walks through the statement here: the line of the next one, and whether it is reached.
    fn statement(&mut self, at: usize, end: usize) -> (usize, bool) {
        match self.word(at) {
            "if" => {
                let (mut next, mut reached) = self.body(at, end);
                while next < end && self.word(next) == "elif" {
                    let (behind, this) = self.body(next, end);
                    (next, reached) = (behind, reached | this);
                }
                if next < end && self.word(next) == "else" {
                    let (behind, this) = self.body(next, end);
                    return (behind, reached | this);
                }
                (next, true)
            }
            "try" => self.attempt(at, end),
            "with" => self.body(at, end),
            "async" if self.code.is_word(self.lines[at].tokens.start + 1, "with") => self.body(at, end),
            "for" | "while" | "match" | "async" => (self.body(at, end).0, true),
            "def" | "class" => (self.inner(at, end).end, true),
            _ => (at + 1, self.simple(self.lines[at].tokens.clone())),
        }
    }

    fn attempt(&mut self, at: usize, end: usize) -> (usize, bool) {
        let (mut next, mut reached) = self.body(at, end);
        let mut caught = false;
        while next < end {
            match self.word(next) {
                "except" => {
                    self.catches += 1;
                    let (behind, this) = self.body(next, end);
                    self.catches -= 1;
                    caught |= this;
                    next = behind;
                }
                "else" => (next, reached) = self.body(next, end),
                "finally" => {
                    let (behind, this) = self.body(next, end);
                    return (behind, (reached || caught) && this);
                }
                _ => break,
            }
        }
        (next, reached || caught)
    }

    /// A line that is no compound statement: whether the next one is reached.
    fn simple(&mut self, tokens: Range<usize>) -> bool {
        match self.code.word(tokens.start) {
            "return" => {
                let value = tokens.start + 1..tokens.end.max(tokens.start + 1);
                self.flow.returns.push(Return { at: tokens.start, value });
                false
            }
            "raise" => {
                if self.catches > 0 {
                    self.flow.rethrows.push(tokens.start);
                }
                false
            }
            _ => true,
        }
    }
}

/// Modules that are named in imports, as paths from the root of the code (`./x` where the name begins with a dot).
pub fn imports(code: &Code) -> Vec<String> {
    let starts = code.all().filter(|&token| code.begins_line(token));
    let mut found = Vec::new();
    for start in starts {
        if !code.is_word(start, "from") && !code.is_word(start, "import") {
            continue;
        }
        let end = (start + 1..code.all().end)
            .find(|&token| code.begins_line(token) || code.is_word(token, "import") || code.is_word(token, "as"))
            .unwrap_or(code.all().end);
        let dotted: String = (start + 1..end).map(|token| code.word(token)).collect();
        let dots = dotted.len() - dotted.trim_start_matches('.').len();
        let name = dotted[dots..].replace('.', "/");
        // from . import name
        let names: Vec<String> = if name.is_empty() {
            (end + 1..code.all().end)
                .take_while(|&token| !code.begins_line(token))
                .filter(|&token| code.is_any_word(token))
                .map(|token| code.word(token).to_owned())
                .collect()
        } else {
            vec![name]
        };
        let up = match dots {
            0 => String::new(),
            dots => format!("./{}", "../".repeat(dots - 1)),
        };
        found.extend(names.into_iter().map(|name| format!("{up}{name}")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    /// What a handler with this body returns, and whether it can run out.
    #[track_caller]
    fn check(body: &str, returns: &[&str], runs_out: bool) {
        let code = sample("a.py", &format!("import a\n\ndef handler(event, context):\n{body}\n\nother = 1\n"));
        let flow = code.flow(&code.function("handler").expect("it is there"));
        let found: Vec<String> = flow
            .returns
            .iter()
            .map(|one| if one.value.is_empty() { String::new() } else { code.span(&one.value).text().to_owned() })
            .collect();
        assert_eq!(
            (found.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), flow.runs_out),
            (returns, runs_out)
        );
    }

    #[test]
    fn a_return_at_the_end() {
        check("    a()\n    return event", &["event"], false);
        check("    a()", &[], true);
        check("    return", &[""], false);
        check("    a(\n1)\n    return event", &["event"], false);
        check("    if a: return event\n    return event", &["event", "event"], false);
    }

    #[test]
    fn branches_and_attempts() {
        check("    if a:\n        return event", &["event"], true);
        check("    if a:\n        return event\n    else:\n        raise b", &["event"], false);
        check("    try:\n        a()\n    except E:\n        b()\n    return event", &["event"], false);
        check("    try:\n        return event\n    except E:\n        log()", &["event"], true);
        check("    try:\n        return event\n    except E:\n        raise", &["event"], false);
        check("    with a:\n        return event", &["event"], false);
        check("    def f():\n        return 1\n    for x in y:\n        return event", &["event"], true);
    }

    #[test]
    fn functions_and_their_parameters() {
        let code = sample("a.py", "@wrap\nasync def handler(event: dict, context=None) -> dict:\n    return event\n");
        let function = code.function("handler").expect("it is there");
        assert_eq!(function.parameters, [Some("event".to_owned()), Some("context".to_owned())]);
        assert!(function.is_async);
        assert!(sample("a.py", "class A:\n    def handler(self):\n        pass").function("handler").is_none());
    }

    #[test]
    fn imports_of_the_project() {
        let code = sample(
            "a.py",
            "import boto3\nfrom .store import put\nfrom ..a.b import c\nfrom . import d, e\nimport f.g as h\n",
        );
        assert_eq!(code.imports(), ["boto3", "./store", "./../a/b", "./d", "./e", "f/g"]);
    }
}
