//! Archives: which events of a bus are kept, for how long, and what is kept of them.
//!
//! Not here: playing them again (`replay`), and the SQL (`store`).

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use world::{Place, Timestamp};

use crate::document::Document;
use crate::error::Error;
use crate::pattern::{Event, Index, Pattern};
use crate::room::EventBus;
use crate::store;

/// Archives are always on: making one takes no time here.
pub const ENABLED: &str = "ENABLED";
/// An archive's states.
pub const STATES: &[&str] = &["ENABLED", "DISABLED", "CREATING", "UPDATING", "CREATE_FAILED", "UPDATE_FAILED"];

const DAY: Duration = Duration::from_hours(24);

/// An archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Archive {
    /// Chosen by the caller.
    pub name: String,
    /// The bus that it keeps events of.
    pub bus: String,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// Which events; all without one.
    #[serde(default)]
    pub pattern: Option<String>,
    /// 0 keeps them for ever.
    #[serde(default)]
    pub retention_days: i64,
    /// Kept and given back; nothing is encrypted here.
    #[serde(default)]
    pub kms_key_identifier: Option<String>,
    /// When it was made.
    pub created_at_ms: i64,
    /// The pattern, ready to be tested.
    #[serde(skip)]
    index: Option<Arc<Index>>,
}

/// An event to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The archive.
    pub archive: String,
    /// Of the event: the same one is kept once.
    pub event_id: String,
    /// When it happened, by its own account: what replays select by.
    pub time: Timestamp,
    /// When it came: what retention counts from.
    pub ingested_at: Timestamp,
    /// The whole event.
    pub event: String,
}

/// What an archive holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Events.
    pub count: i64,
    /// Their bytes.
    pub bytes: i64,
}

impl Document for Archive {
    const KIND: &'static str = "archive";

    fn name(&self) -> &str {
        &self.name
    }

    fn loaded(mut self) -> Self {
        // A stored pattern was compiled before it was stored; one that no longer is keeps everything.
        let compiled = self.pattern.as_deref().map(Pattern::compile);
        self.index = match compiled {
            Some(Ok(pattern)) => Some(Arc::new(Index::new([&pattern]))),
            Some(Err(error)) => {
                tracing::error!(archive = self.name, %error, "the stored pattern of an archive is none");
                None
            }
            None => None,
        };
        self
    }
}

impl Archive {
    /// An archive of a bus.
    pub fn new(name: String, bus: String, now: Timestamp) -> Self {
        Self {
            name,
            bus,
            description: None,
            pattern: None,
            retention_days: 0,
            kms_key_identifier: None,
            created_at_ms: now.millis(),
            index: None,
        }
    }

    /// Its ARN.
    pub fn arn(&self, place: &Place) -> String {
        place.arn("events", &format!("archive/{}", self.name))
    }

    /// Whether it keeps an event.
    pub fn takes(&self, event: &str) -> bool {
        let Some(index) = &self.index else { return true };
        Event::read(event, index).is_ok_and(|event| !index.matching(&event).is_empty())
    }

    /// What came before this is not kept any more.
    pub fn cutoff(&self, now: Timestamp) -> Timestamp {
        let days = u32::try_from(self.retention_days).unwrap_or(0);
        if days == 0 {
            return Timestamp::from_millis(i64::MIN);
        }
        let kept_for = i64::try_from(DAY.saturating_mul(days).as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(now.millis().saturating_sub(kept_for))
    }
}

impl EventBus {
    /// Writes events into their archives.
    pub(crate) async fn keep(&self, kept: Vec<Kept>) -> Result<(), Error> {
        if kept.is_empty() {
            return Ok(());
        }
        self.shelf.database().write(move |connection| store::keep(connection, &kept)).await
    }

    /// What an archive holds now: what is older than its retention does not count, swept or not.
    pub(crate) async fn holdings(&self, archive: &Archive) -> Result<Holdings, Error> {
        let (name, cutoff) = (archive.name.clone(), archive.cutoff(self.world.clock.now()));
        self.shelf.database().read(move |connection| store::holdings(connection, &name, cutoff)).await
    }
}
