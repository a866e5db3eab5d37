//! An SQS queue: its name, its address, and what is known of it.

use std::collections::BTreeMap;

use world::{Place, Timestamp};

use crate::error::Error;
use crate::queue_attributes::QueueAttributes;

const NAME_CHARACTERS_MAX: usize = 80;

/// A queue as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    /// Its number in the file; never given again, so an old receipt handle fits no new queue.
    pub id: i64,
    pub name: String,
    pub attributes: QueueAttributes,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub purged: Option<Timestamp>,
}

/// How many messages a queue has, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub visible: i64,
    pub not_visible: i64,
    pub delayed: i64,
}

impl Queue {
    pub fn is_fifo(&self) -> bool {
        self.attributes.is_fifo()
    }

    pub fn arn(&self, place: &Place) -> String {
        place.arn("sqs", &self.name)
    }

    /// What was sent then or before has been kept for long enough.
    pub fn keeps_after(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_millis(now.millis() - self.attributes.retention_s() * 1000)
    }
}

/// Refuses what is no name of such a queue. The suffix of a FIFO queue's name counts.
pub(crate) fn check_name(name: &str, fifo: bool) -> Result<(), Error> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let stem = if fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let ok = |stem: &str| !stem.is_empty() && name.len() <= NAME_CHARACTERS_MAX && stem.bytes().all(fits);
    if stem.is_some_and(ok) { Ok(()) } else { Err(Error::queue_name(fifo)) }
}

/// The name in a queue's URL, at whatever host; of an account that is not ours there are no queues.
pub(crate) fn name_in_url(url: &str, place: &Place) -> Result<String, Error> {
    let invalid = || Error::InvalidAddress(url.to_owned());
    let (_, behind_scheme) = url.split_once("://").ok_or_else(invalid)?;
    let (_, path) = behind_scheme.split_once('/').ok_or_else(invalid)?;
    let mut segments = path.trim_end_matches('/').rsplit('/');
    match (segments.next(), segments.next()) {
        (Some(name), Some(account)) if account == place.account => Ok(name.to_owned()),
        (Some(_), Some(account)) if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(Error::QueueDoesNotExist)
        }
        _ => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn url(url: &str, expected: Result<&str, &str>) {
        let result = name_in_url(url, &Place::default()).map_err(|error| error.names().0);
        assert_eq!(result.as_deref(), expected.as_ref().map(|name| *name));
    }

    #[test]
    fn reads_addresses_at_any_host() {
        url("http://127.0.0.1:4566/000000000000/orders", Ok("orders"));
        url("https://sqs.us-east-1.amazonaws.com/000000000000/orders", Ok("orders"));
        url("http://localhost:4566/queue/us-east-1/000000000000/orders", Ok("orders"));
        url("http://localhost:4566/111122223333/orders", Err("QueueDoesNotExist"));
        url("http://localhost:4566/orders", Err("InvalidAddress"));
        url("orders", Err("InvalidAddress"));
    }

    #[test]
    fn checks_names() {
        assert!(check_name("Orders_2026-eu", false).is_ok());
        assert!(check_name("Orders_2026-eu.fifo", true).is_ok());
        for name in ["", "a b", "orders.fifo", "größe", &"x".repeat(81)] {
            assert!(check_name(name, false).is_err(), "{name}");
        }
        for name in ["orders", ".fifo", "a.b.fifo", "orders.fifo.", &format!("{}.fifo", "x".repeat(76))] {
            assert!(check_name(name, true).is_err(), "{name}");
        }
    }
}
