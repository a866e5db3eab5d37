//! Every row of the pattern language: what matches, what does not, and in which words a pattern is refused.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[track_caller]
fn check(pattern: &str, event: &str, expected: bool) {
    let compiled = Pattern::compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    assert_eq!(compiled.matches(event).expect("an event"), expected, "{pattern} on {event}");
}

/// The field `a`.
#[track_caller]
fn field(matchers: &str, value: &str, expected: bool) {
    check(&format!(r#"{{"a":[{matchers}]}}"#), &format!(r#"{{"a":{value}}}"#), expected);
}

/// The whole message behind `Reason: `.
#[track_caller]
fn refused(pattern: &str, message: &str, column: usize) {
    let at = format!("\n at [Source: (String)\"{pattern}\"; line: 1, column: {column}]");
    let error = Pattern::compile(pattern).expect_err(pattern);
    assert_eq!(error, PatternError::Invalid(format!("{message}{at}")), "{pattern}");
}

/// Lists repeat the position.
#[track_caller]
fn refused_twice(pattern: &str, message: &str, column: usize) {
    let at = format!("\n at [Source: (String)\"{pattern}\"; line: 1, column: {column}]");
    let error = Pattern::compile(pattern).expect_err(pattern);
    assert_eq!(error, PatternError::Invalid(format!("{message}{at}{at}")), "{pattern}");
}

#[track_caller]
fn refused_nowhere(pattern: &str, message: &str) {
    assert_eq!(Pattern::compile(pattern).expect_err(pattern), PatternError::Invalid(message.into()), "{pattern}");
}

#[test]
fn literals() {
    field(r#""x""#, r#""x""#, true);
    field(r#""x","y""#, r#""y""#, true);
    field(r#""x""#, r#""X""#, false);
    field(r#""null""#, "null", false);
    field("null", r#""null""#, false);
    field("null", "null", true);
    field("null", "[]", false);
    field(r#""5""#, "5", false);
    field("5", r#""5""#, false);
    field("300", "300.0", true);
    field("3e2", "300", true);
    field("12345678901234567890", "12345678901234567890", true);
    field("12345678901234567890", "12345678901234567891", false);
    field("true", "true", true);
    field("true", "false", false);
    field("false", r#""false""#, false);
    field(r#""""#, r#""""#, true);
    field(r#""""#, "null", false);
    field(r#""é""#, r#""\u00e9""#, true);
    field(r#"{"exactly":"10.0.0.1"}"#, r#""10.0.0.1""#, true);
    check(r#"{"a":["x"]}"#, "{}", false);
    check(r#"{"A":["x"]}"#, r#"{"a":"x"}"#, false);
    check(r#"{"a":["x"],"a":["y"]}"#, r#"{"a":"y"}"#, true);
}

#[test]
fn addresses_are_compared_by_value() {
    field(r#""2001:DB8::1""#, r#""2001:0db8:0:0:0:0:0:1""#, true);
    field(r#""10.0.0.1""#, r#""10.0.0.1""#, true);
    field(r#""10.0.0.1""#, r#""10.0.0.2""#, false);
    field(r#""ab:cd""#, r#""ab:cd""#, true);
    field(r#""ab:cd""#, r#""AB:CD""#, false);
    field(r#"{"cidr":"10.0.0.0/24"}"#, r#""10.0.0.255""#, true);
    field(r#"{"cidr":"10.0.0.0/24"}"#, r#""10.0.1.1""#, false);
    field(r#"{"cidr":"2001:db8::/32"}"#, r#""2001:db8:ffff::1""#, true);
    field(r#"{"cidr":"10.0.0.0/24"}"#, "10", false);
    field(r#"{"cidr":"10.0.0.0/24"}"#, r#""somewhere""#, false);
}

#[test]
fn beginnings_and_endings() {
    field(r#"{"prefix":"ab"}"#, r#""abc""#, true);
    field(r#"{"prefix":"ab"}"#, r#""ba""#, false);
    field(r#"{"prefix":""}"#, r#""x""#, true);
    field(r#"{"prefix":""}"#, r#""""#, true);
    field(r#"{"prefix":""}"#, "1", false);
    field(r#"{"prefix":{"equals-ignore-case":"AB"}}"#, r#""abc""#, true);
    field(r#"{"suffix":"bc"}"#, r#""abc""#, true);
    field(r#"{"suffix":""}"#, r#""abc""#, true);
    field(r#"{"suffix":"1"}"#, "1", false);
    field(r#"{"suffix":{"equals-ignore-case":".PNG"}}"#, r#""a.png""#, true);
    field(r#"{"suffix":{"equals-ignore-case":".PNG"}}"#, r#""png""#, false);
    field(r#"{"equals-ignore-case":"ÀBC"}"#, r#""àbc""#, true);
    field(r#"{"equals-ignore-case":"abc"}"#, r#""abcd""#, false);
    field(r#"{"equals-ignore-case":""}"#, r#""""#, true);
    field(r#"{"equals-ignore-case":""}"#, r#""x""#, false);
    field(r#"{"wildcard":"a*c"}"#, r#""abbc""#, true);
    field(r#"{"wildcard":"a*c"}"#, r#""abb""#, false);
    field(r#"{"wildcard":"a\\*c"}"#, r#""a*c""#, true);
    field(r#"{"wildcard":""}"#, r#""""#, true);
    field(r#"{"wildcard":""}"#, r#""x""#, false);
    field(r#"{"wildcard":"*"}"#, "5", false);
}

#[test]
fn numbers() {
    field(r#"{"numeric":["=",5]}"#, "5.0", true);
    field(r#"{"numeric":["=",5]}"#, r#""5""#, false);
    field(r#"{"numeric":[">",0,"<=",5]}"#, "5", true);
    field(r#"{"numeric":[">",0,"<=",5]}"#, "0", false);
    field(r#"{"numeric":[">=",-1.5]}"#, "-1.5", true);
    field(r#"{"numeric":["<",10]}"#, "10", false);
    field(r#"{"numeric":["<=",10]}"#, "1e1", true);
    field(r#"{"numeric":["<",10]}"#, "null", false);
    field(r#"{"numeric":[">",5000000000]}"#, "5000000001", true);
}

#[test]
fn anything_but() {
    field(r#"{"anything-but":"x"}"#, r#""y""#, true);
    field(r#"{"anything-but":"x"}"#, r#""x""#, false);
    field(r#"{"anything-but":"x"}"#, "null", true);
    field(r#"{"anything-but":"x"}"#, "5", true);
    check(r#"{"a":[{"anything-but":"x"}]}"#, "{}", false);
    field(r#"{"anything-but":["x","y"]}"#, r#""y""#, false);
    field(r#"{"anything-but":["x","y"]}"#, r#"["x","z"]"#, true);
    field(r#"{"anything-but":["x","y"]}"#, r#"["x","y"]"#, false);
    field(r#"{"anything-but":0}"#, "0.0", false);
    field(r#"{"anything-but":[1,2]}"#, "3", true);
    field(r#"{"anything-but":[1,2]}"#, r#""1""#, true);
    field(r#"{"anything-but":{"prefix":"in"}}"#, r#""init""#, false);
    field(r#"{"anything-but":{"prefix":"in"}}"#, "7", true);
    field(r#"{"anything-but":{"prefix":["in","st"]}}"#, r#""stop""#, false);
    field(r#"{"anything-but":{"suffix":".txt"}}"#, r#""a.txt""#, false);
    field(r#"{"anything-but":{"suffix":[".txt",".md"]}}"#, r#""a.rs""#, true);
    field(r#"{"anything-but":{"equals-ignore-case":"X"}}"#, r#""x""#, false);
    field(r#"{"anything-but":{"equals-ignore-case":["X","Y"]}}"#, "null", true);
    field(r#"{"anything-but":{"wildcard":"*/dir/*"}}"#, r#""a/dir/b""#, false);
    field(r#"{"anything-but":{"wildcard":["*/dir/*","a*"]}}"#, r#""b""#, true);
    field(r#"{"anything-but":{"wildcard":""}}"#, r#""x""#, true);
    check(r#"{"a":[{"anything-but":["roses"]},{"exists":false}]}"#, "{}", true);
}

#[test]
fn existence() {
    field(r#"{"exists":true}"#, "null", true);
    field(r#"{"exists":true}"#, "[]", false);
    field(r#"{"exists":true}"#, r#"{"b":1}"#, false);
    field(r#"{"exists":false}"#, "[]", true);
    field(r#"{"exists":false}"#, r#"{"b":1}"#, true);
    field(r#"{"exists":false}"#, "1", false);
    check(r#"{"a":{"b":[{"exists":false}]}}"#, "{}", true);
    check(r#"{"a":{"b":[{"exists":false}]}}"#, r#"{"a":{"b":1}}"#, false);
    check(r#"{"a":{"b":[{"exists":false}]}}"#, r#"{"a":[{"b":1}]}"#, false);
    check(r#"{"a":{"b":[{"exists":false}]}}"#, r#"{"a":[{"c":1}]}"#, true);
}

#[test]
fn dots_part_names_on_both_sides() {
    check(r#"{"a.b":["x"]}"#, r#"{"a":{"b":"x"}}"#, true);
    check(r#"{"a":{"b":["x"]}}"#, r#"{"a.b":"x"}"#, true);
    check(r#"{"a":{"b.c":["x"]}}"#, r#"{"a.b":{"c":"x"}}"#, true);
    check(r#"{"a.b":["x"]}"#, r#"{"a":"x"}"#, false);
}

#[test]
fn arrays_are_transparent_and_consistent() {
    check(r#"{"a":["2"]}"#, r#"{"a":["1",["2"]]}"#, true);
    check(r#"{"a":{"b":["x"]}}"#, r#"{"a":[{"b":"y"},{"b":["x"]}]}"#, true);
    let people = r#"{"employees":[{"firstName":"Anna","lastName":"Smith"},{"firstName":"Peter","lastName":"Jones"}]}"#;
    check(r#"{"employees":{"firstName":["Anna"],"lastName":["Smith"]}}"#, people, true);
    check(r#"{"employees":{"firstName":["Anna"],"lastName":["Jones"]}}"#, people, false);
    check(r#"{"employees":{"firstName":["Anna"],"lastName":[{"anything-but":"Smith"}]}}"#, people, false);
    // An absent field is judged within the element that the fields before it chose.
    let partly = r#"{"a":[{"b":1,"c":2},{"b":1}]}"#;
    check(r#"{"a":{"b":[1],"c":[{"exists":false}]}}"#, partly, true);
    check(r#"{"a":{"b":[1],"c":[{"exists":false}]}}"#, r#"{"a":[{"b":1,"c":2},{"b":2}]}"#, false);
}

#[test]
fn or_at_any_depth() {
    let either = r#"{"$or":[{"a":["x"]},{"b":["y"]}]}"#;
    check(either, r#"{"a":"x"}"#, true);
    check(either, r#"{"b":"y"}"#, true);
    check(either, r#"{"a":"y","b":"x"}"#, false);
    let deep = r#"{"s":["z"],"d":{"$or":[{"n":[{"numeric":[">",5]}]},{"$or":[{"m":[1]},{"m":[{"exists":false}]}]}]}}"#;
    check(deep, r#"{"s":"z","d":{"n":6,"m":2}}"#, true);
    check(deep, r#"{"s":"z","d":{"n":1}}"#, true);
    check(deep, r#"{"s":"z","d":{"n":1,"m":2}}"#, false);
    check(deep, r#"{"d":{"n":6}}"#, false);
    check(r#"{"$or":[{"a":["x"]},{"b":["y"]}],"a":["z"]}"#, r#"{"a":"z"}"#, true); // the last `a` wins
    check(r#"{"prefix":["x"]}"#, r#"{"prefix":"x"}"#, true);
}

#[test]
fn a_detail_given_as_text_is_not_looked_into() {
    check(r#"{"detail":{"a":["x"]}}"#, r#"{"detail":"{\"a\":\"x\"}"}"#, false);
}

#[test]
fn structure_errors() {
    refused(r#"["not", "a", "dict", "but valid json"]"#, "Filter is not an object", 2);
    refused("", "Filter is not an object", 1);
    refused(r#"{"int": 42}"#, "\"int\" must be an object or an array", 11);
    refused(r#"{"string": "my-value"}"#, "\"string\" must be an object or an array", 13);
    refused("{}", "Empty objects are not allowed", 3);
    refused(r#"{"a": {}}"#, "Empty objects are not allowed", 9);
    refused(r#"{"resources": []}"#, "Empty arrays are not allowed", 17);
    refused(r#"{"a": [["b"]]}"#, "Match value must be String, number, true, false, or null", 9);
    refused(r#"{"a": [{}]}"#, "Match expression name not found", 10);
    refused(r#"{"a": [{"prefix": "b", "suffix": "c"}]}"#, "Only one key allowed in match expression", 35);
    refused(r#"{"my_key": [{"EXISTS": true}]}"#, "Unrecognized match type EXISTS", 28);
    refused(r#"{"detail": {"equal": [{"NUMERIC": ["=", 5]}]}}"#, "Unrecognized match type NUMERIC", 36);
}

#[test]
fn text_operator_errors() {
    refused(r#"{"time": [{"prefix": 123}]}"#, "prefix match pattern must be a string", 25);
    refused(r#"{"time": [{"prefix": ["2022-07-13"]}]}"#, "prefix match pattern must be a string", 23);
    refused(r#"{"FileName": [{"suffix": 123}]}"#, "suffix match pattern must be a string", 29);
    refused(r#"{"FileName": [{"suffix": [".png"]}]}"#, "suffix match pattern must be a string", 27);
    refused(r#"{"a": [{"prefix": {"x": "y"}}]}"#, "Unsupported prefix pattern: x", 26);
    refused(r#"{"a": [{"suffix": {"x": "y"}}]}"#, "Unsupported suffix pattern: x", 26);
    let not_text = "equals-ignore-case match pattern must be a string";
    refused(r#"{"detail-type": [{"equals-ignore-case": ["ec2 instance state-change notification"]}]}"#, not_text, 42);
    refused(r#"{"detail-type": [{"equals-ignore-case": {"prefix": "ec2"}}]}"#, not_text, 42);
    refused(r#"{"EventBusArn": [{"wildcard": 123}]}"#, "wildcard match pattern must be a string", 34);
    refused(r#"{"EventBusArn": [{"wildcard": ["arn:*"]}]}"#, "wildcard match pattern must be a string", 32);
    refused(r#"{"a": [{"wildcard": "ab**"}]}"#, "Consecutive wildcard characters at pos 3", 27);
    refused_nowhere(
        r#"{"EventBusArn": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}"#,
        "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a \
         wildcard character",
    );
    let error = Pattern::compile(r#"{"a": [{"wildcard": "a\\b"}]}"#).expect_err("an escape").to_string();
    assert!(error.starts_with("Invalid escape character at pos 2\n at [Source"), "{error}");
    refused(r#"{"a": [{"exists": "true"}]}"#, "exists match pattern must be either true or false.", 20);
}

#[test]
fn numeric_errors() {
    refused(r#"{"a": [{"numeric": 5}]}"#, "Value of numeric must be an array.", 21);
    refused(r#"{"a": [{"numeric": [5]}]}"#, "Invalid member in numeric match: 5", 22);
    refused(r#"{"a": [{"numeric": ["!", 5]}]}"#, "Unrecognized numeric range operator: !", 27);
    refused(r#"{"a": [{"numeric": ["=", "5"]}]}"#, "Value of equals must be numeric", 27);
    refused(r#"{"a": [{"numeric": [">", null]}]}"#, "Value of > must be numeric", 30);
    refused(r#"{"a": [{"numeric": ["<=", true]}]}"#, "Value of <= must be numeric", 31);
    refused(r#"{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}"#, "Bad numeric range operator: >", 49);
    refused(r#"{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}"#, "Value of < must be numeric", 50);
    refused(r#"{"a": [{"numeric": [">", 0, 5]}]}"#, "Bad value in numeric range: 5", 30);
    refused(r#"{"a": [{"numeric": ["<", 5, ">", 0]}]}"#, "Too many elements in numeric expression", 30);
    refused(r#"{"a": [{"numeric": [">", 0, "<", 5, 6]}]}"#, "Too many terms in numeric range expression", 38);
    refused(r#"{"a": [{"numeric": [">", 5, "<", 3]}]}"#, "Bottom must be less than top", 36);
    refused(r#"{"a": [{"numeric": ["=", 9007199254740993]}]}"#, "Cannot compare number : 9007199254740993", 43);
}

#[test]
fn anything_but_errors() {
    let not_text = "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.";
    refused(r#"{"detail": {"state": [{"anything-but": {"equals-ignore-case": 123}}]}}"#, not_text, 66);
    refused_twice(r#"{"detail": {"state": [{"anything-but": {"equals-ignore-case": [123, 456]}}]}}"#, not_text, 67);
    let not_text = "wildcard match pattern must be a string";
    refused(r#"{"detail": {"FilePath": [{"anything-but": {"wildcard": 123}}]}}"#, not_text, 59);
    refused_twice(r#"{"detail": {"state": [{"anything-but": {"wildcard": [123, "*/dir/*"]}}]}}"#, not_text, 57);
    let not_text = "prefix/suffix match pattern must be a string";
    refused(r#"{"detail": {"state": [{"anything-but": {"prefix": 123}}]}}"#, not_text, 54);
    refused_twice(r#"{"detail": {"state": [{"anything-but": {"prefix": [123, "test"]}}]}}"#, not_text, 55);
    refused(r#"{"detail": {"FileName": [{"anything-but": {"suffix": 123}}]}}"#, not_text, 57);
    refused_twice(r#"{"detail": {"FileName": [{"anything-but": {"suffix": [123, ".txt"]}}]}}"#, not_text, 58);
    let not_allowed = "Value of anything-but must be an array or single string/number value.";
    let nested = r#"{"detail": {"FileName": [{"anything-but": {"prefix": {"equals-ignore-case": "file"}}}]}}"#;
    refused(nested, not_allowed, 55);
    let nested = r#"{"detail": {"FileName": [{"anything-but": {"suffix": {"equals-ignore-case": ".png"}}}]}}"#;
    refused(nested, not_allowed, 55);
    refused(r#"{"a": [{"anything-but": null}]}"#, not_allowed, 29);
    refused(r#"{"a": [{"anything-but": {"prefix": ""}}]}"#, "Null prefix/suffix not allowed", 38);
    refused_twice(r#"{"a": [{"anything-but": {"suffix": [""]}}]}"#, "Null prefix/suffix not allowed", 39);
    refused(r#"{"a": [{"anything-but": {"numeric": ["=", 1]}}]}"#, "Unsupported anything-but pattern: numeric", 38);
    refused_twice(
        r#"{"a": [{"anything-but": ["x", null]}]}"#,
        "Inside anything but list, start|null|boolean is not supported.",
        35,
    );
    let mixed = "Inside anything but list, either all values are number or string, mixed type is not supported";
    refused(r#"{"a": [{"anything-but": ["x", 1]}]}"#, mixed, 33);
    refused(r#"{"a": [{"anything-but": []}]}"#, mixed, 27);
}

#[test]
fn cidr_errors_have_no_position() {
    refused_nowhere(r#"{"a": [{"cidr": "bad-filter"}]}"#, "Malformed CIDR, one '/' required");
    refused_nowhere(r#"{"a": [{"cidr": "xx.11.xx/8"}]}"#, "Nonstandard IP address: xx.11.xx");
    refused_nowhere(r#"{"a": [{"cidr": "xxxx:db8:1234:1a00::/64"}]}"#, "Nonstandard IP address: xxxx:db8:1234:1a00::");
    refused_nowhere(r#"{"a": [{"cidr": "10.0.0.0/xx"}]}"#, "Malformed CIDR, mask bits must be an integer");
    let not_text = "prefix match pattern must be a string";
    refused(r#"{"detail": {"sourceIPAddress": [{"cidr": ["bad-type"]}]}}"#, not_text, 43);
}

#[test]
fn or_errors() {
    refused(r#"{"$or": {"a": ["x"]}}"#, "It must be an Array followed with $or.", 10);
    refused(r#"{"$or": [{"a": ["x"]}]}"#, "There must have at least 2 Objects in $or relationship.", 23);
    refused(r#"{"$or": ["x", "y"]}"#, "Only JSON object is allowed in array of $or relationship.", 11);
    let reserved = "prefix is Ruler reserved fieldName which cannot be used inside $or.";
    refused(r#"{"$or": [{"prefix": ["x"]}, {"b": ["y"]}]}"#, reserved, 22);
    let wide: Vec<_> = (0..11).map(|n| format!(r#"{{"f{n}":[1]}}"#)).collect();
    let wide = wide.join(",");
    let pattern = format!(r#"{{"$or":[{wide}],"b":{{"$or":[{wide}]}},"c":{{"$or":[{wide}]}}}}"#);
    assert_eq!(Pattern::compile(&pattern).expect_err("1,331 forks"), PatternError::TooManyForks);
}

#[test]
fn json_errors_are_jacksons() {
    let values = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
    let unknown = |word: &str| format!("Unrecognized token '{word}': was expecting {values}");
    refused("this is valid json but not a dict", &unknown("this"), 5);
    refused("{\"not\": closed mark\"", &unknown("closed"), 15);
    let no_name = "Unexpected character (''' (code 39)): was expecting double-quote to start field name";
    refused("{'bad': 'quotation'}", no_name, 2);
}

#[test]
fn no_depth_overflows() {
    for open in [r#"{"a":"#, r#"{"$or":["#, "[", r#"{"a":[{"anything-but":{"prefix":["#] {
        assert!(Pattern::compile(&open.repeat(100_000)).is_err());
    }
    let deep = format!("{}{}{}", r#"{"a":"#.repeat(999), r#"["x"]"#, "}".repeat(999));
    let event = deep.replace(r#"["x"]"#, r#""x""#);
    check(&deep, &event, true);
    let many: Vec<_> = (0..5_000).map(|n| format!(r#""f{n}":[1]"#)).collect();
    check(&format!("{{{}}}", many.join(",")), "{}", false);
}

#[test]
fn the_closest_mismatch_is_told() {
    let told = |pattern: &str, event: &str| {
        let pattern = Pattern::compile(pattern).expect("a pattern");
        let index = Index::new([&pattern]);
        let event = Event::read(event, &index).expect("an event");
        let Mismatch { field, reason } = index.mismatch(0, &event).expect("no match");
        format!("{field} {reason}")
    };
    assert_eq!(told(r#"{"source":["x"],"b":["y"]}"#, r#"{"source":"z"}"#), r#"source is "z"; wanted "x""#);
    assert_eq!(told(r#"{"a":{"b":["y"]}}"#, "{}"), r#"a.b is not there; wanted "y""#);
    assert_eq!(told(r#"{"a":[{"exists":false}]}"#, r#"{"a":5}"#), "a is 5; wanted no value");
    assert_eq!(
        told(r#"{"accessToken":["y"]}"#, r#"{"accessToken":"s3cret"}"#),
        "accessToken is not what the pattern wants"
    );
    assert_eq!(
        told(r#"{"a":{"b":[1],"c":[2]}}"#, r#"{"a":[{"b":1},{"c":2}]}"#),
        "a.b, a.c no single element of an array matches all of these"
    );
}

#[test]
fn an_index_finds_what_each_pattern_alone_finds() {
    let patterns: Vec<Pattern> = (0..300)
        .map(|n| match n % 3 {
            0 => format!(r#"{{"source":["s{}"],"detail":{{"n":[{}]}}}}"#, n % 7, n % 5),
            1 => format!(r#"{{"detail":{{"t":[{{"prefix":"p{}"}}]}}}}"#, n % 11),
            _ => format!(r#"{{"detail":{{"x{n}":[{{"exists":false}}],"n":[{}]}}}}"#, n % 4),
        })
        .map(|text| Pattern::compile(&text).expect("a pattern"))
        .collect();
    let index = Index::new(&patterns);
    for n in 0..40 {
        let event = format!(r#"{{"source":"s{}","detail":{{"n":{},"t":"p{n}","x{n}":1}}}}"#, n % 7, n % 5);
        let alone = |(_, pattern): &(usize, &Pattern)| pattern.matches(&event).expect("an event");
        let expected: Vec<_> = patterns.iter().enumerate().filter(alone).map(|(place, _)| place).collect();
        let read = Event::read(&event, &index).expect("an event");
        assert_eq!(index.matching(&read), expected, "{event}");
    }
}

#[test]
fn independent_arrays_do_not_multiply() {
    let objects = |name: &str| {
        let all: Vec<_> = (0..200).map(|_| format!(r#"{{"{name}":1}}"#)).collect();
        format!(r#""{name}s":[{}]"#, all.join(","))
    };
    let rest = r#""zs":[{"p":1},{"q":1}]"#;
    let event = format!("{{{},{},{},{},{rest}}}", objects("a"), objects("b"), objects("c"), objects("d"));
    let pattern = r#"{"as":{"a":[1]},"bs":{"b":[1]},"cs":{"c":[1]},"ds":{"d":[1]},"zs":{"p":[1],"q":[1]}}"#;
    check(pattern, &event, false);
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[abc]", 1 => "[ab]\\.[ab]"]
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        (0..3_i64).prop_map(|n| json!(f64::from(u8::try_from(n).unwrap_or(0)))),
        "[xyX]{0,2}".prop_map(Value::from),
    ]
}

fn events() -> impl Strategy<Value = Value> {
    let value = scalars().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names(), inner, 0..4)
                .prop_map(|map| Value::from(serde_json::Map::from_iter(map))),
        ]
    });
    prop::collection::btree_map(names(), value, 0..4).prop_map(|map| Value::from(serde_json::Map::from_iter(map)))
}

fn matchers() -> impl Strategy<Value = Value> {
    let text = || "[xyX]{1,2}";
    prop_oneof![
        4 => scalars(),
        1 => any::<bool>().prop_map(|exists| json!({ "exists": exists })),
        1 => text().prop_map(|text| json!({ "prefix": text })),
        1 => text().prop_map(|text| json!({ "suffix": text })),
        1 => text().prop_map(|text| json!({ "equals-ignore-case": text })),
        1 => (0..3_i64).prop_map(|n| json!({ "numeric": [">", n] })),
        1 => text().prop_map(|text| json!({ "anything-but": text })),
        1 => (0..3_i64).prop_map(|n| json!({ "anything-but": [n] })),
        1 => text().prop_map(|text| json!({ "anything-but": { "prefix": text } })),
    ]
}

fn patterns() -> impl Strategy<Value = Value> {
    let field = prop::collection::vec(matchers(), 1..3).prop_map(Value::from).boxed();
    let object = |value: BoxedStrategy<Value>| {
        prop::collection::btree_map(names(), value, 1..4).prop_map(|map| Value::from(serde_json::Map::from_iter(map)))
    };
    let inner = object(field.clone()).boxed();
    let either = prop::collection::vec(inner.clone(), 2..4).prop_map(Value::from);
    let value = prop_oneof![3 => field, 2 => inner].boxed();
    (object(value), prop::option::weighted(0.3, either)).prop_map(|(mut pattern, either)| {
        if let Some(either) = either {
            pattern["$or"] = either;
        }
        pattern
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn agrees_with_the_reference(pattern in patterns(), event in events()) {
        let compiled = Pattern::compile(&pattern.to_string()).expect("a pattern");
        let found = compiled.matches(&event.to_string()).expect("an event");
        prop_assert_eq!(found, reference::matches(&pattern, &event), "{} on {}", pattern, event);
    }

    #[test]
    fn an_index_agrees_with_the_reference(all in prop::collection::vec(patterns(), 1..6), event in events()) {
        let compiled: Vec<_> =
            all.iter().map(|pattern| Pattern::compile(&pattern.to_string()).expect("a pattern")).collect();
        let index = Index::new(&compiled);
        let text = event.to_string();
        let found = index.matching(&Event::read(&text, &index).expect("an event"));
        let expected: Vec<_> =
            all.iter().enumerate().filter(|(_, p)| reference::matches(p, &event)).map(|(place, _)| place).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn never_panics(text in any::<String>(), broken in "[{}\\[\\]\":, a$or<>=0-9prefixanything\\-but.*]{0,60}") {
        let _ = Pattern::compile(&text);
        let _ = Pattern::compile(&broken);
        let _ = Pattern::compile(&format!("{{\"a\":[{{{broken}"));
    }
}
