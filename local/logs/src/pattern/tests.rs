//! Patterns against events: the service's documented examples, and what broke others.

use proptest::prelude::*;

use super::Pattern;

/// The pattern matches just these of the events (by index).
#[track_caller]
fn check(pattern: &str, events: &[&str], expected: &[usize]) {
    let parsed = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    let matching: Vec<usize> = (0..events.len()).filter(|index| parsed.matches(events[*index])).collect();
    assert_eq!(matching, expected, "{pattern}");
}

#[track_caller]
fn refused(pattern: &str, message: &str) {
    assert_eq!(Pattern::parse(pattern).expect_err(pattern).to_string(), message, "{pattern}");
}

#[test]
fn terms() {
    let events = ["ERROR WARN message", "ERROR message", "WARN message"];
    check("", &events, &[0, 1, 2]);
    check("ERROR", &events, &[0, 1]);
    check("error", &events, &[]);
    check("ERROR WARN", &events, &[0]);
    check("?ERROR ?WARN", &events, &[0, 1, 2]);
    check("ERROR -WARN", &events, &[1]);
    check("-WARN", &events, &[1]);
    check("?WARN message -ERROR", &events, &[2]);
    check("?nothing message", &events, &[0, 1, 2]); // beside other terms, `?` is not looked at
    check("\"ERROR message\"", &events, &[1]);
    let events =
        ["[ERROR 400] BAD REQUEST", "[ERROR 401] UNAUTHORIZED REQUEST", "Exiting with ERRORCODE: -1", "a \"b\""];
    check("ERROR", &events, &[0, 1, 2]);
    check("\"ERROR\" - \"Exiting\"", &events, &[0, 1]);
    check("\"[ERROR 400]\"", &events, &[0]);
    check("%UNAUTHORIZED%", &events, &[1]);
    check("%4\\d\\d% -BAD", &events, &[1]);
    check(r#""a \"b\"""#, &events, &[3]);
    refused("email@example", "Invalid character(s) in term 'email@example'");
    refused("\"\"", "Invalid character(s) in term '\"\"'");
    refused("\"open", "Unterminated quotes in '\"open'");
}

const TRAIL: &str = r#"{
    "eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "ThisFlag": true,
    "someInt": 123, "someFloat": 12.34, "someFloat2": 12.0, "object": {}, "weird": {"a.b": "x", "c d": 1}
}"#;

#[test]
fn conditions_on_json() {
    let holds = [
        r#"{ $.eventType = "UpdateTrail" }"#,
        "{ $.eventType = UpdateTrail }",
        "{$.eventType=Update*}",
        "{ $.eventType = *Trail }",
        "{ $.eventType = *ateTr* }",
        "{ $.eventType != Upd*ail }", // in the middle, an asterisk is an asterisk
        "{ $.sourceIPAddress != 123.123.* }",
        "{ $.sourceIPAddress = 111.111.111.111 }",
        r#"{ $.arrayKey[0] = "value" }"#,
        "{ $.objectList[1].id = 2 }",
        "{ $.SomeObject IS NULL }",
        "{ $.SomeOtherObject NOT EXISTS }",
        "{ $.ThisFlag IS TRUE }",
        "{ $.ThisFlag = * }",
        "{ $.someInt = 123.0 }",
        r#"{ $.someInt = "123" }"#,
        r#"{ $.someInt != "123.0" }"#,
        "{ $.someInt = 12* }",
        "{ $.someInt >= 123 && $.someInt <= +1.23e2 }",
        "{ $.someFloat > 12 && $.someFloat < 1234e-2 || $.someFloat = 12.34 }",
        "{ $.someFloat2 = 12 }",
        "{ ($.eventType = a || $.someInt > 1) && $.someFloat != 1 }",
        r"{ $.sourceIPAddress = %^111\.% }",
        r#"{ $.weird["a.b"] = x && $.weird["c d"] = 1 }"#,
    ];
    let fails = [
        "{ $.eventType != UpdateTrail }",
        r#"{ $.notExisted = "UpdateTrail" }"#,
        r#"{ $.notExisted != "UpdateTrail" }"#,
        "{ $.object = x }",
        "{ $.object != x }",
        "{ $.arrayKey != x }",
        "{ $.SomeObject = * }",
        r#"{ $.ThisFlag[0] = "value" }"#,
        "{ $.objectList[1].number = 2 }",
        "{ $.objectList[2].id = 2 }",
        "{ $.eventType >= 123 }",
        "{ $.SomeOtherObject IS NULL }",
        "{ $.SomeObject NOT EXISTS }",
        "{ $.ThisFlag IS FALSE }",
        "{ $.someInt = 1 && $.eventType = a || $.someInt = 2 }",
    ];
    for pattern in holds {
        check(pattern, &[TRAIL, "no JSON", "[1]"], &[0]);
    }
    for pattern in fails {
        check(pattern, &[TRAIL], &[]);
    }
}

#[test]
fn conditions_in_order_of_precedence() {
    let event = r#"{"user": {"id": 1, "email": "John.Stiles@example.com"}, "users": [
        {"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"], "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]]}"#;
    check(r#"{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }"#, &[event], &[0]);
    check(r#"{ ($.user.id = 2 && $.users[0].email = "x") || $.actions[2] = "GET" }"#, &[event], &[]);
    let either = r#"$.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch"#;
    check(&format!("{{ {either} && $.actions[2] = nomatch }}"), &[event], &[0]);
    check(&format!("{{ ({either}) && $.actions[2] = nomatch }}"), &[event], &[]);
}

#[test]
fn conditions_that_are_none() {
    refused("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'");
    refused("{ $.a > UpdateTrail }", "Invalid character(s) in term '\"UpdateTrail\"'");
    refused("{ $.a >= \"123\" }", "Invalid character(s) in term '\"123\"'");
    refused("{ $.a = a@b }", "Invalid character(s) in term 'a@b'");
    refused("{ $.a }", "An operator is expected at ''");
    refused("{ a = 1 }", "A selector that begins with '$.' is expected at 'a = 1 '");
    refused("{ ($.a = 1 }", "A closing parenthesis is expected at ''");
    refused("{ $.a IS EMPTY }", "An operator is expected at 'IS EMPTY '");
    refused("{}", "A selector that begins with '$.' is expected at ''");
}

#[test]
fn columns() {
    let events = [
        r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 200 1534"#,
        r#"127.0.0.1 - frank [10/Oct/2000:13:35:22 -0700] "GET /apache_pb.html HTTP/1.0" 404 5324"#,
        r#"127.0.0.1 - frank [10/Oct/2000:13:50:35 -0700] "GET /index.html HTTP/1.0" 403 4355"#,
        "127.0.0.1 frank 200",
    ];
    check("[ip, user, username, timestamp, request, status_code, bytes]", &events, &[0, 1, 2]);
    check("[ip, user, username, timestamp, request, status_code = 200, bytes]", &events, &[0]);
    check("[ip, user, username, timestamp, request, status_code = 4*, bytes]", &events, &[1, 2]);
    check("[ip, user, username, timestamp, request =*html*, status_code = 4*, bytes]", &events, &[1, 2]);
    check("[ip, user, username, timestamp, request, status_code, bytes > 5000]", &events, &[1]);
    check("[ip, user, ..., status_code = 4* && status_code != 403, bytes]", &events, &[1]);
    check("[..., status_code, bytes]", &events, &[0, 1, 2, 3]);
    check("[ip, user, ...]", &events, &[0, 1, 2, 3]);
    check("[..., request=*.html*, status_code=4*,]", &events, &[1, 2]);
    check("[ip, name, code = 200]", &events, &[3]);
    check("[..., code = 200 || code = 404, bytes]", &events, &[0, 1]);
    check(r"[ip=%127\.0\.0\.[0-9]%, user=frank, ...]", &events, &[3]);
    let events = ["ERROR WARN message", "ERROR message", "WARN message", "INFO message"];
    check("[w1=ERROR, w2]", &events, &[1]);
    check("[w1=ERROR || w1=WARN, w2]", &events, &[1, 2]);
    check("[w1!=ERROR && w1!=WARN, w2]", &events, &[3]);
    check("[w1=!ERROR&&w1=!WARN, w2]", &events, &[3]);
    refused("[a, b", "If a filter pattern starts with '[' it must end with ']'");
    refused("[..., a, ...]", "There is more than one ellipsis");
    refused("[a = 4* && b > 1000]", "A condition on 'a' is expected, not one on 'b'");
}

#[test]
fn regular_expressions() {
    let cases = [
        ("colou?r", "the color", true),
        ("colou?r", "the colouur", false),
        ("gray|grey", "it is grey.", true),
        ("^a", "ba", false),
        ("^a|b$", "cb", true),
        ("^a|b$", "bc", false),
        (r"10\.10\.0\.1", "10a10.0.1", false),
        ("[^a-z]+$", "abc1", true),
        ("[^a-z]+$", "1abc", false),
        (r"^[\w-]{2,3}$", "a-b", true),
        (r"^[\w-]{2,3}$", "a-bc", false),
        ("^a{2}$", "aaa", false),
        ("^a{2,}$", "aaa", true),
        (r"\x28x\x29", "f(x)", true),
        ("a*", "", true),
        (r"\s\S\D\W", "x ab!", true),
        ("^$", "", true),
        ("^$", "x", false),
    ];
    for (regex, text, expected) in cases {
        let pattern = Pattern::parse(&format!("%{regex}%")).unwrap_or_else(|error| panic!("{regex}: {error}"));
        assert_eq!(pattern.matches(text), expected, "{regex} in {text}");
    }
    for regex in ["(a)", "something!", "a{1000}", "[", "[]", "*", "a**", "[z-a]", "\\", "a{3,2}"] {
        let message = format!("Invalid character(s) in term '%{regex}%'");
        refused(&format!("%{regex}%"), &message);
    }
    refused("%a", "Unterminated regular expression in '%a'");
}

#[test]
fn no_expression_is_slow() {
    let pattern = Pattern::parse(&format!("%{}{}b%", "a?".repeat(60), "a".repeat(60))).expect("a pattern");
    assert!(!pattern.matches(&"a".repeat(2000)));
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in "[ -~…]{0,60}", event in ".{0,60}") {
        if let Ok(pattern) = Pattern::parse(&text) {
            pattern.matches(&event);
        }
    }

    #[test]
    fn no_pattern_of_its_own_signs_breaks_it(text in r#"[{\[]?[$.a=!<>&|()\[\]{}%"*?,0-9 -]{0,40}[}\]]?"#, event in r#"[ab0-9{}\[\]": ,.-]{0,40}"#) {
        if let Ok(pattern) = Pattern::parse(&text) {
            pattern.matches(&event);
        }
    }

    #[test]
    fn a_quoted_phrase_is_found_where_it_stands(before in ".{0,20}", phrase in ".{1,20}", after in ".{0,20}") {
        let quoted = phrase.replace('\\', "\\\\").replace('"', "\\\"");
        let event = format!("{before}{phrase}{after}");
        let wanted = Pattern::parse(&format!("\"{quoted}\"")).expect("a pattern");
        let unwanted = Pattern::parse(&format!("-\"{quoted}\"")).expect("a pattern");
        prop_assert!(wanted.matches(&event) && !unwanted.matches(&event));
    }

    #[test]
    fn numbers_compare_as_numbers(field in -1000_i32..1000, value in -1000_i32..1000) {
        let event = format!("{{\"n\": {field}}}");
        for (sign, expected) in [
            ("=", field == value), ("!=", field != value), ("<", field < value),
            ("<=", field <= value), (">", field > value), (">=", field >= value),
        ] {
            let pattern = Pattern::parse(&format!("{{ $.n {sign} {value} }}")).expect("a pattern");
            prop_assert_eq!(pattern.matches(&event), expected, "{} {} {}", field, sign, value);
        }
    }
}
