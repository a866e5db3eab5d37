//! Reservations of addresses, where they are unique.

use aws_sdk_dynamodb::types::AttributeValue;
use tandem_profiles::{Change, IdentityEvent, Origin, ProfileStore, Timestamp};
use tandem_reconcile::{Finding, Reconciliation, Settings};

use crate::cloud::{Cloud, POOL, TABLE, directory, ended, id, repairing, settings};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn unique(cloud: &Cloud) -> ProfileStore {
    cloud.profiles().with_unique_email()
}

async fn profile(cloud: &Cloud, sub: &str) {
    cloud.user(sub);
    let at = Timestamp::from_millis(cloud.now().millis() - 3_600_000);
    let event = IdentityEvent::new(Change::Created(cloud.identity(sub)), at, Origin::SignUp);
    unique(cloud).apply(&event, at).await.expect("applied");
}

async fn set_marker(cloud: &Cloud, address: &str, owner: Option<&str>) {
    let key = format!("EMAIL#{address}");
    if let Some(owner) = owner {
        let put = cloud.tables().put_item().table_name(TABLE).item("pk", text(&key)).item("sk", text("EMAIL"));
        put.item("userId", text(owner)).send().await.expect("written");
    } else {
        let delete = cloud.tables().delete_item().table_name(TABLE).key("pk", text(&key)).key("sk", text("EMAIL"));
        delete.send().await.expect("deleted");
    }
}

async fn reconciled(cloud: &Cloud, settings: Settings) -> Vec<String> {
    let place = tempfile::tempdir().expect("a directory");
    let (spool, surroundings) = (directory(place.path()), cloud.surroundings(None));
    let run = Reconciliation::new(cloud.pool(), unique(cloud), settings, spool, surroundings);
    let line = |finding: &Finding| {
        format!(
            "{} {}: {} {}",
            finding.kind.as_str(),
            finding.user_id,
            finding.fields.join(","),
            finding.outcome.as_str()
        )
    };
    ended(&run).await.1.iter().map(line).collect()
}

#[tokio::test]
async fn whatever_does_not_fit_is_found_and_mended() {
    let cloud = Cloud::new().await;
    for sub in ["ann", "bob", "cleo", "dan"] {
        profile(&cloud, sub).await;
    }
    assert_eq!(reconciled(&cloud, settings()).await, [""; 0], "all is well");

    set_marker(&cloud, "ann@example.com", None).await;
    set_marker(&cloud, "bob@example.com", Some("mallory")).await;
    set_marker(&cloud, "nobody@example.com", Some("nobody")).await;
    set_marker(&cloud, "former@example.com", Some("cleo")).await;
    let drift = [
        "marker ann: reserved for another",
        "marker bob: reserved for another",
        "marker cleo: marker without a profile",
        "marker mallory: marker without a profile",
        "marker nobody: marker without a profile",
    ];
    assert_eq!(reconciled(&cloud, settings()).await, drift.map(|line| format!("{line} found")));
    assert_eq!(reconciled(&cloud, repairing()).await, drift.map(|line| format!("{line} applied")));
    // Bob's address was mallory's when bob's turn came: a conflict was noted, and is over by now.
    reconciled(&cloud, repairing()).await;
    assert_eq!(reconciled(&cloud, settings()).await, [""; 0]);
    for sub in ["ann", "bob", "cleo", "dan"] {
        let owner = unique(&cloud).owner_of(&format!("{sub}@example.com")).await.expect("read");
        assert_eq!(owner, Some(id(sub)));
    }
}

#[tokio::test]
async fn profiles_from_before_addresses_were_unique_reserve_theirs() {
    let cloud = Cloud::new().await;
    cloud.user("ann");
    cloud.profile("ann").await;
    assert_eq!(reconciled(&cloud, settings()).await, ["marker ann: not reserved found"]);
    assert_eq!(reconciled(&cloud, repairing()).await, ["marker ann: not reserved applied"]);
    assert_eq!(unique(&cloud).owner_of("ann@example.com").await.expect("read"), Some(id("ann")));
    assert_eq!(POOL, cloud.identity("ann").user_pool_id);
}

#[tokio::test]
async fn a_conflict_that_is_one_is_no_drift() {
    let cloud = Cloud::new().await;
    profile(&cloud, "ann").await;
    cloud.user("bob");
    cloud.change("bob", |user| user.email = "ann@example.com".into());
    let at = Timestamp::from_millis(cloud.now().millis() - 3_600_000);
    let event = IdentityEvent::new(Change::Created(cloud.identity("bob")), at, Origin::SignUp);
    unique(&cloud).apply(&event, at).await.expect("applied");
    assert_eq!(reconciled(&cloud, settings()).await, [""; 0]);
    set_marker(&cloud, "ann@example.com", None).await;
    assert_eq!(
        reconciled(&cloud, settings()).await,
        ["marker ann: reserved for another found", "marker bob: not reserved found"]
    );
}
