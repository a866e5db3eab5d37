//! A document to a template, though nobody says what its parameters are.

use template::{Inputs, Map, Node, Template, TemplateError};

use super::outside::{Marked, unknown};

/// What restricts the value of a parameter. A value that nobody gave keeps to none of it.
const RESTRICTIONS: &[&str] = &["AllowedPattern", "MinLength", "MaxLength", "MinValue", "MaxValue"];

/// The template that a document comes to.
pub fn template(mut document: Node, inputs: Inputs) -> Result<Template, TemplateError> {
    give_values(&mut document, &inputs);
    Template::read_with(document, inputs, &Marked)
}

/// Parameters without a value get one that says so: a stack is checked without being deployed.
fn give_values(document: &mut Node, inputs: &Inputs) {
    let parameters = document.as_map_mut().and_then(|map| map.get_mut("Parameters")).and_then(Node::as_map_mut);
    for entry in parameters.map(Map::entries_mut).into_iter().flatten() {
        let name = entry.key.clone();
        let span = entry.key_span.clone();
        let Some(parameter) = entry.value.as_map_mut() else { continue };
        if parameter.get("Default").is_some() || inputs.parameters.contains_key(&name) {
            continue;
        }
        let kind = parameter.get("Type").and_then(Node::as_str).unwrap_or("String").to_owned();
        let first = parameter.get("AllowedValues").and_then(|values| values.as_list()?.first()).cloned();
        let lowest = parameter.get("MinValue").cloned();
        let value = first.unwrap_or_else(|| match kind.as_str() {
            "Number" | "List<Number>" => lowest.unwrap_or_else(|| Node::plain(&span, "1")),
            _ => Node::string(&span, unknown(&format!("parameter {name}"))),
        });
        parameter.insert("Default", &span, value);
        for restriction in RESTRICTIONS {
            parameter.remove(restriction);
        }
    }
}
