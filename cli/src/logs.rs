//! `tandem logs`: what functions printed, by the API of CloudWatch Logs.

mod line;
mod source;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, bail};
use http::Method;
use serde_json::{Value, json};

use crate::api::{Api, query_value};
use crate::arguments;
use line::Look;
pub use line::{colour_of, is_error};
use source::{Event, Source};

/// Between two looks of `--follow`.
const FOLLOW_EVERY: Duration = Duration::from_millis(300);
/// How far `--follow` looks back: events of several functions are not stored in the order of their times.
const LOOK_BACK_MS: i64 = 2000;
/// Names in a message.
const NAMED_MAX: usize = 10;

/// Prints what was asked for; false if there was nothing. `--follow` ends when it is interrupted.
pub fn run(arguments: &arguments::Logs) -> anyhow::Result<bool> {
    let since_ms = since(&arguments.since)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let printed = runtime.block_on(async {
        tokio::select! {
            printed = print(arguments, since_ms) => printed,
            interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| true).context("no interrupt can be heard"),
        }
    });
    match printed {
        // Whoever reads has seen enough: `tandem logs | head`.
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) => {
            Ok(true)
        }
        printed => printed,
    }
}

async fn print(arguments: &arguments::Logs, since_ms: i64) -> anyhow::Result<bool> {
    let api = Api::new(&arguments.endpoint_url)?;
    let groups = groups(&api, arguments).await?;
    let start = now_ms(&api).await?.saturating_sub(since_ms);
    let look = Look {
        json: arguments.json,
        colours: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        named: arguments.function.is_none(),
    };
    let mut seen = Seen::default();
    let mut sources = sources(groups, arguments, start);
    while let Some(event) = source::next(&api, &mut sources).await? {
        seen.add(&event);
        put(look, &event)?;
    }
    if !arguments.follow {
        return Ok(seen.any);
    }
    let mut from = start;
    loop {
        io::stdout().flush()?;
        tokio::time::sleep(FOLLOW_EVERY).await;
        from = from.max(seen.last_at.saturating_sub(LOOK_BACK_MS));
        seen.forget_before(from);
        let groups = self::groups(&api, arguments).await?; // functions come and go
        let mut sources = self::sources(groups, arguments, from);
        while let Some(event) = source::next(&api, &mut sources).await? {
            if seen.add(&event) {
                put(look, &event)?;
            }
        }
    }
}

fn put(look: Look, event: &Event) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(look.line(event).as_bytes())?;
    Ok(out.write_all(b"\n")?)
}

fn sources(groups: BTreeMap<String, String>, arguments: &arguments::Logs, from: i64) -> Vec<Source> {
    let filter = arguments.filter.clone().unwrap_or_default();
    groups.into_iter().map(|(group, function)| Source::new(group, function, from, filter.clone())).collect()
}

/// What was printed already: its ids, as far back as we look again.
#[derive(Default)]
struct Seen {
    ids: HashMap<String, i64>,
    last_at: i64,
    any: bool,
}

impl Seen {
    /// False if it was there.
    fn add(&mut self, event: &Event) -> bool {
        self.any = true;
        self.last_at = self.last_at.max(event.timestamp);
        self.forget_before_once_large();
        self.ids.insert(event.event_id.clone(), event.timestamp).is_none()
    }

    fn forget_before(&mut self, at: i64) {
        self.ids.retain(|_, timestamp| *timestamp >= at);
    }

    /// The first look may go far back; nothing of that is looked at again.
    fn forget_before_once_large(&mut self) {
        if self.ids.len() >= 20_000 && self.ids.len().is_multiple_of(20_000) {
            self.forget_before(self.last_at.saturating_sub(LOOK_BACK_MS));
        }
    }
}

/// The log groups that are asked for, and whose they are.
async fn groups(api: &Api, arguments: &arguments::Logs) -> anyhow::Result<BTreeMap<String, String>> {
    let there = log_groups(api).await?;
    let functions = functions(api).await?;
    let Some(asked) = &arguments.function else {
        let mut groups = BTreeMap::new();
        for group in there {
            let of = functions.iter().find(|(_, of)| **of == group).map(|(name, _)| name.clone());
            // Those of functions that are gone are still of interest.
            let of = of.or_else(|| group.strip_prefix("/aws/lambda/").map(str::to_owned));
            if let Some(function) = of {
                groups.insert(group, function);
            }
        }
        return Ok(groups);
    };
    let own = functions.get(asked).cloned();
    let is_known = own.is_some();
    let candidates = [own, Some(format!("/aws/lambda/{asked}")), Some(asked.clone())];
    let found = candidates.into_iter().flatten().find(|group| there.contains(group));
    match found {
        Some(group) => Ok(BTreeMap::from([(group, asked.clone())])),
        None if is_known => Ok(BTreeMap::new()), // it has not printed anything yet
        None => {
            let more = functions.len().saturating_sub(NAMED_MAX);
            let known: Vec<&str> = functions.keys().map(String::as_str).take(NAMED_MAX).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let known = if more > 0 { format!("{known} and {more} more") } else { known };
            bail!("there is no function and no log group {asked}; functions are: {known}")
        }
    }
}

async fn log_groups(api: &Api) -> anyhow::Result<BTreeSet<String>> {
    let (mut groups, mut token) = (BTreeSet::new(), Value::Null);
    loop {
        let answer = api.call("Logs_20140328.DescribeLogGroups", &json!({ "nextToken": token })).await?;
        let page = answer.get("logGroups").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        groups.extend(page.iter().filter_map(|group| group.get("logGroupName")?.as_str().map(str::to_owned)));
        match answer.get("nextToken") {
            Some(next) => token = next.clone(),
            None => return Ok(groups),
        }
    }
}

/// All functions and their log groups.
async fn functions(api: &Api) -> anyhow::Result<BTreeMap<String, String>> {
    let (mut functions, mut marker) = (BTreeMap::new(), String::new());
    loop {
        let more = if marker.is_empty() { String::new() } else { format!("?Marker={}", query_value(&marker)) };
        let answer = api.inside(Method::GET, &format!("/2015-03-31/functions/{more}")).await?;
        let page = answer.get("Functions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        functions.extend(page.iter().filter_map(|function| {
            let name = function.get("FunctionName")?.as_str()?;
            let group = function.pointer("/LoggingConfig/LogGroup")?.as_str()?;
            Some((name.to_owned(), group.to_owned()))
        }));
        match answer.get("NextMarker").and_then(Value::as_str) {
            Some(next) if !next.is_empty() => next.clone_into(&mut marker),
            _ => return Ok(functions),
        }
    }
}

/// The server's time, which may be ahead of ours.
async fn now_ms(api: &Api) -> anyhow::Result<i64> {
    let health = api.inside(Method::GET, "/_tandem/health").await?;
    let now = health.get("now").and_then(Value::as_str).context("the server does not tell its time")?;
    let now: jiff::Timestamp = now.parse().context("the server's time is none")?;
    Ok(now.as_millisecond())
}

/// `30s`, `10m`, `2h`, `1d` in milliseconds.
fn since(text: &str) -> anyhow::Result<i64> {
    let units = [('s', 1000), ('m', 60_000), ('h', 3_600_000), ('d', 86_400_000)];
    let millis = units.into_iter().find_map(|(unit, millis)| {
        let count = text.strip_suffix(unit)?;
        let count = count.bytes().all(|byte| byte.is_ascii_digit()).then(|| count.parse::<i64>().ok())??;
        count.checked_mul(millis)
    });
    millis.with_context(|| format!("--since takes a time like 30s, 10m, 2h or 1d, not {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_takes_four_units() {
        let millis = |text: &str| since(text).ok();
        assert_eq!(
            [millis("30s"), millis("10m"), millis("2h"), millis("1d")],
            [Some(30_000), Some(600_000), Some(7_200_000), Some(86_400_000)]
        );
        for none in ["", "10", "m", "-1m", "1.5h", "9999999999999999999d", "999999999999999d", "10 m"] {
            assert_eq!(millis(none), None, "{none}");
        }
    }

    #[test]
    fn an_event_is_seen_once() {
        let mut seen = Seen::default();
        let event = |id: &str, timestamp| Event { event_id: id.into(), timestamp, ..Event::default() };
        assert!(seen.add(&event("1", 5)));
        assert!(!seen.add(&event("1", 5)));
        seen.forget_before(6);
        assert!(seen.add(&event("1", 5)) && seen.any && seen.last_at == 5);
    }
}
