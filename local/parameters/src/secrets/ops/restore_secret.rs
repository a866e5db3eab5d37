//! `RestoreSecret`. Its tests stand with `DeleteSecret`.

use aws_api::Call;
use serde::Deserialize;

use super::Answered;
use crate::room::Parameters;
use crate::secrets::error::Error;
use crate::secrets::id;
use crate::secrets::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    secret_id: String,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Answered, Error> {
    let place = &room.world.place;
    let names = id::names(place, &request.secret_id)?;
    let now = room.world.clock.now().millis();
    let restored = room.database.write(move |connection| {
        let mut secret = store::existing(connection, &names, now)?;
        secret.deletion_at = None;
        store::save(connection, &secret)?;
        Ok::<_, Error>(secret.name)
    });
    Ok(Answered::of(place, &restored.await?))
}
