//! One log group, read page by page; several of them, in the order of their events' times.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::Api;

/// An event, as it is given out with `--json`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub struct Event {
    /// Not of the API's: whose group it is.
    #[serde(default)]
    pub function: String,
    #[serde(default)]
    pub log_group_name: String,
    pub log_stream_name: String,
    pub timestamp: i64,
    pub message: String,
    pub event_id: String,
}

/// What is left to be read of a group.
#[derive(Debug)]
pub struct Source {
    group: String,
    function: String,
    from: i64,
    filter: String,
    read: VecDeque<Event>,
    next: Next,
}

#[derive(Debug)]
enum Next {
    First,
    Page(String),
    End,
}

/// The earliest event of all.
pub async fn next(api: &Api, sources: &mut [Source]) -> anyhow::Result<Option<Event>> {
    for source in sources.iter_mut() {
        source.fill(api).await?;
    }
    let earliest = |source: &&mut Source| {
        let first = source.read.front();
        first.map_or((i64::MAX, String::new()), |event| (event.timestamp, event.event_id.clone()))
    };
    Ok(sources.iter_mut().min_by_key(earliest).and_then(|source| source.read.pop_front()))
}

impl Source {
    /// A group from a time on.
    pub fn new(group: String, function: String, from: i64, filter: String) -> Self {
        Self { group, function, from, filter, read: VecDeque::new(), next: Next::First }
    }

    /// Reads until there is something, or no more. A page may be empty and not the last.
    async fn fill(&mut self, api: &Api) -> anyhow::Result<()> {
        while self.read.is_empty() {
            let token = match &self.next {
                Next::First => Value::Null,
                Next::Page(token) => json!(token),
                Next::End => return Ok(()),
            };
            let ask = json!({
                "logGroupName": self.group,
                "startTime": self.from.max(0),
                "filterPattern": self.filter,
                "nextToken": token,
            });
            let answer = api.call("Logs_20140328.FilterLogEvents", &ask).await?;
            let token = answer.get("nextToken").and_then(Value::as_str);
            self.next = token.map_or(Next::End, |token| Next::Page(token.to_owned()));
            let events = answer.get("events").cloned().unwrap_or_default();
            for event in serde_json::from_value::<Vec<Event>>(events)? {
                let (function, log_group_name) = (self.function.clone(), self.group.clone());
                self.read.push_back(Event { function, log_group_name, ..event });
            }
        }
        Ok(())
    }
}
