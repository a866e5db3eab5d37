//! Names of tables: dynoxide's ARNs are of a region and account of its own, ours of the world's place.

use serde_json::Value;
use world::Place;

const DYNOXIDE: &str = "dynoxide:000000000000:";

/// Services whose ARNs dynoxide makes up.
const SERVICES: [&str; 2] = ["arn:aws:dynamodb:", "arn:aws:kms:"];

/// Our ARNs in a request, as dynoxide knows them. For operations whose text is names, never for items.
pub fn to_dynoxide(place: &Place, body: &str) -> String {
    replace(body, &ours(place), DYNOXIDE)
}

/// Dynoxide's ARNs in an answer, as ours.
pub fn from_dynoxide(place: &Place, body: &str) -> String {
    replace(body, DYNOXIDE, &ours(place))
}

fn ours(place: &Place) -> String {
    format!("{}:{}:", place.region, place.account)
}

fn replace(body: &str, from: &str, to: &str) -> String {
    SERVICES
        .iter()
        .fold(body.to_owned(), |body, service| body.replace(&format!("{service}{from}"), &format!("{service}{to}")))
}

/// A request whose `TableName`s are ARNs, which AWS takes and dynoxide does not, with plain names; nothing if
/// there is none to change.
pub fn with_plain_names(body: &str) -> Option<String> {
    if !body.contains("\"arn:aws:dynamodb:") {
        return None;
    }
    let mut request: Value = serde_json::from_str(body).ok()?;
    let mut is_changed = make_plain(&mut request);
    for action in request.get_mut("TransactItems").and_then(Value::as_array_mut).into_iter().flatten() {
        for inner in action.as_object_mut().into_iter().flat_map(|action| action.values_mut()) {
            is_changed |= make_plain(inner);
        }
    }
    is_changed.then(|| request.to_string())
}

fn make_plain(holder: &mut Value) -> bool {
    let Some(name) = holder.get_mut("TableName") else { return false };
    let plain = name.as_str().and_then(|name| {
        let resource = name.strip_prefix("arn:aws:dynamodb:")?.splitn(3, ':').nth(2)?;
        resource.strip_prefix("table/").filter(|table| !table.contains('/')).map(str::to_owned)
    });
    plain.map(|plain| *name = Value::String(plain)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translates_there_and_back() {
        let place = Place { region: "eu-west-1".into(), account: "123456789012".into() };
        let ours = r#"{"StreamArn":"arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/1.2"}"#;
        let theirs = to_dynoxide(&place, ours);
        assert_eq!(theirs, r#"{"StreamArn":"arn:aws:dynamodb:dynoxide:000000000000:table/t/stream/1.2"}"#);
        assert_eq!(from_dynoxide(&place, &theirs), ours);
    }

    #[track_caller]
    fn check_plain(body: &str, wanted: Option<&str>) {
        assert_eq!(with_plain_names(body).as_deref(), wanted);
    }

    #[test]
    fn takes_the_name_out_of_an_arn() {
        check_plain(
            r#"{"Key":{"pk":{"S":"arn:aws:dynamodb:r:1:table/no"}},"TableName":"arn:aws:dynamodb:r:1:table/people"}"#,
            Some(r#"{"Key":{"pk":{"S":"arn:aws:dynamodb:r:1:table/no"}},"TableName":"people"}"#),
        );
        check_plain(
            r#"{"TransactItems":[{"Put":{"TableName":"arn:aws:dynamodb:r:1:table/people"}}]}"#,
            Some(r#"{"TransactItems":[{"Put":{"TableName":"people"}}]}"#),
        );
        check_plain(r#"{"TableName":"people","Item":{"a":{"S":"arn:aws:dynamodb:r:1:table/t"}}}"#, None);
        check_plain(r#"{"TableName":"arn:aws:dynamodb:r:1:table/t/index/i"}"#, None);
    }
}
