//! `UntagResource`. Its tests stand with `TagResource`.

use aws_api::Call;
use serde::Deserialize;

use super::{Empty, change};
use crate::room::Parameters;
use crate::secrets::error::Error;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    secret_id: String,
    tag_keys: Vec<String>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Empty, Error> {
    let untagged = change(room, &request.secret_id, move |_, secret| {
        secret.tags.retain(|key, _| !request.tag_keys.contains(key));
        Ok(())
    });
    untagged.await.map(|_| Empty {})
}
