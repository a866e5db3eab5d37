//! One alternative in a field's array: a literal or an operator.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use super::address::{self, Network};
use super::number::Number;
use super::wildcard::Wildcard;

/// A leaf of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// A string's content.
    Text(Cow<'a, str>),
    /// A number as it is written.
    Number(Cow<'a, str>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Matcher {
    /// A string, and that one.
    Text(Box<str>),
    /// A string that is this address in any spelling.
    Address(IpAddr),
    /// A number, by value or, where doubles cannot tell, by its text.
    Number(Option<Number>, Box<str>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// `{"prefix": …}`
    Prefix(Box<str>),
    /// `{"prefix": {"equals-ignore-case": …}}`
    PrefixIgnoringCase(Box<str>),
    /// `{"suffix": …}`
    Suffix(Box<str>),
    /// `{"suffix": {"equals-ignore-case": …}}`
    SuffixIgnoringCase(Box<str>),
    /// `{"equals-ignore-case": …}`
    EqualsIgnoringCase(Box<str>),
    /// `{"wildcard": …}`
    Wildcard(Wildcard),
    /// `{"numeric": …}`: at least and at most; a bound is left out by its flag.
    Range(Option<Bound>, Option<Bound>),
    /// `{"cidr": …}`
    Network(Network),
    /// `{"anything-but": …}`: none of these, but something.
    AnythingBut(Box<[Matcher]>),
    /// `{"exists": true}`
    Exists,
    /// `{"exists": false}`: see [`Matcher::is_absent`].
    Absent,
}

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Where it ends.
    pub at: Number,
    /// Whether that number itself is out.
    pub is_open: bool,
}

impl Matcher {
    /// A string as a literal; what can be read as an address is compared as one.
    pub fn literal(text: &str) -> Self {
        address::parse(text).map_or_else(|| Self::Text(text.into()), Self::Address)
    }

    /// A number as a literal.
    pub fn number(text: &str) -> Self {
        Self::Number(Number::parse(text), text.into())
    }

    /// It wants the field not to be there, which no value can tell.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether a value that is there will do.
    pub fn matches(&self, value: &Scalar<'_>) -> bool {
        match (self, value) {
            (Self::Text(wanted), Scalar::Text(text)) => **wanted == **text,
            (Self::Address(wanted), Scalar::Text(text)) => address::parse(text) == Some(*wanted),
            (Self::Number(wanted, literal), Scalar::Number(text)) => {
                **literal == **text || (wanted.is_some() && Number::parse(text) == *wanted)
            }
            (Self::Bool(wanted), Scalar::Bool(value)) => wanted == value,
            (Self::Null, Scalar::Null) | (Self::Exists, _) => true,
            (Self::Prefix(prefix), Scalar::Text(text)) => text.starts_with(&**prefix),
            (Self::PrefixIgnoringCase(prefix), Scalar::Text(text)) => starts_ignoring_case(text, prefix).is_some(),
            (Self::Suffix(suffix), Scalar::Text(text)) => text.ends_with(&**suffix),
            (Self::SuffixIgnoringCase(suffix), Scalar::Text(text)) => ends_ignoring_case(text, suffix),
            (Self::EqualsIgnoringCase(wanted), Scalar::Text(text)) => {
                starts_ignoring_case(text, wanted).is_some_and(str::is_empty)
            }
            (Self::Wildcard(wildcard), Scalar::Text(text)) => wildcard.matches(text),
            (Self::Range(low, high), Scalar::Number(text)) => {
                Number::parse(text).is_some_and(|number| is_within(number, *low, *high))
            }
            (Self::Network(network), Scalar::Text(text)) => {
                address::parse(text).is_some_and(|address| network.contains(address))
            }
            (Self::AnythingBut(refused), value) => !refused.iter().any(|matcher| matcher.matches(value)),
            _ => false,
        }
    }
}

fn is_within(number: Number, low: Option<Bound>, high: Option<Bound>) -> bool {
    low.is_none_or(|low| number > low.at || (number == low.at && !low.is_open))
        && high.is_none_or(|high| number < high.at || (number == high.at && !high.is_open))
}

/// What follows `prefix` in `text`, letters of either case being the same.
fn starts_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let mut rest = text.chars();
    for wanted in prefix.chars() {
        if !same_ignoring_case(rest.next()?, wanted) {
            return None;
        }
    }
    Some(rest.as_str())
}

fn ends_ignoring_case(text: &str, suffix: &str) -> bool {
    let mut rest = text.chars().rev();
    suffix.chars().rev().all(|wanted| rest.next().is_some_and(|found| same_ignoring_case(found, wanted)))
}

fn same_ignoring_case(a: char, b: char) -> bool {
    a.eq_ignore_ascii_case(&b)
        || (!a.is_ascii() || !b.is_ascii())
            && (a.to_lowercase().eq(b.to_lowercase()) || a.to_uppercase().eq(b.to_uppercase()))
}

impl fmt::Display for Matcher {
    /// For people, close to how it is written in a pattern.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Address(address) => write!(f, "the address {address}"),
            Self::Number(_, text) => f.write_str(text),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Null => f.write_str("null"),
            Self::Prefix(prefix) => write!(f, "prefix {prefix:?}"),
            Self::PrefixIgnoringCase(prefix) => write!(f, "prefix {prefix:?} in any case"),
            Self::Suffix(suffix) => write!(f, "suffix {suffix:?}"),
            Self::SuffixIgnoringCase(suffix) => write!(f, "suffix {suffix:?} in any case"),
            Self::EqualsIgnoringCase(text) => write!(f, "{text:?} in any case"),
            Self::Wildcard(wildcard) => write!(f, "wildcard {:?}", wildcard.pieces().join("*")),
            Self::Range(..) => f.write_str("a number in the range"),
            Self::Network(_) => f.write_str("an address in the network"),
            Self::AnythingBut(refused) => {
                let refused: Vec<_> = refused.iter().map(ToString::to_string).collect();
                write!(f, "anything but {}", refused.join(", "))
            }
            Self::Exists => f.write_str("a value"),
            Self::Absent => f.write_str("no value"),
        }
    }
}

impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(text) => f.write_str(text),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Null => f.write_str("null"),
        }
    }
}
