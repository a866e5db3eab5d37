//! DynamoDB and its Streams: dynoxide behind our router.
//!
//! Tables, items, expressions, transactions, indexes, `PartiQL` and streams are the crate `dynoxide-rs`; nothing
//! of DynamoDB is written here. This room opens its file, puts it behind the one port, tells the timeline what
//! was written to whom, and says by name what dynoxide has not.
//!
//! A request takes one of two ways, with the same answer to the byte:
//!
//! - *by the library* ([`library`]): the hot operations, decoded once and run on the calling thread;
//! - *by dynoxide's own server* ([`forward`]): everything else, and every request that the library refuses for
//!   a reason whose wording is the business of the server (a wrong JSON type, a broken expression).
//!
//! Start at [`Tables`].

mod arns;
mod file;
mod forward;
mod library;
mod news;
mod service;
mod shape;
mod told;
mod upkeep;

#[cfg(test)]
mod differential;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use aws_api::{Protocol, Service, ServiceName};
use dynoxide::actions::delete_table::DeleteTableRequest;
use dynoxide::actions::list_tables::ListTablesRequest;
use dynoxide::actions::update_table::UpdateTableRequest;
use dynoxide::{Database, DynoxideError};
use storage::{Durability, Location, StorageError};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::watch;
use world::World;

use forward::Forward;
use news::News;
use service::Face;
use told::KeyNames;
use upkeep::Upkeep;

/// How often items past their time to live are looked for. On AWS it takes them up to days.
const SWEEP_PERIOD: Duration = Duration::from_mins(1);

const DYNAMODB: ServiceName = ServiceName {
    title: "Amazon DynamoDB",
    target: "DynamoDB_20120810",
    signing: "dynamodb",
    protocol: Protocol::Json10,
    unsigned: &[],
    constraint_exception: "ValidationException",
};

const STREAMS: ServiceName = ServiceName {
    title: "Amazon DynamoDB Streams",
    target: "DynamoDBStreams_20120810",
    signing: "dynamodb",
    protocol: Protocol::Json10,
    unsigned: &[],
    constraint_exception: "ValidationException",
};

/// The room.
pub struct Tables {
    world: World,
    database: Database,
    forward: Forward,
    /// The names of each table's key attributes, for the timeline. Forgotten when a table changes.
    key_names: RwLock<HashMap<String, Arc<KeyNames>>>,
    /// Dynoxide has one lock, and its holders block their threads. Short operations share this one and long
    /// ones (scans, transactions, batches) hold it alone, so that nobody waits for a long one on a thread of
    /// the runtime.
    turn: tokio::sync::RwLock<()>,
    /// Of a file.
    upkeep: Option<Upkeep>,
    news: News,
}

/// A reset that did not go through.
#[derive(Debug, thiserror::Error)]
#[error("the tables could not be deleted: {0}")]
pub struct ResetError(#[from] DynoxideError);

impl Tables {
    /// Opens the file, or makes it. Inside a runtime, items past their time to live are deleted from time to
    /// time for as long as the room lives.
    pub fn open(world: World, location: Location, durability: Durability) -> Result<Arc<Self>, StorageError> {
        let (database, upkeep) = file::open(&world, location, durability)?;
        let tables = Arc::new(Self {
            world,
            forward: Forward::new(database.clone()),
            database,
            key_names: RwLock::default(),
            turn: tokio::sync::RwLock::new(()),
            upkeep,
            news: News::default(),
        });
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(sweep(Arc::downgrade(&tables)));
        }
        Ok(tables)
    }

    /// DynamoDB, and DynamoDB Streams.
    pub fn services(self: &Arc<Self>) -> Vec<Arc<dyn Service>> {
        vec![
            Arc::new(Face::new(Arc::clone(self), DYNAMODB, service::DYNAMODB_OPERATIONS)),
            Arc::new(Face::new(Arc::clone(self), STREAMS, service::STREAMS_OPERATIONS)),
        ]
    }

    /// Changes whenever something may have been written to a table: for readers of its stream.
    pub fn news(&self, table: &str) -> watch::Receiver<u64> {
        self.news.of(table)
    }

    /// Deletes every table, protected ones too.
    pub async fn reset(&self) -> Result<(), ResetError> {
        let _turn = self.turn.write().await;
        self.forget_key_names();
        blocking(|| self.delete_all_tables())?;
        self.news.written_anywhere(); // their readers find that they are gone
        Ok(())
    }

    fn delete_all_tables(&self) -> Result<(), DynoxideError> {
        loop {
            let names = self.database.list_tables(ListTablesRequest::default())?.table_names;
            if names.is_empty() {
                return Ok(());
            }
            for table_name in names {
                if self.database.get_table_metadata(&table_name)?.is_some_and(|table| table.deletion_protection_enabled)
                {
                    self.database.update_table(UpdateTableRequest {
                        table_name: table_name.clone(),
                        deletion_protection_enabled: Some(false),
                        ..UpdateTableRequest::default()
                    })?;
                }
                self.database.delete_table(DeleteTableRequest { table_name })?;
            }
        }
    }

    fn key_names(&self, table: &str) -> Option<Arc<KeyNames>> {
        let known = self.key_names.read().unwrap_or_else(PoisonError::into_inner).get(table).cloned();
        known.or_else(|| {
            let names = Arc::new(KeyNames::read(&self.database.get_table_metadata(table).ok()??.key_schema)?);
            let mut all = self.key_names.write().unwrap_or_else(PoisonError::into_inner);
            all.insert(table.to_owned(), Arc::clone(&names));
            Some(names)
        })
    }

    fn forget_key_names(&self) {
        self.key_names.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

/// Runs what may take long without keeping other tasks of the thread waiting.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    let is_alone = Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread);
    if is_alone { work() } else { tokio::task::block_in_place(work) }
}

/// Deletes items past their time to live. Ends with the room.
async fn sweep(tables: Weak<Tables>) {
    let Some(mut clock) = tables.upgrade().map(|tables| tables.world.clock.clone()) else { return };
    loop {
        clock.sleep_until(clock.now().plus(SWEEP_PERIOD)).await;
        let Some(room) = tables.upgrade() else { return };
        clock = room.world.clock.clone();
        let database = room.database.clone();
        drop(room);
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Err(error)) => tracing::warn!(%error, "items past their time to live could not be deleted"),
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(items)) => {
                tracing::debug!(items, "deleted items past their time to live");
                tables.upgrade().inspect(|tables| tables.news.written_anywhere());
            }
        }
    }
}
