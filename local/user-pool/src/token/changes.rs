//! What a function changes about tokens before they are signed. What it may not change is none of this file's business:
//! see `trigger/pre_token.rs`.

use serde::Serialize;
use serde_json::{Map, Value};

/// Changes of both tokens. (Groups are changed before claims are made of them.)
#[derive(Clone, Debug, Default)]
pub struct TokenChanges {
    pub id: ClaimChanges,
    pub access: ClaimChanges,
    pub scopes_to_add: Vec<String>,
    pub scopes_to_suppress: Vec<String>,
}

/// Changes of one token.
#[derive(Clone, Debug, Default)]
pub struct ClaimChanges {
    pub add: Map<String, Value>,
    pub suppress: Vec<String>,
}

impl TokenChanges {
    /// The access token's scopes. What is both added and suppressed is suppressed.
    pub fn scope(&self, before: &str) -> String {
        let mut scopes: Vec<&str> = Vec::new();
        for scope in before.split(' ').chain(self.scopes_to_add.iter().map(String::as_str)) {
            let is_suppressed = self.scopes_to_suppress.iter().any(|suppressed| suppressed == scope);
            if !is_suppressed && !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        scopes.join(" ")
    }
}

impl ClaimChanges {
    /// The claims as they are to be signed. What is both added and suppressed is suppressed, as documented.
    pub fn apply(&self, claims: &impl Serialize) -> Map<String, Value> {
        let mut claims = match serde_json::to_value(claims) {
            Ok(Value::Object(claims)) => claims,
            _ => Map::new(), // they are structs with text keys: nothing in them can fail
        };
        claims.extend(self.add.clone());
        claims.retain(|name, _| !self.suppress.contains(name));
        claims
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_added_and_suppressed_is_suppressed() {
        let add = json!({"a": 1, "b": 2}).as_object().expect("an object").clone();
        let changes = ClaimChanges { add, suppress: vec!["b".into(), "d".into()] };
        assert_eq!(Value::Object(changes.apply(&json!({"a": 0, "c": 3, "d": 4}))), json!({"a": 1, "c": 3}));
        let strings = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        let changes = TokenChanges {
            scopes_to_add: strings(&["x", "y", "x"]),
            scopes_to_suppress: strings(&["admin", "y"]),
            ..TokenChanges::default()
        };
        assert_eq!(changes.scope("admin openid"), "openid x");
    }
}
