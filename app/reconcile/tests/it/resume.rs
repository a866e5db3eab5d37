//! A run that was stopped or killed goes on, wherever that was, in a directory and in the table.
//!
//! What could be lost is what a page held that was not recorded; what could be wrong is a page that counts twice, a
//! user who was deleted between two runs, a token that Cognito has forgotten. The report must be the same as that of a
//! run that nobody disturbed.

use std::path::Path;
use std::sync::Arc;

use tandem_reconcile::{Ended, Error, Finding, Kind, Outcome, Settings, Spool};

use crate::cloud::{Cloud, directory, ended, findings, id, repairing, settings};

/// Two hundred users: every tenth has no profile, every tenth another address, every tenth is in a group; and twenty
/// profiles without users.
async fn crowd() -> Cloud {
    let cloud = Cloud::new().await;
    for number in 0..220 {
        let sub = format!("user-{number:03}");
        cloud.user(&sub);
        if number % 10 != 1 || number >= 200 {
            cloud.profile(&sub).await;
        }
        match number % 10 {
            _ if number >= 200 => drop(cloud.state().users.remove(&sub)),
            2 => cloud.change(&sub, |user| user.email = format!("new-{number}@example.com")),
            3 => cloud.change(&sub, |user| user.groups = ["staff".to_owned()].into()),
            _ => {}
        }
    }
    cloud
}

/// What a run finds that nobody disturbs.
fn undisturbed() -> Vec<Finding> {
    let finding = |number: usize| {
        let (kind, fields) = match number % 10 {
            _ if number >= 200 => (Kind::Orphan, vec![]),
            1 => (Kind::Missing, vec![]),
            2 => (Kind::Differs, vec!["email".to_owned()]),
            3 => (Kind::Differs, vec!["groups".to_owned()]),
            _ => return None,
        };
        let user_id = id(&format!("user-{number:03}"));
        Some(Finding { kind, user_id, fields, outcome: Outcome::Found, reason: None })
    };
    (0..220).filter_map(finding).collect()
}

#[tokio::test]
async fn a_crowd_has_its_drift() {
    let (report, findings) = crowd().await.reconciled(settings()).await;
    assert_eq!((report.counts.users, report.counts.profiles), (200, 200));
    assert_eq!(findings, undisturbed());
}

/// Runs that get so many calls each, until one comes to the end; with a spool that is opened anew for each.
async fn in_pieces(cloud: &Cloud, calls: usize, settings: Settings, open: impl Fn() -> Arc<dyn Spool>) -> Vec<Finding> {
    for _ in 0..500 {
        let run = cloud.run(settings.clone(), open(), Some(calls));
        match run.run().await.expect("no failure") {
            Ended::Stopped => {}
            Ended::Done(report) => {
                assert_eq!((report.counts.users, report.counts.profiles, report.counts.findings()), (200, 200, 80));
                return findings(&run).await;
            }
        }
    }
    panic!("it does not come to an end");
}

#[tokio::test]
async fn in_small_pieces_it_finds_the_same() {
    let expected = undisturbed();
    for calls in [1, 7] {
        let cloud = crowd().await;
        let place = tempfile::tempdir().expect("a directory");
        assert_eq!(in_pieces(&cloud, calls, settings(), || directory(place.path())).await, expected, "{calls}");
    }
}

#[tokio::test]
async fn in_the_table_as_well() {
    let expected = undisturbed();
    // Recording in the table takes calls, too.
    for calls in [9, 40] {
        let cloud = crowd().await;
        assert_eq!(in_pieces(&cloud, calls, settings(), || cloud.table_spool()).await, expected, "{calls}");
        let run = cloud.run(settings(), cloud.table_spool(), None);
        run.clear().await.expect("cleared");
        let left = cloud.tables().scan().table_name(crate::cloud::TABLE).send().await.expect("read");
        assert!(left.items().iter().all(|item| !item["pk"].as_s().expect("a key").starts_with("RECONCILE#")));
    }
}

#[tokio::test]
async fn repairs_in_pieces_leave_no_drift() {
    let cloud = crowd().await;
    let place = tempfile::tempdir().expect("a directory");
    in_pieces(&cloud, 5, repairing(), || directory(place.path())).await;
    assert!(cloud.reconciled(settings()).await.1.is_empty());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

/// A process that is killed leaves logs that are longer than the progress says: what a copy of the progress of one
/// moment and the logs of a later one are.
#[tokio::test]
async fn a_death_between_writing_and_recording_loses_nothing_and_doubles_nothing() {
    let expected = undisturbed();
    for (early, late) in [(1, 2), (4, 30)] {
        let cloud = crowd().await;
        let place = tempfile::tempdir().expect("a directory");
        let (live, dead) = (place.path().join("live"), place.path().join("dead"));
        let stopped = cloud.run(settings(), directory(&live), Some(early)).run().await.expect("no failure");
        assert_eq!(stopped, Ended::Stopped);
        let progress = std::fs::read(live.join("progress.json")).expect("recorded");
        let stopped = cloud.run(settings(), directory(&live), Some(late)).run().await.expect("no failure");
        assert_eq!(stopped, Ended::Stopped);
        copy(&live, &dead);
        std::fs::write(dead.join("progress.json"), progress).expect("written");
        let (report, findings) = ended(&cloud.run(settings(), directory(&dead), None)).await;
        assert_eq!(findings, expected, "{early}, {late}");
        assert_eq!((report.counts.users, report.counts.profiles), (200, 200));
    }
}

#[tokio::test]
async fn a_token_that_cognito_has_forgotten_begins_the_pools_side_again() {
    let cloud = crowd().await;
    let place = tempfile::tempdir().expect("a directory");
    // One page of each side; the table has but one.
    assert_eq!(cloud.run(settings(), directory(place.path()), Some(2)).run().await.expect("stopped"), Ended::Stopped);
    let stale = (400, "InvalidParameterException", "Invalid pagination token");
    cloud.state().faults.insert("ListUsers", [stale].into());
    let scans = cloud.calls_of("Scan");
    let (report, findings) = ended(&cloud.run(settings(), directory(place.path()), None)).await;
    assert_eq!(findings, undisturbed());
    assert_eq!(report.counts.users, 200);
    assert_eq!(cloud.calls_of("Scan"), scans, "the table's side is kept");
}

#[tokio::test]
async fn a_report_that_nobody_has_read_is_there_again() {
    let cloud = crowd().await;
    let place = tempfile::tempdir().expect("a directory");
    let first = ended(&cloud.run(settings(), directory(place.path()), None)).await;
    let calls = cloud.state().calls.len();
    assert_eq!(ended(&cloud.run(settings(), directory(place.path()), None)).await, first);
    assert_eq!(cloud.state().calls.len(), calls, "nothing is asked again");
}

#[tokio::test]
async fn what_was_found_is_repaired_without_reading_everything_again() {
    let cloud = crowd().await;
    let place = tempfile::tempdir().expect("a directory");
    ended(&cloud.run(settings(), directory(place.path()), None)).await;
    let scans = cloud.calls_of("Scan");
    let (report, _) = ended(&cloud.run(repairing(), directory(place.path()), None)).await;
    assert_eq!((report.counts.findings(), report.counts.left()), (80, 0));
    assert_eq!(cloud.calls_of("Scan"), scans);
}

#[tokio::test]
async fn another_runs_progress_is_refused_by_name() {
    let cloud = crowd().await;
    let place = tempfile::tempdir().expect("a directory");
    cloud.run(settings(), directory(place.path()), Some(1)).run().await.expect("stopped");
    for (other, expected) in [
        (Settings { groups: false, ..settings() }, "its groups are compared"),
        (Settings { attributes: None, ..settings() }, "its attributes are \"\", not not compared"),
    ] {
        let error = cloud.run(other, directory(place.path()), None).run().await.expect_err("another run");
        assert!(matches!(error, Error::OtherRun { .. }));
        assert!(error.to_string().contains(expected) && error.to_string().contains("--restart"), "{error}");
    }
}

#[tokio::test]
async fn progress_of_another_version_is_begun_anew() {
    let cloud = crowd().await;
    let place = tempfile::tempdir().expect("a directory");
    std::fs::write(place.path().join("progress.json"), r#"{"format": 99}"#).expect("written");
    std::fs::write(place.path().join("users.00"), "of a time to come").expect("written");
    let (_, findings) = ended(&cloud.run(settings(), directory(place.path()), None)).await;
    assert_eq!(findings, undisturbed());
}

#[tokio::test]
async fn two_runs_in_one_table_are_one_too_many() {
    let cloud = crowd().await;
    let slow = cloud.run(settings(), cloud.table_spool(), Some(9));
    slow.run().await.expect("stopped");
    // Both have seen the same progress, and both go on.
    let (one, other) = (cloud.table_spool(), cloud.table_spool());
    one.progress().await.expect("read");
    other.progress().await.expect("read");
    one.record("{}", true).await.expect("the first to record");
    let error = other.record("{}", true).await.expect_err("the second");
    assert!(error.to_string().contains("in use by another process"), "{error}");
}
