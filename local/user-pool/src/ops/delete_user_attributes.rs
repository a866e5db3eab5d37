//! `DeleteUserAttributes`.

use std::sync::Arc;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::attributes::{Author, Schema};
use crate::pool::Pool;
use crate::store::AliasConflict;
use crate::user::{Sub, User};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    access_token: String,
    user_attribute_names: Vec<String>,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let signed_in = room.signed_in(&request.access_token).await?;
    call.about(signed_in.user.known_as());
    signed_in.client.settings.check_writes(request.user_attribute_names.iter().map(String::as_str))?;
    delete(room, &signed_in.pool, &signed_in.user.sub, request.user_attribute_names, Author::User).await?;
    Ok(Response {})
}

/// Takes attributes of a user away; an address goes with what is known of its verification and with its codes.
pub async fn delete(
    room: &UserPools,
    pool: &Arc<Pool>,
    sub: &Sub,
    names: Vec<String>,
    author: Author,
) -> Result<(), Error> {
    for name in &names {
        Schema::of(&pool.settings).check_removal(name, author)?;
    }
    let now = room.world.clock.now();
    let change = move |user: &mut User| {
        for name in &names {
            user.attributes.remove(name);
            user.codes.retain(|code| code.attribute != *name);
            if matches!(name.as_str(), "email" | "phone_number") {
                user.attributes.remove(&format!("{name}_verified"));
            }
        }
        user.modified = now;
        Ok(())
    };
    room.store.update_user(pool, sub, AliasConflict::Refuse, change).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;

    async fn names(t: &Kit, token: &str) -> Vec<Value> {
        let user = t.call("GetUser", json!({"AccessToken": token})).await.ok();
        user["UserAttributes"].as_array().expect("a list").iter().map(|entry| entry["Name"].clone()).collect()
    }

    #[tokio::test]
    async fn an_attribute_goes() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        let set = json!({"AccessToken": token, "UserAttributes": [{"Name": "name", "Value": "Ann"}]});
        t.call("UpdateUserAttributes", set).await.ok();
        assert!(names(&t, &token).await.contains(&json!("name")));
        t.call("DeleteUserAttributes", json!({"AccessToken": token, "UserAttributeNames": ["name"]})).await.ok();
        assert!(!names(&t, &token).await.contains(&json!("name")));
    }

    #[tokio::test]
    async fn what_is_required_stays() {
        let schema = json!([{"Name": "name", "Required": true, "Mutable": true}]);
        let t = Kit::with_pool(json!({
            "PoolName": "p",
            "UsernameAttributes": ["email"],
            "AutoVerifiedAttributes": ["email"],
            "Schema": schema,
        }))
        .await;
        let mut sign_up = t.sign_up("ann@example.com");
        sign_up["UserAttributes"] = json!([{"Name": "name", "Value": "Ann"}]);
        t.call("SignUp", sign_up).await.ok();
        t.call("ConfirmSignUp", t.confirm("ann@example.com", &t.last_code())).await.ok();
        let token = t.sign_in("ann@example.com").await;
        for name in ["name", "sub", "nonsense"] {
            let delete = json!({"AccessToken": token, "UserAttributeNames": [name]});
            t.call("DeleteUserAttributes", delete).await.error("InvalidParameterException");
        }
    }
}
