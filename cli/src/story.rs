//! The story of one user as lines for people.

use serde_json::Value;

/// One line per moment: the time since the first, how it went, what it was, how long it took, and what there is
/// to say about it.
pub fn lines(timeline: &Value) -> Vec<String> {
    let moments = timeline.get("moments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let start = moments.first().and_then(millis);
    moments.iter().map(|moment| line(moment, start)).collect()
}

fn line(moment: &Value, start: Option<i64>) -> String {
    let text = |name: &str| moment.get(name).and_then(Value::as_str).unwrap_or_default();
    let since = millis(moment).zip(start).map_or(0, |(at, start)| at - start);
    let mark = match text("outcome") {
        "ok" => "✓",
        "skipped" => "–",
        "retrying" => "↻",
        _ => "✗",
    };
    let took = moment.get("durationUs").and_then(Value::as_u64).map(took).unwrap_or_default();
    let detail = text("detail");
    let detail = if detail.is_empty() { String::new() } else { format!("  {detail}") };
    format!("  {since:>6} ms  {mark} {:<10} {:<52} {took:>9}{detail}", text("kind"), text("what")).trim_end().to_owned()
}

fn took(us: u64) -> String {
    format!("{}.{} ms", us / 1000, us % 1000 / 100)
}

/// Milliseconds of the day: stories are short.
fn millis(moment: &Value) -> Option<i64> {
    let at = moment.get("at")?.as_str()?;
    let time = at.split_once('T')?.1.trim_end_matches('Z');
    let mut parts = time.split(&[':', '.'][..]).map(str::parse::<i64>);
    let mut next = || parts.next()?.ok();
    let (hours, minutes, seconds, millis) = (next()?, next()?, next()?, next()?);
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_moment_is_a_line() {
        let moments = json!({"moments": [
            {"at": "2026-01-01T00:00:00.000Z", "kind": "api-call", "outcome": "ok", "what": "SignUp", "durationUs": 1234},
            {"at": "2026-01-01T00:00:00.250Z", "kind": "rule", "outcome": "skipped", "what": "welcome", "detail": "source"},
        ]});
        let lines = lines(&moments);
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>(),
            ["0", "ms", "✓", "api-call", "SignUp", "1.2", "ms"]
        );
        assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["250", "ms", "–", "rule", "welcome", "source"]);
    }
}
