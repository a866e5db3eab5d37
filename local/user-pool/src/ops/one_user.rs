//! What the operations share that an administrator does to one user, and that answer nothing.

use std::sync::Arc;

use aws_api::Call;
use serde::{Deserialize, Serialize};
use world::Timestamp;

use crate::pool::Pool;
use crate::store::AliasConflict;
use crate::user::User;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    username: String,
}

#[derive(Serialize)]
pub struct Response {}

impl Request {
    /// The user, and whose they are.
    pub async fn find(&self, room: &UserPools, call: &Call) -> Result<(Arc<Pool>, User), Error> {
        let pool = room.pool(&self.user_pool_id)?;
        let user = room.find_user(&pool, &self.username).await?;
        call.about(user.known_as());
        Ok((pool, user))
    }

    /// Finds the user and changes them.
    pub async fn change(
        self,
        room: &UserPools,
        call: &Call,
        change: impl FnOnce(&mut User, Timestamp) + Send + 'static,
    ) -> Result<Response, Error> {
        let (pool, user) = self.find(room, call).await?;
        let now = room.world.clock.now();
        let change = move |user: &mut User| {
            change(user, now);
            Ok(())
        };
        room.store.update_user(&pool, &user.sub, AliasConflict::Refuse, change).await?;
        Ok(Response {})
    }
}
