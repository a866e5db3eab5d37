//! What can be said of a template before anything is resolved: every function has its form, every name is known, and
//! nothing is null. All of the template is looked at, also what conditions leave out, as CloudFormation does.

use crate::call::{Attribute, Call};
use crate::conditions;
use crate::error::TemplateError;
use crate::near::did_you_mean;
use crate::node::{Kind, Map, Node};
use crate::references;
use crate::resolve::{Block, hinted, unresolved};
use crate::scope::{PSEUDO, Scope};
use crate::sections::format_error;
use crate::source::Span;
use crate::sub::Part;

/// Looks at one block.
#[derive(Clone, Copy)]
pub(crate) struct Verifier<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) block: Block,
    /// Whether `AWS::LanguageExtensions` is asked for.
    pub(crate) language_extensions: bool,
}

/// Where a node is in its document.
#[derive(Clone, Copy)]
pub(crate) struct Path<'p> {
    pub(crate) above: Option<&'p Path<'p>>,
    pub(crate) key: &'p str,
}

impl Path<'_> {
    fn text(&self) -> String {
        let above = self.above.map(Path::text).unwrap_or_default();
        format!("{above}/{}", self.key)
    }
}

impl Verifier<'_> {
    /// Looks at a node and all below it.
    pub(crate) fn node(&self, node: &Node, path: &Path<'_>) -> Result<(), TemplateError> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.is_null() => {
                let message = format!("[{}] 'null' values are not allowed in templates", path.text());
                return Err(format_error(&node.span, &message, None));
            }
            Kind::Scalar(_) => {}
            Kind::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.node(item, &Path { above: Some(path), key: &at.to_string() })?;
                }
            }
            Kind::Map(map) => {
                if let Some(call) = Call::read(node)? {
                    self.call(&call, node)?;
                }
                for entry in map.entries() {
                    self.node(&entry.value, &Path { above: Some(path), key: &entry.key })?;
                }
            }
        }
        Ok(())
    }

    fn call(&self, call: &Call<'_>, node: &Node) -> Result<(), TemplateError> {
        let span = &node.span;
        match call {
            Call::Ref(name) => self.name(name, span),
            Call::GetAtt(Attribute::Dotted(resource, _)) => self.resource(resource, span),
            Call::GetAtt(Attribute::Pair(resource, _)) => match resource.as_str() {
                Some(name) => self.resource(name, span),
                None => self.extension("a function as the resource name of Fn::GetAtt", span),
            },
            Call::Sub(parts, variables) => self.sub(parts, *variables, span),
            Call::If(condition, ..) => match condition.as_str() {
                Some(name) => self.condition(name, &condition.span),
                None => Err(condition.unexpected("the condition of Fn::If", "a condition's name")),
            },
            Call::FindInMap([map, ..], default) => {
                if default.is_some() {
                    self.extension("the DefaultValue of Fn::FindInMap", span)?;
                }
                map.as_str().map_or(Ok(()), |name| self.mapping(name, &map.span))
            }
            Call::Length(_) => self.extension("Fn::Length", span),
            Call::ToJsonString(_) => self.extension("Fn::ToJsonString", span),
            Call::Equals(..) | Call::And(_) | Call::Or(_) | Call::Not(_) if self.block != Block::Conditions => {
                let message = "conditions are decided in the Conditions block; elsewhere Fn::If names them";
                Err(TemplateError::new(span, message))
            }
            _ => Ok(()),
        }
    }

    fn sub(&self, parts: &[Part], variables: Option<&Node>, span: &Span) -> Result<(), TemplateError> {
        for name in references::named(parts, variables) {
            match name.split_once('.') {
                Some((resource, _)) => self.resource(resource, span)?,
                None => self.name(name, span)?,
            }
        }
        Ok(())
    }

    fn name(&self, name: &str, span: &Span) -> Result<(), TemplateError> {
        let is_known = PSEUDO.contains(&name) || self.scope.parameter(name).is_some();
        if is_known { Ok(()) } else { self.resource(name, span) }
    }

    /// Whether there is such a resource, made or not.
    fn resource(&self, name: &str, span: &Span) -> Result<(), TemplateError> {
        let is_known = self.scope.resources.contains_key(name) && self.block != Block::Conditions;
        if is_known { Ok(()) } else { unresolved(self.scope, name, span, self.block) }
    }

    fn condition(&self, name: &str, span: &Span) -> Result<(), TemplateError> {
        let known = &self.scope.conditions;
        if known.contains_key(name) {
            return Ok(());
        }
        Err(conditions::unknown(name, span, self.block, known.keys().map(String::as_str)))
    }

    fn mapping(&self, name: &str, span: &Span) -> Result<(), TemplateError> {
        let mappings = &self.scope.mappings;
        if mappings.get(name).is_some() {
            return Ok(());
        }
        let message =
            format!("Template error: Mapping named '{name}' is not present in the 'Mappings' section of template.");
        Err(hinted(TemplateError::new(span, message), || did_you_mean(name, mappings.iter().map(|(name, _)| name))))
    }

    fn extension(&self, what: &str, span: &Span) -> Result<(), TemplateError> {
        if self.language_extensions {
            return Ok(());
        }
        let error = TemplateError::new(span, format!("{what} needs the transform AWS::LanguageExtensions"));
        Err(error.hint("add Transform: AWS::LanguageExtensions"))
    }
}

/// Whether everything that what is made refers to is made too.
pub(crate) fn made(node: &Node, scope: &Scope, block: Block) -> Result<(), TemplateError> {
    let mut result = Ok(());
    references::find(node, scope, &mut |resource, _, span| {
        if result.is_ok() {
            result = unresolved(scope, resource, span, block);
        }
    });
    result
}

/// A mapping has keys, each of which has keys with texts or lists of texts.
pub(crate) fn mappings(section: &Map) -> Result<(), TemplateError> {
    for (name, mapping) in section.iter() {
        for (key, values) in mapping.expect_map(&format!("the mapping {name}"))?.iter() {
            let malformed = |node: &Node| {
                let message = "Every Mappings attribute must be a String or a List.";
                format_error(&node.span, message, Some(format!("in {name}, {key}")))
            };
            for (_, value) in values.as_map().ok_or_else(|| malformed(values))?.iter() {
                if value.as_map().is_some() || value.is_null() {
                    return Err(malformed(value));
                }
            }
        }
    }
    Ok(())
}
