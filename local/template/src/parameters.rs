//! The section `Parameters`: what is declared, and what value each has.

use std::collections::BTreeMap;

use regex_lite::Regex;

use crate::error::{TemplateError, Warning};
use crate::near::did_you_mean;
use crate::node::{Entry, Node};
use crate::source::Span;
use crate::template::Inputs;

/// CloudFormation's limit of parameters.
const PARAMETERS_MAX: usize = 200;
/// Characters of a value.
const VALUE_MAX: usize = 4096;
/// How AWS's own types begin. Their values are not looked up.
const OWN_TYPES: &str = "AWS::";
/// The types whose value is the name of a parameter of Parameter Store.
const STORED: &str = "AWS::SSM::Parameter::Value<";

/// What a declaration may say.
const ATTRIBUTES: &[&str] = &[
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Default",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
    "Type",
];

/// A parameter with its value.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// What kind of value it takes.
    pub(crate) shape: Shape,
    /// Its value as a text, a list's items between commas.
    pub value: String,
    /// Whether the value is not to be shown.
    pub no_echo: bool,
}

/// What kind of value a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A text.
    String,
    /// A number.
    Number,
    /// Texts between commas.
    List,
    /// Numbers between commas.
    Numbers,
    /// The name of a stored text.
    Stored,
    /// The name of a stored list.
    StoredList,
}

impl Shape {
    fn read(kind: &str) -> Option<Self> {
        let stored = kind.strip_prefix(STORED).and_then(|kind| kind.strip_suffix('>'));
        match (kind, stored) {
            ("String", _) => Some(Self::String),
            ("Number", _) => Some(Self::Number),
            ("CommaDelimitedList", _) => Some(Self::List),
            ("List<Number>", _) => Some(Self::Numbers),
            (_, Some(kind)) => match Self::read(kind)? {
                Self::List | Self::Numbers => Some(Self::StoredList),
                Self::String | Self::Number => Some(Self::Stored),
                Self::Stored | Self::StoredList => None,
            },
            (kind, None) if kind == "List<String>" || kind.starts_with("List<AWS::") => Some(Self::List),
            (kind, None) if kind.starts_with(OWN_TYPES) => Some(Self::String),
            _ => None,
        }
    }

    /// A text as the value of a reference.
    pub(crate) fn node(self, text: &str, span: &Span) -> Node {
        match self {
            Self::String | Self::Stored => Node::string(span, text),
            Self::Number => Node::plain(span, text.trim()),
            Self::List | Self::StoredList => {
                Node::list(span, items(text).map(|item| Node::string(span, item)).collect())
            }
            Self::Numbers => Node::list(span, items(text).map(|item| Node::plain(span, item)).collect()),
        }
    }
}

/// The items of a list between commas; of an empty text there are none.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(move |_| !text.is_empty())
}

/// Reads the section, each parameter with the value that is given for it, or else its default.
pub(crate) fn read(
    section: Option<&Node>,
    inputs: &Inputs,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Parameter>, TemplateError> {
    let entries = match section {
        Some(section) => section.expect_map("Parameters")?.entries(),
        None => &[],
    };
    let given = &inputs.parameters;
    if entries.len() > PARAMETERS_MAX
        && let Some(entry) = entries.get(PARAMETERS_MAX)
    {
        let message =
            format!("Number of parameters, {}, is greater than maximum allowed, {PARAMETERS_MAX}", entries.len());
        return Err(TemplateError::new(&entry.key_span, format!("Template format error: {message}")));
    }
    undeclared(section, entries, given)?;
    entries.iter().map(|entry| parameter(entry, given, warnings)).collect()
}

fn parameter(
    entry: &Entry,
    given: &BTreeMap<String, String>,
    warnings: &mut Vec<Warning>,
) -> Result<Parameter, TemplateError> {
    let (name, declared) = (&entry.key, &entry.value);
    let format_error =
        |span: &Span, message: String| TemplateError::new(span, format!("Template format error: {message}"));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(format_error(&entry.key_span, format!("Parameter name {name} is non alphanumeric.")));
    }
    for attribute in declared.expect_map(&format!("the parameter {name}"))?.entries() {
        if !ATTRIBUTES.contains(&attribute.key.as_str()) {
            let error =
                format_error(&attribute.key_span, format!("Invalid template parameter property '{}'", attribute.key));
            return Err(hinted(error, did_you_mean(&attribute.key, ATTRIBUTES.iter().copied())));
        }
    }
    let Some(kind) = declared.get("Type") else {
        return Err(format_error(&entry.key_span, "Every Parameters object must contain a Type member.".to_owned()));
    };
    let kind_text = kind.expect_str(&format!("the Type of the parameter {name}"))?;
    let Some(shape) = Shape::read(kind_text) else {
        let error = format_error(&kind.span, format!("Unrecognized parameter type: {kind_text}"));
        let known = ["String", "Number", "List<Number>", "CommaDelimitedList", "AWS::SSM::Parameter::Value<String>"];
        return Err(hinted(error, did_you_mean(kind_text, known)));
    };
    let (value, span) = match (given.get(name), declared.get("Default")) {
        (Some(value), _) => (value.clone(), entry.key_span.clone()),
        (None, Some(default)) => (default_text(name, default)?, default.span.clone()),
        (None, None) => {
            let error = TemplateError::new(&entry.key_span, format!("Parameters: [{name}] must have values"));
            return Err(error.hint(format!("give it one with --parameter {name}=VALUE, or a Default")));
        }
    };
    let no_echo = declared.get("NoEcho").and_then(Node::as_bool).unwrap_or_default();
    let parameter = Parameter { name: name.clone(), span: entry.key_span.clone(), shape, value, no_echo };
    constraints(&parameter, declared, &span, warnings)?;
    Ok(parameter)
}

/// A value for a parameter that the template has not.
fn undeclared(
    section: Option<&Node>,
    entries: &[Entry],
    given: &BTreeMap<String, String>,
) -> Result<(), TemplateError> {
    let names = || entries.iter().map(|entry| entry.key.as_str());
    let Some((unknown, section)) = given.keys().find(|name| names().all(|known| known != *name)).zip(section) else {
        return Ok(());
    };
    let error = TemplateError::new(&section.span, format!("Parameters: [{unknown}] do not exist in the template"));
    Err(hinted(error, did_you_mean(unknown, names())))
}

fn hinted(error: TemplateError, hint: Option<String>) -> TemplateError {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// A default is a text, a number or a truth value.
fn default_text(name: &str, default: &Node) -> Result<String, TemplateError> {
    let found = if default.is_null() { "none" } else { "a list or a map" };
    default.as_str().map(str::to_owned).ok_or_else(|| {
        TemplateError::new(&default.span, "Template format error: Every Default member must be a string.")
            .hint(format!("the parameter {name} has {found}"))
    })
}

/// Whether the value is what the declaration allows.
fn constraints(
    parameter: &Parameter,
    declared: &Node,
    span: &Span,
    warnings: &mut Vec<Warning>,
) -> Result<(), TemplateError> {
    let Parameter { name, value, shape, .. } = parameter;
    let refuse = |words: String| {
        let described = declared.get("ConstraintDescription").and_then(Node::as_str);
        let message = match described {
            Some(described) => format!("Parameter '{name}' failed to satisfy constraint: {described}"),
            None => format!("Parameter '{name}' {words}"),
        };
        Err(TemplateError::new(span, message))
    };
    let length = value.chars().count();
    if length > VALUE_MAX {
        return refuse(format!("must be at most {VALUE_MAX} characters long"));
    }
    let is_list = matches!(shape, Shape::List | Shape::Numbers);
    let values: Vec<&str> = if is_list { items(value).collect() } else { vec![value.as_str()] };
    if matches!(shape, Shape::Number | Shape::Numbers) && values.iter().any(|value| number(value).is_none()) {
        let expected = if is_list { "must be a list of numbers" } else { "must be a number" };
        return Err(TemplateError::new(span, format!("Parameter '{name}' {expected}")));
    }
    if let Some(allowed) = declared.get("AllowedValues") {
        let allowed = allowed.expect_list(&format!("AllowedValues of the parameter {name}"))?;
        let is_allowed = |value: &&str| allowed.iter().any(|node| node.as_str().is_some_and(|text| text == *value));
        if !values.iter().all(is_allowed) {
            let words: Vec<&str> = allowed.iter().filter_map(Node::as_str).collect();
            return refuse(format!("must be one of AllowedValues ({})", words.join(", ")));
        }
    }
    if let Some(pattern) = declared.get("AllowedPattern") {
        let text = pattern.expect_str(&format!("AllowedPattern of the parameter {name}"))?;
        match Regex::new(&format!("^(?:{text})$")) {
            Ok(regex) if !values.iter().all(|value| regex.is_match(value)) => {
                return refuse(format!("must match pattern {text}"));
            }
            Ok(_) => {}
            Err(_) => warnings.push(Warning::new(
                &pattern.span,
                format!("AllowedPattern of the parameter {name} is not checked: the pattern is not understood here"),
            )),
        }
    }
    let limit = |key: &str| match declared.get(key) {
        Some(node) => match node.as_str().and_then(number) {
            Some(limit) => Ok(Some(limit)),
            None => Err(node.unexpected(&format!("{key} of the parameter {name}"), "a number")),
        },
        None => Ok(None),
    };
    #[expect(clippy::cast_precision_loss, reason = "a value has at most some thousand characters")]
    let length = length as f64;
    if let Some(least) = limit("MinLength")?.filter(|least| length < *least) {
        return refuse(format!("must contain at least {least} characters"));
    }
    if let Some(most) = limit("MaxLength")?.filter(|most| length > *most) {
        return refuse(format!("must contain at most {most} characters"));
    }
    let numbers = || values.iter().filter_map(|value| number(value));
    if let Some(least) = limit("MinValue")?.filter(|least| numbers().any(|number| number < *least)) {
        return refuse(format!("must be a number not less than {least}"));
    }
    if let Some(most) = limit("MaxValue")?.filter(|most| numbers().any(|number| number > *most)) {
        return refuse(format!("must be a number not greater than {most}"));
    }
    Ok(())
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}
