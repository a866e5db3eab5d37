//! Log events that name a user.

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use serde::Serialize;
use tandem_pool::reason;

use crate::error::Error;

/// So many log events are looked at per group: enough to say that there are any, and where.
const EVENTS_MAX: usize = 10_000;

/// Log groups in which to look.
#[derive(Clone, Debug)]
pub struct Logs {
    client: Client,
    groups: Vec<String>,
}

/// A stream with events that name the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogStream {
    /// Its group.
    pub group: String,
    /// The stream.
    pub stream: String,
    /// How many of its events do.
    pub events: usize,
    /// After how many days the group forgets; `None` for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<i32>,
}

impl Logs {
    /// In these groups.
    pub fn new(client: Client, groups: Vec<String>) -> Self {
        Self { client, groups }
    }

    /// The streams with events in which one of the words is.
    pub(crate) async fn naming(&self, words: &[String]) -> Result<Vec<LogStream>, Error> {
        let mut streams = Vec::new();
        for group in &self.groups {
            let mut events: BTreeMap<String, usize> = BTreeMap::new();
            for word in words {
                self.count(group, word, &mut events).await?;
            }
            if events.is_empty() {
                continue;
            }
            let retention_days = self.retention(group).await?;
            streams.extend(events.into_iter().map(|(stream, events)| LogStream {
                group: group.clone(),
                stream,
                events,
                retention_days,
            }));
        }
        Ok(streams)
    }

    async fn count(&self, group: &str, word: &str, events: &mut BTreeMap<String, usize>) -> Result<(), Error> {
        // In quotation marks a pattern is a phrase, whatever is in it.
        let pattern = format!("\"{}\"", word.replace('"', "\\\""));
        let (mut next, mut seen) = (None, 0);
        loop {
            let request = self.client.filter_log_events().log_group_name(group).filter_pattern(&pattern);
            let answer = match request.set_next_token(next).send().await {
                Ok(answer) => answer,
                // A function that was never called has no group.
                Err(error) if is_absent(&error) => return Ok(()),
                Err(error) => {
                    let reason = reason(&error);
                    return Err(Error::Failed { operation: "FilterLogEvents", place: group.to_owned(), reason });
                }
            };
            for event in answer.events.unwrap_or_default() {
                seen += 1;
                *events.entry(event.log_stream_name.unwrap_or_default()).or_default() += 1;
            }
            next = answer.next_token;
            if next.is_none() || seen >= EVENTS_MAX {
                return Ok(());
            }
        }
    }

    async fn retention(&self, group: &str) -> Result<Option<i32>, Error> {
        let answer = self.client.describe_log_groups().log_group_name_prefix(group).send().await;
        let answer = answer.map_err(|error| Error::Failed {
            operation: "DescribeLogGroups",
            place: group.to_owned(),
            reason: reason(&error),
        })?;
        let groups = answer.log_groups.unwrap_or_default();
        let named = groups.into_iter().find(|found| found.log_group_name.as_deref() == Some(group));
        Ok(named.and_then(|group| group.retention_in_days))
    }

    /// Removes a stream with all that is in it.
    pub(crate) async fn delete(&self, stream: &LogStream) -> Result<(), Error> {
        let request = self.client.delete_log_stream().log_group_name(&stream.group).log_stream_name(&stream.stream);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(Error::Failed {
                operation: "DeleteLogStream",
                place: format!("{} {}", stream.group, stream.stream),
                reason: reason(&error),
            }),
        }
    }
}

fn is_absent<E: ProvideErrorMetadata, R>(error: &aws_sdk_cloudwatchlogs::error::SdkError<E, R>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("ResourceNotFoundException")
}
