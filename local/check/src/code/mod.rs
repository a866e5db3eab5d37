//! Sources of handlers, seen as tokens: enough to tell a call from a comment and a handler's own `return` from that of a
//! callback. No compiler: what cannot be told for certain is not told at all.

mod flow;
mod function;
mod lexer;
mod python;
mod reach;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use template::{Source, Span};

pub use flow::{Flow, Return};
pub use function::{Body, Function};
use lexer::TokenKind;
pub use lexer::{Language, Token};
pub use reach::reached;

/// A source file and its tokens.
#[derive(Debug)]
pub struct Code {
    /// The file.
    pub source: Arc<Source>,
    /// What it is written in.
    pub language: Language,
    tokens: Vec<Token>,
    /// For an opening bracket the token that closes it.
    closing: Vec<Option<usize>>,
}

/// A call: `name(…)`, `x.name(…)` or `new Name(…)`.
#[derive(Clone, Debug)]
pub struct Call {
    /// The token of the name.
    pub name: usize,
    /// The tokens between the brackets.
    pub arguments: Range<usize>,
}

impl Code {
    /// Reads a file whose language its name tells.
    pub fn read(source: &Arc<Source>) -> Option<Self> {
        Some(Self::read_as(source, Language::of(&source.path)?))
    }

    /// Reads a file of this language.
    pub fn read_as(source: &Arc<Source>, language: Language) -> Self {
        let tokens = lexer::tokens(&source.text, language);
        let closing = brackets(&source.text, &tokens);
        Self { source: Arc::clone(source), language, tokens, closing }
    }

    /// All of its tokens.
    pub fn all(&self) -> Range<usize> {
        0..self.tokens.len()
    }

    /// What a token says; of a literal text its content.
    pub fn word(&self, token: usize) -> &str {
        self.tokens.get(token).map_or("", |token| &self.source.text[token.start..token.end])
    }

    /// Whether a token is a literal text.
    pub fn is_text(&self, token: usize) -> bool {
        self.kind(token) == Some(TokenKind::Text)
    }

    /// Whether a token is this name or keyword.
    pub fn is_word(&self, token: usize, word: &str) -> bool {
        self.kind(token) == Some(TokenKind::Word) && self.word(token) == word
    }

    /// Whether a token is this bracket or sign.
    pub fn is_mark(&self, token: usize, mark: &str) -> bool {
        self.kind(token) == Some(TokenKind::Mark) && self.word(token) == mark
    }

    /// Whether a token is any name or keyword.
    pub fn is_any_word(&self, token: usize) -> bool {
        self.kind(token) == Some(TokenKind::Word)
    }

    fn kind(&self, token: usize) -> Option<TokenKind> {
        self.tokens.get(token).map(|token| token.kind)
    }

    /// The bracket that closes this one.
    pub fn closing(&self, token: usize) -> Option<usize> {
        self.closing.get(token).copied().flatten()
    }

    /// Behind the bracket that closes the one here, or the next token.
    fn after(&self, token: usize) -> usize {
        self.closing(token).unwrap_or(token) + 1
    }

    /// Whether a line ends before this token.
    fn begins_line(&self, token: usize) -> bool {
        let line = |token: usize| self.tokens.get(token).map_or(usize::MAX, |token| token.line);
        token == 0 || line(token - 1) < line(token)
    }

    /// How many characters stand before the line of a token, if there are only spaces.
    fn column(&self, token: usize) -> usize {
        let start = self.tokens[token].start;
        start - self.source.text[..start].rfind('\n').map_or(0, |at| at + 1)
    }

    /// Whether the code uses a name: as a word, or within a text (`event['triggerSource']`). Comments do not count.
    pub fn mentions(&self, name: &str) -> bool {
        self.mentions_in(self.all(), name)
    }

    /// The same of a stretch.
    pub fn mentions_in(&self, tokens: Range<usize>, name: &str) -> bool {
        tokens.into_iter().any(|token| match self.kind(token) {
            Some(TokenKind::Word) => self.word(token) == name,
            Some(TokenKind::Text) => self.word(token).contains(name),
            _ => false,
        })
    }

    /// Calls of any of these names, in order.
    pub fn calls<'c>(&'c self, names: &'c [&'c str]) -> impl Iterator<Item = Call> + 'c {
        self.all().filter_map(move |token| {
            let is_called = self.is_any_word(token) && names.contains(&self.word(token)) && !self.is_declared(token);
            let open = self.open_after(token)?;
            let arguments = open + 1..self.closing(open)?;
            is_called.then_some(Call { name: token, arguments })
        })
    }

    /// `function name(`, `def name(`, `fn name(`.
    fn is_declared(&self, token: usize) -> bool {
        token > 0 && ["function", "def", "fn"].iter().any(|word| self.is_word(token - 1, word))
    }

    /// The bracket of a call behind a name, over TypeScript's `<T>` if need be.
    fn open_after(&self, token: usize) -> Option<usize> {
        if self.is_mark(token + 1, "(") {
            return Some(token + 1);
        }
        if !self.is_mark(token + 1, "<") {
            return None;
        }
        let end = self.after_type_arguments(token + 1);
        self.is_mark(end, "(").then_some(end)
    }

    /// Behind the `>` that closes the `<` here; where it is none, here.
    fn after_type_arguments(&self, start: usize) -> usize {
        let (mut depth, mut at) = (0, start);
        while at < self.tokens.len() {
            match self.word(at) {
                "<" => depth += 1,
                ">" => depth -= 1,
                "(" | "[" | "{" => at = self.closing(at).unwrap_or(at),
                ";" | ")" | "]" | "}" => return start,
                _ => {}
            }
            at += 1;
            if depth == 0 {
                return at;
            }
        }
        start
    }

    /// Stretches of a file from a first to a last token.
    pub fn span(&self, tokens: &Range<usize>) -> Span {
        let end = tokens.end.max(tokens.start + 1) - 1;
        let place = |token: usize| self.tokens.get(token).or(self.tokens.last());
        Span {
            source: Arc::clone(&self.source),
            start: place(tokens.start).map_or(0, |token| token.start),
            end: place(end).map_or(0, |token| token.end),
        }
    }

    /// Where a token stands.
    pub fn span_of(&self, token: usize) -> Span {
        self.span(&(token..token + 1))
    }

    /// The function of this name, if it is written in this file in a form that is understood.
    pub fn function(&self, name: &str) -> Option<Function> {
        match self.language {
            Language::JavaScript => function::find(self, name),
            Language::Python => python::find(self, name),
            Language::Rust => None,
        }
    }

    /// How a function ends.
    pub fn flow(&self, function: &Function) -> Flow {
        match self.language {
            Language::Python => python::flow(self, function),
            _ => flow::of(self, function),
        }
    }

    /// Paths of modules of the same project that this file names, as it names them.
    pub fn imports(&self) -> Vec<String> {
        match self.language {
            Language::JavaScript => self
                .all()
                .filter(|&token| self.is_text(token) && self.word(token).starts_with('.'))
                .filter(|&token| self.is_imported(token))
                .map(|token| self.word(token).to_owned())
                .collect(),
            Language::Python => python::imports(self),
            Language::Rust => self
                .all()
                .filter(|&token| self.is_word(token, "mod") && self.is_mark(token + 2, ";"))
                .map(|token| self.word(token + 1).to_owned())
                .collect(),
        }
    }

    /// Behind `from`, `import`, `require(`, `import(`.
    fn is_imported(&self, token: usize) -> bool {
        let before = |back: usize, word: &str| token >= back && self.is_word(token - back, word);
        let in_brackets = token >= 1 && self.is_mark(token - 1, "(");
        before(1, "from") || before(1, "import") || (in_brackets && (before(2, "require") || before(2, "import")))
    }
}

/// Pairs of brackets. One without its partner has none.
fn brackets(text: &str, tokens: &[Token]) -> Vec<Option<usize>> {
    let (mut closing, mut open) = (vec![None; tokens.len()], Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != TokenKind::Mark {
            continue;
        }
        let opens = match &text[token.start..token.end] {
            "(" | "[" | "{" | "${" => {
                open.push(at);
                continue;
            }
            ")" => "(",
            "]" => "[",
            "}" => "{",
            _ => continue,
        };
        if let Some(position) = open.iter().rposition(|&start| text[..tokens[start].end].ends_with(opens)) {
            closing[open[position]] = Some(at);
            open.truncate(position);
        }
    }
    closing
}

/// The code that a path's name tells.
pub fn is_code(path: &Path) -> bool {
    Language::of(path).is_some()
}

#[cfg(test)]
pub(crate) fn sample(path: &str, text: &str) -> Code {
    Code::read(&Source::new(path, text)).expect("a language by its name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_mention_nothing() {
        assert!(!sample("a.js", "// triggerSource\n/* triggerSource */ f(1)").mentions("triggerSource"));
        assert!(!sample("a.py", "# triggerSource\nf(1)").mentions("triggerSource"));
        assert!(sample("a.js", "event['triggerSource']").mentions("triggerSource"));
        assert!(sample("a.ts", "const { triggerSource } = event").mentions("triggerSource"));
    }

    #[track_caller]
    fn check_calls(path: &str, text: &str, name: &str, expected: &[&str]) {
        let code = sample(path, text);
        let found: Vec<String> = code.calls(&[name]).map(|call| code.span(&call.arguments).text().to_owned()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn calls_have_their_arguments() {
        check_calls("a.js", "x.put({ a: f(1) }); put", "put", &["{ a: f(1) }"]);
        check_calls("a.ts", "new Put<A<B>>(1); a < b; put(2)", "Put", &["1"]);
        check_calls("a.js", "function put(a) {} // put(1)", "put", &[]);
        check_calls("a.py", "table.put_item(Item={'a': 1})", "put_item", &["Item={'a': 1}"]);
    }

    #[test]
    fn imports_of_the_project_are_known() {
        let code =
            sample("a.ts", "import a from './a'; import 'x'; const b = require('../b.js'); export * from \"./c\"");
        assert_eq!(code.imports(), ["./a", "../b.js", "./c"]);
        assert_eq!(sample("main.rs", "mod store;\nmod inner { }\n").imports(), ["store"]);
    }
}
