//! `Fn::Transform` with `AWS::Include`: a piece of a template in a file of its own.

use crate::error::TemplateError;
use crate::load::load_template;
use crate::node::{Kind, Node};
use crate::source::Source;
use crate::template::Inputs;

const NAME: &str = "Fn::Transform";

/// Replaces every `Fn::Transform` in a node by what it includes, or refuses it by name.
pub(crate) fn expand(node: &mut Node, inputs: &Inputs) -> Result<(), TemplateError> {
    match &mut node.kind {
        Kind::Scalar(_) => return Ok(()),
        Kind::List(items) => return items.iter_mut().try_for_each(|item| expand(item, inputs)),
        Kind::Map(map) => {
            map.entries_mut().iter_mut().try_for_each(|entry| expand(&mut entry.value, inputs))?;
        }
    }
    let Some(call) = node.as_map_mut().and_then(|map| map.remove(NAME)) else { return Ok(()) };
    let included = read(&call, inputs)?;
    merge(node, included)
}

/// What a call includes. Files are given by a path beside the template, as `aws cloudformation package` takes them.
pub(crate) fn read(call: &Node, inputs: &Inputs) -> Result<Node, TemplateError> {
    let named = call.get("Name").unwrap_or(call);
    match named.expect_str("the Name of Fn::Transform")? {
        "AWS::Include" => {}
        other => {
            let message = format!("No transform named {other} found.");
            return Err(TemplateError::new(&named.span, message).hint("only AWS::Include is run here"));
        }
    }
    let Some(location) = call.at(&["Parameters", "Location"]) else {
        return Err(TemplateError::new(&call.span, "AWS::Include needs Parameters: {Location: …}"));
    };
    let text = location.expect_str("the Location of AWS::Include")?;
    if text.contains("://") {
        let message = format!("AWS::Include of {text} is not read here");
        return Err(TemplateError::new(&location.span, message).hint("give the path of a file beside the template"));
    }
    file(location, text, inputs)
}

/// A file beside the one that names it.
pub(crate) fn file(node: &Node, path: &str, inputs: &Inputs) -> Result<Node, TemplateError> {
    let path = node.span.source.folder().join(path);
    match inputs.files.read(&path) {
        Ok(text) => load_template(&Source::new(path, text)),
        Err(error) => {
            let message = format!("{} cannot be read: {error}", path.display());
            Err(TemplateError::new(&node.span, message))
        }
    }
}

/// Puts what was included beside what stands there; a call alone becomes what it includes.
pub(crate) fn merge(node: &mut Node, included: Node) -> Result<(), TemplateError> {
    let Some(map) = node.as_map_mut() else { return Ok(()) };
    if map.is_empty() {
        node.kind = included.kind;
        return Ok(());
    }
    let from = match included.kind {
        Kind::Map(from) => from,
        kind => return Err(Node { span: included.span, kind }.unexpected("what AWS::Include includes", "a map")),
    };
    for entry in from.entries() {
        if map.get(&entry.key).is_some() {
            let message = format!("{} stands in the template already", entry.key);
            return Err(TemplateError::new(&entry.key_span, message));
        }
        map.insert(entry.key.clone(), &entry.key_span, entry.value.clone());
    }
    Ok(())
}
