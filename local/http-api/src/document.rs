//! What the documents of both control planes share: members without effect, changes, pages, ids, tags.

use std::collections::BTreeMap;

use aws_api::{ApiError, Reply};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use world::World;

use crate::error::Error;

/// Members that are kept and given back, and have no effect here.
pub type Other = Map<String, Value>;
/// Tags, by key.
pub type Tags = BTreeMap<String, String>;

/// The tag that names the id of an API that is made with it (the convention of `LocalStack`).
const PINNED_ID_TAG: &str = "_custom_id_";
const ID_LENGTH: usize = 10;
/// AWS's limit of tags on a resource.
const TAGS_MAX: usize = 50;
/// Of a page, unless the caller wants less.
const PAGE_MAX: usize = 500;

/// A time-out of a function, as a setting.
pub const TIMEOUT_MS_MIN: u64 = 50;

/// A new id.
pub fn new_id(world: &World) -> String {
    world.random.alphanumeric(ID_LENGTH)
}

/// A new id of an API, or the one that its tags pin. The tag is taken out.
pub fn api_id(world: &World, tags: &mut Tags) -> Result<String, Error> {
    let Some(pinned) = tags.remove(PINNED_ID_TAG) else { return Ok(new_id(world)) };
    let fits = pinned.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if pinned.is_empty() || pinned.len() > 63 || !fits {
        return Err(Error::bad_request(format!("The pinned id {pinned} must be lower-case letters and digits")));
    }
    Ok(pinned)
}

/// Refuses more tags than AWS takes.
pub fn check_tags(tags: &Tags) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::bad_request(format!("The number of tags exceeds the limit of {TAGS_MAX}")));
    }
    Ok(())
}

/// Says by name what a resource sets and nothing here honours. `harmless` are members that need no engine: words for
/// people, and settings that mean what is done anyway.
pub fn report_not_honoured(world: &World, what: &str, other: &Other, harmless: &[&str]) {
    let says_nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Object(members) => members.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    };
    let named = other.iter().filter(|(name, value)| !harmless.contains(&name.as_str()) && !says_nothing(value));
    let list: Vec<&str> = named.map(|(name, _)| name.as_str()).collect();
    if list.is_empty() {
        return;
    }
    let list = list.join(", ");
    tracing::warn!(what, settings = list, "kept and given back, but without effect here");
    let moment = world.timeline.moment(world::Kind::Warning, format!("{what}: no effect here: {list}"));
    world.timeline.record(moment);
}

/// A document with some members changed; an empty text takes a member away.
pub fn changed<T: Serialize + DeserializeOwned>(document: &T, changes: Map<String, Value>) -> Result<T, Error> {
    let mut members = match serde_json::to_value(document) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(), // documents are objects
    };
    for (name, value) in changes {
        if value.as_str() == Some("") {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    read(members)
}

/// A document as a caller gives it.
pub fn read<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, Error> {
    serde_json::from_value(Value::Object(members)).map_err(|error| {
        let text = error.to_string();
        let missing = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        Error::BadRequest(match missing {
            Some(member) => format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be \
                 null"
            ),
            None => text,
        })
    })
}

/// One page of a list, and where the next begins.
pub fn page<T>(items: Vec<T>, max: Option<&str>, token: Option<&str>) -> Result<(Vec<T>, Option<String>), Error> {
    let number = |text: &str| text.parse::<usize>().map_err(|_| Error::bad_request("Invalid request input"));
    let from = token.map(number).transpose()?.unwrap_or(0);
    let max = max.map(number).transpose()?.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let total = items.len();
    let page: Vec<T> = items.into_iter().skip(from).take(max).collect();
    let next = from + page.len();
    Ok((page, (next < total).then(|| next.to_string())))
}

/// Keys of tags to take away: a list, or as a query string has it, separated by commas.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum TagKeys {
    /// From inside.
    List(Vec<String>),
    /// From outside.
    Query(String),
}

impl TagKeys {
    /// Whether a key is among them.
    pub fn has(&self, key: &str) -> bool {
        match self {
            Self::List(keys) => keys.iter().any(|named| named == key),
            Self::Query(keys) => keys.split(',').any(|named| named == key),
        }
    }
}

/// The answer that something was made.
pub fn created(value: &impl Serialize) -> Result<Reply, ApiError> {
    Ok(Reply::json(value)?.status(StatusCode::CREATED))
}

/// The answer without a body.
pub fn done(status: StatusCode) -> Reply {
    Reply::bytes(status, "")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let all: Vec<u8> = (0..5).collect();
        assert_eq!(page(all.clone(), Some("2"), None).expect("a page"), (vec![0, 1], Some("2".into())));
        assert_eq!(page(all.clone(), Some("2"), Some("4")).expect("a page"), (vec![4], None));
        assert_eq!(page(all, None, Some("9")).expect("a page"), (vec![], None));
        assert!(page(vec![0], Some("x"), None).is_err());
    }

    #[test]
    fn changes_replace_and_take_away() {
        let before = json!({"a": "1", "b": "2"}).as_object().expect("an object").clone();
        let changes = json!({"a": "", "b": "3"}).as_object().expect("an object").clone();
        assert_eq!(Value::Object(changed(&before, changes).expect("a document")), json!({"b": "3"}));
    }

    #[test]
    fn an_id_is_made_up_or_pinned() {
        let world = World::for_tests(1);
        let id = api_id(&world, &mut Tags::new()).expect("an id");
        assert!(id.len() == 10 && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{id}");
        let mut tags = Tags::from([("_custom_id_".to_owned(), "mine1".to_owned())]);
        assert_eq!((api_id(&world, &mut tags).expect("an id").as_str(), tags.len()), ("mine1", 0));
        api_id(&world, &mut Tags::from([("_custom_id_".to_owned(), "Not this".to_owned())])).expect_err("no id");
    }
}
