//! Replays: events of an archive go through the rules of its bus again.
//!
//! A replay is worked off in steps. Each reads some events, queues what they become, and then notes how far it has
//! come; a step that dies in between is done again, so deliveries of a replay come at least once, as all do.
//! Events go in the order of their own times. They carry `replay-name`, and no archive keeps them again.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use world::{Place, Timestamp, TraceId};

use crate::background::AFTER_FAILURE;
use crate::document::Document;
use crate::envelope::{people, with_replay_name};
use crate::error::Error;
use crate::json::Reader;
use crate::json_path::JsonPath;
use crate::room::EventBus;
use crate::routing::{Accepted, Routed};
use crate::store;

/// Events of one step.
pub const EVENTS_PER_STEP_MAX: usize = 100;
/// Bytes of one step, but for its last event.
pub const BYTES_PER_STEP_MAX: usize = 1024 * 1024;
/// Replays of an account that have not ended.
pub const ACTIVE_MAX: usize = 10;

/// Where a replay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Asked for.
    Starting,
    /// Some events were replayed, or looked for.
    Running,
    /// To be stopped.
    Cancelling,
    /// All were replayed.
    Completed,
    /// Stopped.
    Cancelled,
    /// Its archive or bus is gone.
    Failed,
}

/// A replay's states on the wire.
pub const STATES: &[&str] = &["STARTING", "RUNNING", "CANCELLING", "COMPLETED", "CANCELLED", "FAILED"];

/// A replay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Replay {
    /// Chosen by the caller.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// Where events come from.
    pub archive: String,
    /// The bus that they go to: the archive's own.
    pub bus: String,
    /// `Destination.FilterArns`; empty for all rules.
    #[serde(default)]
    pub rule_arns: BTreeSet<String>,
    /// The first time that is replayed.
    pub from_ms: i64,
    /// The last one.
    pub to_ms: i64,
    /// Where it stands.
    pub state: State,
    /// For people.
    #[serde(default)]
    pub state_reason: Option<String>,
    /// When it was asked for.
    pub started_at_ms: i64,
    /// When it ended, in whatever way.
    #[serde(default)]
    pub ended_at_ms: Option<i64>,
    /// The last event that was replayed: its time, and its number in the store.
    #[serde(default)]
    pub position: Option<(i64, i64)>,
    /// What its deliveries belong to.
    pub trace: String,
}

/// An event as the store gives it back.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its number in the store.
    pub number: i64,
    /// When it happened.
    pub time_ms: i64,
    /// The whole event.
    pub event: String,
}

impl Document for Replay {
    const KIND: &'static str = "replay";

    fn name(&self) -> &str {
        &self.name
    }
}

impl Replay {
    /// Its ARN.
    pub fn arn(&self, place: &Place) -> String {
        place.arn("events", &format!("replay/{}", self.name))
    }

    /// It has not ended.
    pub fn is_active(&self) -> bool {
        matches!(self.state, State::Starting | State::Running | State::Cancelling)
    }

    fn end(&mut self, state: State, now: Timestamp) {
        self.state = state;
        self.ended_at_ms = Some(now.millis());
    }
}

impl State {
    /// As the wire has it.
    pub fn as_str(self) -> &'static str {
        STATES[self as usize]
    }
}

impl EventBus {
    /// Whether a replay has not ended yet: more deliveries will come of it by themselves.
    pub async fn is_replaying(&self) -> bool {
        self.shelf.book().await.is_ok_and(|book| book.replays.values().any(|replay| replay.is_active()))
    }

    /// Works off replays, one step of each in turn.
    pub(crate) async fn run_replays(&self) {
        let mut changes = self.shelf.changes();
        loop {
            changes.borrow_and_update();
            match self.step_replays().await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => _ = changes.changed().await, // the sender lives as long as the room
                Err(error) => {
                    tracing::error!(%error, "a replay was held up");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    /// One step of every replay that has not ended; false if there was none.
    pub(crate) async fn step_replays(&self) -> Result<bool, Error> {
        let book = self.shelf.book().await?;
        let active: Vec<Arc<Replay>> = book.replays.values().filter(|replay| replay.is_active()).cloned().collect();
        for replay in &active {
            self.step_replay(replay).await?;
        }
        Ok(!active.is_empty())
    }

    async fn step_replay(&self, replay: &Replay) -> Result<(), Error> {
        let now = self.world.clock.now();
        if replay.state == State::Cancelling {
            return self.note(replay, move |replay| replay.end(State::Cancelled, now)).await;
        }
        if replay.state == State::Starting {
            self.note(replay, |replay| replay.state = State::Running).await?;
        }
        let book = self.shelf.book().await?;
        let gone = match (book.archives.get(&replay.archive), book.find(&replay.bus)) {
            (None, _) => Some(format!("Archive {} does not exist.", replay.archive)),
            (_, None) => Some(format!("Event bus {} does not exist.", replay.bus)),
            _ => None,
        };
        if let Some(reason) = gone {
            tracing::warn!(replay = replay.name, "{reason}");
            let fail = move |replay: &mut Replay| {
                replay.end(State::Failed, now);
                replay.state_reason = Some(reason);
            };
            return self.note(replay, fail).await;
        }
        let cutoff = book.archives.get(&replay.archive).map_or(now, |archive| archive.cutoff(now));
        let asked = replay.clone();
        let recorded =
            self.shelf.database().read(move |connection| store::recorded(connection, &asked, cutoff)).await?;
        let Some(last) = recorded.last().map(|last| (last.time_ms, last.number)) else {
            return self.note(replay, move |replay| replay.end(State::Completed, now)).await;
        };
        let mut routed = Routed::default();
        for recorded in recorded {
            let time = Timestamp::from_millis(recorded.time_ms);
            let accepted = self.replayed(replay, &recorded.event, time);
            routed.extend(self.route_replayed(&book, replay, &accepted).await);
        }
        self.commit(routed).await?;
        self.note(replay, move |replay| replay.position = Some(last)).await
    }

    fn replayed(&self, replay: &Replay, event: &str, time: Timestamp) -> Accepted {
        let text = |path: &str| {
            let selected = JsonPath::parse(path).and_then(|path| path.select(event)).unwrap_or_default();
            let mut reader = Reader::new(&selected);
            let _ = reader.next(); // an event of ours has these members, and they are strings
            reader.text().map(std::borrow::Cow::into_owned).unwrap_or_default()
        };
        let detail = JsonPath::parse("$.detail").and_then(|path| path.select(event)).unwrap_or_default();
        Accepted {
            id: text("$.id"),
            detail_type: text("$.detail-type"),
            about: people(&detail),
            event: with_replay_name(event, &replay.name),
            time,
            ingested_at: self.world.clock.now(),
            trace: TraceId::from_root(&replay.trace),
            came_by: Vec::new(),
            is_replay: true,
        }
    }

    /// Changes a replay, unless it has ended or is being cancelled by somebody else in the meantime.
    async fn note(&self, replay: &Replay, change: impl FnOnce(&mut Replay) + Send + 'static) -> Result<(), Error> {
        let (name, started, seen) = (replay.name.clone(), replay.started_at_ms, replay.state);
        self.shelf
            .change(move |book, connection| {
                let Some(found) = book.replays.get_mut(&name) else { return Ok(()) };
                let is_cancelled = found.state == State::Cancelling && seen != State::Cancelling;
                if found.started_at_ms != started || !found.is_active() || is_cancelled {
                    return Ok(());
                }
                change(Arc::make_mut(found));
                store::put_document(connection, &**found)
            })
            .await
    }
}
