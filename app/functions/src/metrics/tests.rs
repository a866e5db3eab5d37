use super::*;

const NOW_MILLIS: i64 = 1_767_225_600_123;

/// The schema of the embedded metric format, as its specification prints it.
fn schema() -> Value {
    let text = |max: u32| json!({"type": "string", "minLength": 1, "maxLength": max});
    let units = "^(Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|\
                 Megabits|Gigabits|Terabits|Percent|Count|Bytes/Second|Kilobytes/Second|Megabytes/Second|\
                 Gigabytes/Second|Terabytes/Second|Bits/Second|Kilobits/Second|Megabits/Second|Gigabits/Second|\
                 Terabits/Second|Count/Second|None)$";
    let metric = json!({
        "type": "object",
        "required": ["Name"],
        "properties": {
            "Name": text(1024),
            "Unit": {"type": "string", "pattern": units},
            "StorageResolution": {"enum": [1, 60]},
        },
    });
    let directive = json!({
        "type": "object",
        "required": ["Namespace", "Dimensions", "Metrics"],
        "properties": {
            "Namespace": text(1024),
            "Dimensions": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "array", "minItems": 1, "maxItems": 30, "items": text(250)},
            },
            "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": metric},
        },
    });
    json!({
        "type": "object",
        "required": ["_aws"],
        "properties": {
            "_aws": {
                "type": "object",
                "required": ["Timestamp", "CloudWatchMetrics"],
                "properties": {
                    "Timestamp": {"type": "integer", "minimum": 0},
                    "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": directive},
                },
            },
        },
    })
}

/// What the schema cannot say: every name points at a member of the root, of the right kind.
#[track_caller]
fn check(line: &Value) {
    let validator = jsonschema::draft202012::new(&schema()).expect("a schema is a schema");
    assert!(validator.is_valid(line), "{line}");
    assert!(!line.to_string().contains('\n'), "it is one line");
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().expect("directives") {
        for dimension in
            directive["Dimensions"].as_array().expect("sets").iter().flat_map(|set| set.as_array().expect("a set"))
        {
            let value = &line[dimension.as_str().expect("a name")];
            assert!(value.as_str().is_some_and(|value| (1..=1024).contains(&value.len())), "{dimension}: {value}");
        }
        let mut names = std::collections::BTreeSet::new();
        for metric in directive["Metrics"].as_array().expect("metrics") {
            let name = metric["Name"].as_str().expect("a name");
            assert!(names.insert(name), "{name} is there once");
            let values = match &line[name] {
                Value::Array(values) => values.clone(),
                value => vec![value.clone()],
            };
            assert!(
                (1..=VALUES_MAX).contains(&values.len()) && values.iter().all(Value::is_number),
                "{name}: {values:?}"
            );
        }
    }
}

fn metrics() -> Metrics {
    Metrics { namespace: Some("Tandem".into()), function: "create-profile".into() }
}

fn line(counted: &Counted) -> Value {
    metrics().line(counted, Timestamp::from_millis(NOW_MILLIS)).expect("a line")
}

#[tokio::test]
async fn an_invocation_is_one_line_that_the_format_allows() {
    let ((), counted) = collect(async {
        count(Metric::Created);
        count(Metric::Created);
        age(Timestamp::from_millis(NOW_MILLIS - 40), Timestamp::from_millis(NOW_MILLIS));
    })
    .await;
    let line = line(&counted);
    check(&line);
    let expected = json!({
        "_aws": {
            "Timestamp": NOW_MILLIS,
            "CloudWatchMetrics": [{
                "Namespace": "Tandem",
                "Dimensions": [["Function"]],
                "Metrics": [{"Name": "Created", "Unit": "Count"}, {"Name": "Age", "Unit": "Milliseconds"}],
            }],
        },
        "Function": "create-profile",
        "Created": 2,
        "Age": 40,
    });
    assert_eq!(line, expected);
}

#[test]
fn every_metric_is_allowed_and_in_the_table() {
    let all = [
        Metric::Created,
        Metric::Updated,
        Metric::Deleted,
        Metric::Duplicate,
        Metric::Stale,
        Metric::Tombstoned,
        Metric::Conflict,
        Metric::Age,
        Metric::Published,
        Metric::NotPublished,
        Metric::Unchanged,
        Metric::WithoutUser,
        Metric::Welcomed,
        Metric::NotWelcomed,
        Metric::Failed,
    ];
    let mut counted = Counted::default();
    for metric in all {
        counted.count(metric);
        let row = format!("//! | `{}` | {} |", metric.name(), metric.unit());
        assert!(include_str!("../metrics.rs").contains(&row), "{row}");
    }
    check(&line(&counted));
}

#[test]
fn more_values_than_the_format_takes_are_left_out() {
    let mut counted = Counted::default();
    for value in 0..250 {
        counted.add(Metric::Age, value);
    }
    check(&line(&counted));
}

#[tokio::test]
async fn news_from_the_future_is_new() {
    let ((), counted) = collect(async { age(Timestamp::from_millis(5), Timestamp::from_millis(1)) }).await;
    assert_eq!(line(&counted)["Age"], 0);
}

#[test]
fn what_counted_nothing_says_nothing() {
    assert!(metrics().line(&Counted::default(), Timestamp::from_millis(0)).is_none());
}

#[test]
fn what_is_off_says_nothing() {
    let mut counted = Counted::default();
    counted.count(Metric::Failed);
    let metrics = Metrics { namespace: namespace(Some("off"), None).expect("valid"), function: "f".into() };
    assert!(metrics.line(&counted, Timestamp::from_millis(0)).is_none());
}

#[test]
fn outside_of_an_invocation_nobody_listens() {
    count(Metric::Failed);
}

#[track_caller]
fn refused(metrics: Option<&str>, name: Option<&str>, words: &str) {
    let refused = namespace(metrics, name.map(ToOwned::to_owned)).expect_err("it is refused");
    assert_eq!(refused.to_string(), words);
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    refused(Some("on"), None, "the environment variable METRICS is \"on\": it must be emf or off");
    let words = "it must be at most 255 letters, digits and . - _ / # : and must not begin with AWS/";
    refused(
        None,
        Some("AWS/Lambda"),
        &format!("the environment variable METRICS_NAMESPACE is \"AWS/Lambda\": {words}"),
    );
    refused(None, Some("a b"), &format!("the environment variable METRICS_NAMESPACE is \"a b\": {words}"));
}

#[test]
fn the_namespace_is_ours_unless_said() {
    assert_eq!(namespace(None, None).expect("valid").as_deref(), Some("Tandem"));
    assert_eq!(namespace(Some("emf"), Some("Shop/Users".into())).expect("valid").as_deref(), Some("Shop/Users"));
}
