use super::*;

#[track_caller]
fn check(level: Option<&str>, rust_log: Option<&str>, expected: &[&str]) {
    let filter = filter(level, rust_log).to_string();
    let mut directives: Vec<_> = filter.split(',').collect();
    directives.sort_unstable();
    assert_eq!(directives, expected);
}

#[test]
fn the_log_says_what_happened_unless_told_otherwise() {
    check(None, None, &["info", "tandem::invocation=off"]);
    check(Some("nonsense"), None, &["info", "tandem::invocation=off"]);
    check(Some("WARN"), None, &["tandem::invocation=off", "warn"]);
}

const QUIET: [&str; 5] = ["aws_=info", "h2=info", "hyper=info", "lambda_=info", "rustls=info"];

#[test]
fn what_would_quote_requests_is_kept_quiet() {
    let expected =
        ["aws_=info", "debug", "h2=info", "hyper=info", "lambda_=info", "rustls=info", "tandem::invocation=off"];
    check(Some("DEBUG"), None, &expected);
    check(Some("debug"), Some("debug"), &expected);
    check(Some("debug,mine=warn"), Some("debug,mine=warn"), &{
        let mut expected = [&expected[..], &["mine=warn"]].concat();
        expected.sort_unstable();
        expected
    });
}

#[test]
fn whoever_names_a_target_hears_it_and_nothing_else() {
    let named = "aws_smithy_runtime=debug";
    let expected = [&[named], &QUIET[1..], &["tandem::invocation=off"]].concat();
    check(Some(named), Some(named), &expected);
}
