//! The hot operations, by dynoxide's library: one decoding, one call, one encoding.
//!
//! What succeeds here succeeds in dynoxide's server with the same answer. What fails may be worded otherwise
//! there (it checks JSON types before decoding, and knows which of DynamoDB's two validation layers an
//! operation runs on), so only failures that are about data, not about the request, are answered from here.
//! The rest is [`Attempt::Unsure`]: nothing was changed, and the server is asked.

use dynoxide::actions as of;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Tables;
use crate::told::{Writes, Written};
use crate::upkeep::RETENTION;

/// Larger requests are not looked into for the timeline.
const TOLD_BYTES_MAX: usize = 64 * 1024;

/// How long an operation may hold the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// One item: some microseconds.
    Point,
    /// Many items.
    Long,
}

/// One operation.
pub struct ByLibrary {
    pub weight: Weight,
    /// The members that the library reads as the server does.
    pub members: &'static [&'static str],
    pub run: fn(&Tables, &str) -> Attempt,
}

/// What came of it.
pub enum Attempt {
    /// It is done.
    Done { body: Vec<u8>, written: Vec<Written> },
    /// It was refused, in the server's words.
    Refused(Refusal),
    /// It was refused; the server knows the words.
    Unsure,
}

/// A refusal.
pub struct Refusal {
    pub status: StatusCode,
    pub body: Vec<u8>,
    /// What the call would have written.
    pub written: Vec<Written>,
    /// A condition was not met, and nothing else was wrong.
    pub is_condition: bool,
}

macro_rules! by_library {
    ($weight:ident, $call:path, [$($member:literal),* $(,)?]) => {
        crate::library::ByLibrary {
            weight: crate::library::Weight::$weight,
            members: &[$($member),*],
            run: |tables, body| crate::library::attempt(tables, body, $call),
        }
    };
}
pub(crate) use by_library;

/// Decodes, runs, encodes.
pub fn attempt<Q, A>(tables: &Tables, body: &str, call: fn(&Database, Q) -> Result<A, DynoxideError>) -> Attempt
where
    Q: DeserializeOwned + Writes,
    A: Serialize,
{
    let Ok(request) = serde_json::from_str::<Q>(body) else { return Attempt::Unsure };
    let written = if body.len() <= TOLD_BYTES_MAX { request.items(tables) } else { Vec::new() };
    match call(&tables.database, request) {
        Ok(answer) => match serde_json::to_vec(&answer) {
            Ok(body) => Attempt::Done { body, written },
            Err(error) => refused(&DynoxideError::InternalServerError(error.to_string()), written),
        },
        Err(error) if is_about_data(&error) => refused(&error, written),
        Err(_) => Attempt::Unsure,
    }
}

/// A page ends at 1 MB, and items are hardly ever below 64 bytes. dynoxide reads everything that is left of the table
/// before it looks where the page ends: without a limit, walking through a million items would read the table hundreds
/// of times over.
const PAGE_ITEMS_MAX: usize = 16_384;

/// `Scan`, in pages that cost what they hold.
pub fn scan(database: &Database, mut request: of::scan::ScanRequest) -> Result<of::scan::ScanResponse, DynoxideError> {
    request.limit = Some(request.limit.map_or(PAGE_ITEMS_MAX, |limit| limit.min(PAGE_ITEMS_MAX)));
    database.scan(request)
}

/// `Query`, in the same way.
pub fn query(
    database: &Database,
    mut request: of::query::QueryRequest,
) -> Result<of::query::QueryResponse, DynoxideError> {
    request.limit = Some(request.limit.map_or(PAGE_ITEMS_MAX, |limit| limit.min(PAGE_ITEMS_MAX)));
    database.query(request)
}

/// `GetRecords`, with our region instead of dynoxide's in each record, and none that is too old.
pub fn get_records(tables: &Tables, body: &str) -> Attempt {
    let Ok(request) = serde_json::from_str::<GetRecordsRequest>(body) else { return Attempt::Unsure };
    let Ok(mut answer) = tables.database.get_records(request) else { return Attempt::Unsure };
    // Records are removed by writes; until the next one, those that are too old are passed over here.
    let oldest = tables.world.clock.now().epoch_seconds() - RETENTION.as_secs_f64();
    answer.records.retain(|record| record.dynamodb.approximate_creation_date_time >= oldest);
    for record in &mut answer.records {
        record.aws_region.clone_from(&tables.world.place.region);
    }
    serde_json::to_vec(&answer).map_or(Attempt::Unsure, |body| Attempt::Done { body, written: Vec::new() })
}

fn refused(error: &DynoxideError, written: Vec<Written>) -> Attempt {
    Attempt::Refused(Refusal {
        status: StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST),
        body: error.to_json().into_bytes(),
        written,
        is_condition: !matches!(error, DynoxideError::InternalServerError(_)),
    })
}

/// Refusals that depend on what is stored and not on how the request is written.
fn is_about_data(error: &DynoxideError) -> bool {
    match error {
        DynoxideError::ConditionalCheckFailedException(..) => true,
        DynoxideError::TransactionCanceledException(_, reasons) => {
            reasons.iter().all(|reason| matches!(reason.code.as_str(), "None" | "ConditionalCheckFailed"))
        }
        _ => false,
    }
}

impl Writes for of::get_item::GetItemRequest {}
impl Writes for of::query::QueryRequest {}
impl Writes for of::scan::ScanRequest {}
impl Writes for of::batch_get_item::BatchGetItemRequest {}
impl Writes for of::transact_get_items::TransactGetItemsRequest {}
