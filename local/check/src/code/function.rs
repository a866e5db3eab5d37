//! Finding a handler's function in JavaScript and TypeScript: where it is exported, through names and wrappers, to its
//! parameters and body.

use std::ops::Range;

use super::Code;

/// How many names may stand between an export and its function.
const NAMES_MAX: usize = 5;
/// How far a type may reach between a parameter list and the body.
const TYPE_TOKENS_MAX: usize = 200;

/// A function as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The token that begins it.
    pub start: usize,
    /// Whether it is `async`.
    pub is_async: bool,
    /// Names of its parameters; one that is taken apart has none.
    pub parameters: Vec<Option<String>>,
    /// What it does.
    pub body: Body,
}

/// A body, by its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Between braces, or indented.
    Block(Range<usize>),
    /// Behind an arrow.
    Expression(Range<usize>),
}

impl Body {
    /// Its tokens.
    pub fn tokens(&self) -> Range<usize> {
        let (Self::Block(tokens) | Self::Expression(tokens)) = self;
        tokens.clone()
    }
}

/// The function that this export is.
pub fn find(code: &Code, name: &str) -> Option<Function> {
    named(code, name, NAMES_MAX)
}

fn named(code: &Code, name: &str, names_left: usize) -> Option<Function> {
    if names_left == 0 {
        return None;
    }
    if name == "default" {
        return default_export(code, names_left);
    }
    code.all().filter(|&token| code.word(token) == name).find_map(|token| {
        if token > 0 && code.is_word(token - 1, "function") {
            let is_async = token > 1 && code.is_word(token - 2, "async");
            return declared(code, token - 1 - usize::from(is_async), token + 1, is_async);
        }
        // export { main as handler }
        if token > 1 && code.is_word(token - 1, "as") {
            return named(code, code.word(token - 2), names_left - 1);
        }
        if code.is_mark(token + 1, "=") && !is_member(code, token) {
            return value(code, token + 2, names_left);
        }
        if code.is_mark(token + 1, ":") {
            let after_type = end_of_type(code, token + 2, "=");
            let is_variable = token > 0 && ["const", "let", "var"].iter().any(|word| code.is_word(token - 1, word));
            return match after_type {
                Some(at) if is_variable => value(code, at + 1, names_left),
                _ if is_exported_member(code, token) => value(code, token + 2, names_left),
                _ => None,
            };
        }
        if code.is_mark(token + 1, "(") && is_exported_member(code, token) {
            let is_async = token > 0 && code.is_word(token - 1, "async");
            return declared(code, token - usize::from(is_async), token + 1, is_async);
        }
        None
    })
}

/// `x.name =`, where x is neither `exports` nor `module.exports`.
fn is_member(code: &Code, token: usize) -> bool {
    token > 1 && code.is_mark(token - 1, ".") && !code.is_word(token - 2, "exports")
}

/// Within the braces of `module.exports = { … }`.
fn is_exported_member(code: &Code, token: usize) -> bool {
    (0..token).rev().any(|open| {
        code.is_mark(open, "{")
            && code.closing(open).is_some_and(|end| end > token)
            && open > 1
            && code.is_mark(open - 1, "=")
            && code.is_word(open - 2, "exports")
    })
}

fn default_export(code: &Code, names_left: usize) -> Option<Function> {
    let at = code.all().find(|&token| code.is_word(token, "export") && code.is_word(token + 1, "default"))? + 2;
    value(code, at, names_left)
}

/// The function that an expression is, or names, or wraps.
fn value(code: &Code, start: usize, names_left: usize) -> Option<Function> {
    let is_async = code.is_word(start, "async");
    let at = start + usize::from(is_async);
    if code.is_word(at, "function") {
        let open = if code.is_any_word(at + 1) { at + 2 } else { at + 1 };
        return declared(code, start, open, is_async);
    }
    if let Some(arrow) = arrow(code, start, at, is_async) {
        return Some(arrow);
    }
    if !code.is_any_word(at) {
        return None;
    }
    // wrap(…), middy(…).use(…), a.wrap(…)
    let mut open = at + 1;
    while code.is_mark(open, ".") {
        open += 2;
    }
    if code.is_mark(open, "<") {
        open = code.after_type_arguments(open);
    }
    if code.is_mark(open, "(") {
        return arguments(code, open).find_map(|argument| value(code, argument, names_left - 1));
    }
    (open == at + 1).then(|| named(code, code.word(at), names_left - 1)).flatten()
}

/// Where each argument of a call begins.
fn arguments(code: &Code, open: usize) -> impl Iterator<Item = usize> + '_ {
    let end = code.closing(open).unwrap_or(open);
    let mut at = open + 1;
    let mut is_first = true;
    std::iter::from_fn(move || {
        while at < end {
            let (here, is_start) = (at, is_first);
            is_first = code.is_mark(at, ",");
            at = code.after(at);
            if is_start {
                return Some(here);
            }
        }
        None
    })
}

/// `(a, b): T => …` or `a => …`.
fn arrow(code: &Code, start: usize, at: usize, is_async: bool) -> Option<Function> {
    let (parameters, behind) = if code.is_mark(at, "(") {
        (parameters(code, at), code.closing(at)? + 1)
    } else if code.is_any_word(at) {
        (vec![Some(code.word(at).to_owned())], at + 1)
    } else {
        return None;
    };
    let sign = if code.is_mark(behind, ":") { end_of_type(code, behind + 1, "=>")? } else { behind };
    if !code.is_mark(sign, "=>") {
        return None;
    }
    let body = if code.is_mark(sign + 1, "{") {
        Body::Block(sign + 2..code.closing(sign + 1)?)
    } else {
        Body::Expression(sign + 1..end_of_expression(code, sign + 1))
    };
    Some(Function { start, is_async, parameters, body })
}

/// A function with a parameter list at `open` and a block.
fn declared(code: &Code, start: usize, open: usize, is_async: bool) -> Option<Function> {
    if !code.is_mark(open, "(") {
        return None;
    }
    let behind = code.closing(open)? + 1;
    let brace = if code.is_mark(behind, ":") { end_of_type(code, behind + 1, "{")? } else { behind };
    if !code.is_mark(brace, "{") {
        return None;
    }
    let body = Body::Block(brace + 1..code.closing(brace)?);
    Some(Function { start, is_async, parameters: parameters(code, open), body })
}

fn parameters(code: &Code, open: usize) -> Vec<Option<String>> {
    arguments(code, open).map(|at| code.is_any_word(at).then(|| code.word(at).to_owned())).collect()
}

/// Where a type ends, at this sign. `Promise<{a: b}>` has braces of its own.
fn end_of_type(code: &Code, start: usize, sign: &str) -> Option<usize> {
    let (mut at, mut depth) = (start, 0_usize);
    while at < start + TYPE_TOKENS_MAX && at < code.all().end {
        if depth == 0 && at > start && code.is_mark(at, sign) {
            return Some(at);
        }
        match code.word(at) {
            "<" => depth += 1,
            ">" => depth = depth.saturating_sub(1),
            ";" => return None,
            _ => {}
        }
        at = code.after(at);
    }
    None
}

/// Where the expression behind an arrow ends: at a comma, a semicolon or a bracket that closes what it stands in.
fn end_of_expression(code: &Code, start: usize) -> usize {
    let mut at = start;
    while at < code.all().end {
        let ends = [",", ";", ")", "]", "}"].iter().any(|mark| code.is_mark(at, mark));
        let next = ["const", "export", "module", "exports", "function"].iter().any(|word| code.is_word(at, word));
        if ends || (next && at > start && code.begins_line(at)) {
            break;
        }
        at = code.after(at);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    /// The handler's head, and its body.
    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str)>) {
        let code = sample("a.ts", text);
        let found = find(&code, "handler").map(|function| {
            let head = if function.is_async { "async" } else { "plain" };
            let names: Vec<String> =
                function.parameters.iter().map(|name| name.clone().unwrap_or_else(|| "_".to_owned())).collect();
            (format!("{head} {}", names.join(" ")), code.span(&function.body.tokens()).text().to_owned())
        });
        let found = found.as_ref().map(|(head, body)| (head.as_str(), body.as_str()));
        assert_eq!(found, expected);
    }

    #[test]
    fn exports_of_common_js() {
        check("module.exports.handler = async (event) => { a }", Some(("async event", "a")));
        check("exports.handler = async function (event, context) { a }", Some(("async event context", "a")));
        check("exports.handler = function x(event) { a }", Some(("plain event", "a")));
        check("const f = 1; module.exports = { b, handler: async e => e }", Some(("async e", "e")));
        check("module.exports = { async handler(event) { a } }", Some(("async event", "a")));
        check("async function handler({ request }) { a }\nmodule.exports = { handler }", Some(("async _", "a")));
    }

    #[test]
    fn exports_of_modules() {
        check("export const handler = async (event) => { a };", Some(("async event", "a")));
        check("export async function handler(event: E): Promise<E> { a }", Some(("async event", "a")));
        check("export const handler: Handler<A, B> = async (event) => { a };", Some(("async event", "a")));
        check("export const handler = async (e: X<Y>): Promise<{ a: 1 }> => { b }", Some(("async e", "b")));
        check("const main = async (event) => { a }; export { main as handler }", Some(("async event", "a")));
        check("const handler: (e: E) => Promise<E> = async (e) => e;\nexport { handler }", Some(("async e", "e")));
    }

    #[test]
    fn wrappers_are_looked_through() {
        check("export const handler = middy(async (event) => { a }).use(b())", Some(("async event", "a")));
        check("const main = async (e) => { a };\nexport const handler = Sentry.wrap(main)", Some(("async e", "a")));
        check("export const handler = wrap<T>({ x: 1 }, (e) => { a })", Some(("plain e", "a")));
    }

    #[test]
    fn what_is_elsewhere_is_not_guessed() {
        check("export { handler } from './other'", None);
        check("const handler = handler", None);
        check("other.handler = (event) => { a }", None);
        check("type X = { handler: (e: E) => void }", None);
        check("module.exports.handler = require('./x').handler", None);
    }
}
