//! What functions need: a lane for asynchronous invocations, and destinations for what became of them.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use aws_api::Arn;
use function_host::{AsyncQueue, Destinations, FunctionHost, QueueError};
use queues::{Lane, NewJob, OutgoingMessage, Queues};
use world::{TraceId, World};

/// The rooms that a function's results reach.
pub struct FunctionsOutside {
    pub world: World,
    pub lane: Lane,
    pub queues: Arc<Queues>,
    /// Set once the functions' room exists, which needs this to be made.
    pub functions: OnceLock<std::sync::Weak<FunctionHost>>,
}

#[async_trait]
impl AsyncQueue for FunctionsOutside {
    async fn enqueue(&self, job: Vec<u8>, label: String) -> Result<(), QueueError> {
        let job = NewJob { body: job, due: self.world.clock.now(), label };
        self.lane.push(vec![job]).await.map_err(|error| QueueError(error.to_string()))
    }
}

#[async_trait]
impl Destinations for FunctionsOutside {
    async fn send(&self, destination_arn: &str, body: String, attributes: Vec<(String, String)>) -> Result<(), String> {
        let arn: Arn = destination_arn.parse().map_err(|_| format!("{destination_arn} is not an ARN"))?;
        match arn.service.as_str() {
            "sqs" => {
                let message = OutgoingMessage { body, attributes, ..OutgoingMessage::default() };
                self.queues.send(destination_arn, message).await.map(drop).map_err(|error| error.to_string())
            }
            "lambda" => {
                let functions = self.functions.get().and_then(std::sync::Weak::upgrade);
                let functions = functions.ok_or("the functions are stopping")?;
                let trace = TraceId::new(self.world.clock.now(), &self.world.random);
                let job =
                    functions.async_job(destination_arn, body.as_bytes(), &trace).map_err(|error| error.to_string())?;
                let label = format!("destination {}", arn.resource);
                self.enqueue(job, label).await.map_err(|error| error.to_string())
            }
            other => Err(format!("destinations of the kind {other} are not there yet: {destination_arn}")),
        }
    }
}
