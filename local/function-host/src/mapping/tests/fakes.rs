//! A queue, a stream and a function that do as they are told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use storage::{Database, Durability, Location};
use tokio::sync::{Notify, watch};
use world::{Timestamp, TraceId, World};

use crate::error::InvokeError;
use crate::invocation::Invoked;
use crate::mapping::handler::Handler;
use crate::mapping::progress::Phase;
use crate::mapping::shelf::{Entry, Mappings, Outside};
use crate::mapping::*;

pub(super) const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:orders";
pub(super) const FIFO: &str = "arn:aws:sqs:us-east-1:000000000000:orders.fifo";
pub(super) const STREAM: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/people/stream/2026-01-01T00:00:00.000";
pub(super) const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
pub(super) const SHARD: &str = "shardId-1";
pub(super) const VISIBILITY_S: u64 = 30;
/// Looks at what is pending until a test gives up.
const LOOKS_MAX: usize = 200_000;

/// One queue and one stream.
pub(crate) struct Fakes {
    world: World,
    messages: Mutex<Vec<Message>>,
    news_of_queue: Notify,
    /// The bodies that were deleted, in order.
    pub(super) deleted: Mutex<Vec<String>>,
    records: Mutex<Vec<Map<String, Value>>>,
    news_of_stream: watch::Sender<u64>,
    is_gone: Mutex<bool>,
    receipts: Mutex<u64>,
}

struct Message {
    body: String,
    group: Option<String>,
    visible: Timestamp,
    receipt: String,
    receives: u32,
}

impl Fakes {
    pub(crate) fn new(world: &World) -> Arc<Self> {
        Arc::new(Self {
            world: world.clone(),
            messages: Mutex::default(),
            news_of_queue: Notify::new(),
            deleted: Mutex::default(),
            records: Mutex::default(),
            news_of_stream: watch::Sender::new(0),
            is_gone: Mutex::default(),
            receipts: Mutex::default(),
        })
    }

    pub(crate) fn send(&self, body: &str, group: Option<&str>) {
        let (visible, group) = (self.world.clock.now(), group.map(str::to_owned));
        let message = Message { body: body.into(), group, visible, receipt: String::new(), receives: 0 };
        self.messages.lock().expect("no holder panics").push(message);
        self.news_of_queue.notify_waiters();
    }

    /// A change of the item of this key.
    pub(super) fn write(&self, key: &str) {
        let mut records = self.records.lock().expect("no holder panics");
        let number = sequence(records.len());
        let record = json!({
            "eventID": number, "eventName": "INSERT", "eventSource": "aws:dynamodb",
            "dynamodb": {
                "SequenceNumber": number, "Keys": {"pk": {"S": key}},
                "ApproximateCreationDateTime": self.world.clock.now().epoch_seconds(),
            },
        });
        records.push(record.as_object().expect("an object").clone());
        drop(records);
        self.news_of_stream.send_modify(|count| *count += 1);
    }

    pub(super) fn go(&self) {
        *self.is_gone.lock().expect("no holder panics") = true;
        self.news_of_queue.notify_waiters();
        self.news_of_stream.send_modify(|count| *count += 1);
    }

    pub(super) fn deleted(&self) -> Vec<String> {
        self.deleted.lock().expect("no holder panics").clone()
    }

    fn check(&self) -> Result<(), SourceError> {
        if *self.is_gone.lock().expect("no holder panics") { Err(SourceError::Gone) } else { Ok(()) }
    }

    /// What may be received now, and when to look again.
    fn take(&self, count_max: usize) -> (Vec<QueueMessage>, Option<Timestamp>) {
        let now = self.world.clock.now();
        let mut messages = self.messages.lock().expect("no holder panics");
        let hidden = |message: &Message| message.visible > now;
        let next = messages.iter().filter(|message| hidden(message)).map(|message| message.visible).min();
        let mut locked: Vec<String> =
            messages.iter().filter(|message| hidden(message)).filter_map(|message| message.group.clone()).collect();
        let mut taken = Vec::new();
        for message in messages.iter_mut() {
            if message.visible > now || message.group.as_ref().is_some_and(|group| locked.contains(group)) {
                continue;
            }
            if taken.len() == count_max {
                locked.extend(message.group.clone());
                break;
            }
            let mut receipts = self.receipts.lock().expect("no holder panics");
            *receipts += 1;
            message.receipt = receipts.to_string();
            message.receives += 1;
            message.visible = now.plus(Duration::from_secs(VISIBILITY_S));
            let mut attributes = BTreeMap::from([("ApproximateReceiveCount".to_owned(), message.receives.to_string())]);
            attributes.extend(message.group.clone().map(|group| ("MessageGroupId".to_owned(), group)));
            taken.push(QueueMessage {
                message_id: format!("id-{}", message.body),
                receipt_handle: message.receipt.clone(),
                body: message.body.clone(),
                attributes,
                ..QueueMessage::default()
            });
        }
        (taken, next)
    }
}

pub(super) fn sequence(place: usize) -> String {
    format!("1000000000000000{place:05}")
}

#[async_trait]
impl Sources for Fakes {
    async fn queue(&self, _: &str) -> Result<QueueState, SourceError> {
        self.check()?;
        let messages = self.messages.lock().expect("no holder panics").len() as u64;
        Ok(QueueState { visibility_timeout_s: u32::try_from(VISIBILITY_S).expect("it is small"), messages })
    }

    async fn receive(&self, _: &str, count_max: usize, _: u32) -> Result<Vec<QueueMessage>, SourceError> {
        loop {
            let mut news = std::pin::pin!(self.news_of_queue.notified());
            news.as_mut().enable();
            self.check()?;
            let (taken, next) = self.take(count_max);
            if !taken.is_empty() {
                return Ok(taken);
            }
            tokio::select! {
                () = news => {}
                () = self.world.clock.sleep_until(next.unwrap_or_default()), if next.is_some() => {}
            }
        }
    }

    async fn delete(&self, _: &str, receipt_handles: Vec<String>) -> Result<(), SourceError> {
        let mut messages = self.messages.lock().expect("no holder panics");
        for handle in receipt_handles {
            if let Some(place) = messages.iter().position(|message| message.receipt == handle) {
                self.deleted.lock().expect("no holder panics").push(messages.remove(place).body);
            }
        }
        drop(messages);
        self.news_of_queue.notify_waiters(); // a group may go on
        Ok(())
    }

    async fn give_back(&self, _: &str, receipt_handles: Vec<String>) -> Result<(), SourceError> {
        let now = self.world.clock.now();
        let mut messages = self.messages.lock().expect("no holder panics");
        for message in messages.iter_mut().filter(|message| receipt_handles.contains(&message.receipt)) {
            message.visible = now;
        }
        Ok(())
    }

    async fn shards(&self, _: &str) -> Result<Vec<String>, SourceError> {
        self.check().map(|()| vec![SHARD.into()])
    }

    async fn iterator(&self, _: &str, _: &str, position: &Position) -> Result<String, SourceError> {
        let records = self.records.lock().expect("no holder panics");
        let place = match position {
            Position::TrimHorizon => 0,
            Position::Latest => records.len(),
            Position::After(number) => {
                (0..records.len()).find(|place| sequence(*place) == *number).map_or(0, |at| at + 1)
            }
            Position::Iterator(iterator) => return Ok(iterator.clone()),
        };
        Ok(place.to_string())
    }

    async fn records(&self, iterator: &str, count_max: usize) -> Result<StreamRecords, SourceError> {
        self.check()?;
        let from: usize = iterator.parse().expect("one of ours");
        let records: Vec<_> =
            self.records.lock().expect("no holder panics").iter().skip(from).take(count_max).cloned().collect();
        let next = Some((from + records.len()).to_string());
        Ok(StreamRecords { records, next })
    }

    fn news(&self, _: &str) -> watch::Receiver<u64> {
        self.news_of_stream.subscribe()
    }
}

/// `{"has":"text"}` lets pass what has the text in it.
pub(crate) struct FakeFilters;

struct Has(Vec<String>);

impl Filters for FakeFilters {
    fn compile(&self, patterns: &[String]) -> Option<Box<dyn Filter>> {
        let text = |pattern: &String| {
            let pattern: Value = serde_json::from_str(pattern).ok()?;
            Some(pattern.get("has")?.as_str()?.to_owned())
        };
        let texts: Option<Vec<String>> = patterns.iter().map(text).collect();
        Some(Box::new(Has(texts?)))
    }
}

impl Filter for Has {
    fn passes(&self, record: &str) -> bool {
        self.0.iter().any(|text| record.contains(text))
    }
}

/// What the function does with a batch.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Value(Value),
    Error,
    Throttled,
}

/// A function that is told what to do by a closure over the names in its batch: bodies, or sequence numbers.
pub(super) struct Scripted {
    script: Mutex<Script>,
    /// How often the process died.
    deaths: AtomicUsize,
    /// The batches, by the names in them.
    pub(super) batches: Mutex<Vec<Vec<String>>>,
    pub(super) given_up: Mutex<Vec<Value>>,
}

type Script = Box<dyn FnMut(&[String]) -> Answer + Send>;

/// The function as one process knows it: dead with it, whatever is still under way.
struct InLife {
    function: Arc<Scripted>,
    deaths: usize,
}

impl InLife {
    async fn unless_dead(&self) {
        if self.function.deaths.load(Ordering::Relaxed) > self.deaths {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Handler for InLife {
    async fn handle(&self, function_arn: &str, payload: String, _: &TraceId) -> Result<Invoked, InvokeError> {
        assert_eq!(function_arn, FUNCTION);
        tokio::task::yield_now().await; // batches get into each other's way
        self.unless_dead().await;
        let payload: Value = serde_json::from_str(&payload).expect("JSON");
        let name = |record: &Value| {
            let name = record.get("body").unwrap_or_else(|| &record["dynamodb"]["SequenceNumber"]);
            name.as_str().expect("a name").to_owned()
        };
        let names: Vec<String> = payload["Records"].as_array().expect("records").iter().map(name).collect();
        let answer = (self.function.script.lock().expect("no holder panics"))(&names);
        self.function.batches.lock().expect("no holder panics").push(names);
        let (payload, function_error) = match answer {
            Answer::Value(value) => (value.to_string(), None),
            Answer::Error => (r#"{"errorType":"E","errorMessage":"no"}"#.to_owned(), Some("Unhandled".to_owned())),
            Answer::Throttled => {
                return Err(InvokeError::Throttled { reason: "ReservedFunctionConcurrentInvocationLimitExceeded" });
            }
        };
        Ok(Invoked {
            payload: Bytes::from(payload),
            function_error,
            log_tail: None,
            executed_version: "$LATEST".into(),
            duration: Duration::ZERO,
            request_id: "request".into(),
        })
    }

    async fn give_up(&self, _: &str, body: String) -> Result<(), String> {
        self.unless_dead().await;
        self.function.given_up.lock().expect("no holder panics").push(serde_json::from_str(&body).expect("JSON"));
        Ok(())
    }
}

/// Mappings over fakes.
pub(super) struct Bench {
    pub(super) world: World,
    pub(super) fakes: Arc<Fakes>,
    pub(super) function: Arc<Scripted>,
    pub(super) mappings: Arc<Mappings>,
    database: Database,
}

impl Bench {
    pub(super) async fn new(script: impl FnMut(&[String]) -> Answer + Send + 'static) -> Self {
        let world = World::for_tests(1);
        let database = Database::open(Location::Memory, Durability::default(), &[TABLES]).expect("it opens");
        let function = Arc::new(Scripted {
            script: Mutex::new(Box::new(script)),
            deaths: AtomicUsize::new(0),
            batches: Mutex::default(),
            given_up: Mutex::default(),
        });
        let fakes = Fakes::new(&world);
        let mut bench = Self { world, fakes, function, mappings: Mappings::new(), database };
        bench.connect().await;
        bench
    }

    /// A function that succeeds.
    pub(super) async fn succeeding() -> Self {
        Self::new(|_| Answer::Value(Value::Null)).await
    }

    fn deaths(&self) -> usize {
        self.function.deaths.load(Ordering::Relaxed)
    }

    async fn connect(&mut self) {
        let outside = Outside {
            world: self.world.clone(),
            database: self.database.clone(),
            sources: self.fakes.clone(),
            filters: Arc::new(FakeFilters),
            handler: Arc::new(InLife { function: self.function.clone(), deaths: self.deaths() }),
            time_scale: 1.0,
        };
        self.mappings.connect(outside).await.expect("they are read");
    }

    /// As if the process had died and come again.
    pub(super) async fn restart(&mut self) {
        self.function.deaths.fetch_add(1, Ordering::Relaxed);
        self.mappings.close();
        self.mappings = Mappings::new();
        self.connect().await;
    }

    pub(super) async fn map(&self, source: &str, change: impl FnOnce(&mut Mapping)) -> Arc<Entry> {
        let kind = Kind::of(source).expect("a source");
        let mut mapping = request::fresh(kind, source.into(), FUNCTION.into());
        mapping.uuid = self.world.random.uuid();
        mapping.starting_position = (kind == Kind::Stream).then(|| "TRIM_HORIZON".into());
        change(&mut mapping);
        self.mappings.add(mapping, "f", Vec::new()).await.expect("it is made")
    }

    pub(super) fn send(&self, bodies: impl IntoIterator<Item = impl ToString>) {
        bodies.into_iter().for_each(|body| self.fakes.send(&body.to_string(), None));
    }

    /// Lets everything run, and time pass where somebody waits for it, until nothing is pending.
    pub(super) async fn finish(&self) {
        for _ in 0..LOOKS_MAX {
            let pending = self.mappings.pending().await;
            if pending.is_empty() {
                return;
            }
            if pending.iter().all(|work| !work.running) {
                let due = pending.iter().map(|work| work.due).min().unwrap_or_default();
                self.world.clock.advance(due.since(self.world.clock.now()));
            }
            tokio::task::yield_now().await;
        }
        panic!("still pending: {:?}", self.mappings.pending().await);
    }

    /// Lets everything run without time passing, until this holds.
    pub(super) async fn until(&self, mut holds: impl FnMut(&Self) -> bool) {
        for _ in 0..LOOKS_MAX {
            if holds(self) {
                return;
            }
            let _ = self.mappings.pending().await; // the writer thread gets its turn
            tokio::task::yield_now().await;
        }
        panic!("it does not come to that: {:?}", self.mappings.pending().await);
    }

    pub(super) async fn until_phase(&self, entry: &Entry, phase: Phase) {
        self.until(|_| entry.progress.phase() == phase).await;
    }

    pub(super) fn batches(&self) -> Vec<Vec<String>> {
        self.function.batches.lock().expect("no holder panics").clone()
    }

    pub(super) fn given_up(&self) -> Vec<Value> {
        self.function.given_up.lock().expect("no holder panics").clone()
    }
}
