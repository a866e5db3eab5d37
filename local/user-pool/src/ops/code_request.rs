//! What `ForgotPassword` and `ResendConfirmationCode` share: who asks for a code, and where it went.

use std::sync::Arc;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::constraint::Constraints;
use crate::message::{CodeDeliveryDetails, Destination};
use crate::pool::Pool;
use crate::trigger::{ClientMetadata, Context};
use crate::user::User;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    client_id: String,
    secret_hash: Option<String>,
    pub username: String,
    client_metadata: Option<ClientMetadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    code_delivery_details: CodeDeliveryDetails,
}

impl Request {
    /// The client that asks, proven where it has a secret.
    pub fn client_and_pool(&self, room: &UserPools) -> Result<(Arc<Client>, Arc<Pool>), Error> {
        Constraints::new().username(&self.username).check()?;
        let (client, pool) = room.client_and_pool(&self.client_id)?;
        client.check_secret_hash(&self.username, self.secret_hash.as_deref())?;
        Ok((client, pool))
    }

    /// What triggers are told.
    pub fn triggers<'a>(
        &'a self,
        room: &'a UserPools,
        client: &'a Client,
        pool: &'a Pool,
        call: &'a Call,
    ) -> Context<'a> {
        room.trigger_context(pool, Some(&client.id), self.client_metadata.as_ref(), call)
    }

    /// The user; nobody where strangers must not learn that there is none: answer with [`Request::simulated`].
    pub async fn user(
        &self,
        room: &UserPools,
        client: &Client,
        pool: &Pool,
        call: &Call,
    ) -> Result<Option<User>, Error> {
        let user = room.find_user_of_client(client, pool, &self.username).await?;
        call.about(user.iter().flat_map(User::known_as));
        Ok(user)
    }

    /// The answer that tells nothing.
    pub fn simulated(&self, pool: &Pool) -> Response {
        Response { code_delivery_details: CodeDeliveryDetails::simulated(pool, &self.username) }
    }
}

impl Response {
    /// A code went there.
    pub fn sent(destination: &Destination) -> Self {
        Self { code_delivery_details: destination.details() }
    }
}
