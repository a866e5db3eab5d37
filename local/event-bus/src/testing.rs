//! A room in memory, with a lane and targets that do as they are told.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_api::{ApiError, Call, Service};
use serde_json::{Value, json};
use storage::{Durability, Location};
use world::{Kind, Moment, Timestamp, TraceId, World};

use crate::{
    Deliveries, EnqueueError, EventBus, HttpClient, HttpError, HttpRequest, HttpResponse, QueuedDelivery, Step,
    TargetFailure, Targets,
};

/// A room and everything around it.
pub struct Room {
    pub world: World,
    pub bus: Arc<EventBus>,
    service: Arc<dyn Service>,
    lane: Arc<Lane>,
    outside: Arc<Outside>,
}

/// Deliveries, as they were queued.
#[derive(Default)]
struct Lane {
    queued: Mutex<Vec<QueuedDelivery>>,
    calls: AtomicUsize,
    is_broken: AtomicBool,
}

/// What targets were sent, and how they fail.
#[derive(Default)]
struct Outside {
    sent: Mutex<Vec<Sent>>,
    failures: Mutex<HashMap<String, TargetFailure>>,
    logged: Mutex<Vec<(String, Timestamp, String)>>,
    requests: Mutex<Vec<HttpRequest>>,
    answers: Mutex<VecDeque<Result<HttpResponse, HttpError>>>,
}

/// A message to a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub queue: String,
    pub body: String,
    pub group: Option<String>,
    pub rule: String,
    pub trace: String,
    pub attributes: Vec<(&'static str, String)>,
}

/// What an operation answered.
pub struct Answer(Result<Value, ApiError>);

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Value {
        self.0.expect("the call succeeds")
    }

    pub fn is_error(&self) -> bool {
        self.0.is_err()
    }

    #[track_caller]
    pub fn error(self, code: &str, message: &str) {
        let error = self.0.expect_err("the call fails");
        assert_eq!((&*error.code, error.message.as_str()), (code, message));
    }
}

impl Room {
    pub fn new() -> Self {
        Self::over(World::for_tests(1), Location::Memory)
    }

    /// Whose waits between attempts are divided.
    pub fn with_time_scale(time_scale: f64) -> Self {
        Self::open(World::for_tests(1), Location::Memory, time_scale)
    }

    pub fn over(world: World, location: Location) -> Self {
        Self::open(world, location, 1.0)
    }

    fn open(world: World, location: Location, time_scale: f64) -> Self {
        let (lane, outside) = (Arc::new(Lane::default()), Arc::new(Outside::default()));
        let deliveries: Arc<dyn Deliveries> = lane.clone();
        let (targets, http) = (outside.clone(), outside.clone());
        let durability = Durability::default();
        let room = EventBus::open(world.clone(), location, durability, deliveries, targets, http, time_scale);
        let room = room.expect("the room opens");
        let service = room.services().remove(0);
        Self { world, bus: room, service, lane, outside }
    }

    pub async fn call(&self, operation: &str, input: Value) -> Answer {
        let trace = TraceId::new(self.world.clock.now(), &self.world.random);
        let call = Call::internal(operation, &input, trace, self.world.random.uuid());
        let reply = self.service.call(&call).await;
        Answer(reply.map(|reply| serde_json::from_slice(&reply.body).expect("a JSON body")))
    }

    /// Makes a rule and returns its ARN.
    pub async fn rule(&self, bus: &str, name: &str, pattern: &str) -> String {
        let rule = json!({ "Name": name, "EventBusName": bus, "EventPattern": pattern });
        self.call("PutRule", rule).await.ok()["RuleArn"].as_str().expect("an ARN").to_owned()
    }

    pub async fn target(&self, bus: &str, rule: &str, target: Value) {
        self.call("PutTargets", json!({ "Rule": rule, "EventBusName": bus, "Targets": [target] })).await.ok();
    }

    /// Puts an event of the type `d`; returns its id.
    pub async fn event(&self, bus: &str, source: &str, detail: Value) -> String {
        let entry = json!({ "EventBusName": bus, "Source": source, "DetailType": "d", "Detail": detail.to_string() });
        let answer = self.call("PutEvents", json!({ "Entries": [entry] })).await.ok();
        answer["Entries"][0]["EventId"].as_str().expect("an id").to_owned()
    }

    pub fn queued(&self) -> Vec<QueuedDelivery> {
        self.lane.queued.lock().expect("no holder panics").clone()
    }

    pub fn calls_of_enqueue(&self) -> usize {
        self.lane.calls.load(Ordering::Relaxed)
    }

    pub fn break_the_lane(&self) {
        self.lane.is_broken.store(true, Ordering::Relaxed);
    }

    /// One attempt at everything that is queued, which is taken out.
    pub async fn attempt_all(&self) -> Vec<Step> {
        let queued = std::mem::take(&mut *self.lane.queued.lock().expect("no holder panics"));
        let mut steps = Vec::new();
        for delivery in queued {
            steps.push(self.attempt(&delivery, 0, self.world.clock.now()).await);
        }
        steps
    }

    pub async fn attempt(&self, delivery: &QueuedDelivery, failed: u32, first_queued: Timestamp) -> Step {
        self.bus.attempt(&delivery.body, failed, first_queued).await
    }

    /// One attempt at everything that is queued, in the lane of calls where it belongs there.
    pub async fn call_all(&self) -> Vec<Step> {
        let queued = std::mem::take(&mut *self.lane.queued.lock().expect("no holder panics"));
        let mut steps = Vec::new();
        for delivery in queued {
            steps.push(match self.attempt(&delivery, 0, self.world.clock.now()).await {
                Step::Call { .. } => self.call_again(&delivery, 0).await,
                step => step,
            });
        }
        steps
    }

    /// One attempt in the lane of calls.
    pub async fn call_again(&self, delivery: &QueuedDelivery, failed: u32) -> Step {
        self.bus.attempt_call(&delivery.body, failed, self.world.clock.now()).await
    }

    /// How the next HTTP requests are answered, in order; after that with 200.
    pub fn answer(&self, answer: Result<HttpResponse, HttpError>) {
        self.outside.answers.lock().expect("no holder panics").push_back(answer);
    }

    /// The HTTP requests since the last look.
    pub fn requests(&self) -> Vec<HttpRequest> {
        std::mem::take(&mut *self.outside.requests.lock().expect("no holder panics"))
    }

    /// What log groups were sent.
    pub fn logged(&self) -> Vec<(String, Timestamp, String)> {
        self.outside.logged.lock().expect("no holder panics").clone()
    }

    /// From now on this target fails so.
    pub fn fail(&self, arn: &str, failure: TargetFailure) {
        self.outside.failures.lock().expect("no holder panics").insert(arn.into(), failure);
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.outside.sent.lock().expect("no holder panics").clone()
    }

    pub fn moments(&self, kind: Kind) -> Vec<Arc<Moment>> {
        self.world.timeline.all().into_iter().filter(|moment| moment.kind == kind).collect()
    }
}

#[async_trait]
impl Deliveries for Lane {
    async fn enqueue(&self, deliveries: Vec<QueuedDelivery>) -> Result<(), EnqueueError> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(EnqueueError("the disk is full".into()));
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.queued.lock().expect("no holder panics").extend(deliveries);
        Ok(())
    }
}

impl Outside {
    fn take(&self, sent: Sent) -> Result<(), TargetFailure> {
        self.fails(&sent.queue)?;
        self.sent.lock().expect("no holder panics").push(sent);
        Ok(())
    }

    fn fails(&self, arn: &str) -> Result<(), TargetFailure> {
        self.failures.lock().expect("no holder panics").get(arn).cloned().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Targets for Outside {
    async fn can_invoke(&self, function_arn: &str, _rule_arn: &str) -> Result<(), TargetFailure> {
        self.fails(function_arn)
    }

    async fn send(
        &self,
        queue_arn: &str,
        body: String,
        group_id: Option<String>,
        rule_arn: &str,
        trace: &TraceId,
    ) -> Result<(), TargetFailure> {
        let (queue, rule, trace) = (queue_arn.to_owned(), rule_arn.to_owned(), trace.to_string());
        self.take(Sent { queue, body, group: group_id, rule, trace, attributes: Vec::new() })
    }

    async fn log(&self, group_arn: &str, timestamp: Timestamp, message: String) -> Result<(), TargetFailure> {
        self.fails(group_arn)?;
        self.logged.lock().expect("no holder panics").push((group_arn.to_owned(), timestamp, message));
        Ok(())
    }

    async fn dead_letter(
        &self,
        queue_arn: &str,
        body: String,
        attributes: Vec<(&'static str, String)>,
    ) -> Result<(), TargetFailure> {
        let (queue, none) = (queue_arn.to_owned(), String::new());
        self.take(Sent { queue, body, group: None, rule: none.clone(), trace: none, attributes })
    }
}

#[async_trait]
impl HttpClient for Outside {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.requests.lock().expect("no holder panics").push(request);
        let answer = self.answers.lock().expect("no holder panics").pop_front();
        answer.unwrap_or_else(|| Ok(HttpResponse { status: 200, ..HttpResponse::default() }))
    }
}
