//! What the operations share that put a user into a group or take them out.

use std::sync::Arc;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::pool::Pool;
use crate::user::User;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    username: String,
    pub group_name: String,
}

#[derive(Serialize)]
pub struct Response {}

impl Request {
    /// The user, and whose they are.
    pub async fn find(&self, room: &UserPools, call: &Call) -> Result<(Arc<Pool>, User), Error> {
        Constraints::new().group_name(&self.group_name).username(&self.username).check()?;
        let pool = room.pool(&self.user_pool_id)?;
        let user = room.find_user(&pool, &self.username).await?;
        call.about(user.known_as());
        Ok((pool, user))
    }
}
