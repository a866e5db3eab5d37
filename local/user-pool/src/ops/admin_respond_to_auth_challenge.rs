//! `AdminRespondToAuthChallenge`.

use aws_api::Call;
use serde::Deserialize;

use super::auth::{self, Response};
use crate::sign_in::{Parameters, SignIn};
use crate::trigger::ClientMetadata;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    client_id: String,
    challenge_name: String,
    session: Option<String>,
    #[serde(default)]
    challenge_responses: Parameters,
    client_metadata: Option<ClientMetadata>,
}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let (client, pool) = room.client_of_pool(&request.client_id, &request.user_pool_id)?;
    let sign_in =
        SignIn { room, pool, client, call, metadata: request.client_metadata.as_ref(), validation_data: None };
    auth::go_on(&sign_in, &request.challenge_name, request.session.as_deref(), &request.challenge_responses).await
}
