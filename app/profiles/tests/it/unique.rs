//! Addresses that are unique: who has one, who comes second, and that markers and profiles never part.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tandem_profiles::{
    Applied, Attributes, BusEvent, Change, EmailConflict, Identity, IdentityEvent, MARKER_KEY_PREFIX, ProfileStore,
    Reservation, UserId, UserProfile,
};

use crate::people::{created, deleted, identity, now, updated, user};
use crate::table;

const ADDRESS: &str = "shared@example.com";

async fn unique() -> (Client, ProfileStore) {
    let client = table::table().await;
    let store = ProfileStore::new(client.clone(), table::TABLE).with_unique_email();
    (client, store)
}

/// The user with the shared address, written in their own way.
fn sharing(sub: &str) -> Identity {
    Identity { email: Some("Shared@Example.com".into()), ..identity(sub) }
}

async fn apply(store: &ProfileStore, event: &IdentityEvent) -> Applied {
    store.apply(event, now()).await.expect("it is applied")
}

async fn profile(store: &ProfileStore, sub: &str) -> UserProfile {
    store.get::<Attributes>(&user(sub)).await.expect("read").expect("there")
}

async fn owner(store: &ProfileStore, address: &str) -> Option<UserId> {
    store.owner_of(address).await.expect("read")
}

#[tokio::test]
async fn a_verified_address_is_reserved() {
    let (_, store) = unique().await;
    assert_eq!(apply(&store, &created(sharing("ada"), 0)).await, Applied::Created);
    assert_eq!(owner(&store, ADDRESS).await, Some(user("ada")));
}

#[tokio::test]
async fn an_unverified_address_is_reserved_for_nobody() {
    let (_, store) = unique().await;
    let stranger = Identity { email_verified: false, ..sharing("eve") };
    assert_eq!(apply(&store, &created(stranger, 0)).await, Applied::Created);
    assert_eq!(owner(&store, ADDRESS).await, None);
    assert!(!profile(&store, "eve").await.email_conflict);
}

#[tokio::test]
async fn who_comes_second_has_a_profile_and_a_conflict() {
    let (_, store) = unique().await;
    apply(&store, &created(sharing("ada"), 0)).await;
    let outcome = apply(&store, &created(sharing("bob"), 1)).await;
    assert_eq!(outcome, Applied::Conflict { owner: user("ada") });
    let bob = profile(&store, "bob").await;
    assert_eq!((bob.identity, bob.email_conflict), (sharing("bob"), true));
    assert!(!profile(&store, "ada").await.email_conflict);
}

#[tokio::test]
async fn a_conflict_is_told_again_when_its_event_comes_again() {
    let (_, store) = unique().await;
    apply(&store, &created(sharing("ada"), 0)).await;
    let second = created(sharing("bob"), 1);
    apply(&store, &second).await;
    assert_eq!(apply(&store, &second).await, Applied::Conflict { owner: user("ada") });
}

#[tokio::test]
async fn a_changed_address_is_free_for_the_next() {
    let (_, store) = unique().await;
    apply(&store, &created(sharing("ada"), 0)).await;
    apply(&store, &updated(identity("ada"), 1, 2)).await;
    assert_eq!(owner(&store, "ada@example.com").await, Some(user("ada")));
    assert_eq!(apply(&store, &created(sharing("bob"), 2)).await, Applied::Created);
    assert_eq!(owner(&store, ADDRESS).await, Some(user("bob")));
}

#[tokio::test]
async fn an_address_that_is_no_longer_verified_is_given_up() {
    let (_, store) = unique().await;
    apply(&store, &created(sharing("ada"), 0)).await;
    apply(&store, &updated(Identity { email_verified: false, ..sharing("ada") }, 1, 2)).await;
    assert_eq!(owner(&store, ADDRESS).await, None);
}

#[tokio::test]
async fn a_deletion_frees_the_address_for_a_new_person() {
    let (client, store) = unique().await;
    apply(&store, &created(sharing("ada"), 0)).await;
    assert_eq!(apply(&store, &deleted("ada", 1, 2)).await, Applied::Erased);
    assert_eq!(apply(&store, &created(sharing("ada-again"), 2)).await, Applied::Created);
    assert_eq!(owner(&store, ADDRESS).await, Some(user("ada-again")));
    let (_, markers) = everything(&client).await;
    assert_eq!(markers.len(), 1);
}

#[tokio::test]
async fn a_conflict_ends_when_the_address_has_become_free() {
    let (_, store) = unique().await;
    apply(&store, &created(sharing("ada"), 0)).await;
    apply(&store, &created(sharing("bob"), 1)).await;
    let mended = store.mend_reservation(&user("bob"), now()).await.expect("looked at");
    assert_eq!(mended, Reservation::Conflict { owner: user("ada") });
    apply(&store, &deleted("ada", 2, 2)).await;
    assert_eq!(store.mend_reservation(&user("bob"), now()).await.expect("mended"), Reservation::Held);
    assert!(!profile(&store, "bob").await.email_conflict);
    assert_eq!(owner(&store, ADDRESS).await, Some(user("bob")));
}

#[tokio::test]
async fn a_table_from_before_is_mended_profile_by_profile() {
    let client = table::table().await;
    let plain = ProfileStore::new(client.clone(), table::TABLE);
    apply(&plain, &created(sharing("ada"), 0)).await;
    let store = plain.with_unique_email();
    assert_eq!(store.mend_reservation(&user("ada"), now()).await.expect("mended"), Reservation::Held);
    assert_eq!(owner(&store, ADDRESS).await, Some(user("ada")));
    assert_eq!(store.mend_reservation(&user("nobody"), now()).await.expect("looked at"), Reservation::None);
}

#[tokio::test]
async fn a_marker_that_was_lost_is_put_again() {
    let (client, store) = unique().await;
    apply(&store, &created(sharing("ada"), 0)).await;
    let key = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
    let marker = [key("pk", &format!("{MARKER_KEY_PREFIX}{ADDRESS}")), key("sk", "EMAIL")];
    client.delete_item().table_name(table::TABLE).set_key(Some(marker.into())).send().await.expect("deleted");
    assert_eq!(store.mend_reservation(&user("ada"), now()).await.expect("mended"), Reservation::Held);
    assert_eq!(owner(&store, ADDRESS).await, Some(user("ada")));
}

#[tokio::test]
async fn only_a_marker_that_its_owner_disowns_is_freed() {
    let (client, store) = unique().await;
    apply(&store, &created(sharing("ada"), 0)).await;
    assert!(!store.free_marker(ADDRESS, &user("ada")).await.expect("looked at"));
    let marker =
        client.put_item().table_name(table::TABLE).item("pk", AttributeValue::S("EMAIL#left@example.com".into()));
    let marker = marker.item("sk", AttributeValue::S("EMAIL".into())).item("userId", AttributeValue::S("ada".into()));
    marker.send().await.expect("written");
    assert!(store.free_marker("left@example.com", &user("ada")).await.expect("freed"));
    assert_eq!(owner(&store, "left@example.com").await, None);
}

#[test]
fn a_conflict_is_told_in_ids_alone() {
    let event = created(sharing("bob"), 1);
    let conflict = EmailConflict::of(&event, user("ada")).expect("a creation may conflict");
    let schema = include_str!("../../../../docs/schemas/EmailConflict.json");
    let schema: serde_json::Value = serde_json::from_str(schema).expect("a schema is JSON");
    let detail: serde_json::Value = serde_json::from_str(&conflict.detail()).expect("a detail is JSON");
    assert!(jsonschema::draft202012::new(&schema).expect("a schema").is_valid(&detail), "{detail}");
    assert!(!conflict.detail().contains('@'));
    assert_ne!(conflict.metadata.event_id, event.metadata.event_id);
    assert_eq!(EmailConflict::of(&deleted("bob", 1, 1), user("ada")), None);
}

/// Profiles by user (which address is reserved, whether in conflict, which is wanted), markers by address.
type Table = (BTreeMap<String, (Option<String>, bool, Option<String>)>, BTreeMap<String, String>);

async fn everything(client: &Client) -> Table {
    let items = client.scan().table_name(table::TABLE).send().await.expect("read").items.unwrap_or_default();
    let (mut profiles, mut markers) = Table::default();
    for item in items {
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let owner = text("userId").expect("every item has one");
        if let Some(address) = text("pk").expect("a key").strip_prefix(MARKER_KEY_PREFIX) {
            markers.insert(address.to_owned(), owner);
        } else {
            let verified = item.get("emailVerified") == Some(&AttributeValue::Bool(true));
            let wanted = text("emailKey").filter(|_| verified);
            let in_conflict = item.contains_key("emailConflict");
            profiles.insert(owner, (text("uniqueEmail"), in_conflict, wanted));
        }
    }
    (profiles, markers)
}

/// A marker and its owner's profile name each other; a verified address is reserved or in conflict; none is both.
fn in_step((profiles, markers): &Table) -> Result<(), TestCaseError> {
    for (address, owner) in markers {
        let reserved = profiles.get(owner).and_then(|(reserved, ..)| reserved.as_ref());
        prop_assert_eq!(reserved, Some(address), "the owner of a marker says so");
    }
    for (user, (reserved, in_conflict, wanted)) in profiles {
        if let Some(address) = reserved {
            prop_assert_eq!(markers.get(address), Some(user), "what a profile has reserved has its marker");
        }
        prop_assert!(*in_conflict || reserved == wanted, "{} wants {:?} and has {:?}", user, wanted, reserved);
        prop_assert!(!(*in_conflict && reserved.is_some()), "a conflict reserves nothing");
    }
    Ok(())
}

const USERS: [&str; 3] = ["ada", "bob", "eve"];

/// Deliveries of events of three users with two addresses, in any order.
fn deliveries() -> impl Strategy<Value = Vec<IdentityEvent>> {
    let event = (0..USERS.len(), 0_i64..6, 0..4_u8, 0..9_u8, any::<bool>());
    let event = event.prop_map(|(who, seconds, id, kind, verified)| {
        let sub = USERS[who];
        let email = ["one@example.com", "two@example.com"].get(usize::from(kind % 3)).map(|address| (*address).into());
        let identity = Identity { email, email_verified: verified, ..identity(sub) };
        match kind {
            8 => deleted(sub, seconds, id),
            6 | 7 => IdentityEvent { change: Change::Created(identity.clone()), ..updated(identity, seconds, id) },
            _ => updated(identity, seconds, id),
        }
    });
    prop::collection::vec(event, 1..14)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

#[test]
fn markers_and_profiles_never_part() {
    let config = Config { failure_persistence: None, ..Config::with_cases(48) };
    let outcome = TestRunner::new(config).run(&deliveries(), |events| {
        block_on(async {
            let (client, store) = unique().await;
            for event in &events {
                apply(&store, event).await;
                in_step(&everything(&client).await)?;
            }
            // The identities are what they are without any reservation.
            let plain = ProfileStore::new(table::table().await, table::TABLE);
            for event in &events {
                apply(&plain, event).await;
            }
            for sub in USERS {
                store.mend_reservation(&user(sub), now()).await.expect("mended");
                let identity = async |store: &ProfileStore| {
                    let profile = store.get::<Attributes>(&user(sub)).await.expect("read");
                    profile.map(|profile| (profile.identity, profile.as_of, profile.created_at))
                };
                prop_assert_eq!(identity(&store).await, identity(&plain).await);
            }
            // Once more: an address may have become free for somebody who was looked at before.
            for sub in USERS {
                store.mend_reservation(&user(sub), now()).await.expect("mended");
            }
            let (profiles, markers) = everything(&client).await;
            for (user, (_, in_conflict, wanted)) in &profiles {
                let owner = wanted.as_ref().and_then(|address| markers.get(address));
                prop_assert_eq!(*in_conflict, owner.is_some_and(|owner| owner != user));
                prop_assert_eq!(wanted.is_some(), owner.is_some(), "a verified address is somebody's");
            }
            in_step(&(profiles, markers))
        })
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_has_the_address() {
    let (client, store) = unique().await;
    let subs: Vec<String> = (0..12).map(|number| format!("user-{number}")).collect();
    let tasks = subs.iter().map(|sub| {
        let (store, event) = (store.clone(), created(sharing(sub), 0));
        tokio::spawn(async move { store.apply(&event, now()).await.expect("it is applied") })
    });
    let mut outcomes = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        outcomes.push(task.await.expect("it ends"));
    }
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Applied::Created).count(), 1);
    in_step(&everything(&client).await).expect("markers and profiles are in step");
}
