//! The section `Transform`: what a template asks to be done with it before it is read.

use crate::error::{TemplateError, Warning};
use crate::include;
use crate::near::did_you_mean;
use crate::node::Node;
use crate::source::Span;
use crate::template::Inputs;

const LANGUAGE_EXTENSIONS: &str = "AWS::LanguageExtensions";
const SERVERLESS: &str = "AWS::Serverless-2016-10-31";
const INCLUDE: &str = "AWS::Include";
/// What AWS has besides; what they would make is not made here.
const NOT_HERE: &[&str] = &[
    "AWS::CloudFormation::GeneratedTemplate",
    "AWS::CodeDeployBlueGreen",
    "AWS::CodeStar",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
    "AWS::ServiceCatalog",
];

/// What a template asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Transforms {
    /// `Fn::ForEach` and its like.
    pub(crate) language_extensions: bool,
    /// SAM.
    pub(crate) serverless: bool,
}

impl Transforms {
    /// Reads the section and puts into the document what it includes.
    pub(crate) fn read(
        document: &mut Node,
        inputs: &Inputs,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, TemplateError> {
        let mut transforms = Self::default();
        let Some(section) = document.as_map_mut().and_then(|map| map.remove("Transform")) else {
            return Ok(transforms);
        };
        if section.is_null() {
            return Ok(transforms);
        }
        for node in section.as_list().unwrap_or(std::slice::from_ref(&section)) {
            let name = node.get("Name").unwrap_or(node);
            match name.expect_str("Transform")? {
                LANGUAGE_EXTENSIONS => transforms.language_extensions = true,
                SERVERLESS => transforms.serverless = true,
                INCLUDE => {
                    let included = include::read(node, inputs)?;
                    include::merge(document, included)?;
                }
                named if NOT_HERE.contains(&named) => warnings.push(Warning::new(
                    &name.span,
                    format!("the transform {named} is not run here: what it would make is missing"),
                )),
                named => return Err(unknown(named, &name.span)),
            }
        }
        Ok(transforms)
    }
}

/// A macro that is not AWS's runs in the account that it is deployed in, and so not here.
fn unknown(name: &str, span: &Span) -> TemplateError {
    let error = TemplateError::new(span, format!("No transform named {name} found."));
    let known = [LANGUAGE_EXTENSIONS, SERVERLESS, INCLUDE];
    error.hint(did_you_mean(name, known).unwrap_or_else(|| {
        format!("macros of an account's own are not run here; those that are: {}", known.join(", "))
    }))
}
