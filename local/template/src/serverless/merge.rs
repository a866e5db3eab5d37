//! Merging as lodash's `_.merge` does it, which the framework puts a user's `resources` into the generated template
//! with: maps deeply, lists by index, and what was written last wins.
//!
//! A list does not grow by merging: an override `DependsOn: [X]` takes the place of the first entry and leaves the rest.

use crate::error::TemplateError;
use crate::node::{Kind, Node};

/// Merges a node into another one.
pub(super) fn merge(into: &mut Node, from: &Node) -> Result<(), TemplateError> {
    match (&mut into.kind, &from.kind) {
        (Kind::Map(_), Kind::Map(map)) => {
            refuse_two_intrinsics(into, from)?;
            let Kind::Map(target) = &mut into.kind else { return Ok(()) };
            for entry in map.entries() {
                match target.get_mut(&entry.key) {
                    Some(value) => merge(value, &entry.value)?,
                    None => target.insert(&entry.key, &entry.key_span, entry.value.clone()),
                }
            }
        }
        (Kind::List(target), Kind::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                match target.get_mut(index) {
                    Some(value) => merge(value, item)?,
                    None => target.push(item.clone()),
                }
            }
        }
        // A map's members become members of the list, of which JSON writes those with a number alone.
        (Kind::List(target), Kind::Map(map)) => {
            for (key, value) in map.iter() {
                if let Some(item) = key.parse::<usize>().ok().and_then(|index| target.get_mut(index)) {
                    merge(item, value)?;
                }
            }
        }
        _ => *into = from.clone(),
    }
    Ok(())
}

/// Merged into one map, two functions would be what CloudFormation refuses without a place.
fn refuse_two_intrinsics(into: &Node, from: &Node) -> Result<(), TemplateError> {
    if let (Some((generated, _)), Some((written, _))) = (into.as_intrinsic(), from.as_intrinsic())
        && generated != written
    {
        let message = format!("{written} is merged here into the {generated} that is generated: one map with both");
        return Err(TemplateError::new(&from.span, message)
            .hint(format!("write it with {generated}, or set the whole property under resources.extensions")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::load::load;
    use crate::source::Source;

    use super::*;

    fn merged(into: &str, from: &str) -> Result<String, TemplateError> {
        let mut into = load(&Source::new("a.yml", into))?;
        merge(&mut into, &load(&Source::new("b.yml", from))?)?;
        Ok(into.to_json().to_string())
    }

    #[track_caller]
    fn check(into: &str, from: &str, expected: &str) {
        assert_eq!(merged(into, from), Ok(expected.to_owned()));
    }

    #[test]
    fn maps_are_merged_deeply() {
        check("{a: {x: 1, y: 2}}", "{a: {y: 3, z: 4}}", r#"{"a":{"x":1,"y":3,"z":4}}"#);
        check("{a: {x: 1}}", "{a: text}", r#"{"a":"text"}"#);
        check("{a: text}", "{a: {x: 1}}", r#"{"a":{"x":1}}"#);
    }

    #[test]
    fn lists_are_merged_by_index() {
        check("[A, B]", "[X]", r#"["X","B"]"#);
        check("[{a: 1}]", "[{b: 2}, {c: 3}]", r#"[{"a":1,"b":2},{"c":3}]"#);
        check("{a: {x: 1}}", "{a: [1]}", r#"{"a":[1]}"#);
        check("[A, B]", "{1: Y, z: Z}", r#"["A","Y"]"#);
    }

    #[test]
    fn nothing_written_is_something() {
        check("{a: 1, b: 2}", "{a: null}", r#"{"a":null,"b":2}"#);
    }

    #[test]
    fn one_function_into_another_is_refused() {
        check("{a: !GetAtt X.Arn}", "{a: !GetAtt Y.Arn}", r#"{"a":{"Fn::GetAtt":["Y","Arn"]}}"#);
        let error = merged("{a: !GetAtt X.Arn}", "{a: !Ref Y}").expect_err("two functions").to_string();
        assert!(error.starts_with("b.yml:1:5: Ref is merged here into the Fn::GetAtt that is generated"), "{error}");
    }
}
