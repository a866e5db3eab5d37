//! What functions need: a lane for asynchronous invocations, and destinations for what became of them.

use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use aws_api::{Arn, Call};
use event_bus::EventBus;
use function_host::{AsyncQueue, Destinations, FunctionHost, QueueError};
use queues::{Lane, NewJob, OutgoingMessage, Queues};
use serde::Deserialize;
use serde_json::{Value, json};
use world::{TraceId, World};

use crate::faults;

/// The rooms that a function's results reach.
pub struct FunctionsOutside {
    pub world: World,
    pub lane: Lane,
    pub queues: Arc<Queues>,
    /// Set once the functions' room exists, which needs this to be made.
    pub functions: OnceLock<Weak<FunctionHost>>,
    /// Set once the bus exists, which needs the functions.
    pub bus: OnceLock<Weak<EventBus>>,
}

#[async_trait]
impl AsyncQueue for FunctionsOutside {
    async fn enqueue(&self, job: Vec<u8>, label: String) -> Result<(), QueueError> {
        let job = NewJob { body: job, due: self.world.clock.now(), label };
        let jobs = faults::queued(&self.world, self.lane.name(), job, None);
        self.lane.push(jobs).await.map_err(|error| QueueError(error.to_string()))
    }
}

#[async_trait]
impl Destinations for FunctionsOutside {
    async fn send(
        &self,
        destination_arn: &str,
        body: String,
        attributes: Vec<(String, String)>,
        trace: &TraceId,
    ) -> Result<(), String> {
        let arn: Arn = destination_arn.parse().map_err(|_| format!("{destination_arn} is not an ARN"))?;
        match arn.service.as_str() {
            "sqs" => {
                let message = OutgoingMessage { body, attributes, ..OutgoingMessage::default() };
                self.queues.send(destination_arn, message).await.map(drop).map_err(|error| error.to_string())
            }
            "lambda" => {
                let functions = self.functions.get().and_then(Weak::upgrade);
                let functions = functions.ok_or("the functions are stopping")?;
                let job =
                    functions.async_job(destination_arn, body.as_bytes(), trace).map_err(|error| error.to_string())?;
                let label = format!("destination {}", arn.resource);
                self.enqueue(job, label).await.map_err(|error| error.to_string())
            }
            "events" => self.put_event(destination_arn, body, trace).await,
            other => Err(format!("this server has no destinations of the kind {other}: {destination_arn}")),
        }
    }
}

/// What an invocation record tells the bus.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    request_context: RequestContext,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    function_arn: String,
    condition: String,
}

impl FunctionsOutside {
    /// An invocation record as an event. It goes through the operation that everybody uses, limits and all.
    async fn put_event(&self, bus_arn: &str, record: String, trace: &TraceId) -> Result<(), String> {
        let context = serde_json::from_str(&record).map(|record: Record| record.request_context);
        let RequestContext { function_arn, condition } = context.map_err(|error| error.to_string())?;
        let ended = if condition == "Success" { "Success" } else { "Failure" };
        let entry = json!({
            "Source": "lambda",
            "DetailType": format!("Lambda Function Invocation Result - {ended}"),
            "Resources": [bus_arn, function_arn],
            "Detail": record,
            "EventBusName": bus_arn,
        });
        let bus = self.bus.get().and_then(Weak::upgrade).ok_or("the bus is not there")?;
        let input = json!({ "Entries": [entry] });
        let call = Call::internal("PutEvents", &input, trace.clone(), self.world.random.uuid());
        let service = bus.services().into_iter().next().ok_or("the bus has no operations")?;
        let reply = service.call(&call).await.map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_slice(&reply.body).map_err(|error| error.to_string())?;
        if answer["FailedEntryCount"] == 0 {
            return Ok(());
        }
        let refusal = &answer["Entries"][0];
        let text = |name: &str| refusal[name].as_str().unwrap_or_default();
        Err(format!("{}: {}", text("ErrorCode"), text("ErrorMessage")))
    }
}

#[cfg(test)]
mod tests {
    use world::Kind;

    use super::*;
    use crate::deliveries::INVOCATIONS;

    /// A bus without rules, and what reaches it.
    async fn outside(world: &World) -> (FunctionsOutside, Arc<EventBus>) {
        let (rooms, tasks) = crate::testing::rooms(world).await;
        drop(tasks);
        let lane = rooms.queues.lane(INVOCATIONS);
        let (functions, bus) = (OnceLock::new(), OnceLock::from(Arc::downgrade(&rooms.bus)));
        let outside =
            FunctionsOutside { world: world.clone(), lane, queues: Arc::clone(&rooms.queues), functions, bus };
        (outside, rooms.bus)
    }

    #[tokio::test]
    async fn a_result_becomes_an_event_of_the_same_trace() {
        let world = World::for_tests(1);
        let (outside, _bus) = outside(&world).await;
        let record = json!({
            "version": "1.0",
            "requestContext": {"functionArn": "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST", "condition": "Success"},
        });
        let trace = TraceId::from_root("1-00000000-000000000000000000000000");
        let bus = "arn:aws:events:us-east-1:000000000000:event-bus/default";
        outside.send(bus, record.to_string(), Vec::new(), &trace).await.expect("the bus takes it");
        let moments = world.timeline.all();
        let event = moments.iter().find(|moment| moment.kind == Kind::Event).expect("an event");
        assert!(event.what.contains("Lambda Function Invocation Result - Success"), "{}", event.what);
        assert_eq!(event.trace.as_ref(), Some(&trace));
    }

    #[tokio::test]
    async fn what_the_bus_does_not_take_is_told() {
        let world = World::for_tests(1);
        let (outside, _bus) = outside(&world).await;
        let context = json!({"functionArn": "f", "condition": "Success"});
        let record = json!({"requestContext": context, "responsePayload": "x".repeat(2 * 1024 * 1024)});
        let trace = TraceId::from_root("1-00000000-000000000000000000000000");
        let bus = "arn:aws:events:us-east-1:000000000000:event-bus/default";
        outside.send(bus, record.to_string(), Vec::new(), &trace).await.expect_err("it is too large");
        outside
            .send("arn:aws:sns:us-east-1:000000000000:t", "{}".into(), Vec::new(), &trace)
            .await
            .expect_err("no SNS");
    }
}
