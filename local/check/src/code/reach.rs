//! Which parts of its files a handler uses: the statement that exports it, and what that names, through imports. A file
//! often has more than one handler in it, and a module functions that others call.
//!
//! Names are followed wherever they lead, so more is taken for used than is; never less, except through names that are
//! put together when the code runs.

use std::collections::HashSet;
use std::ops::Range;

use super::{Code, Language};

/// A statement at the top of a file.
struct Statement {
    tokens: Range<usize>,
    /// What it declares. A statement without names is run in any case.
    names: Vec<String>,
    /// For an import: what the names are called where they come from. An import uses nothing by itself.
    links: Option<Vec<(String, String)>>,
}

/// For each file the stretches that are used by what is exported under this name in the first.
pub fn reached(codes: &[Code], export: &str) -> Vec<Vec<Range<usize>>> {
    let statements: Vec<Vec<Statement>> = codes.iter().map(statements).collect();
    let mut names: HashSet<String> = HashSet::from([export.to_owned()]);
    let mut used: Vec<Vec<bool>> = statements.iter().map(|list| vec![false; list.len()]).collect();
    loop {
        let before = names.len();
        let mut changed = false;
        for (at, code) in codes.iter().enumerate() {
            for (statement, used) in statements[at].iter().zip(&mut used[at]) {
                if let Some(links) = &statement.links {
                    names.extend(
                        links
                            .iter()
                            .filter(|(local, _)| names.contains(local))
                            .map(|(_, there)| there.clone())
                            .collect::<Vec<_>>(),
                    );
                } else if !*used
                    && (statement.names.is_empty() || statement.names.iter().any(|name| names.contains(name)))
                {
                    (*used, changed) = (true, true);
                    let words = statement.tokens.clone().filter(|&token| code.is_any_word(token));
                    names.extend(words.map(|token| code.word(token).to_owned()));
                }
            }
        }
        if !changed && names.len() == before {
            break;
        }
    }
    statements
        .into_iter()
        .zip(used)
        .map(|(list, used)| list.into_iter().zip(used).filter(|(_, used)| *used).map(|(one, _)| one.tokens).collect())
        .collect()
}

fn statements(code: &Code) -> Vec<Statement> {
    let read = match code.language {
        Language::JavaScript => javascript,
        Language::Python => python,
        // A crate's files belong to one program.
        Language::Rust => return vec![Statement { tokens: code.all(), names: Vec::new(), links: None }],
    };
    let starts: Vec<usize> = starts(code).collect();
    let ends = starts.iter().skip(1).copied().chain([code.all().end]);
    starts.iter().zip(ends).map(|(&start, end)| read(code, start..end)).collect()
}

/// Where the statements at the top begin.
fn starts(code: &Code) -> impl Iterator<Item = usize> + '_ {
    let (mut at, mut is_decorated) = (0, false);
    std::iter::from_fn(move || {
        while at < code.all().end {
            let here = at;
            at = code.after(at);
            let begins = match code.language {
                Language::Python => code.begins_line(here) && code.column(here) == 0,
                _ => here == 0 || code.is_mark(here - 1, ";") || (code.begins_line(here) && code.is_any_word(here)),
            };
            let goes_on = std::mem::replace(&mut is_decorated, begins && code.is_mark(here, "@"));
            if begins && !goes_on {
                return Some(here);
            }
            is_decorated |= goes_on && !begins;
        }
        None
    })
}

fn javascript(code: &Code, tokens: Range<usize>) -> Statement {
    let mut at = tokens.start;
    if code.is_word(at, "import") && !code.is_mark(at + 1, "(") {
        return Statement { links: Some(links(code, tokens.clone())), tokens, names: Vec::new() };
    }
    let mut names = Vec::new();
    if code.is_word(at, "export") {
        at += 1;
        if code.is_word(at, "default") {
            names.push("default".to_owned());
            at += 1;
        } else if code.is_mark(at, "{") {
            return Statement { links: Some(links(code, tokens.clone())), tokens, names };
        }
    }
    at += usize::from(code.is_word(at, "async"));
    if ["const", "let", "var"].iter().any(|word| code.is_word(at, word)) {
        names.extend(declared(code, at + 1, tokens.end));
    } else if code.is_word(at, "function") || code.is_word(at, "class") {
        names.extend(code.is_any_word(at + 1).then(|| code.word(at + 1).to_owned()));
    } else if let Some(name) = exported(code, at) {
        names.push(name);
    } else if code.is_word(at, "module") && only_lists(code, &tokens) {
        return Statement { links: Some(Vec::new()), tokens, names };
    }
    Statement { tokens, names, links: None }
}

/// The names before the sign of equality: one, or those that an object is taken apart into.
fn declared(code: &Code, start: usize, end: usize) -> Vec<String> {
    let until = (start..end).find(|&token| code.is_mark(token, "=")).unwrap_or(end);
    let until = if code.is_mark(start, "{") { code.after(start).min(until) } else { until.min(start + 1) };
    (start..until).filter(|&token| code.is_any_word(token)).map(|token| code.word(token).to_owned()).collect()
}

/// `exports.name =` and `module.exports.name =`.
fn exported(code: &Code, at: usize) -> Option<String> {
    let at = if code.is_word(at, "module") { at + 2 } else { at };
    let is_it = code.is_word(at, "exports") && code.is_mark(at + 1, ".") && code.is_mark(at + 3, "=");
    is_it.then(|| code.word(at + 2).to_owned())
}

/// `module.exports = { a, b }`: says what there is, and uses none of it.
fn only_lists(code: &Code, tokens: &Range<usize>) -> bool {
    !tokens.clone().any(|token| code.is_mark(token, "(") || code.is_mark(token, "=>"))
}

/// `import a, { b as c } from …`, `export { a as b }`: local names with those that they stand for.
fn links(code: &Code, tokens: Range<usize>) -> Vec<(String, String)> {
    let mut links = Vec::new();
    let is_import = code.is_word(tokens.start, "import");
    if is_import && code.is_any_word(tokens.start + 1) {
        links.push((code.word(tokens.start + 1).to_owned(), "default".to_owned()));
    }
    for at in tokens.clone().filter(|&token| code.is_word(token, "as")) {
        let (before, after) = (code.word(at.saturating_sub(1)).to_owned(), code.word(at + 1).to_owned());
        links.push((after, before));
    }
    links
}

fn python(code: &Code, tokens: Range<usize>) -> Statement {
    let start = tokens.start;
    if code.is_word(start, "import") || code.is_word(start, "from") {
        return Statement { links: Some(links(code, tokens.clone())), tokens, names: Vec::new() };
    }
    let definition = tokens.clone().find(|&token| code.is_word(token, "def") || code.is_word(token, "class"));
    let is_definition = definition.is_some() && ["def", "class", "async", "@"].contains(&code.word(start));
    let names = match definition {
        Some(at) if is_definition => vec![code.word(at + 1).to_owned()],
        _ if code.is_any_word(start) && code.is_mark(start + 1, "=") => vec![code.word(start).to_owned()],
        _ => Vec::new(),
    };
    Statement { tokens, names, links: None }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    /// The numbers that stand in what is used.
    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &str) {
        let codes: Vec<Code> = files.iter().map(|(path, text)| sample(path, text)).collect();
        let mut found = String::new();
        for (code, ranges) in codes.iter().zip(reached(&codes, "handler")) {
            for token in ranges.into_iter().flatten() {
                if code.word(token).starts_with(|c: char| c.is_ascii_digit()) {
                    found.push_str(code.word(token));
                }
            }
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn handlers_of_one_file_are_told_apart() {
        check(&[("a.js", "const a = () => 1;\nexports.handler = () => a();\nexports.other = () => 2;\n")], "1");
        check(
            &[(
                "a.js",
                "function a() { return 1 }\nasync function handler() { a() }\nfunction b() { return 2 }\nmodule.exports = { handler, b }",
            )],
            "1",
        );
        check(&[("a.py", "A = 1\n\ndef other():\n    return 2\n\n@wrap(3)\ndef handler(e, c):\n    return A\n")], "13");
        check(&[("a.js", "start(1)\nconst x = class { m() { return 2 } }\nexports.handler = () => new x()")], "12");
    }

    #[test]
    fn names_are_followed_through_imports() {
        let store = ("store.js", "export const put = () => 1;\nexport const get = () => 2;\nexport default () => 3;\n");
        check(&[("a.js", "import { put } from './store';\nexport const handler = () => put();\n"), store], "1");
        check(&[("a.js", "import { get as put } from './store';\nexport const handler = () => put();\n"), store], "12");
        check(&[("a.js", "import any from './store';\nexport const handler = () => any();\n"), store], "3");
        check(&[("a.js", "const store = require('./store');\nexports.handler = () => store.get();\n"), store], "2");
        check(&[("a.js", "export { put as handler } from './store';\n"), store], "1");
        let store = ("store.py", "def put():\n    return 1\n\ndef get():\n    return 2\n");
        check(&[("a.py", "from store import put as save, get\n\ndef handler(e, c):\n    save()\n"), store], "1");
    }
}
