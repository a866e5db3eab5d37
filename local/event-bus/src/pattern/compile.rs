//! From a pattern's text to its forks.
//!
//! Follows `event-ruler`'s `JsonRuleCompiler` token by token, because the text and the position of every error
//! depend on what was read before it. It keeps a stack of its own: patterns may be nested as deep as JSON may.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::address::Network;
use super::complexity::is_too_complex;
use super::matcher::{Bound, Matcher};
use super::number::Number;
use super::wildcard::Wildcard;
use super::{Condition, Fork, PatternError};
use crate::json::{Reader, Syntax, Token};

/// Forks that one pattern may have (EventBridge's documentation of `$or`).
const FORKS_MAX: usize = 1000;

/// Names that no field inside `$or` may have.
const RESERVED_IN_OR: &[&str] = &[
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

const TOO_COMPLEX: &str = "Rule is too complex - try using fewer wildcard characters or fewer repeating character \
                           sequences after a wildcard character";
const ONE_KEY: &str = "Only one key allowed in match expression";

/// A fork while it is built; the last of two equal paths wins.
type Draft = BTreeMap<Arc<str>, (usize, Arc<[Matcher]>)>;

/// What is open while reading.
enum Open {
    Object { path_length: usize, has_fields: bool, is_in_or: bool },
    Or { before: Vec<Draft>, forks: Vec<Draft>, objects: usize },
}

/// Reads a pattern.
pub fn compile(text: &str) -> Result<Vec<Fork>, PatternError> {
    let mut compiler = Compiler { reader: Reader::new(text), path: String::new(), drafts: Vec::new(), fields: 0 };
    if compiler.reader.next()? != Some(Token::ObjectStart) {
        return Err(compiler.refused("Filter is not an object"));
    }
    let mut open = vec![Open::Object { path_length: 0, has_fields: false, is_in_or: false }];
    while let Some(innermost) = open.last_mut() {
        match innermost {
            Open::Object { .. } => compiler.in_object(&mut open)?,
            Open::Or { .. } => compiler.in_or(&mut open)?,
        }
    }
    Ok(compiler.drafts.into_iter().map(finish).collect())
}

fn finish(draft: Draft) -> Fork {
    draft.into_iter().map(|(path, (position, matchers))| Condition { path, matchers, position }).collect()
}

struct Compiler<'a> {
    reader: Reader<'a>,
    /// Of the innermost open object.
    path: String,
    /// The forks so far.
    drafts: Vec<Draft>,
    fields: usize,
}

impl Compiler<'_> {
    /// The next field of the innermost object, or its end.
    fn in_object(&mut self, open: &mut Vec<Open>) -> Result<(), PatternError> {
        let token = self.reader.next()?;
        let Some(Open::Object { path_length, has_fields, is_in_or }) = open.last_mut() else { return Ok(()) };
        let (path_length, is_in_or) = (*path_length, *is_in_or);
        if token != Some(Token::Name) {
            if !*has_fields {
                return Err(self.refused("Empty objects are not allowed"));
            }
            open.pop();
            self.path.truncate(path_length);
            if let Some(Open::Or { forks, .. }) = open.last_mut() {
                forks.append(&mut self.drafts);
                if forks.len() > FORKS_MAX {
                    return Err(PatternError::TooManyForks);
                }
            }
            return Ok(());
        }
        *has_fields = true;
        let name = self.reader.name();
        if name == "$or" {
            if self.reader.next()? != Some(Token::ArrayStart) {
                return Err(self.refused("It must be an Array followed with $or."));
            }
            open.push(Open::Or { before: std::mem::take(&mut self.drafts), forks: Vec::new(), objects: 0 });
            return Ok(());
        }
        if is_in_or && RESERVED_IN_OR.contains(&&*name) {
            let message = format!("{name} is Ruler reserved fieldName which cannot be used inside $or.");
            return Err(self.refused(&message));
        }
        match self.reader.next()? {
            Some(Token::ObjectStart) => {
                let path_length = self.path.len();
                self.path = self.joined(&name);
                open.push(Open::Object { path_length, has_fields: false, is_in_or });
            }
            Some(Token::ArrayStart) => {
                let path = self.joined(&name);
                self.field(&path.into())?;
            }
            _ => return Err(self.refused(&format!("\"{name}\" must be an object or an array"))),
        }
        Ok(())
    }

    /// The next object of the innermost `$or`, or its end.
    fn in_or(&mut self, open: &mut Vec<Open>) -> Result<(), PatternError> {
        let token = self.reader.next()?;
        let Some(Open::Or { before, forks, objects }) = open.last_mut() else { return Ok(()) };
        match token {
            Some(Token::ObjectStart) => {
                *objects += 1;
                self.drafts.clone_from(before);
                if self.drafts.is_empty() {
                    self.drafts.push(Draft::new());
                }
                let path_length = self.path.len();
                open.push(Open::Object { path_length, has_fields: false, is_in_or: true });
                Ok(())
            }
            Some(Token::ArrayEnd) => {
                if *objects < 2 {
                    return Err(self.refused("There must have at least 2 Objects in $or relationship."));
                }
                self.drafts = std::mem::take(forks);
                open.pop();
                Ok(())
            }
            _ => Err(self.refused("Only JSON object is allowed in array of $or relationship.")),
        }
    }

    fn joined(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The alternatives of one field, behind their `[`.
    fn field(&mut self, path: &Arc<str>) -> Result<(), PatternError> {
        let mut matchers = Vec::new();
        loop {
            matchers.push(match self.reader.next()? {
                Some(Token::ArrayEnd) => break,
                Some(Token::ObjectStart) => self.expression()?,
                Some(Token::String) => Matcher::literal(&self.reader.text()?),
                Some(Token::Number) => Matcher::number(&self.reader.text()?),
                Some(Token::Null) => Matcher::Null,
                Some(Token::True) => Matcher::Bool(true),
                Some(Token::False) => Matcher::Bool(false),
                _ => return Err(self.refused("Match value must be String, number, true, false, or null")),
            });
        }
        if matchers.is_empty() {
            return Err(self.refused("Empty arrays are not allowed"));
        }
        if self.drafts.is_empty() {
            self.drafts.push(Draft::new());
        }
        let matchers: Arc<[Matcher]> = matchers.into();
        self.fields += 1;
        for draft in &mut self.drafts {
            draft.insert(Arc::clone(path), (self.fields, Arc::clone(&matchers)));
        }
        Ok(())
    }

    /// An operator, behind its `{`.
    fn expression(&mut self) -> Result<Matcher, PatternError> {
        self.expect(Token::Name, "Match expression name not found")?;
        let name = self.reader.name();
        let matcher = match &*name {
            "exactly" => Matcher::Text(self.string("exact match pattern must be a string")?),
            "prefix" => return self.affix("prefix", "Prefix", Matcher::Prefix, Matcher::PrefixIgnoringCase),
            "suffix" => return self.affix("suffix", "Suffix", Matcher::Suffix, Matcher::SuffixIgnoringCase),
            "numeric" => return self.numeric(),
            "anything-but" => return self.anything_but(),
            "exists" => match self.reader.next()? {
                Some(Token::True) => Matcher::Exists,
                Some(Token::False) => Matcher::Absent,
                _ => return Err(self.refused("exists match pattern must be either true or false.")),
            },
            "cidr" => {
                let cidr = self.string("prefix match pattern must be a string")?;
                // Not wrapped by the parser, and so without a position.
                Matcher::Network(Network::parse(&cidr).map_err(PatternError::Invalid)?)
            }
            "equals-ignore-case" => {
                Matcher::EqualsIgnoringCase(self.string("equals-ignore-case match pattern must be a string")?)
            }
            "wildcard" => {
                let text = self.string("wildcard match pattern must be a string")?;
                self.wildcard(&text)?
            }
            _ => return Err(self.refused(&format!("Unrecognized match type {name}"))),
        };
        self.expect(Token::ObjectEnd, ONE_KEY)?;
        Ok(matcher)
    }

    /// `"…"` or `{"equals-ignore-case": "…"}`.
    fn affix(
        &mut self,
        name: &str,
        title: &str,
        plain: fn(Box<str>) -> Matcher,
        ignoring_case: fn(Box<str>) -> Matcher,
    ) -> Result<Matcher, PatternError> {
        let matcher = match self.reader.next()? {
            Some(Token::ObjectStart) => {
                self.expect(Token::Name, &format!("{title} expression name not found"))?;
                let operator = self.reader.name();
                if operator != "equals-ignore-case" {
                    return Err(self.refused(&format!("Unsupported {name} pattern: {operator}")));
                }
                let text = self.string("equals-ignore-case match pattern must be a string")?;
                self.expect(Token::ObjectEnd, ONE_KEY)?;
                ignoring_case(text)
            }
            Some(Token::String) => plain(self.reader.text()?.into()),
            _ => return Err(self.refused(&format!("{name} match pattern must be a string"))),
        };
        self.expect(Token::ObjectEnd, ONE_KEY)?;
        Ok(matcher)
    }

    fn wildcard(&self, text: &str) -> Result<Matcher, PatternError> {
        let wildcard = Wildcard::parse(text).map_err(|message| self.refused(&message))?;
        if is_too_complex(&wildcard) {
            return Err(PatternError::Invalid(TOO_COMPLEX.into()));
        }
        Ok(Matcher::Wildcard(wildcard))
    }

    fn numeric(&mut self) -> Result<Matcher, PatternError> {
        self.expect(Token::ArrayStart, "Value of numeric must be an array.")?;
        let token = self.reader.next()?;
        let operator = self.reader.text()?;
        if token != Some(Token::String) {
            return Err(self.refused(&format!("Invalid member in numeric match: {operator}")));
        }
        let token = self.reader.next()?;
        let shown = match &*operator {
            "=" => "equals",
            ">" | ">=" | "<" | "<=" => &*operator,
            _ => return Err(self.refused(&format!("Unrecognized numeric range operator: {operator}"))),
        };
        if token != Some(Token::Number) {
            return Err(self.refused(&format!("Value of {shown} must be numeric")));
        }
        let value = self.reader.text()?;
        let lower = matches!(&*operator, ">" | ">=");
        let token = self.reader.next()?;
        let range = match (token, lower) {
            (Some(Token::ArrayEnd), _) => {
                let bound = Some(Bound { at: self.comparable(&value)?, is_open: matches!(&*operator, "<" | ">") });
                let at = bound.filter(|_| &*operator == "=");
                if lower { Matcher::Range(bound, None) } else { Matcher::Range(at, bound) }
            }
            (_, true) => self.upper_bound(token, &value, &*operator == ">")?,
            (_, false) => return Err(self.refused("Too many elements in numeric expression")),
        };
        self.expect(Token::ObjectEnd, "Too many elements in numeric expression")?;
        Ok(range)
    }

    /// The second half of `[">", 0, "<=", 5]`.
    fn upper_bound(&mut self, token: Option<Token>, low: &str, low_is_open: bool) -> Result<Matcher, PatternError> {
        let operator = self.reader.text()?;
        if token != Some(Token::String) {
            return Err(self.refused(&format!("Bad value in numeric range: {operator}")));
        }
        if !matches!(&*operator, "<" | "<=") {
            return Err(self.refused(&format!("Bad numeric range operator: {operator}")));
        }
        self.expect(Token::Number, &format!("Value of {operator} must be numeric"))?;
        let high = self.reader.text()?;
        self.expect(Token::ArrayEnd, "Too many terms in numeric range expression")?;
        let low = Bound { at: self.comparable(low)?, is_open: low_is_open };
        let high = Bound { at: self.comparable(&high)?, is_open: operator == "<" };
        if low.at >= high.at {
            return Err(self.refused("Bottom must be less than top"));
        }
        Ok(Matcher::Range(Some(low), Some(high)))
    }

    fn comparable(&self, text: &str) -> Result<Number, PatternError> {
        Number::parse(text).ok_or_else(|| self.refused(&cannot_compare(text)))
    }

    fn anything_but(&mut self) -> Result<Matcher, PatternError> {
        let mut token = self.reader.next()?;
        let mut operator = None;
        if token == Some(Token::ObjectStart) {
            self.expect(Token::Name, "Anything-But expression name not found")?;
            let name = self.reader.name();
            operator = Some(match &*name {
                "equals-ignore-case" => Nested::EqualsIgnoringCase,
                "prefix" => Nested::Prefix,
                "suffix" => Nested::Suffix,
                "wildcard" => Nested::Wildcard,
                _ => return Err(self.refused(&format!("Unsupported anything-but pattern: {name}"))),
            });
            token = self.reader.next()?;
        }
        let refused = match (token, operator) {
            (Some(Token::ArrayStart), None) => self.literals()?,
            (Some(Token::ArrayStart), Some(operator)) => self.texts(operator)?,
            (Some(Token::String), None) => vec![Matcher::Text(self.reader.text()?.into())],
            (Some(Token::Number), None) => {
                let text = self.reader.text()?;
                if Number::parse(&text).is_none() {
                    return Err(PatternError::Invalid(cannot_compare(&text)));
                }
                vec![Matcher::number(&text)]
            }
            (Some(token @ (Token::String | Token::Number)), Some(operator)) => {
                let text = self.text(token, operator)?;
                vec![self.nested(operator, text)?]
            }
            _ => return Err(self.refused("Value of anything-but must be an array or single string/number value.")),
        };
        self.expect(Token::ObjectEnd, "Too many elements in numeric expression")?;
        if operator.is_some() {
            self.expect(Token::ObjectEnd, "Too many elements in numeric expression")?;
        }
        Ok(Matcher::AnythingBut(refused.into()))
    }

    /// All strings or all numbers.
    fn literals(&mut self) -> Result<Vec<Matcher>, PatternError> {
        let mut literals = Vec::new();
        loop {
            literals.push(match self.next_in_list()? {
                Token::ArrayEnd => break,
                Token::String => Matcher::Text(self.reader.text()?.into()),
                Token::Number => {
                    let text = self.reader.text()?;
                    self.comparable(&text)?;
                    Matcher::number(&text)
                }
                _ => return Err(self.refused_twice("Inside anything but list, start|null|boolean is not supported.")),
            });
        }
        let numbers = literals.iter().filter(|literal| matches!(literal, Matcher::Number(..))).count();
        if literals.is_empty() || (numbers != 0 && numbers != literals.len()) {
            return Err(self.refused(
                "Inside anything but list, either all values are number or string, mixed type is not supported",
            ));
        }
        Ok(literals)
    }

    fn texts(&mut self, operator: Nested) -> Result<Vec<Matcher>, PatternError> {
        let mut texts = Vec::new();
        loop {
            match self.next_in_list()? {
                Token::ArrayEnd => break,
                token => texts.push(self.text(token, operator).map_err(|error| self.repeated(error))?),
            }
        }
        texts.into_iter().map(|text| self.nested(operator, text)).collect()
    }

    fn text(&mut self, token: Token, operator: Nested) -> Result<Box<str>, PatternError> {
        if token != Token::String {
            return Err(self.refused(operator.must_be_a_string()));
        }
        let text = self.reader.text()?;
        if text.is_empty() && matches!(operator, Nested::Prefix | Nested::Suffix) {
            return Err(self.refused("Null prefix/suffix not allowed"));
        }
        Ok(text.into())
    }

    fn nested(&self, operator: Nested, text: Box<str>) -> Result<Matcher, PatternError> {
        Ok(match operator {
            Nested::Prefix => Matcher::Prefix(text),
            Nested::Suffix => Matcher::Suffix(text),
            Nested::EqualsIgnoringCase => Matcher::EqualsIgnoringCase(text),
            Nested::Wildcard => self.wildcard(&text)?,
        })
    }

    fn next_in_list(&mut self) -> Result<Token, PatternError> {
        let token = self.reader.next().map_err(|error| self.repeated(error.into()))?;
        token.ok_or_else(|| self.refused("Unexpected end-of-input"))
    }

    fn string(&mut self, otherwise: &str) -> Result<Box<str>, PatternError> {
        self.expect(Token::String, otherwise)?;
        Ok(self.reader.text()?.into())
    }

    fn expect(&mut self, token: Token, otherwise: &str) -> Result<(), PatternError> {
        if self.reader.next()? == Some(token) { Ok(()) } else { Err(self.refused(otherwise)) }
    }

    fn refused(&self, message: &str) -> PatternError {
        self.reader.error_here(message).into()
    }

    /// In lists the service catches its own error and wraps it once more, position and all (recorded).
    fn refused_twice(&self, message: &str) -> PatternError {
        self.repeated(self.refused(message))
    }

    fn repeated(&self, error: PatternError) -> PatternError {
        match error {
            PatternError::Invalid(message) if message.contains("\n at ") => {
                let Syntax(message) = self.reader.error_here(&message);
                PatternError::Invalid(message)
            }
            error => error,
        }
    }
}

/// What `anything-but` may be applied to.
#[derive(Clone, Copy)]
enum Nested {
    EqualsIgnoringCase,
    Prefix,
    Suffix,
    Wildcard,
}

impl Nested {
    fn must_be_a_string(self) -> &'static str {
        match self {
            Self::EqualsIgnoringCase => {
                "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
            }
            Self::Wildcard => "wildcard match pattern must be a string",
            Self::Prefix | Self::Suffix => "prefix/suffix match pattern must be a string",
        }
    }
}

fn cannot_compare(text: &str) -> String {
    format!("Cannot compare number : {text}")
}
