use super::*;

fn entry(id: Option<&str>, code: Option<&str>) -> PutEventsResultEntry {
    let entry = PutEventsResultEntry::builder().set_event_id(id.map(Into::into));
    entry.set_error_code(code.map(Into::into)).build()
}

#[test]
fn an_entry_with_an_id_is_taken() {
    assert_eq!(taken(1, 0, &[entry(Some("id"), None)]), [Ok("id".into())]);
}

#[track_caller]
fn turned_down(failed: i32, entries: &[PutEventsResultEntry], reason: &str, later: bool) {
    assert_eq!(taken(1, failed, entries), [Err(TurnedDown { reason: reason.into(), later })]);
}

#[test]
fn a_throttled_entry_may_be_taken_later() {
    turned_down(1, &[entry(None, Some("ThrottlingException"))], "ThrottlingException", true);
}

#[test]
fn a_forbidden_entry_is_turned_down_for_good() {
    turned_down(1, &[entry(None, Some("AccessDeniedException"))], "AccessDeniedException", false);
}

#[test]
fn a_failure_is_a_failure_even_with_an_id() {
    turned_down(1, &[entry(Some("id"), None)], "the bus gave no event id", false);
}

#[test]
fn an_answer_without_our_entry_is_none() {
    turned_down(0, &[], "the bus did not answer for every event", false);
}

#[test]
fn a_batch_is_told_apart_by_entry() {
    let entries = [entry(Some("id"), None), entry(None, Some("InternalFailure"))];
    let turned = TurnedDown { reason: "InternalFailure".into(), later: true };
    assert_eq!(taken(2, 1, &entries), [Ok("id".into()), Err(turned)]);
}
