//! A spool of items in the profiles' table, for functions: `pk = RECONCILE#<pool>`, one item for the progress and one
//! for each chunk of a log. They carry a time to live, should nobody ever come back to them.
//!
//! Chunks are written when they are worth it, not with every page, so the progress lags behind: what a death loses is
//! read again. Two runs at a time are told apart by a number that every recording raises.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use tandem_profiles::{EXPIRY, PARTITION_KEY, SORT_KEY, Timestamp};

use super::{Spool, SpoolError, Stream};

/// An item has 400 KB at most, with its names.
const CHUNK_BYTES_MAX: usize = 350 * 1024;

/// Less than this is not written unless it must be.
const CHUNK_BYTES_MIN: usize = 256 * 1024;

/// A run that nobody has gone on with for so long is forgotten.
const LIFE_DAYS: u16 = 7;

const PROGRESS: &str = "PROGRESS";

/// A spool in the table.
#[derive(Debug)]
pub struct Table {
    client: Client,
    name: String,
    partition_key: String,
    expires_at: Timestamp,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Appended and not written.
    pending: BTreeMap<Stream, Vec<u8>>,
    /// What is written of each log.
    lengths: HashMap<Stream, u64>,
    /// Of the progress that was read or written last.
    recording: u64,
}

impl Table {
    /// In the profiles' table, for that pool.
    pub fn new(client: Client, table: impl Into<String>, user_pool_id: &str, now: Timestamp) -> Self {
        let partition_key = format!("RECONCILE#{user_pool_id}");
        let (table, expires_at) = (table.into(), now.plus_days(LIFE_DAYS));
        Self { client, name: table, partition_key, expires_at, state: Mutex::default() }
    }

    fn key(&self, sort_key: String) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (PARTITION_KEY.to_owned(), AttributeValue::S(self.partition_key.clone())),
            (SORT_KEY.to_owned(), AttributeValue::S(sort_key)),
        ])
    }

    async fn write_chunks(&self, stream: Stream, bytes: &[u8]) -> Result<(), SpoolError> {
        for chunk in bytes.chunks(CHUNK_BYTES_MAX) {
            let at = self.state().lengths.get(&stream).copied().unwrap_or_default();
            let mut item = self.key(chunk_key(stream, at));
            item.insert("bytes".to_owned(), AttributeValue::B(Blob::new(chunk)));
            item.insert(EXPIRY.to_owned(), AttributeValue::N(self.expires_at.seconds().to_string()));
            let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
            put.send().await.map_err(|error| self.failed(&error))?;
            self.state().lengths.insert(stream, at + chunk.len() as u64);
        }
        Ok(())
    }

    async fn write_progress(&self, progress: &str) -> Result<(), SpoolError> {
        let before = self.state().recording;
        let mut item = self.key(PROGRESS.to_owned());
        item.insert("progress".to_owned(), AttributeValue::S(progress.to_owned()));
        item.insert("recording".to_owned(), AttributeValue::N((before + 1).to_string()));
        item.insert(EXPIRY.to_owned(), AttributeValue::N(self.expires_at.seconds().to_string()));
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let put = if before == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("recording = :before")
                .expression_attribute_values(":before", AttributeValue::N(before.to_string()))
        };
        match put.send().await {
            Ok(_) => {
                self.state().recording = before + 1;
                Ok(())
            }
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Err(SpoolError::Taken { place: format!("{} in table {}", self.partition_key, self.name) })
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn sort_keys(&self, prefix: &str) -> Result<Vec<String>, SpoolError> {
        let pages = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", AttributeValue::S(self.partition_key.clone()))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .projection_expression(SORT_KEY)
            .consistent_read(true);
        let mut keys = Vec::new();
        let mut start = None;
        loop {
            let page = pages.clone().set_exclusive_start_key(start).send().await;
            let page = page.map_err(|error| self.failed(&error))?;
            let found = page.items.unwrap_or_default().into_iter().filter_map(|mut item| item.remove(SORT_KEY));
            keys.extend(found.filter_map(|key| key.as_s().ok().cloned()));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(keys);
            }
        }
    }

    async fn delete(&self, sort_key: String) -> Result<(), SpoolError> {
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(self.key(sort_key)));
        delete.send().await.map(drop).map_err(|error| self.failed(&error))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    fn failed<E, R>(&self, error: &SdkError<E, R>) -> SpoolError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        SpoolError::Failed { place: format!("table {}", self.name), reason: tandem_pool::reason(error) }
    }
}

/// The offset has as many digits as any has, so that the order of keys is the order of chunks.
fn chunk_key(stream: Stream, at: u64) -> String {
    format!("LOG#{stream}#{at:015}")
}

#[async_trait]
impl Spool for Table {
    /// One: a shard is a chunk of its own for every few pages, and a function's pool is no giant.
    fn shards(&self) -> u16 {
        1
    }

    async fn progress(&self) -> Result<Option<String>, SpoolError> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(self.key(PROGRESS.to_owned())));
        let answer = get.consistent_read(true).send().await.map_err(|error| self.failed(&error))?;
        let Some(item) = answer.item else { return Ok(None) };
        let recording = item.get("recording").and_then(|number| number.as_n().ok()?.parse().ok());
        self.state().recording = recording.unwrap_or_default();
        Ok(item.get("progress").and_then(|progress| progress.as_s().ok()).cloned())
    }

    async fn append(&self, stream: Stream, bytes: &[u8]) -> Result<(), SpoolError> {
        self.state().pending.entry(stream).or_default().extend(bytes);
        Ok(())
    }

    async fn record(&self, progress: &str, now: bool) -> Result<(), SpoolError> {
        let pending = {
            let mut state = self.state();
            if !now && state.pending.values().map(Vec::len).sum::<usize>() < CHUNK_BYTES_MIN {
                return Ok(());
            }
            std::mem::take(&mut state.pending)
        };
        for (stream, bytes) in pending {
            self.write_chunks(stream, &bytes).await?;
        }
        self.write_progress(progress).await
    }

    async fn truncate(&self, stream: Stream, length: u64) -> Result<(), SpoolError> {
        self.state().pending.remove(&stream);
        for key in self.sort_keys(&format!("LOG#{stream}#")).await? {
            if key >= chunk_key(stream, length) {
                self.delete(key).await?;
            }
        }
        self.state().lengths.insert(stream, length);
        Ok(())
    }

    async fn read(&self, stream: Stream, from: u64) -> Result<Vec<u8>, SpoolError> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(self.key(chunk_key(stream, from))));
        let answer = get.send().await.map_err(|error| self.failed(&error))?;
        let bytes = answer.item.and_then(|mut item| item.remove("bytes"));
        Ok(bytes.and_then(|bytes| bytes.as_b().ok().cloned()).map(Blob::into_inner).unwrap_or_default())
    }

    async fn clear(&self) -> Result<(), SpoolError> {
        // The progress goes first: without it the chunks are nobody's.
        self.delete(PROGRESS.to_owned()).await?;
        for key in self.sort_keys("LOG#").await? {
            self.delete(key).await?;
        }
        *self.state() = State::default();
        Ok(())
    }
}
