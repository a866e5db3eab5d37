//! `TagResource`.

use aws_api::Call;
use serde::Deserialize;

use super::{Empty, change};
use crate::constraint::Constraints;
use crate::room::Parameters;
use crate::secrets::error::Error;
use crate::tags::{self, TAGS_MAX, Tag};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    secret_id: String,
    tags: Vec<Tag>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Empty, Error> {
    let mut constraints = Constraints::new();
    tags::check(&request.tags, &mut constraints);
    constraints.check()?;
    let tagged = change(room, &request.secret_id, |_, secret| {
        secret.tags.extend(tags::read(request.tags));
        if secret.tags.len() > TAGS_MAX {
            return Err(Error::InvalidParameter(format!("A secret can have at most {TAGS_MAX} tags.")));
        }
        Ok(())
    });
    tagged.await.map(|_| Empty {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn tags_come_and_go() {
        let t = Room::new();
        t.create_secret("a", "1").await;
        let tags = json!({ "SecretId": "a", "Tags": [{ "Key": "k", "Value": "1" }, { "Key": "l", "Value": "2" }] });
        assert_eq!(t.secrets("TagResource", tags).await.ok(), json!({}));
        t.secrets("UntagResource", json!({ "SecretId": "a", "TagKeys": ["k"] })).await.ok();
        let told = t.secrets("DescribeSecret", json!({ "SecretId": "a" })).await.ok();
        assert_eq!(told["Tags"], json!([{ "Key": "l", "Value": "2" }]));
    }
}
