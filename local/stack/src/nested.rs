//! Stacks within stacks: a template of its own, whose parameters the outer one gives and whose outputs it gets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use template::{Files, Inputs, Node, Resource, Source, Template, TemplateError, load_template};

use crate::StackError;
use crate::kind::{At, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, Surroundings};
use crate::known::Known;
use crate::name::{derived_id, physical_name};
use crate::shape::{Member, meaningless, not_honoured, text, text_map};

pub const TYPE: &str = "AWS::CloudFormation::Stack";
const NAME_LENGTH_MAX: usize = 128;
/// How deep stacks may lie in stacks: deeper, one is likely to contain itself.
const DEPTH_MAX: usize = 5;
/// What stands for a stack from which everything is taken away.
const NOTHING: &str = "Resources: {Nothing: {Type: AWS::CloudFormation::WaitConditionHandle}}";

/// A stack within a stack, as the outer one sees it. The loader makes it.
pub struct NestedStack;

#[async_trait]
impl Kind for NestedStack {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            meaningless("NotificationARNs"),
            text_map("Parameters"),
            meaningless("Tags"),
            not_honoured("TemplateBody"),
            text("TemplateURL").required(),
            meaningless("TimeoutInMinutes"),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        crate::kinds::BY_THE_LOADER
    }

    fn rank(&self) -> Rank {
        Rank::Stores
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let name = physical_name(&named.around.stack, named.logical_id, NAME_LENGTH_MAX);
        let id = derived_id(&format!("stack/{name}"), 32).to_lowercase();
        Identity {
            later_within: Some("Outputs."),
            ..Identity::of(named.arn("cloudformation", &format!("stack/{name}/{id}")))
        }
    }

    async fn make(&self, _: &At<'_>, _: &Properties) -> Result<Made, StackError> {
        Ok(Made::default())
    }

    async fn find(&self, _: &At<'_>, _: &Standing) -> Result<Option<Made>, StackError> {
        Ok(Some(Made::default()))
    }

    async fn delete(&self, _: &At<'_>, _: &Standing) -> Result<(), StackError> {
        Ok(())
    }
}

/// A template and the stack that it is for.
pub struct Nested {
    pub template: Template,
    pub around: Surroundings,
}

/// The stack that a resource is.
pub fn around(outer: &Surroundings, logical_id: &str) -> Surroundings {
    Surroundings {
        stack: physical_name(&outer.stack, logical_id, NAME_LENGTH_MAX),
        depth: outer.depth + 1,
        ..outer.clone()
    }
}

/// Reads the template of a resource that is a stack.
pub fn read(
    resource: &Resource,
    properties: &Properties,
    known: &Known<'_>,
    outer: &Surroundings,
    files: &Arc<dyn Files>,
) -> Result<Nested, TemplateError> {
    let around = around(outer, &resource.logical_id);
    let wrong = |message: String| TemplateError::new(&resource.span, format!("{}: {message}", resource.logical_id));
    if around.depth > DEPTH_MAX {
        return Err(wrong(format!("stacks lie in stacks more than {DEPTH_MAX} deep")));
    }
    let path = path(resource, crate::kind::text(properties, "TemplateURL"));
    let path = path.ok_or_else(|| wrong("its template is not on this machine: TemplateURL must be a path".into()))?;
    let text = files.read(&path).map_err(|error| wrong(format!("{} cannot be read: {error}", path.display())))?;
    let document = load_template(&Source::new(path, text))?;
    let given = properties.get("Parameters").and_then(|parameters| parameters.as_object()).cloned().unwrap_or_default();
    let text = |value: serde_json::Value| value.as_str().map(str::to_owned).unwrap_or_default();
    let parameters: BTreeMap<String, String> = given.into_iter().map(|(name, value)| (name, text(value))).collect();
    let inputs = Inputs {
        stack_name: around.stack.clone(),
        region: around.place.region.clone(),
        account_id: around.place.account.clone(),
        parameters,
        files: Arc::clone(files),
    };
    let template = Template::read_with(document, inputs, known.elsewhere)?;
    Ok(Nested { template, around })
}

/// A path, or the asset that CDK says it is.
fn path(resource: &Resource, url: &str) -> Option<PathBuf> {
    let asset = resource.metadata.as_ref().and_then(|metadata| metadata.get("aws:asset:path")).and_then(Node::as_str);
    let remote = ["http://", "https://", "s3://"].iter().any(|scheme| url.starts_with(scheme));
    let path = match (asset, remote) {
        (Some(asset), _) => asset,
        (None, false) => url.strip_prefix("file://").unwrap_or(url),
        (None, true) => return None,
    };
    Some(resource.span.source.folder().join(Path::new(path)))
}

/// What is asked of it that its template does not tell.
pub fn check_outputs(outer: &Template, logical_id: &str, nested: &Template) -> Result<(), TemplateError> {
    let properties = outer.resources.iter().map(|resource| &resource.properties);
    let values = outer.outputs.iter().map(|output| &output.value);
    for (name, attribute, span) in properties.chain(values).flat_map(|node| outer.references(node)) {
        let output = attribute.as_deref().and_then(|attribute| attribute.strip_prefix("Outputs."));
        let Some(output) = output.filter(|_| name == logical_id) else { continue };
        if !nested.outputs.iter().any(|told| told.name == output) {
            return Err(TemplateError::new(&span, format!("the stack {logical_id} has no output {output}")));
        }
    }
    Ok(())
}

/// A template without anything to make.
pub fn nothing(around: &Surroundings) -> Result<Template, TemplateError> {
    let inputs = Inputs { stack_name: around.stack.clone(), ..Inputs::default() };
    Template::read(load_template(&Source::new("nothing.yaml", NOTHING))?, inputs)
}
