//! The store's operations, one by one.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use tandem_profiles::{
    Applied, Attributes, Changes, Cursor, Error, Identity, ProfileStore, Standing, Stored, TOMBSTONE_DAYS, UserProfile,
    Version,
};

use crate::people::{ADA, ada, at, created, deleted, identity, now, store, updated, user};
use crate::table;

/// What an application might keep.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Settings {
    theme: Option<String>,
    #[serde(default)]
    logins: u32,
}

async fn store_with_ada() -> ProfileStore {
    let store = store().await;
    assert_eq!(store.apply(&created(ada(), 0), now()).await.expect("applied"), Applied::Created);
    store
}

async fn profile(store: &ProfileStore) -> UserProfile {
    store.get(&user(ADA)).await.expect("read").expect("there")
}

fn theme(name: &str) -> Changes {
    Changes::new().set("theme", &name).expect("a change")
}

#[tokio::test]
async fn a_creation_makes_the_profile() {
    let profile = profile(&store_with_ada().await).await;
    assert_eq!(profile.identity, ada());
    assert_eq!((profile.created_at, profile.updated_at), (at(0), now()));
    assert_eq!(profile.as_of, created(ada(), 0).as_of());
    assert_eq!((profile.version, profile.application), (Version::default(), Attributes::new()));
}

#[tokio::test]
async fn a_user_never_heard_of_has_no_profile() {
    let store = store().await;
    assert_eq!(store.get::<Attributes>(&user(ADA)).await.expect("read"), None);
    assert_eq!(store.standing(&user(ADA)).await.expect("read"), Standing::Absent);
}

#[tokio::test]
async fn what_is_stored_of_a_user_is_read_at_once() {
    let store = store().await;
    assert_eq!(store.stored(&user(ADA)).await.expect("read"), Stored::Absent);
    store.apply(&created(ada(), 0), now()).await.expect("applied");
    store.update::<Attributes>(&user(ADA), Version::default(), &theme("dark"), now()).await.expect("updated");
    let as_of = created(ada(), 0).as_of();
    let expected = Stored::Profile { identity: Box::new(ada()), as_of, created_at: at(0) };
    assert_eq!(store.stored(&user(ADA)).await.expect("read"), expected);
    store.apply(&deleted(ADA, 1, 2), now()).await.expect("applied");
    let expected = Stored::Tombstone { as_of: deleted(ADA, 1, 2).as_of() };
    assert_eq!(store.stored(&user(ADA)).await.expect("read"), expected);
}

#[tokio::test]
async fn what_an_update_leaves_out_goes() {
    let store = store_with_ada().await;
    let bare = Identity { email: None, name: None, enabled: false, groups: [].into(), attributes: [].into(), ..ada() };
    assert_eq!(store.apply(&updated(bare.clone(), 1, 2), now()).await.expect("applied"), Applied::Updated);
    assert_eq!(profile(&store).await.identity, bare);
    assert!(store.get_by_email::<Attributes>("ada-sub@example.com").await.expect("read").is_empty());
}

#[tokio::test]
async fn an_item_that_the_application_made_first_becomes_the_profile() {
    let client = table::table().await;
    let item = client.put_item().table_name(table::TABLE).item("pk", AttributeValue::S(format!("USER#{ADA}")));
    let item = item.item("sk", AttributeValue::S("PROFILE".into())).item("theme", AttributeValue::S("dark".into()));
    item.send().await.expect("written");
    let store = ProfileStore::new(client, table::TABLE);
    assert_eq!(store.get::<Attributes>(&user(ADA)).await.expect("read"), None);
    assert_eq!(store.apply(&created(ada(), 0), now()).await.expect("applied"), Applied::Created);
    assert_eq!(profile(&store).await.application["theme"], "dark");
}

#[tokio::test]
async fn a_tombstone_is_all_that_a_deletion_leaves() {
    let client = table::table().await;
    let store = ProfileStore::new(client.clone(), table::TABLE);
    store.apply(&created(ada(), 0), now()).await.expect("applied");
    store.update::<Attributes>(&user(ADA), Version::default(), &theme("dark"), now()).await.expect("updated");
    assert_eq!(store.apply(&deleted(ADA, 1, 2), now()).await.expect("applied"), Applied::Erased);
    assert_eq!(store.get::<Attributes>(&user(ADA)).await.expect("read"), None);
    assert!(store.get_by_email::<Attributes>("ada-sub@example.com").await.expect("read").is_empty());
    let items = client.scan().table_name(table::TABLE).send().await.expect("read").items.expect("items");
    let [item] = items.as_slice() else { panic!("one item: {items:?}") };
    let mut names: Vec<_> = item.keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = [
        "deletedAt",
        "expiresAt",
        "identityAsOf",
        "identityEventId",
        "identityStatus",
        "pk",
        "schemaVersion",
        "sk",
        "userId",
        "userPoolId",
    ];
    assert_eq!(names, expected);
    let expires = AttributeValue::N(now().plus_days(TOMBSTONE_DAYS).seconds().to_string());
    assert_eq!(item["expiresAt"], expires);
}

#[tokio::test]
async fn a_late_creation_brings_nobody_back() {
    let store = store_with_ada().await;
    store.apply(&deleted(ADA, 1, 2), now()).await.expect("applied");
    assert_eq!(store.apply(&updated(ada(), 2, 3), now()).await.expect("applied"), Applied::Tombstoned);
    assert_eq!(store.get::<Attributes>(&user(ADA)).await.expect("read"), None);
}

#[tokio::test]
async fn people_are_found_by_their_address_in_any_case() {
    let store = store_with_ada().await;
    let found = store.get_by_email::<Attributes>(" ADA-sub@example.COM").await.expect("read");
    assert_eq!(found.into_iter().map(|profile| profile.identity).collect::<Vec<_>>(), [ada()]);
}

#[tokio::test]
async fn everybody_with_an_address_is_found() {
    let store = store_with_ada().await;
    let federated = Identity { email: ada().email, ..identity("ada-federated") };
    store.apply(&created(federated, 0), now()).await.expect("applied");
    assert_eq!(store.get_by_email::<Attributes>("ada-sub@example.com").await.expect("read").len(), 2);
}

#[tokio::test]
async fn nobody_is_found_by_no_address() {
    assert!(store_with_ada().await.get_by_email::<Attributes>(" ").await.expect("read").is_empty());
}

#[tokio::test]
async fn the_application_reads_what_it_wrote_in_its_own_type() {
    let store = store_with_ada().await;
    let settings = Settings { theme: Some("dark".into()), logins: 3 };
    let changes = Changes::of(&settings).expect("changes");
    let updated = store.update::<Settings>(&user(ADA), Version::default(), &changes, at(2000)).await.expect("updated");
    assert_eq!((&updated.application, updated.version, updated.updated_at), (&settings, Version::new(1), at(2000)));
    assert_eq!(store.get::<Settings>(&user(ADA)).await.expect("read"), Some(updated));
}

#[tokio::test]
async fn a_none_takes_an_attribute_away() {
    let store = store_with_ada().await;
    let updated = store.update::<Attributes>(&user(ADA), Version::default(), &theme("dark"), now()).await;
    let changes = Changes::of(&Settings { theme: None, logins: 1 }).expect("changes");
    let updated = store.update::<Attributes>(&user(ADA), updated.expect("updated").version, &changes, now()).await;
    assert_eq!(updated.expect("updated").application, [("logins".to_owned(), 1.into())].into());
}

#[tokio::test]
async fn attributes_outside_the_type_stay() {
    let store = store_with_ada().await;
    let plan = Changes::new().set("plan.of the=year #1", &["gold", "silver"]).expect("a change");
    let version =
        store.update::<Attributes>(&user(ADA), Version::default(), &plan, now()).await.expect("updated").version;
    let changes = Changes::of(&Settings::default()).expect("changes");
    store.update::<Settings>(&user(ADA), version, &changes, now()).await.expect("updated");
    assert_eq!(profile(&store).await.application["plan.of the=year #1"], serde_json::json!(["gold", "silver"]));
}

#[tokio::test]
async fn the_slower_of_two_updates_is_refused() {
    let store = store_with_ada().await;
    store.update::<Attributes>(&user(ADA), Version::default(), &theme("dark"), now()).await.expect("updated");
    let slower = store.update::<Attributes>(&user(ADA), Version::default(), &theme("light"), now()).await;
    let Err(Error::Conflict { expected, found, .. }) = slower else { panic!("{slower:?}") };
    assert_eq!((expected, found), (Version::default(), Version::new(1)));
    assert_eq!(profile(&store).await.application["theme"], "dark");
}

/// The SDK sends a request again whose answer was lost, and then meets what it has done itself.
#[tokio::test]
async fn an_update_that_is_sent_twice_succeeds_twice() {
    let store = store_with_ada().await;
    store.update::<Attributes>(&user(ADA), Version::default(), &theme("dark"), now()).await.expect("updated");
    let again = store.update::<Attributes>(&user(ADA), Version::default(), &theme("dark"), now()).await;
    assert_eq!(again.expect("updated").version, Version::new(1));
}

#[tokio::test]
async fn an_event_does_not_disturb_an_update() {
    let store = store_with_ada().await;
    let read = profile(&store).await;
    store.apply(&updated(ada(), 1, 2), now()).await.expect("applied");
    store.update::<Attributes>(&user(ADA), read.version, &theme("dark"), now()).await.expect("updated");
}

#[tokio::test]
async fn nobody_cannot_be_updated() {
    let store = store().await;
    let answer = store.update::<Attributes>(&user(ADA), Version::default(), &theme("dark"), now()).await;
    assert!(matches!(answer, Err(Error::NoProfile(_))), "{answer:?}");
    assert_eq!(store.standing(&user(ADA)).await.expect("read"), Standing::Absent);
}

#[tokio::test]
async fn a_deleted_user_cannot_be_updated() {
    let store = store_with_ada().await;
    store.apply(&deleted(ADA, 1, 2), now()).await.expect("applied");
    let answer = store.update::<Attributes>(&user(ADA), Version::default(), &theme("dark"), now()).await;
    assert!(matches!(answer, Err(Error::NoProfile(_))), "{answer:?}");
}

#[test]
fn what_tandem_owns_is_not_the_applications_to_change() {
    for name in tandem_profiles::OWNED_ATTRIBUTES {
        let answer = Changes::new().set(*name, &"mine");
        assert!(matches!(answer, Err(Error::OwnedAttribute { .. })), "{name}");
    }
}

#[test]
fn a_struct_with_a_name_that_tandem_owns_is_refused() {
    let answer = Changes::of(&serde_json::json!({"email": "eve@example.com"}));
    assert!(matches!(answer, Err(Error::OwnedAttribute { .. })), "{answer:?}");
}

async fn listed(store: &ProfileStore, limit: u16) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = store.list::<Attributes>(limit, after.as_ref()).await.expect("read");
        pages.push(page.profiles.iter().map(|profile| profile.identity.user_id.to_string()).collect());
        match page.next {
            Some(next) => after = Some(next.to_string().parse().expect("a cursor is read as it is written")),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn every_profile_is_on_one_page() {
    let store = store().await;
    let everybody: Vec<_> = (0..30).map(|number| format!("user-{number:02}")).collect();
    for sub in &everybody {
        store.apply(&created(identity(sub), 0), now()).await.expect("applied");
    }
    store.apply(&created(identity("gone"), 0), now()).await.expect("applied");
    store.apply(&deleted("gone", 1, 2), now()).await.expect("applied");
    for limit in [1, 7, 29, 30, 1000] {
        let pages = listed(&store, limit).await;
        assert!(pages.iter().all(|page| page.len() <= usize::from(limit)));
        let mut found = pages.concat();
        found.sort();
        assert_eq!(found, everybody, "in pages of {limit}");
    }
}

#[tokio::test]
async fn pages_are_full_where_other_items_lie_between() {
    let client = table::table().await;
    let store = ProfileStore::new(client.clone(), table::TABLE);
    for number in 0..40 {
        let sub = format!("user-{number:02}");
        store.apply(&created(identity(&sub), 0), now()).await.expect("applied");
        let note = client.put_item().table_name(table::TABLE).item("pk", AttributeValue::S(format!("USER#{sub}")));
        note.item("sk", AttributeValue::S("WELCOME".into())).send().await.expect("written");
    }
    let page = store.list::<Attributes>(30, None).await.expect("read");
    assert_eq!(page.profiles.len(), 30);
}

#[tokio::test]
async fn an_empty_table_has_one_empty_page() {
    assert_eq!(listed(&store().await, 10).await, [Vec::<String>::new()]);
}

#[tokio::test]
async fn a_table_that_is_not_there_is_named() {
    let store = ProfileStore::new(table::table().await, "nowhere");
    let answer = store.apply(&created(ada(), 0), now()).await;
    assert_eq!(
        answer.expect_err("refused").to_string(),
        "table nowhere does not exist here: create it, or correct its name, the region or the endpoint"
    );
}

#[tokio::test]
async fn an_item_that_somebody_damaged_is_named_and_not_quoted() {
    let client = table::table().await;
    let store = ProfileStore::new(client.clone(), table::TABLE);
    store.apply(&created(ada(), 0), now()).await.expect("applied");
    let damage = client.update_item().table_name(table::TABLE).key("pk", AttributeValue::S(format!("USER#{ADA}")));
    let damage = damage.key("sk", AttributeValue::S("PROFILE".into())).update_expression("SET username = :one");
    damage.expression_attribute_values(":one", AttributeValue::N("1".into())).send().await.expect("written");
    let error = store.get::<Attributes>(&user(ADA)).await.expect_err("refused");
    let words = "item USER#ada-sub has no usable `username`: something else has written to it; reconcile the user";
    assert_eq!(error.to_string(), words);
}
