use super::*;

const EVENT: &str = r#"{"id":"e-1","source":"tandem.identity","detail-type":"UserCreated","detail":{"data":{"userId":"ada"}},"n":1.50}"#;

const RECORD: &str = r#"{"version":"1.0","timestamp":"2026-01-01T00:00:00.500Z","requestContext":{"requestId":"r",
    "functionArn":"arn:aws:lambda:eu-west-1:123456789012:function:create-profile:$LATEST","condition":"RetriesExhausted",
    "approximateInvokeCount":3},"requestPayload":{"source":"tandem.identity","n":1.50},"responseContext":{"statusCode":200,
    "executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorType":"NoTable","errorMessage":"no"}}"#;

fn read(body: &str, attributes: &[(&str, &str)]) -> Option<Letter> {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Letter::read(body, &attributes)
}

fn of_a_rule() -> Letter {
    let attributes = [
        ("RULE_ARN", "arn:aws:events:eu-west-1:123456789012:rule/tandem/keep-profile"),
        ("TARGET_ARN", "arn:aws:lambda:eu-west-1:123456789012:function:create-profile"),
        ("ERROR_CODE", "NO_PERMISSIONS"),
        ("ERROR_MESSAGE", "Lambda does not have permission"),
        ("RETRY_ATTEMPTS", "0"),
    ];
    read(EVENT, &attributes).expect("a letter")
}

#[test]
fn a_rules_letter_says_why_in_its_attributes() {
    let letter = of_a_rule();
    assert_eq!((letter.kind, letter.why.code.as_str(), letter.why.attempts), (Kind::Rule, "NO_PERMISSIONS", Some(0)));
    assert_eq!(letter.target_name(), Some("create-profile"));
    assert_eq!(letter.payload.get(), EVENT);
}

#[test]
fn what_it_is_about_is_told_by_ids() {
    let expected = Summary {
        source: Some("tandem.identity".into()),
        detail_type: Some("UserCreated".into()),
        id: Some("e-1".into()),
        user_id: Some("ada".into()),
    };
    assert_eq!(of_a_rule().summary, expected);
}

#[test]
fn a_functions_record_is_unwrapped_to_the_very_text() {
    let letter = read(RECORD, &[]).expect("a letter");
    assert_eq!((letter.kind, letter.target_name()), (Kind::Function, Some("create-profile")));
    assert_eq!((letter.why.code.as_str(), letter.why.message.as_str()), ("NoTable", "no"));
    assert_eq!((letter.why.condition.as_deref(), letter.why.attempts), (Some("RetriesExhausted"), Some(3)));
    assert_eq!(letter.payload.get(), r#"{"source":"tandem.identity","n":1.50}"#);
    assert_eq!(letter.failed_at, Some(Timestamp::from_millis(1_767_225_600_500)));
}

#[test]
fn a_record_without_an_answer_is_read_too() {
    let aged = r#"{"requestContext":{"functionArn":"arn:aws:lambda:eu-west-1:1:function:f","condition":"EventAgeExceeded"},
        "requestPayload":7}"#;
    let letter = read(aged, &[]).expect("a letter");
    assert_eq!((letter.payload.get(), letter.why.condition.as_deref()), ("7", Some("EventAgeExceeded")));
}

#[test]
fn the_older_queues_letter_does_not_say_whose_it_is() {
    let letter = read(EVENT, &[("RequestID", "r"), ("ErrorCode", "200"), ("ErrorMessage", "no")]).expect("a letter");
    assert_eq!((letter.kind, letter.target, letter.why.message.as_str()), (Kind::Function, None, "no"));
}

#[test]
fn anything_else_is_no_letter() {
    assert!(read(EVENT, &[]).is_none());
    assert!(read("not json", &[("RULE_ARN", "r")]).is_none());
}

#[test]
fn a_queue_is_named_by_the_end_of_its_arn() {
    assert_eq!(name_in_arn("arn:aws:sqs:eu-west-1:123456789012:orders"), "orders");
    assert_eq!(name_in_arn("arn:aws:events:eu-west-1:123456789012:event-bus/other"), "other");
    assert_eq!(name_in_arn("nonsense"), "nonsense");
}
