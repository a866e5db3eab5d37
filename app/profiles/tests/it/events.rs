//! What is written follows `docs/schemas/`; what does not follow them is refused.

use serde_json::{Value, json};
use tandem_profiles::{Identity, IdentityEvent, InvalidEvent};

use crate::people::{ADA, ada, created, deleted, updated, user};

fn schema(detail_type: &str) -> Value {
    let text = match detail_type {
        "UserCreated" => include_str!("../../../../docs/schemas/UserCreated.json"),
        "UserUpdated" => include_str!("../../../../docs/schemas/UserUpdated.json"),
        "UserDeleted" => include_str!("../../../../docs/schemas/UserDeleted.json"),
        other => panic!("no schema of {other}"),
    };
    serde_json::from_str(text).expect("a schema is JSON")
}

/// The detail follows its schema, has no field that the schema does not name, and is read as what was written.
#[track_caller]
fn check(event: &IdentityEvent) {
    let detail: Value = serde_json::from_str(&event.detail()).expect("a detail is JSON");
    let schema = schema(event.detail_type());
    let validator = jsonschema::draft202012::new(&schema).expect("a schema is a schema");
    if let Err(error) = validator.validate(&detail) {
        panic!("{error} in {detail}");
    }
    for part in ["metadata", "data"] {
        let named = schema["$defs"][part]["properties"].as_object().expect("properties");
        for field in detail[part].as_object().expect("an object").keys() {
            assert!(named.contains_key(field), "the schema does not name {part}.{field}");
        }
    }
    assert_eq!(&IdentityEvent::parse(event.detail_type(), &detail).expect("it is read"), event);
}

fn bare() -> Identity {
    let empty = std::collections::BTreeMap::new();
    Identity { email: None, email_verified: false, name: None, groups: [].into(), attributes: empty, ..ada() }
}

#[test]
fn a_creation_follows_its_schema() {
    check(&created(ada(), 0));
}

#[test]
fn a_creation_of_a_user_without_an_address_follows_its_schema() {
    check(&created(bare(), 0));
}

#[test]
fn an_update_follows_its_schema() {
    check(&updated(ada(), 1, 2));
}

#[test]
fn a_traced_event_follows_its_schema() {
    let mut event = created(ada(), 0);
    event.metadata.traceparent = Some("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01".into());
    check(&event);
}

#[test]
fn a_deletion_follows_its_schema() {
    check(&deleted(ADA, 1, 2));
}

#[test]
fn the_detail_is_written_as_the_contract_has_it() {
    let detail: Value = serde_json::from_str(&created(ada(), 0).detail()).expect("JSON");
    let expected = json!({
        "metadata": {
            "schemaVersion": 1,
            "eventId": "019b76da-a800-7101-8101-010101010101",
            "occurredAt": "2026-01-01T00:00:00.000Z",
            "origin": "sign-up",
        },
        "data": {
            "userId": "ada-sub",
            "userPoolId": "us-east-1_Pool",
            "username": "ada-sub",
            "email": "ada-sub@Example.com",
            "emailVerified": true,
            "name": "Ada Lovelace",
            "enabled": true,
            "groups": ["staff"],
            "attributes": {"locale": "en"},
        },
    });
    assert_eq!(detail, expected);
}

/// A creation with one place of it replaced; `null` takes it away.
fn damaged(pointer: &str, value: Value) -> Value {
    let mut detail: Value = serde_json::from_str(&created(ada(), 0).detail()).expect("JSON");
    let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
    let parent = detail.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    if value.is_null() {
        parent.remove(field);
    } else {
        parent.insert(field.to_owned(), value);
    }
    detail
}

/// Refused by us, naming the place, and by the schema.
#[track_caller]
fn refused(pointer: &str, value: Value, words: &str) {
    let detail = damaged(pointer, value);
    let error = IdentityEvent::parse("UserCreated", &detail).expect_err("it is refused").to_string();
    assert!(error.contains(words), "{error}");
    assert!(!jsonschema::draft202012::is_valid(&schema("UserCreated"), &detail), "the schema allows it");
}

#[test]
fn an_event_id_of_another_version_is_refused() {
    refused("/metadata/eventId", json!("9b2b1d7e-7d4c-4a7e-8f0a-0123456789ab"), "at metadata.eventId");
}

#[test]
fn a_time_that_is_none_is_refused() {
    refused("/metadata/occurredAt", json!("yesterday"), "at metadata.occurredAt");
}

#[test]
fn an_origin_that_nobody_knows_is_refused() {
    refused("/metadata/origin", json!("rumour"), "at metadata.origin");
}

#[test]
fn a_missing_user_id_is_refused() {
    refused("/data/userId", Value::Null, "missing field `userId`");
}

#[test]
fn an_empty_user_id_is_refused() {
    refused("/data/userId", json!(""), "at data.userId");
}

#[test]
fn an_empty_address_is_refused() {
    refused("/data/email", json!(""), "at data.email");
}

#[test]
fn another_schema_version_is_refused_by_its_number() {
    refused("/metadata/schemaVersion", json!(2), "schema version 2");
}

#[test]
fn a_refusal_quotes_nothing_personal() {
    refused("/data/emailVerified", json!("ada@example.com"), "at data.emailVerified: has a wrong type or form");
    let detail = damaged("/data/emailVerified", json!("ada@example.com"));
    let error = IdentityEvent::parse("UserCreated", &detail).expect_err("it is refused");
    assert!(!format!("{error} {error:?}").contains("ada@"), "{error:?}");
}

#[test]
fn a_field_that_nobody_knows_is_passed_over() {
    let detail = damaged("/data/shoeSize", json!(38));
    assert_eq!(IdentityEvent::parse("UserCreated", &detail), Ok(created(ada(), 0)));
}

#[test]
fn another_detail_type_is_refused_by_its_name() {
    let error = IdentityEvent::parse("OrderPlaced", &json!({})).expect_err("it is refused");
    assert_eq!(error, InvalidEvent::UnknownDetailType("OrderPlaced".into()));
}

#[test]
fn the_event_says_whom_it_is_about() {
    assert_eq!(deleted(ADA, 0, 1).user_id(), &user(ADA));
}
