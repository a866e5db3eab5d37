//! The members of a request, looked at before it is decoded.
//!
//! Dynoxide's server checks the JSON types of members that its library reads loosely or not at all (legacy
//! conditions, members of other operations). A request that has any of those goes to the server; one that has
//! none of them is the same to both.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Members that must be maps where the library would read anything.
const MAPS: [&str; 2] = ["ExclusiveStartKey", "ExpressionAttributeValues"];

/// Whether the body is an object of nothing but these members.
pub fn has_only(body: &str, members: &[&str]) -> bool {
    let mut body = serde_json::Deserializer::from_str(body);
    body.deserialize_map(Members(members)).is_ok_and(|known| known) && body.end().is_ok()
}

struct Members<'m>(&'m [&'m str]);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut is_known = true;
        while let Some(Name(name)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            let fits = !MAPS.contains(&&*name) || value.get().starts_with(['{', 'n']);
            is_known &= fits && self.0.contains(&&*name);
        }
        Ok(is_known)
    }
}

/// A member's name; borrowed unless it is written with escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, wanted: bool) {
        assert_eq!(has_only(body, &["TableName", "ExclusiveStartKey"]), wanted, "{body}");
    }

    #[test]
    fn knows_what_it_may_not_decode() {
        check(r#"{"TableName":"t"}"#, true);
        check(r#" { "TableName" : [1, {"a": "}"}], "ExclusiveStartKey": {} } "#, true);
        check(r#"{"Table\u004eame":"t","ExclusiveStartKey":null}"#, true);
        check(r#"{"TableName":"t","ExclusiveStartKey":"x"}"#, false);
        check(r#"{"TableName":"t","Expected":{}}"#, false);
        check(r#"["t"]"#, false);
        check(r#"{"TableName":"t"} x"#, false);
        check(r#"{"TableName":"t""#, false);
        check("", false);
    }
}
