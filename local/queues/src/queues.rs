//! The whole room: its file, its lanes, and sending and receiving on SQS queues.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use aws_api::{Arn, Protocol, Service, ServiceName};
use rusqlite::Connection;
use storage::{Database, Durability, Location, StorageError};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use world::{Kind, Outcome, Random, Timestamp, TraceId, World};

use crate::error::Error;
use crate::lane::Lane;
use crate::message::{NewMessage, OutgoingMessage, Received};
use crate::ops::OPERATIONS;
use crate::pending::{Pending, Total};
use crate::queue::{self, Queue};
use crate::receipt::Receipt;
use crate::store::{self, jobs, messages, queues};
use crate::window::Size;

const NAME: ServiceName = ServiceName {
    title: "Amazon SQS",
    target: "AmazonSQS",
    signing: "sqs",
    protocol: Protocol::Json10,
    unsigned: &[],
    constraint_exception: "MissingParameter",
};

/// Lanes and SQS queues, in one file.
pub struct Queues {
    pub(crate) world: World,
    pub(crate) database: Database,
    /// What queue URLs begin with.
    endpoint: RwLock<String>,
    lanes: Mutex<HashMap<&'static str, Lane>>,
    /// How many jobs a lane had when the file was opened.
    stored: HashMap<String, usize>,
    window_size: Size,
    ids: Arc<AtomicI64>,
    total: Arc<Total>,
    /// By queue: news for those who poll it. An entry goes with its queue.
    polls: Mutex<HashMap<i64, Arc<Notify>>>,
}

/// Why a message could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There is no such queue (any more).
    #[error("The specified queue does not exist.")]
    NoSuchQueue,
    /// The queue does not take such a message; the text says why.
    #[error("{0}")]
    Refused(String),
    /// The message could not be stored. Worth another try.
    #[error(transparent)]
    Storage(StorageError),
}

/// What a receiver asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receive {
    pub count: usize,
    /// The queue's own where there is none.
    pub visibility_timeout_s: Option<i64>,
    /// The queue's own where there is none.
    pub wait_s: Option<i64>,
}

/// What one look at a queue gave.
struct Look {
    queue: i64,
    wait_s: i64,
    received: Vec<Received>,
    next_visible: Option<Timestamp>,
    buried: Vec<Buried>,
}

/// A message that went to a dead-letter queue.
struct Buried {
    target: i64,
    message_id: String,
    trace_header: Option<String>,
    from: String,
    to: String,
}

impl Queues {
    /// Opens the room's file. `endpoint` is what queue URLs begin with, such as `http://127.0.0.1:4566`.
    pub fn open(
        world: World,
        location: Location,
        durability: Durability,
        endpoint: String,
    ) -> Result<Arc<Self>, StorageError> {
        Self::open_with_window(world, location, durability, endpoint, Size::DEFAULT)
    }

    pub(crate) fn open_with_window(
        world: World,
        location: Location,
        durability: Durability,
        endpoint: String,
        window_size: Size,
    ) -> Result<Arc<Self>, StorageError> {
        let (database, (stored, highest)) = Database::open_and(location, durability, store::SCHEMA, jobs::census)?;
        Ok(Arc::new(Self {
            world,
            database,
            endpoint: RwLock::new(endpoint),
            lanes: Mutex::default(),
            stored,
            window_size,
            ids: Arc::new(AtomicI64::new(highest + 1)),
            total: Arc::new(Total::new()),
            polls: Mutex::default(),
        }))
    }

    /// For a port that is known late.
    pub fn set_endpoint(&self, endpoint: String) {
        *self.endpoint.write().expect("no holder panics") = endpoint;
    }

    /// The lane of a name: the same one every time. Jobs that an earlier process left in it are handed out
    /// and count as pending from here on.
    pub fn lane(self: &Arc<Self>, name: &'static str) -> Lane {
        let mut lanes = self.lanes.lock().expect("no holder panics");
        let open = || {
            let stored = self.stored.get(name).copied().unwrap_or_default();
            let outside = (self.world.clock.clone(), self.database.clone());
            Lane::new(name, outside, (Arc::clone(&self.ids), Arc::clone(&self.total)), (self.window_size, stored))
        };
        lanes.entry(name).or_insert_with(open).clone()
    }

    /// SQS.
    pub fn services(self: &Arc<Self>) -> Vec<Arc<dyn Service>> {
        vec![<dyn Service>::of(NAME, Arc::clone(self), OPERATIONS)]
    }

    /// Sends a message to an SQS queue; gives its id.
    pub async fn send(&self, queue_arn: &str, message: OutgoingMessage) -> Result<String, SendError> {
        let name = self.name_in_arn(queue_arn).ok_or(SendError::NoSuchQueue)?;
        let message_id = self.world.random.uuid();
        let message = NewMessage::from_outgoing(message, message_id.clone());
        let sent = self.put(name, vec![message], false).await;
        let (Ok(Some(Err(refused))) | Err(refused)) = sent.map(|mut results| results.pop()) else {
            return Ok(message_id);
        };
        Err(match refused {
            Error::QueueDoesNotExist => SendError::NoSuchQueue,
            Error::Storage(error) => SendError::Storage(error),
            other => SendError::Refused(other.to_string()),
        })
    }

    /// Whether there is an SQS queue of this ARN.
    pub async fn has_queue(&self, queue_arn: &str) -> Result<bool, StorageError> {
        let Some(name) = self.name_in_arn(queue_arn) else { return Ok(false) };
        let found = self.database.read(move |connection| queues::find(connection, &name)).await;
        match found {
            Ok(queue) => Ok(queue.is_some()),
            Err(Error::Storage(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Some of the jobs that are not finished, of every lane; see [`Lane::pending`].
    pub fn pending(&self) -> Vec<Pending> {
        let lanes: Vec<Lane> = self.lanes.lock().expect("no holder panics").values().cloned().collect();
        lanes.iter().flat_map(Lane::pending).collect()
    }

    /// How many jobs are not finished, over all lanes: waiting for their time, being written, handed out.
    pub fn watch_pending(&self) -> watch::Receiver<usize> {
        self.total.watch()
    }

    /// Returns when no lane has a job that is not finished.
    pub async fn idle(&self) {
        let _ = self.watch_pending().wait_for(|pending| *pending == 0).await; // never closed while we are here
    }

    /// Deletes every job, queue and message. Who works on a job may end it as ever; it comes to nothing.
    pub async fn reset(&self) -> Result<(), StorageError> {
        let lanes: Vec<Lane> = self.lanes.lock().expect("no holder panics").values().cloned().collect();
        self.database
            .write(move |connection| {
                store::delete_everything(connection)?;
                lanes.iter().for_each(Lane::reset);
                Ok::<_, StorageError>(())
            })
            .await?;
        for (_, poll) in self.polls.lock().expect("no holder panics").drain() {
            poll.notify_waiters();
        }
        Ok(())
    }

    /// The URL of a queue of ours.
    pub(crate) fn url(&self, name: &str) -> String {
        let endpoint = self.endpoint.read().expect("no holder panics");
        format!("{}/{}/{name}", endpoint.trim_end_matches('/'), self.world.place.account)
    }

    /// The name of the queue that a URL leads to.
    pub(crate) fn name_in_url(&self, url: Option<&str>) -> Result<String, Error> {
        let url = url.filter(|url| !url.is_empty()).ok_or(Error::MissingParameter("QueueUrl"))?;
        queue::name_in_url(url, &self.world.place)
    }

    /// The name in an ARN of this account and region.
    pub(crate) fn name_in_arn(&self, arn: &str) -> Option<String> {
        name_in_arn(&self.world, arn)
    }

    /// Stores messages in one transaction; each is taken or refused by itself.
    pub(crate) async fn put(
        &self,
        name: String,
        new: Vec<NewMessage>,
        in_batch: bool,
    ) -> Result<Vec<Result<NewMessage, Error>>, Error> {
        let now = self.world.clock.now();
        let (queue, results) = self
            .database
            .write(move |connection| {
                let queue = queues::of_name(connection, &name)?;
                let put = |message: NewMessage| {
                    message.check(&queue, in_batch)?;
                    let delay_s = message.delay_s.unwrap_or(queue.attributes.delay_s());
                    messages::insert(connection, queue.id, &message, now, later(now, delay_s))?;
                    Ok(message)
                };
                let results: Vec<Result<NewMessage, Error>> = new.into_iter().map(put).collect();
                Ok::<_, Error>((queue.id, results))
            })
            .await?;
        self.tell_pollers(queue);
        Ok(results)
    }

    /// Receives messages, waiting for the first one as long as asked for.
    pub(crate) async fn receive(&self, name: &str, receive: Receive) -> Result<Vec<Received>, Error> {
        let mut look = self.look(name, receive).await?;
        let wait = Duration::from_secs(u64::try_from(look.wait_s).unwrap_or_default());
        let until = Instant::now() + wait;
        while look.received.is_empty() && Instant::now() < until {
            let poll = self.poll(look.queue);
            let mut news = pin!(poll.notified());
            news.as_mut().enable(); // what is sent from here on wakes us, so look once more before we wait
            look = self.look(name, receive).await?;
            if !look.received.is_empty() {
                break;
            }
            let next_visible = look.next_visible.unwrap_or_default();
            tokio::select! {
                () = news => {}
                () = self.world.clock.sleep_until(next_visible), if look.next_visible.is_some() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
        Ok(look.received)
    }

    /// One look at a queue: takes what is visible, and buries what was received too often.
    async fn look(&self, name: &str, receive: Receive) -> Result<Look, Error> {
        let (name, world) = (name.to_owned(), self.world.clone());
        let look = self.database.write(move |connection| {
            let queue = queues::of_name(connection, &name)?;
            take(connection, &world, &queue, receive)
        });
        let look = look.await?;
        for buried in &look.buried {
            self.tell_pollers(buried.target);
            self.tell_of(buried);
        }
        Ok(look)
    }

    /// Who polls the queue looks again.
    pub(crate) fn tell_pollers(&self, queue: i64) {
        if let Some(poll) = self.polls.lock().expect("no holder panics").get(&queue) {
            poll.notify_waiters();
        }
    }

    /// Who polls the queue looks again, and finds that it is gone.
    pub(crate) fn forget_pollers(&self, queue: i64) {
        if let Some(poll) = self.polls.lock().expect("no holder panics").remove(&queue) {
            poll.notify_waiters();
        }
    }

    fn poll(&self, queue: i64) -> Arc<Notify> {
        Arc::clone(self.polls.lock().expect("no holder panics").entry(queue).or_default())
    }

    #[cfg(test)]
    pub(crate) fn is_polled(&self) -> bool {
        !self.polls.lock().expect("no holder panics").is_empty()
    }

    fn tell_of(&self, buried: &Buried) {
        let what = format!("{} → {}", buried.from, buried.to);
        let moment = self.world.timeline.moment(Kind::Warning, what).outcome(Outcome::Failed);
        let moment = moment.detail("received too often: moved to the dead-letter queue");
        let trace = buried.trace_header.as_deref().and_then(TraceId::from_header);
        self.world.timeline.record(moment.id("messageId", &buried.message_id).trace(trace));
    }
}

impl std::fmt::Debug for Queues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queues").field("database", &self.database).finish_non_exhaustive()
    }
}

/// The name of the queue in an ARN of this world's account and region.
pub(crate) fn name_in_arn(world: &World, arn: &str) -> Option<String> {
    let arn: Arn = arn.parse().ok()?;
    let ours = arn.service == "sqs" && arn.region == world.place.region && arn.account == world.place.account;
    ours.then_some(arn.resource)
}

/// `seconds` after `time`.
pub(crate) fn later(time: Timestamp, seconds: i64) -> Timestamp {
    time.plus(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
}

fn take(connection: &Connection, world: &World, queue: &Queue, receive: Receive) -> Result<Look, Error> {
    let now = world.clock.now();
    messages::expire(connection, queue.id, queue.keeps_after(now))?;
    let visibility_timeout_s = receive.visibility_timeout_s.unwrap_or(queue.attributes.visibility_timeout_s());
    let grave = grave(connection, world, queue)?;
    let wait_s = receive.wait_s.unwrap_or(queue.attributes.wait_s());
    let mut look = Look { queue: queue.id, wait_s, received: Vec::new(), next_visible: None, buried: Vec::new() };
    loop {
        let wanted = receive.count - look.received.len();
        let visible = messages::visible(connection, queue.id, now, wanted)?;
        let buried_before = look.buried.len();
        for message in visible {
            match &grave {
                Some((target, receives_max)) if message.receives_here >= *receives_max => {
                    messages::bury(connection, message.id, target.id, &queue.arn(&world.place), now)?;
                    look.buried.push(Buried {
                        target: target.id,
                        message_id: message.message_id,
                        trace_header: message.trace_header,
                        from: queue.name.clone(),
                        to: target.name.clone(),
                    });
                }
                _ => {
                    let visible = later(now, visibility_timeout_s);
                    look.received.push(hand_out(connection, &world.random, queue.id, message, (now, visible))?);
                }
            }
        }
        // The buried made room for others. Without a time-out, though, the received would come again.
        let room = look.buried.len() > buried_before && look.received.len() < receive.count;
        if !room || visibility_timeout_s == 0 {
            break;
        }
    }
    if look.received.is_empty() {
        look.next_visible = messages::next_visible(connection, queue.id, now)?;
    }
    Ok(look)
}

/// Where messages go that were received too often, and how often that is. A dead-letter queue that is not
/// there takes none: the messages stay.
fn grave(connection: &Connection, world: &World, queue: &Queue) -> Result<Option<(Queue, i64)>, Error> {
    let Some(policy) = queue.attributes.redrive_policy() else { return Ok(None) };
    let Some(name) = name_in_arn(world, &policy.dead_letter_target_arn) else { return Ok(None) };
    Ok(queues::find(connection, &name)?.map(|target| (target, policy.max_receive_count)))
}

fn hand_out(
    connection: &Connection,
    random: &Random,
    queue: i64,
    message: messages::Visible,
    (now, visible): (Timestamp, Timestamp),
) -> Result<Received, Error> {
    let receipt = Receipt { queue, message: message.id, nonce: i64::from_be_bytes(random.bytes()) };
    messages::receive(connection, message.id, receipt.nonce, now, visible)?;
    Ok(Received {
        message_id: message.message_id,
        receipt_handle: receipt.handle(),
        body: message.body,
        attributes: message.attributes,
        group_id: message.group_id,
        trace_header: message.trace_header,
        source_arn: message.source_arn,
        sent: message.sent,
        first_received: message.first_received.unwrap_or(now),
        receives: message.receives + 1,
    })
}
