use tandem_profiles::{Metadata, UserId};

use super::*;

fn now() -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000)
}

fn ada() -> Identity {
    Identity {
        user_id: UserId::new("ada").expect("an id"),
        user_pool_id: "pool".into(),
        username: "ada".into(),
        email: Some("ada@example.com".into()),
        email_verified: true,
        name: Some("Ada Lovelace".into()),
        enabled: true,
        groups: [].into(),
        attributes: [].into(),
    }
}

fn created(identity: Identity, origin: Origin) -> IdentityEvent {
    let metadata = Metadata::new(EventId::new(now(), [7; 10]), now(), origin);
    IdentityEvent { metadata, change: Change::Created(identity) }
}

#[test]
fn whoever_signs_up_is_greeted() {
    let event = created(ada(), Origin::SignUp);
    assert_eq!(newcomer(&event), Ok((&ada(), "ada@example.com")));
}

#[test]
fn an_update_greets_nobody() {
    let event = IdentityEvent { change: Change::Updated(ada()), ..created(ada(), Origin::SignIn) };
    assert!(newcomer(&event).is_err());
}

#[test]
fn whoever_is_imported_is_not_greeted() {
    assert!(newcomer(&created(ada(), Origin::Import)).is_err());
    assert!(newcomer(&created(ada(), Origin::Reconcile)).is_err());
}

#[test]
fn whoever_an_administrator_made_is_not_greeted() {
    assert!(newcomer(&created(ada(), Origin::Admin)).is_err());
}

#[test]
fn whoever_has_no_address_is_not_greeted() {
    assert!(newcomer(&created(Identity { email: None, ..ada() }, Origin::SignUp)).is_err());
}

#[track_caller]
fn check(name: Option<&str>, expected: &str) {
    assert_eq!(salutation(&Identity { name: name.map(Into::into), ..ada() }), expected);
}

#[test]
fn a_name_is_greeted() {
    check(Some(" Ada O'Brien-Lovelace "), "Hello Ada O'Brien-Lovelace,");
    check(Some("Søren"), "Hello Søren,");
}

#[test]
fn nobody_in_particular_is_greeted_without_a_name() {
    check(None, "Hello,");
    check(Some("  "), "Hello,");
}

#[test]
fn what_is_no_name_is_not_sent_to_a_stranger() {
    check(Some("win at evil.example"), "Hello,");
    check(Some("a\nb"), "Hello,");
    check(Some(&"a".repeat(NAME_CHARACTERS_MAX + 1)), "Hello,");
}

#[test]
fn the_mail_says_which_event_it_is_from() {
    let id = EventId::new(now(), [7; 10]);
    let message = message(&ada(), id).expect("a message");
    let [header] = message.headers() else { panic!("{message:?}") };
    assert_eq!((header.name(), header.value()), ("X-Tandem-Event-Id", id.to_string().as_str()));
}

/// Milliseconds from now to the claim's end, of a run that has so many until its deadline.
#[track_caller]
fn check_claim(deadline_in: i64, expected: i64) {
    let time = Time::beginning(now(), (now().millis() + deadline_in).unsigned_abs());
    assert_eq!(time.end_of_claim(now()).millis() - now().millis(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_claim_holds_as_long_as_sending_may_take() {
    check_claim(10_000, CLAIM_MILLIS_MAX);
}

#[tokio::test(start_paused = true)]
async fn a_claim_does_not_outlive_its_run() {
    check_claim(3_000, 3_000);
}

#[tokio::test(start_paused = true)]
async fn a_claim_holds_for_a_while_where_the_deadline_is_none() {
    check_claim(-1_000, CLAIM_MILLIS_MAX);
}
