//! What is drift, what is none, and what is done about it.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use tandem_profiles::{Change, Holding, Identity};
use tandem_reconcile::{Finding, Kind, Outcome, Repair, Settings};

use crate::cloud::{Cloud, POOL, TABLE, id, repairing, settings};

/// Findings as `kind user fields outcome`.
fn lines(findings: &[Finding]) -> Vec<String> {
    let line = |finding: &Finding| {
        let words =
            [finding.kind.as_str(), finding.user_id.as_str(), &finding.fields.join(","), finding.outcome.as_str()];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    };
    findings.iter().map(line).collect()
}

/// A pool and a table with one of everything.
async fn one_of_each() -> Cloud {
    let cloud = Cloud::new().await;
    for sub in ["changed", "fine", "missing", "buried", "unconfirmed", "member"] {
        cloud.user(sub);
    }
    cloud.user("gone");
    for sub in ["changed", "fine", "gone", "member"] {
        cloud.profile(sub).await;
    }
    cloud.delete_profile("buried").await;
    cloud.state().users.remove("gone");
    cloud.change("unconfirmed", |user| user.status = "UNCONFIRMED");
    cloud.change("changed", |user| (user.email, user.enabled) = ("new@example.com".into(), false));
    cloud.change("member", |user| user.groups = ["staff".to_owned(), "admin".to_owned()].into());
    cloud
}

const ALL: [&str; 5] = [
    "tombstone buried manual",
    "differs changed email,enabled found",
    "orphan gone found",
    "differs member groups found",
    "missing missing found",
];

#[tokio::test]
async fn every_kind_of_drift_is_found_and_nothing_changed() {
    let cloud = one_of_each().await;
    let (report, findings) = cloud.reconciled(settings()).await;
    assert_eq!(lines(&findings), ALL);
    assert_eq!((report.counts.users, report.counts.profiles, report.counts.left()), (6, 4, 5));
    assert_eq!(cloud.stored("missing").await, Holding::Absent);
    assert_eq!((cloud.calls_of("UpdateItem"), cloud.calls_of("PutEvents")), (4, 0), "only what the test has written");
}

#[tokio::test]
async fn a_repaired_table_has_no_drift_but_what_is_never_repaired() {
    let cloud = one_of_each().await;
    let (report, findings) = cloud.reconciled(repairing()).await;
    let repaired = ALL.map(|line| line.replace(" found", " applied"));
    assert_eq!(lines(&findings), repaired);
    assert_eq!(report.counts.left(), 1);
    assert!(matches!(cloud.stored("gone").await, Holding::Tombstone { .. }));
    for sub in ["changed", "missing", "member", "fine"] {
        assert_eq!(cloud.stored_identity(sub).await, cloud.identity(sub));
    }
    let (_, findings) = cloud.reconciled(settings()).await;
    assert_eq!(lines(&findings), ["tombstone buried manual"]);
}

#[tokio::test]
async fn a_repair_by_bus_publishes_what_the_pool_says() {
    let cloud = one_of_each().await;
    let (report, _) = cloud.reconciled(Settings { repair: Repair::Bus(cloud.bus()), ..settings() }).await;
    assert_eq!(report.counts.outcomes[&Outcome::Published], 4);
    let published = cloud.state().published.clone();
    let mut told: Vec<String> = published
        .iter()
        .map(|event| format!("{} {}", event["type"].as_str().unwrap(), event["data"]["userId"].as_str().unwrap()))
        .collect();
    told.sort_unstable();
    assert_eq!(told, ["UserCreated missing", "UserDeleted gone", "UserUpdated changed", "UserUpdated member"]);
    assert!(published.iter().all(|event| event["metadata"]["origin"] == "reconcile"));
    assert_eq!(cloud.stored("missing").await, Holding::Absent, "whoever listens writes");
}

#[tokio::test]
async fn attributes_of_the_application_are_not_touched() {
    let cloud = one_of_each().await;
    let key = |sub: &str| [("pk", format!("USER#{sub}")), ("sk", "PROFILE".to_owned())];
    let set = key("changed").into_iter().fold(cloud.tables().update_item().table_name(TABLE), |set, (name, value)| {
        set.key(name, AttributeValue::S(value))
    });
    let set = set
        .update_expression("SET theme = :dark")
        .expression_attribute_values(":dark", AttributeValue::S("dark".into()));
    set.send().await.expect("written");
    cloud.reconciled(repairing()).await;
    let get = key("changed").into_iter().fold(cloud.tables().get_item().table_name(TABLE), |get, (name, value)| {
        get.key(name, AttributeValue::S(value))
    });
    let item = get.send().await.expect("read").item.expect("there");
    assert_eq!(item["theme"], AttributeValue::S("dark".into()));
    assert_eq!(item["email"], AttributeValue::S("new@example.com".into()));
}

#[tokio::test]
async fn requests_are_near_the_floor() {
    let cloud = Cloud::new().await;
    for number in 0..150 {
        let sub = format!("user-{number:03}");
        cloud.user(&sub);
        cloud.profile(&sub).await;
    }
    let before = cloud.state().calls.len();
    let (report, findings) = cloud.reconciled(Settings { groups: false, ..settings() }).await;
    assert!(findings.is_empty());
    assert_eq!(report.requests.by_operation["ListUsers"], 3, "150 users are three pages of sixty");
    assert_eq!(cloud.state().calls[before..].len(), 4, "and one page of the table");
    assert!(report.requests.read_capacity > 0.0);
}

#[tokio::test]
async fn who_changed_a_moment_ago_is_left_alone() {
    let cloud = one_of_each().await;
    let now = 24 * 3_600_000;
    cloud.change("changed", |user| user.modified = now - 599_000);
    cloud.change("missing", |user| user.modified = now - 601_000);
    let (report, findings) = cloud.reconciled(Settings { min_age: Duration::from_mins(10), ..settings() }).await;
    let expected: Vec<&str> = ALL.into_iter().filter(|line| !line.contains("changed")).collect();
    assert_eq!(lines(&findings), expected);
    assert_eq!(report.counts.young, 1);
}

#[tokio::test]
async fn a_change_that_is_told_while_the_run_goes_on_is_no_drift() {
    let cloud = Cloud::new().await;
    cloud.user("ada");
    cloud.profile("ada").await;
    cloud.change("ada", |user| user.email = "new@example.com".into());
    // After both sides were read, and before anybody looks again, the change goes back to what the table says.
    let calls = cloud.state().calls.len();
    cloud.state().then =
        Some((calls + 3, Box::new(|state| state.users.get_mut("ada").expect("ada").email = "ada@example.com".into())));
    let (_, findings) = cloud.reconciled(settings()).await;
    assert_eq!(lines(&findings), Vec::<String>::new());
}

#[tokio::test]
async fn an_orphan_whose_user_shows_up_is_none() {
    let cloud = Cloud::new().await;
    cloud.user("ada");
    cloud.profile("ada").await;
    let ada = cloud.state().users.remove("ada").expect("ada");
    // ListUsers, Scan, ListGroups; then the first look finds nobody, and the second does.
    let calls = cloud.state().calls.len();
    cloud.state().then = Some((
        calls + 5,
        Box::new(move |state| {
            state.users.insert("ada".into(), ada);
        }),
    ));
    let (_, findings) = cloud.reconciled(repairing()).await;
    assert_eq!(lines(&findings), Vec::<String>::new());
    assert!(matches!(cloud.stored("ada").await, Holding::Profile { .. }));
}

#[tokio::test]
async fn profiles_of_another_pool_are_nobodys_business() {
    let cloud = Cloud::new().await;
    cloud.user("ada");
    let other = Identity { user_pool_id: "eu-west-1_Other".into(), ..cloud.identity("ada") };
    cloud.state().users.clear();
    cloud.apply(Change::Created(other)).await;
    let (report, findings) = cloud.reconciled(repairing()).await;
    assert_eq!((findings.len(), report.counts.profiles), (0, 0));
    assert_ne!(POOL, "eu-west-1_Other");
}

#[tokio::test]
async fn an_item_that_somebody_has_damaged_is_told_and_stops_nothing() {
    let cloud = Cloud::new().await;
    for sub in ["ada", "bob"] {
        cloud.user(sub);
    }
    cloud.profile("ada").await;
    let put = cloud.tables().put_item().table_name(TABLE).item("pk", AttributeValue::S("USER#ada".into()));
    let put = put.item("sk", AttributeValue::S("PROFILE".into())).item("identityAsOf", AttributeValue::N("1".into()));
    put.send().await.expect("written");
    let (report, findings) = cloud.reconciled(repairing()).await;
    assert_eq!(lines(&findings), ["differs ada identityAsOf failed", "missing bob applied"]);
    assert_eq!(report.counts.left(), 1);
}

#[tokio::test]
async fn what_is_not_compared_stays_as_it_is() {
    let cloud = Cloud::new().await;
    cloud.user("ada");
    let stored = Identity {
        groups: ["staff".to_owned()].into(),
        attributes: [("locale".to_owned(), "de".to_owned())].into(),
        ..cloud.identity("ada")
    };
    cloud.apply(Change::Created(stored.clone())).await;
    let blind = Settings { attributes: None, groups: false, ..repairing() };
    assert!(cloud.reconciled(blind.clone()).await.1.is_empty());
    cloud.change("ada", |user| user.email = "new@example.com".into());
    assert_eq!(lines(&cloud.reconciled(blind).await.1), ["differs ada email applied"]);
    let expected = Identity { email: Some("new@example.com".into()), ..stored };
    assert_eq!(cloud.stored_identity("ada").await, expected);
    cloud.advance(Duration::from_secs(1));
    let seeing = Settings { attributes: Some(vec!["locale".into()]), ..settings() };
    assert_eq!(lines(&cloud.reconciled(seeing).await.1), ["differs ada groups,attributes found"]);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_repeated_more_slowly() {
    let cloud = one_of_each().await;
    let slow = (400, "TooManyRequestsException", "Too many requests");
    cloud.state().faults.insert("ListUsers", [slow; 3].into());
    cloud.state().faults.insert("Scan", [(400, "ThrottlingException", "Rate exceeded")].into());
    let (report, findings) = cloud.reconciled(settings()).await;
    assert_eq!(lines(&findings), ALL);
    assert_eq!(report.requests.throttles, 4);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_succeed_is_not_repeated() {
    let cloud = Cloud::new().await;
    cloud.state().faults.insert("ListUsers", [(400, "ResourceNotFoundException", "User pool does not exist.")].into());
    let place = tempfile::tempdir().expect("a directory");
    let run = cloud.run(settings(), crate::cloud::directory(place.path()), None);
    let error = run.run().await.expect_err("there is no pool");
    assert!(error.to_string().contains("does not exist here"), "{error}");
    assert_eq!(cloud.calls_of("ListUsers"), 1);
}

#[tokio::test]
async fn kinds_and_ids_are_all_that_is_kept_of_anybody() {
    let cloud = one_of_each().await;
    let place = tempfile::tempdir().expect("a directory");
    let run = cloud.run(settings(), crate::cloud::directory(place.path()), None);
    let (_, findings) = crate::cloud::ended(&run).await;
    assert!(findings.iter().any(|finding| finding.kind == Kind::Orphan && finding.user_id == id("gone")));
    for entry in std::fs::read_dir(place.path()).expect("a directory") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("example.com"), "{text}");
    }
}
