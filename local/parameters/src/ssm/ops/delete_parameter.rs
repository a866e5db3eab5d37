//! `DeleteParameter`.

use aws_api::Call;
use serde::Deserialize;

use super::Empty;
use crate::room::Parameters;
use crate::ssm::error::Error;
use crate::ssm::name::Named;
use crate::ssm::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: String,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Empty, Error> {
    let names = Named::whole(&room.world.place, &request.name)?;
    let deleted = room.database.write(move |connection| {
        let parameter = store::existing(connection, &names)?;
        store::delete(connection, &parameter)
    });
    deleted.await.map(|()| Empty {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn it_is_gone_and_begins_anew() {
        let t = Room::new();
        t.put("a", "1").await;
        t.put("a", "2").await;
        assert_eq!(t.ssm("DeleteParameter", json!({ "Name": "a" })).await.ok(), json!({}));
        t.ssm("DeleteParameter", json!({ "Name": "a" })).await.error("ParameterNotFound", "");
        t.put("a", "3").await;
        assert_eq!(t.ssm("GetParameter", json!({ "Name": "a" })).await.ok()["Parameter"]["Version"], 1);
    }
}
