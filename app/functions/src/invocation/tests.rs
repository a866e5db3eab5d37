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

#[test]
fn what_would_quote_requests_is_kept_quiet() {
    check(
        Some("DEBUG"),
        None,
        &["aws_=info", "debug", "h2=info", "hyper=info", "rustls=info", "tandem::invocation=off"],
    );
}

#[test]
fn whoever_names_a_target_hears_it_and_nothing_else() {
    let named = "aws_smithy_runtime=debug";
    check(Some(named), Some(named), &[named, "tandem::invocation=off"]);
}
