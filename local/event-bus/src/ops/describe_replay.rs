//! `DescribeReplay`.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use world::{Place, Timestamp};

use super::start_replay::Destination;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::replay::Replay;
use crate::room::EventBus;

/// Also of `CancelReplay`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    replay_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    replay_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    destination: Destination,
    #[serde(flatten)]
    replay: Summary,
}

/// A replay as `ListReplays` has it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary {
    replay_name: String,
    event_source_arn: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<String>,
    event_start_time: f64,
    event_end_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_last_replayed_time: Option<f64>,
    replay_start_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay_end_time: Option<f64>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = request.name()?;
    let book = room.shelf.book().await?;
    let replay = book.replays.get(&name).ok_or_else(|| Error::no_replay(&name))?;
    let place = &room.world.place;
    Ok(Response {
        replay_arn: replay.arn(place),
        description: replay.description.clone(),
        destination: Destination {
            arn: Some(place.arn("events", &format!("event-bus/{}", replay.bus))),
            filter_arns: replay.rule_arns.iter().cloned().collect(),
        },
        replay: Summary::of(replay, place),
    })
}

impl Request {
    /// The name, checked.
    pub fn name(self) -> Result<String, Error> {
        let mut constraints = Constraints::new();
        constraints.required(self.replay_name.as_ref(), "replayName").name(self.replay_name.as_deref(), "replayName");
        constraints.check()?;
        Ok(self.replay_name.unwrap_or_default())
    }
}

impl Summary {
    pub fn of(replay: &Replay, place: &Place) -> Self {
        let seconds = |millis: i64| Timestamp::from_millis(millis).epoch_seconds();
        Self {
            replay_name: replay.name.clone(),
            event_source_arn: place.arn("events", &format!("archive/{}", replay.archive)),
            state: replay.state.as_str(),
            state_reason: replay.state_reason.clone(),
            event_start_time: seconds(replay.from_ms),
            event_end_time: seconds(replay.to_ms),
            event_last_replayed_time: replay.position.map(|(time, _)| seconds(time)),
            replay_start_time: seconds(replay.started_at_ms),
            replay_end_time: replay.ended_at_ms.map(seconds),
        }
    }
}
