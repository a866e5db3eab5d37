use http::HeaderValue;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// The table of RFC 7396, appendix A: original, patch, result. Rows whose original is no object begin from what a
/// profile would have there.
#[test]
fn the_rfcs_own_table() {
    for (original, patch, result) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b"}), json!({"a": null}), json!({})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
        (json!({"a": "b"}), json!(["c"]), json!(["c"])),
        (json!({"a": "foo"}), json!(null), json!(null)),
        (json!({"a": "foo"}), json!("bar"), json!("bar")),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
        (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ] {
        let mut target = original.clone();
        apply(&mut target, &patch);
        assert_eq!(target, result, "{original} {patch}");
    }
}

fn headers(content_type: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))])
}

fn read(body: &str) -> Result<MergePatch, Problem> {
    MergePatch::read(&headers(MEDIA_TYPE), body.as_bytes())
}

#[track_caller]
fn refused(body: &str, kind: Kind) {
    let problem = read(body).map(|_| ()).expect_err("it is refused");
    assert!(problem.is(kind), "{problem:?}");
}

#[test]
fn names_of_the_identity_are_refused_by_name() {
    let problem = read(r#"{"email": "x", "plan": "pro", "identityStatus": null}"#).map(|_| ()).expect_err("refused");
    let pointers: Vec<_> = problem.errors.iter().map(|fault| fault.pointer.as_str()).collect();
    assert!(problem.is(Kind::OwnedAttribute) && pointers == ["#/email", "#/identityStatus"], "{problem:?}");
}

#[test]
fn what_is_no_patch_is_refused() {
    refused("", Kind::NotJson);
    refused("{\"a\": 1", Kind::NotJson);
    refused("{\"a\": \"\\ud800\"}", Kind::NotJson);
    refused(&"[".repeat(100_000), Kind::NotJson);
    refused("[]", Kind::NotStorable);
    refused("null", Kind::NotStorable);
    refused("{\"a\": 1e300}", Kind::NotStorable);
}

#[test]
fn the_media_type_must_be_that_of_a_merge_patch() {
    for content_type in ["application/merge-patch+json", "Application/Merge-Patch+JSON; charset=utf-8"] {
        assert!(MergePatch::read(&headers(content_type), b"{}").is_ok(), "{content_type}");
    }
    for content_type in ["", "application/json", "application/json-patch+json", "application/merge-patch+jsonx"] {
        let problem = MergePatch::read(&headers(content_type), b"{}").map(|_| ()).expect_err("refused");
        assert!(problem.is(Kind::NotAMergePatch), "{content_type}");
    }
    assert!(MergePatch::read(&HeaderMap::new(), b"{}").is_err());
}

#[test]
fn what_stays_the_same_is_no_change() {
    let attributes = Attributes::from([("a".to_owned(), json!({"b": [1, null]}))]);
    let patch = read(r#"{"a": {"b": [1, null]}, "c": null}"#).unwrap_or_else(|problem| panic!("{problem:?}"));
    let after = patch.applied_to(&attributes);
    assert!(changes(&attributes, &after).expect("no failure").is_none());
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("[a-d]", value(), 0..4).prop_map(|members| members.into_iter().collect())
}

proptest! {
    /// Told twice, a patch is told once; what it names is as it says, and what it does not name is as it was.
    #[test]
    fn patches_are_idempotent(before in object(), patch in object()) {
        let before: Attributes = before.into_iter().filter(|(_, value)| !value.is_null()).collect();
        let merge = MergePatch(patch.clone());
        let once = merge.applied_to(&before);
        prop_assert_eq!(&merge.applied_to(&once), &once);
        for (name, value) in &before {
            if !patch.contains_key(name) {
                prop_assert_eq!(once.get(name), Some(value));
            }
        }
        for (name, change) in &patch {
            if change.is_null() {
                prop_assert!(!once.contains_key(name));
            } else if !change.is_object() {
                prop_assert_eq!(once.get(name), Some(change));
            }
        }
        let mut whole = Value::Object(before.clone().into_iter().collect());
        apply(&mut whole, &Value::Object(patch));
        prop_assert_eq!(whole, Value::Object(once.into_iter().collect()));
    }
}
