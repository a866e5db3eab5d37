//! `AdminConfirmSignUp`: confirms without a code, and verifies no address.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::code::Purpose;
use crate::owed::Owed;
use crate::store::AliasConflict;
use crate::trigger::{ClientMetadata, Source};
use crate::user::{Status, User};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    username: String,
    client_metadata: Option<ClientMetadata>,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let user = room.find_user(&pool, &request.username).await?;
    call.about(user.known_as());
    let now = room.world.clock.now();
    let owed = Owed::of(&pool, Source::PostConfirmation, None, request.client_metadata, call);
    let change = move |user: &mut User| {
        if user.status != Status::Unconfirmed {
            return Err(Error::not_to_be_confirmed(user.status.as_str()));
        }
        user.status = Status::Confirmed;
        user.take_code(Purpose::SignUp);
        user.modified = now;
        user.owed = owed;
        Ok(())
    };
    let (user, ()) = room.store.update_user(&pool, &user.sub, AliasConflict::Refuse, change).await?;
    room.pay(&pool, user).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn confirms_and_fires_post_confirmation_without_verifying() {
        let t = Kit::new().await;
        t.attach("PostConfirmation").await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        t.call("AdminConfirmSignUp", json!({"UserPoolId": t.pool, "Username": "ann@example.com"})).await.ok();
        assert_eq!(t.sources(), ["PostConfirmation_ConfirmSignUp"]);
        let event = &t.events()[0];
        assert_eq!(event["callerContext"]["clientId"], "CLIENT_ID_NOT_APPLICABLE");
        assert_eq!(event["request"]["userAttributes"]["email_verified"], "false");
    }
}
