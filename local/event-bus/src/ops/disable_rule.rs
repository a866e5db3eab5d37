//! `DisableRule`.

use aws_api::Call;

use super::Empty;
pub use super::describe_rule::Request;
use super::enable_rule::set_state;
use crate::error::Error;
use crate::room::EventBus;

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Empty, Error> {
    set_state(room, request, "DISABLED").await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn is_told() {
        let t = Room::new();
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        t.call("DisableRule", json!({ "Name": "r" })).await.ok();
        assert_eq!(t.call("DescribeRule", json!({ "Name": "r" })).await.ok()["State"], "DISABLED");
    }
}
