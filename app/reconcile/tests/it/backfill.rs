//! The first day.

use tandem_profiles::Holding;
use tandem_reconcile::{Repair, Settings};

use crate::cloud::{Cloud, directory, repairing, settings};

async fn crowd() -> Cloud {
    let cloud = Cloud::new().await;
    for number in 0..150 {
        cloud.user(&format!("user-{number:03}"));
    }
    cloud.profile("user-000").await;
    cloud.profile("user-001").await;
    cloud.change("user-001", |user| user.enabled = false);
    cloud.delete_profile("user-002").await;
    cloud.change("user-003", |user| user.status = "UNCONFIRMED");
    cloud
}

#[tokio::test]
async fn everybody_gets_a_profile_and_nobody_is_raised_from_the_dead() {
    let cloud = crowd().await;
    let place = tempfile::tempdir().expect("a directory");
    let done = cloud.backfill(repairing(), directory(place.path()), None).run().await.expect("no failure");
    assert!(done.is_done);
    assert_eq!((done.users, done.unconfirmed, done.unchanged, done.tombstones), (150, 1, 1, 1));
    assert_eq!((done.missing, done.differing, done.written, done.failed), (146, 1, 147, 0));
    assert!(matches!(cloud.stored("user-002").await, Holding::Tombstone { .. }));
    assert_eq!(cloud.stored("user-003").await, Holding::Absent);
    for sub in ["user-000", "user-001", "user-149"] {
        assert_eq!(cloud.stored_identity(sub).await, cloud.identity(sub));
    }
}

#[tokio::test]
async fn a_page_costs_one_reading_and_the_second_time_nothing_is_written() {
    let cloud = crowd().await;
    let place = tempfile::tempdir().expect("a directory");
    let run = cloud.backfill(repairing(), directory(place.path()), None);
    run.run().await.expect("no failure");
    run.clear().await.expect("cleared");
    drop(run);
    let before = cloud.state().calls.len();
    let done = cloud.backfill(repairing(), directory(place.path()), None).run().await.expect("no failure");
    assert_eq!((done.written, done.unchanged), (0, 148));
    assert_eq!(cloud.state().calls[before..].len(), 1 + 3 + 3, "ListGroups, three pages, three batches");
}

#[tokio::test]
async fn in_pieces_it_comes_to_the_same() {
    let cloud = crowd().await;
    let place = tempfile::tempdir().expect("a directory");
    let mut runs = 0;
    loop {
        let done = cloud.backfill(repairing(), directory(place.path()), Some(1)).run().await.expect("no failure");
        runs += 1;
        if done.is_done {
            assert_eq!((done.users, done.written), (150, 147));
            break;
        }
    }
    assert_eq!(runs, 3, "one for each page");
    assert_eq!(cloud.reconciled(settings()).await.0.counts.findings(), 1, "the tombstone");
}

#[tokio::test]
async fn groups_come_along() {
    let cloud = crowd().await;
    cloud.change("user-010", |user| user.groups = ["staff".to_owned()].into());
    let place = tempfile::tempdir().expect("a directory");
    cloud.backfill(repairing(), directory(place.path()), None).run().await.expect("no failure");
    assert_eq!(cloud.stored_identity("user-010").await.groups, ["staff".to_owned()].into());
}

#[tokio::test]
async fn by_bus_everybody_is_told_of_as_imported() {
    let cloud = crowd().await;
    let place = tempfile::tempdir().expect("a directory");
    let by_bus = Settings { repair: Repair::Bus(cloud.bus()), ..settings() };
    let done = cloud.backfill(by_bus, directory(place.path()), None).run().await.expect("no failure");
    assert_eq!(done.written, 147);
    let published = cloud.state().published.clone();
    assert_eq!(published.len(), 147);
    assert!(published.iter().all(|event| event["metadata"]["origin"] == "import"));
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let cloud = crowd().await;
    let place = tempfile::tempdir().expect("a directory");
    let done = cloud.backfill(settings(), directory(place.path()), None).run().await.expect("no failure");
    assert_eq!((done.missing, done.written), (146, 0));
    assert_eq!(cloud.stored("user-100").await, Holding::Absent);
}
