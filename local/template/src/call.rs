//! The intrinsic functions: which there are, and what each is given. Only form is looked at here.

use crate::error::TemplateError;
use crate::near::did_you_mean;
use crate::node::Node;
use crate::sub::{self, Part};

/// What a function's mistake is called by CloudFormation.
const ERROR: &str = "Template error:";

/// The functions by name, for those who mistype one.
const NAMES: &[&str] = &[
    "Fn::And",
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::Equals",
    "Fn::FindInMap",
    "Fn::ForEach",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Length",
    "Fn::Not",
    "Fn::Or",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::ToJsonString",
    "Fn::Transform",
];

/// A call of an intrinsic function, its arguments as they are written.
#[derive(Clone, Debug)]
pub(crate) enum Call<'n> {
    /// `Ref`.
    Ref(&'n str),
    /// `Fn::GetAtt`: both may be functions, the resource only with `AWS::LanguageExtensions`.
    GetAtt(Attribute<'n>),
    /// `Fn::Sub` with what it is told of variables.
    Sub(Vec<Part>, Option<&'n Node>),
    /// `Fn::Join`: the delimiter and what makes the list.
    Join(&'n Node, &'n Node),
    /// `Fn::Split`: the delimiter and the text.
    Split(&'n Node, &'n Node),
    /// `Fn::Select`: the index and what makes the list.
    Select(&'n Node, &'n Node),
    /// `Fn::If`: the condition and both values.
    If(&'n Node, &'n Node, &'n Node),
    /// `Fn::Equals`.
    Equals(&'n Node, &'n Node),
    /// `Fn::And`.
    And(&'n [Node]),
    /// `Fn::Or`.
    Or(&'n [Node]),
    /// `Fn::Not`.
    Not(&'n Node),
    /// `Fn::FindInMap`: the map, both keys, and the value if one of them is not there.
    FindInMap([&'n Node; 3], Option<&'n Node>),
    /// `Fn::ImportValue`.
    ImportValue(&'n Node),
    /// `Fn::Base64`.
    Base64(&'n Node),
    /// `Fn::GetAZs`.
    GetAZs(&'n Node),
    /// `Fn::Cidr`: the block, how many, and how many bits each leaves free.
    Cidr(&'n Node, &'n Node, Option<&'n Node>),
    /// `Fn::Length`.
    Length(&'n Node),
    /// `Fn::ToJsonString`.
    ToJsonString(&'n Node),
}

/// What `Fn::GetAtt` is given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attribute<'n> {
    /// `Resource.Attribute`.
    Dotted(&'n str, &'n str),
    /// `[Resource, Attribute]`.
    Pair(&'n Node, &'n Node),
}

impl<'n> Call<'n> {
    /// The call that a node is, if it is one.
    pub(crate) fn read(node: &'n Node) -> Result<Option<Self>, TemplateError> {
        let Some(map) = node.as_map() else { return Ok(None) };
        let [entry] = map.entries() else {
            let Some(entry) = map.entries().iter().find(|entry| is_function(&entry.key)) else {
                return Ok(None);
            };
            let message = format!("{} stands beside other members; a function stands alone in its map", entry.key);
            return Err(TemplateError::new(&entry.key_span, message));
        };
        let argument = &entry.value;
        if entry.key == "Ref" {
            return match argument.as_str() {
                Some(name) => Ok(Some(Self::Ref(name))),
                None => Err(refuse(argument, "every Ref object must have a single String value.")),
            };
        }
        if !entry.key.starts_with("Fn::") {
            return Ok(None);
        }
        match Self::function(&entry.key, argument)? {
            Some(call) => Ok(Some(call)),
            None => Err(unknown(&entry.key, node)),
        }
    }

    fn function(name: &str, argument: &'n Node) -> Result<Option<Self>, TemplateError> {
        let list = argument.as_list();
        Ok(Some(match (name, list) {
            ("Fn::GetAtt", _) => Self::GetAtt(attribute(argument)?),
            ("Fn::Sub", _) => return sub_call(argument).map(Some),
            ("Fn::Join", Some([delimiter, items])) => Self::Join(delimiter, items),
            ("Fn::Split", Some([delimiter, text])) => Self::Split(delimiter, text),
            ("Fn::Select", Some([index, items])) => Self::Select(index, items),
            ("Fn::If", Some([condition, yes, no])) => Self::If(condition, yes, no),
            ("Fn::Equals", Some([left, right])) => Self::Equals(left, right),
            ("Fn::And", Some(items)) if (2..=10).contains(&items.len()) => Self::And(items),
            ("Fn::Or", Some(items)) if (2..=10).contains(&items.len()) => Self::Or(items),
            ("Fn::Not", Some([condition])) => Self::Not(condition),
            ("Fn::FindInMap", Some([map, first, second])) => Self::FindInMap([map, first, second], None),
            ("Fn::FindInMap", Some([map, first, second, options])) => {
                Self::FindInMap([map, first, second], Some(default_value(options)?))
            }
            ("Fn::ImportValue", None) => Self::ImportValue(argument),
            ("Fn::Base64", None) => Self::Base64(argument),
            ("Fn::GetAZs", None) => Self::GetAZs(argument),
            ("Fn::Cidr", Some([block, count])) => Self::Cidr(block, count, None),
            ("Fn::Cidr", Some([block, count, bits])) => Self::Cidr(block, count, Some(bits)),
            ("Fn::Length", _) => Self::Length(argument),
            ("Fn::ToJsonString", _) => Self::ToJsonString(argument),
            _ => match requirement(name) {
                Some(requirement) => return Err(refuse(argument, requirement)),
                None => return Ok(None),
            },
        }))
    }
}

fn is_function(key: &str) -> bool {
    key.starts_with("Fn::") && NAMES.contains(&key)
}

/// What CloudFormation says of a function whose arguments have the wrong form.
fn requirement(name: &str) -> Option<&'static str> {
    Some(match name {
        "Fn::Join" => {
            "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be \
             joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        }
        "Fn::Split" => {
            "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or \
             a function that returns a string to be split."
        }
        "Fn::Select" => "Fn::Select requires a list argument with two elements: an integer index and a list",
        "Fn::If" => {
            "Fn::If requires a list argument with three elements: a condition name, the value if it is true and the \
             value if it is false"
        }
        "Fn::Equals" => "every Fn::Equals object requires a list of 2 string parameters.",
        "Fn::And" => "every Fn::And object requires a list of at least 2 and at most 10 boolean parameters.",
        "Fn::Or" => "every Fn::Or object requires a list of at least 2 and at most 10 boolean parameters.",
        "Fn::Not" => "every Fn::Not object requires one boolean parameter.",
        "Fn::FindInMap" => {
            "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return \
             value"
        }
        "Fn::ImportValue" => "every Fn::ImportValue object must have a String-typed value.",
        "Fn::Base64" => "every Fn::Base64 object must have a String-typed value.",
        "Fn::GetAZs" => "every Fn::GetAZs object must have a String-typed value.",
        "Fn::Cidr" => {
            "every Fn::Cidr object requires two or three parameters: the block, how many blocks to make of it, and \
             how many bits each leaves free"
        }
        _ => return None,
    })
}

fn attribute(argument: &Node) -> Result<Attribute<'_>, TemplateError> {
    let dotted = argument.as_str().and_then(|text| text.split_once('.'));
    match (dotted, argument.as_list()) {
        (Some((resource, attribute)), _) if !resource.is_empty() && !attribute.is_empty() => {
            Ok(Attribute::Dotted(resource, attribute))
        }
        (_, Some([resource, attribute])) if !is_empty(resource) && !is_empty(attribute) => {
            Ok(Attribute::Pair(resource, attribute))
        }
        _ => Err(refuse(
            argument,
            "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute",
        )),
    }
}

fn is_empty(node: &Node) -> bool {
    node.as_list().is_some() || node.as_scalar().is_some_and(|scalar| scalar.text.is_empty() || scalar.is_null())
}

fn sub_call(argument: &Node) -> Result<Call<'_>, TemplateError> {
    let (text, variables) = match argument.as_list() {
        Some([text, variables]) if variables.as_map().is_some() => (text, Some(variables)),
        Some([text]) => (text, None),
        Some(_) => return Err(bad_sub(argument)),
        None => (argument, None),
    };
    let parts = sub::parts(text.as_str().ok_or_else(|| bad_sub(text))?);
    Ok(Call::Sub(parts.map_err(|wrong| refuse(text, &wrong))?, variables))
}

fn bad_sub(node: &Node) -> TemplateError {
    refuse(
        node,
        "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, \
         and an optional second argument to specify a mapping of values to replace in the string",
    )
}

fn default_value(options: &Node) -> Result<&Node, TemplateError> {
    match options.as_map().map(crate::node::Map::entries) {
        Some([entry]) if entry.key == "DefaultValue" => Ok(&entry.value),
        _ => Err(options.unexpected("the fourth parameter of Fn::FindInMap", "{DefaultValue: …}")),
    }
}

/// A mistake in CloudFormation's words.
pub(crate) fn refuse(node: &Node, words: &str) -> TemplateError {
    TemplateError::new(&node.span, format!("{ERROR} {words}"))
}

fn unknown(name: &str, node: &Node) -> TemplateError {
    let error = TemplateError::new(&node.span, format!("the function {name} is not known"));
    match did_you_mean(name, NAMES.iter().copied()) {
        Some(hint) => error.hint(hint),
        None => error.hint(format!("the functions are {}", NAMES.join(", "))),
    }
}
