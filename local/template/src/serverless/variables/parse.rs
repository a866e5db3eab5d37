//! The language of variables: `${source(parameter, …):address, fallback, 'literal'}`, each part of which may contain
//! variables again.
//!
//! What begins otherwise is not a variable and stays as it is: `${AWS::Region}`, `${Table}` and `${!Literal}` are
//! `Fn::Sub`'s. A backslash before `${` takes its meaning away.
//! <https://www.serverless.com/framework/docs/guides/variables>

/// Variables inside of variables.
const DEPTH_MAX: usize = 24;

/// A stretch of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Taken as it is.
    Text(String),
    /// To be resolved.
    Variable(Variable),
}

/// One `${…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    /// As it was written.
    pub written: String,
    /// What is tried, in order.
    pub sources: Vec<Source>,
}

/// One of the things that a variable may come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A value that stands there itself.
    Literal(Literal),
    /// Something that is asked for.
    Call(Call),
}

/// A literal value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// Its text.
    pub text: String,
    /// Whether it stood without quotes: a number, a truth value, null.
    pub plain: bool,
}

/// `kind(parameters):address`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// Which source.
    pub kind: String,
    /// What stands in parentheses, if they are there.
    pub parameters: Option<Vec<Vec<Piece>>>,
    /// What stands behind the colon.
    pub address: Option<Vec<Piece>>,
}

/// What is wrong with a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Bytes from the text's start.
    pub at: usize,
    /// What it is.
    pub message: String,
}

/// The pieces of a text, or nothing if it is what it looks like.
pub(super) fn parse(text: &str) -> Result<Option<Vec<Piece>>, Mistake> {
    if !text.contains("${") {
        return Ok(None);
    }
    let pieces = Reader { text, at: 0 }.text()?;
    match pieces.as_slice() {
        [Piece::Text(same)] if same == text => Ok(None),
        _ => Ok(Some(pieces)),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes a character if it is the next.
    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\n', '\r', '\t']).len();
    }

    /// A whole text.
    fn text(&mut self) -> Result<Vec<Piece>, Mistake> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        while let Some(character) = self.peek() {
            if character == '\\' && self.escape(&mut plain) {
                continue;
            }
            if self.rest().starts_with("${") {
                let start = self.at;
                if let Some(variable) = self.variable(0)? {
                    push_text(&mut pieces, &mut plain);
                    pieces.push(Piece::Variable(variable));
                } else {
                    plain.push_str("${");
                    self.at = start + 2;
                }
                continue;
            }
            plain.push(character);
            self.at += character.len_utf8();
        }
        push_text(&mut pieces, &mut plain);
        Ok(pieces)
    }

    /// Backslashes before `${` are halved, and an odd one makes it a text. Others are what they are.
    fn escape(&mut self, plain: &mut String) -> bool {
        let rest = self.rest();
        let behind = rest.trim_start_matches('\\');
        let count = rest.len() - behind.len();
        if !behind.starts_with("${") {
            return false;
        }
        plain.push_str(&"\\".repeat(count / 2));
        self.at += count;
        if count % 2 == 1 {
            plain.push_str("${");
            self.at += 2;
        }
        true
    }

    /// A variable, or nothing if what begins here is `Fn::Sub`'s.
    fn variable(&mut self, depth: usize) -> Result<Option<Variable>, Mistake> {
        let start = self.at;
        if depth > DEPTH_MAX {
            return mistake(start, format!("more than {DEPTH_MAX} variables are nested"));
        }
        self.at += 2;
        let kind = self.name();
        let call = kind.starts_with(|c: char| c.is_ascii_lowercase()) && matches!(self.peek(), Some(':' | '('));
        let foreign = self.rest().starts_with("::");
        if !call || foreign {
            if depth > 0 {
                let message = "a variable inside of a variable begins with a source, as in ${opt:stage}";
                return mistake(start, message);
            }
            return Ok(None);
        }
        let mut sources = vec![Source::Call(self.call(kind, depth)?)];
        loop {
            self.spaces();
            if self.take('}') {
                break;
            }
            if !self.take(',') {
                return self.unclosed(start);
            }
            self.spaces();
            sources.push(self.source(start, depth)?);
        }
        let written = self.text.get(start..self.at).unwrap_or_default().to_owned();
        Ok(Some(Variable { written, sources }))
    }

    fn unclosed<T>(&self, start: usize) -> Result<T, Mistake> {
        match self.peek() {
            None => mistake(start, "this variable is not closed: a } is missing"),
            Some(found) => mistake(self.at, format!("a comma or }} is expected here, not {found}")),
        }
    }

    fn name(&mut self) -> String {
        let rest = self.rest();
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        let name = rest[..rest.len() - behind.len()].to_owned();
        self.at += name.len();
        name
    }

    /// A fallback: a source, or a literal that ends the list.
    fn source(&mut self, variable: usize, depth: usize) -> Result<Source, Mistake> {
        let start = self.at;
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            let text = self.quoted(quote)?;
            return self.last(variable, Literal { text, plain: false });
        }
        let name = self.name();
        if !name.is_empty() && matches!(self.peek(), Some(':' | '(')) {
            return Ok(Source::Call(self.call(name, depth)?));
        }
        let number = name.parse::<f64>().is_ok() && name.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        if number || matches!(name.as_str(), "true" | "false" | "null") {
            return self.last(variable, Literal { text: name, plain: true });
        }
        if self.peek().is_none() {
            return self.unclosed(variable);
        }
        let what = self.rest().split([',', '}']).next().unwrap_or_default();
        let message = format!("a fallback is a source or a value in quotes: '{name}{}'", what.trim_end());
        mistake(start, message)
    }

    fn last(&mut self, variable: usize, literal: Literal) -> Result<Source, Mistake> {
        self.spaces();
        if self.peek() == Some(',') {
            return mistake(self.at, "nothing comes behind a literal value: it is never missing");
        }
        if self.peek() == Some('}') { Ok(Source::Literal(literal)) } else { self.unclosed(variable) }
    }

    fn call(&mut self, kind: String, depth: usize) -> Result<Call, Mistake> {
        let parameters = if self.take('(') { Some(self.parameters(depth)?) } else { None };
        self.spaces();
        let mut address = None;
        if self.take(':') {
            self.spaces();
            address = match self.peek() {
                Some('}' | ',') => None,
                Some(quote @ ('"' | '\'')) => Some(vec![Piece::Text(self.quoted(quote)?)]),
                _ => Some(self.raw(&['}', ','], depth)?),
            };
        }
        Ok(Call { kind, parameters, address })
    }

    fn parameters(&mut self, depth: usize) -> Result<Vec<Vec<Piece>>, Mistake> {
        let start = self.at;
        let mut parameters = Vec::new();
        loop {
            self.spaces();
            if self.take(')') {
                return Ok(parameters);
            }
            if self.take(',') {
                parameters.push(Vec::new());
                continue;
            }
            let parameter = match self.peek() {
                None => return mistake(start, "the parameters are not closed: a ) is missing"),
                Some('}') => return mistake(self.at, "the parameters are not closed: a ) is missing"),
                Some(quote @ ('"' | '\'')) => vec![Piece::Text(self.quoted(quote)?)],
                Some(_) => self.raw(&[')', ',', '}'], depth)?,
            };
            parameters.push(parameter);
            self.spaces();
            self.take(',');
        }
    }

    /// Text up to one of these, with variables in it, and without spaces around it.
    fn raw(&mut self, until: &[char], depth: usize) -> Result<Vec<Piece>, Mistake> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        while let Some(character) = self.peek() {
            if self.rest().starts_with("${") {
                let Some(variable) = self.variable(depth + 1)? else {
                    return mistake(self.at, "a variable is expected here");
                };
                push_text(&mut pieces, &mut plain);
                pieces.push(Piece::Variable(variable));
                continue;
            }
            if until.contains(&character) {
                break;
            }
            plain.push(character);
            self.at += character.len_utf8();
        }
        plain.truncate(plain.trim_end().len());
        push_text(&mut pieces, &mut plain);
        Ok(pieces)
    }

    /// A text in quotes. In double quotes JSON's escapes count.
    fn quoted(&mut self, quote: char) -> Result<String, Mistake> {
        let start = self.at;
        let mut escaped = false;
        for (at, character) in self.rest().char_indices().skip(1) {
            if escaped {
                escaped = false;
            } else if quote == '"' && character == '\\' {
                escaped = true;
            } else if character == quote {
                let written = &self.text[start..=start + at];
                self.at = start + at + 1;
                if quote == '\'' {
                    return Ok(written[1..written.len() - 1].to_owned());
                }
                let read = serde_json::from_str(&written.replace('\n', "\\n"));
                return read.or_else(|_| mistake(start, format!("{written} is not a text as JSON writes it")));
            }
        }
        mistake(start, format!("the text that begins here is not closed: a {quote} is missing"))
    }
}

fn mistake<T>(at: usize, message: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake { at, message: message.into() })
}

fn push_text(pieces: &mut Vec<Piece>, plain: &mut String) {
    if !plain.is_empty() {
        pieces.push(Piece::Text(std::mem::take(plain)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces in a form that is easy to read: variables in brackets, their sources apart by bars.
    fn show(pieces: &[Piece]) -> String {
        pieces.iter().map(show_piece).collect()
    }

    fn show_piece(piece: &Piece) -> String {
        match piece {
            Piece::Text(text) => text.clone(),
            Piece::Variable(variable) => {
                format!("[{}]", variable.sources.iter().map(show_source).collect::<Vec<_>>().join("|"))
            }
        }
    }

    fn show_source(source: &Source) -> String {
        match source {
            Source::Literal(Literal { text, plain: true }) => text.clone(),
            Source::Literal(Literal { text, plain: false }) => format!("'{text}'"),
            Source::Call(call) => {
                let parameters = call.parameters.as_ref().map(|parameters| {
                    format!("({})", parameters.iter().map(|pieces| show(pieces)).collect::<Vec<_>>().join(";"))
                });
                let address = call.address.as_ref().map(|address| format!(":{}", show(address)));
                format!("{}{}{}", call.kind, parameters.unwrap_or_default(), address.unwrap_or_default())
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text).map(|pieces| show(&pieces.expect("variables"))), Ok(expected.to_owned()));
    }

    #[track_caller]
    fn check_plain(text: &str) {
        assert_eq!(parse(text), Ok(None));
    }

    #[track_caller]
    fn check_mistake(text: &str, at: usize, expected: &str) {
        assert_eq!(parse(text), Err(Mistake { at, message: expected.to_owned() }));
    }

    #[test]
    fn sources_and_addresses() {
        check("${self:custom.a}", "[self:custom.a]");
        check("a-${opt:stage}-b", "a-[opt:stage]-b");
        check("${self:}", "[self]");
        check("${strToBool(true)}", "[strToBool(true)]");
        check("${file(./a.yml):b.c}", "[file(./a.yml):b.c]");
        check("${ssm(eu-west-1, raw):/a/b}", "[ssm(eu-west-1;raw):/a/b]");
        check("${cf.eu-west-1:a.b}", "[cf.eu-west-1:a.b]");
        check("${env:\"A B\"}", "[env:A B]");
    }

    #[test]
    fn fallbacks() {
        check("${opt:stage, self:provider.stage, 'dev'}", "[opt:stage|self:provider.stage|'dev']");
        check("${opt:a,null}", "[opt:a|null]");
        check("${opt:a, 12.5}", "[opt:a|12.5]");
        check("${opt:a, \"x\\ty\"}", "[opt:a|'x\ty']");
        check("${opt:a, ''}", "[opt:a|'']");
        check_mistake("${opt:a, dev}", 9, "a fallback is a source or a value in quotes: 'dev'");
        check_mistake("${opt:a, 'x', 'y'}", 12, "nothing comes behind a literal value: it is never missing");
    }

    #[test]
    fn nesting() {
        check("${self:custom.${opt:stage, 'dev'}.x}", "[self:custom.[opt:stage|'dev'].x]");
        check("${file(./${opt:stage}.yml):a, 'b'}", "[file(./[opt:stage].yml):a|'b']");
        check_mistake(
            "${self:custom.${AWS::Region}}",
            14,
            "a variable inside of a variable begins with a source, as in ${opt:stage}",
        );
    }

    #[test]
    fn what_belongs_to_fn_sub_is_left_alone() {
        check_plain("arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:${Queue.QueueName}");
        check_plain("${!Literal} ${table} ${} ${ } ${aws::x} $ {a:b} ${");
        check("${AWS::Region}-${self:service}", "${AWS::Region}-[self:service]");
        check("${Table-${opt:stage}}", "${Table-[opt:stage]}");
    }

    #[test]
    fn a_backslash_makes_a_text() {
        check(r"\${self:a}", "${self:a}");
        check(r"\\${self:a}", r"\[self:a]");
        check_plain(r"C:\dir\file");
    }

    #[test]
    fn what_is_not_closed() {
        check_mistake("x ${self:a", 2, "this variable is not closed: a } is missing");
        check_mistake("${file(a}", 8, "the parameters are not closed: a ) is missing");
        check_mistake("${opt:a, 'b}", 9, "the text that begins here is not closed: a ' is missing");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in r#"(\$\{|\}|\(|\)|:|,|'|"|\\|self|opt|AWS|é| |.){0,40}"#) {
            let _ = parse(&text);
        }

        #[test]
        fn a_text_without_variables_is_itself(text in "[^$]{0,60}") {
            prop_assert_eq!(parse(&text), Ok(None));
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let text = "${self:".repeat(100);
        assert!(parse(&text).is_err_and(|mistake| mistake.message.contains("nested")));
    }
}
