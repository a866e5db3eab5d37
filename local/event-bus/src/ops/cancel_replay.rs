//! `CancelReplay`.

use std::sync::Arc;

use aws_api::Call;
use serde::Serialize;

pub use super::describe_replay::Request;
use crate::error::Error;
use crate::replay::State;
use crate::room::EventBus;
use crate::store;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    replay_arn: String,
    state: &'static str,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = request.name()?;
    let place = room.world.place.clone();
    let cancelled = room.shelf.change(move |book, connection| {
        let replay = book.replays.get_mut(&name).ok_or_else(|| Error::no_replay(&name))?;
        if !matches!(replay.state, State::Starting | State::Running) {
            let message = format!("Replay {name} is not in a valid state for this operation.");
            return Err(Error::IllegalStatus(message));
        }
        let replay = Arc::make_mut(replay);
        replay.state = State::Cancelling;
        store::put_document(connection, replay)?;
        Ok(Response { replay_arn: replay.arn(&place), state: replay.state.as_str() })
    });
    cancelled.await
}
