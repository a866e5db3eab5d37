//! `DeleteEmailIdentity`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::Mail;
use crate::error::Error;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    email_identity: String,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &Mail, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = request.email_identity;
    if room.store.delete_identity(name.clone()).await? { Ok(Response {}) } else { Err(Error::no_identity(&name)) }
}

#[cfg(test)]
mod tests {
    use super::super::harness::Harness;
    use serde_json::{Value, json};

    #[tokio::test]
    async fn deletes_once() {
        let t = Harness::new();
        t.ask("POST", "/v2/email/identities", json!({"EmailIdentity": "x.io"})).await;
        assert_eq!(t.ask("DELETE", "/v2/email/identities/x.io", Value::Null).await.0, 200);
        assert_eq!(t.ask("DELETE", "/v2/email/identities/x.io", Value::Null).await.0, 404);
    }
}
