//! The same matcher once more, as plainly as it can be written, for the fast one to be held against: every
//! pattern on its own, every event as (path, value, elements), every combination tried.

use std::collections::BTreeMap;

use serde_json::Value;

/// (path, value, the array elements it is in)
type Leaf = (String, Value, BTreeMap<usize, usize>);

/// Whether `event` matches a pattern made of plain literals and the operators below, without `$or`.
pub fn matches(pattern: &Value, event: &Value) -> bool {
    forks(pattern, "").into_iter().any(|fork| {
        let mut leaves = Vec::new();
        flatten(event, "", &BTreeMap::new(), &mut 0, &mut leaves);
        let fork: Vec<_> = fork.into_iter().collect();
        satisfies(&fork, &leaves, &BTreeMap::new())
    })
}

fn satisfies(fork: &[(String, Vec<Value>)], leaves: &[Leaf], chosen: &BTreeMap<usize, usize>) -> bool {
    let Some(((path, matchers), rest)) = fork.split_first() else { return true };
    let agrees = |within: &BTreeMap<usize, usize>| within.iter().all(|(a, i)| chosen.get(a).is_none_or(|c| c == i));
    let reachable: Vec<_> = leaves.iter().filter(|(p, _, within)| p == path && agrees(within)).collect();
    matchers.iter().any(|matcher| {
        if matcher.get("exists") == Some(&Value::Bool(false)) {
            return reachable.is_empty() && satisfies(rest, leaves, chosen);
        }
        reachable.iter().filter(|(_, value, _)| fits(matcher, value)).any(|(_, _, within)| {
            let mut chosen = chosen.clone();
            chosen.extend(within);
            satisfies(rest, leaves, &chosen)
        })
    })
}

fn fits(matcher: &Value, value: &Value) -> bool {
    let Some((operator, operand)) = matcher.as_object().and_then(|object| object.iter().next()) else {
        return match (matcher.as_f64(), value.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-12,
            _ => matcher == value,
        };
    };
    let text = value.as_str();
    let wanted = operand.as_str().unwrap_or_default();
    match operator.as_str() {
        "exists" => true,
        "prefix" => text.is_some_and(|text| text.starts_with(wanted)),
        "suffix" => text.is_some_and(|text| text.ends_with(wanted)),
        "equals-ignore-case" => text.is_some_and(|text| text.to_lowercase() == wanted.to_lowercase()),
        "numeric" => value.as_f64().is_some_and(|number| number > operand[1].as_f64().expect("a number")),
        "anything-but" => match operand {
            Value::Array(all) => !all.iter().any(|one| fits(one, value)),
            nested @ Value::Object(_) => !fits(nested, value),
            one => !fits(one, value),
        },
        other => panic!("{other}"),
    }
}

fn flatten(value: &Value, path: &str, within: &BTreeMap<usize, usize>, arrays: &mut usize, leaves: &mut Vec<Leaf>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                flatten(value, &joined(path, name), within, arrays, leaves);
            }
        }
        Value::Array(elements) => {
            let array = *arrays;
            *arrays += 1;
            for (index, element) in elements.iter().enumerate() {
                let mut within = within.clone();
                if element.is_object() || element.is_array() {
                    within.insert(array, index);
                }
                flatten(element, path, &within, arrays, leaves);
            }
        }
        leaf => leaves.push((path.to_owned(), leaf.clone(), within.clone())),
    }
}

/// All ways through the `$or`s. Fields are put in order by name; a later one replaces an earlier of its name.
fn forks(pattern: &Value, path: &str) -> Vec<BTreeMap<String, Vec<Value>>> {
    let mut all = vec![BTreeMap::new()];
    for (name, value) in pattern.as_object().expect("an object") {
        let ways: Vec<BTreeMap<String, Vec<Value>>> = match value {
            Value::Array(objects) if name == "$or" => objects.iter().flat_map(|object| forks(object, path)).collect(),
            Value::Array(matchers) => vec![BTreeMap::from([(joined(path, name), matchers.clone())])],
            object => forks(object, &joined(path, name)),
        };
        all = all
            .iter()
            .flat_map(|before| {
                ways.iter().map(move |way| {
                    let mut both = before.clone();
                    both.extend(way.clone());
                    both
                })
            })
            .collect();
    }
    all
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
