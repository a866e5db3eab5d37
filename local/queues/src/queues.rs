//! The whole room: its file, its lanes, and who waits for news of a queue. Messages are sent in `sending.rs` and
//! received in `receiving.rs`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex, RwLock, Weak};
use std::time::Duration;

use aws_api::{Arn, Protocol, Service, ServiceName};
use rusqlite::Connection;
use storage::{Database, Durability, Location, StorageError};
use tokio::sync::{Notify, watch};
use world::{Timestamp, World};

use crate::error::Error;
use crate::in_flight::InFlight;
use crate::lane::Lane;
use crate::ops::OPERATIONS;
use crate::pending::{Pending, Total};
use crate::policy::{Asked, Policy};
use crate::query_api::QUERY_API;
use crate::queue;
use crate::store::{self, jobs, move_tasks, queues};
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
    /// For tasks that must not keep the room alive.
    pub(crate) this: Weak<Self>,
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
    pub(crate) in_flight: Arc<InFlight>,
    /// Whether somebody takes the steps of message move tasks.
    pub(crate) mover_runs: AtomicBool,
    /// News for the one who does.
    pub(crate) move_news: Arc<Notify>,
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
        let look = |connection: &Connection| {
            Ok::<_, StorageError>((jobs::census(connection)?, move_tasks::any_runs(connection)?))
        };
        let (database, ((stored, highest), moving)) = Database::open_and(location, durability, store::SCHEMA, look)?;
        let room = Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            world,
            database,
            endpoint: RwLock::new(endpoint),
            lanes: Mutex::default(),
            stored,
            window_size,
            ids: Arc::new(AtomicI64::new(highest + 1)),
            total: Arc::new(Total::new()),
            polls: Mutex::default(),
            in_flight: Arc::new(InFlight::new()),
            mover_runs: AtomicBool::new(false),
            move_news: Arc::new(Notify::new()),
        });
        if moving {
            room.start_mover(); // an earlier process left tasks that run
        }
        Ok(room)
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
        vec![<dyn Service>::with_query(NAME, Arc::clone(self), OPERATIONS, &QUERY_API)]
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

    /// Whether the policy of a queue lets a service of AWS, such as `events.amazonaws.com`, do something with it
    /// (`sqs:SendMessage`) in the name of a resource, such as a rule. Without a policy, or without the queue, no.
    pub async fn allows(
        &self,
        queue_arn: &str,
        principal_service: &str,
        source_arn: &str,
        action: &str,
    ) -> Result<bool, StorageError> {
        let Some(name) = self.name_in_arn(queue_arn) else { return Ok(false) };
        let asked = Asked { principal_service, source_arn, action, resource: queue_arn };
        let policy = match self.database.read(move |connection| queues::find(connection, &name)).await {
            Ok(queue) => queue.and_then(|queue| Policy::read(queue.attributes.policy()?)),
            Err(Error::Storage(error)) => return Err(error),
            Err(_) => None,
        };
        Ok(policy.is_some_and(|policy| policy.allows(&asked)))
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
        self.in_flight.reset();
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

    /// Who polls the queue looks again.
    pub(crate) fn tell_pollers(&self, queue: i64) {
        if let Some(poll) = self.polls.lock().expect("no holder panics").get(&queue) {
            poll.notify_waiters();
        }
    }

    /// Who polls the queue looks again, and finds that it is gone.
    pub(crate) fn forget_pollers(&self, queue: i64) {
        self.in_flight.forget(queue);
        if let Some(poll) = self.polls.lock().expect("no holder panics").remove(&queue) {
            poll.notify_waiters();
        }
    }

    pub(crate) fn poll(&self, queue: i64) -> Arc<Notify> {
        Arc::clone(self.polls.lock().expect("no holder panics").entry(queue).or_default())
    }

    #[cfg(test)]
    pub(crate) fn is_polled(&self) -> bool {
        !self.polls.lock().expect("no holder panics").is_empty()
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
