//! What an operator does afterwards: waits, redrives dead letters, and announces those whose trigger failed.

use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_lambda::Client as Functions;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sqs::Client as Queues;
use aws_sdk_sqs::types::Message;
use serde_json::{Map, Value, json};

use crate::Server;

/// Rounds of redriving: what fails without any fault will always fail.
const ROUNDS_MAX: usize = 3;
/// Rounds of waiting, a minute each.
const WAITS_MAX: usize = 10;

/// Waits until nothing is queued or running.
pub async fn settle(server: &Server) {
    let mut pending = Value::Null;
    for _ in 0..WAITS_MAX {
        let (status, body) = server.inside("POST", "/_tandem/settle?timeoutMs=60000", "").await;
        if status == 200 {
            return;
        }
        pending = body;
    }
    panic!("it never settles: {pending}");
}

/// Invokes again whatever was given up; how many that were.
pub async fn redrive(server: &Server) -> usize {
    let mut redriven = 0;
    for _ in 0..ROUNDS_MAX {
        let before = redriven;
        for queue in ["failedInvocationsQueueUrl", "deadLetterQueueUrl"] {
            redriven += redrive_queue(server, server.of_stack(queue)).await;
        }
        if redriven == before {
            return redriven;
        }
        settle(server).await;
    }
    panic!("dead letters that fail without any fault");
}

async fn redrive_queue(server: &Server, url: &str) -> usize {
    let (queues, functions) = (Queues::new(&server.config()), Functions::new(&server.config()));
    let mut redriven = 0;
    loop {
        let receive = queues.receive_message().queue_url(url).max_number_of_messages(10).message_attribute_names("All");
        let messages = receive.send().await.expect("ReceiveMessage").messages.unwrap_or_default();
        if messages.is_empty() {
            return redriven;
        }
        for message in messages {
            let (function, payload) = work_of(&message);
            let invoke = functions.invoke().function_name(function).invocation_type(InvocationType::Event);
            invoke.payload(Blob::new(payload)).send().await.expect("Invoke");
            let receipt = message.receipt_handle().expect("a receipt");
            queues.delete_message().queue_url(url).receipt_handle(receipt).send().await.expect("DeleteMessage");
            redriven += 1;
        }
    }
}

/// Of an invocation's record, or of an event that a rule's target did not take.
fn work_of(message: &Message) -> (String, String) {
    let body: Value = serde_json::from_str(message.body().expect("a body")).expect("JSON");
    if let Some(arn) = body["requestContext"]["functionArn"].as_str() {
        return (arn.trim_end_matches(":$LATEST").to_owned(), body["requestPayload"].to_string());
    }
    let target = message.message_attributes().and_then(|all| all["TARGET_ARN"].string_value());
    (target.expect("a target").to_owned(), body.to_string())
}

/// Runs the trigger for confirmed users again.
pub async fn announce(server: &Server, addresses: &[&str]) {
    let (pools, functions) = (Pools::new(&server.config()), Functions::new(&server.config()));
    let pool = server.of_stack("userPoolId");
    for address in addresses {
        let user = pools.admin_get_user().user_pool_id(pool).username(*address).send().await.expect("AdminGetUser");
        let attributes = user.user_attributes().iter();
        let attributes = attributes.map(|attribute| (attribute.name().to_owned(), attribute.value().into()));
        let event = json!({
            "version": "1",
            "triggerSource": "PostConfirmation_ConfirmSignUp",
            "region": "us-east-1",
            "userPoolId": pool,
            "userName": user.username(),
            "callerContext": {"awsSdkVersion": "none", "clientId": server.of_stack("userPoolClientId")},
            "request": {"userAttributes": attributes.collect::<Map<String, Value>>()},
            "response": {},
        });
        let invoke = functions.invoke().function_name("announce-user").payload(Blob::new(event.to_string()));
        let answer = invoke.send().await.expect("Invoke");
        assert_eq!(answer.function_error(), None, "{address}");
    }
    settle(server).await;
}
