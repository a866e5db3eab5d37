//! Removes what is held of a person.

use serde::Serialize;
use tandem_pool::Bus;
use tandem_profiles::{Change, DeletedUser, IdentityEvent, Origin, Timestamp, partition_key};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::error::Error;
use crate::search::{Holdings, Places};

/// How far to go.
#[derive(Clone, Debug, Default)]
pub struct Removal {
    /// The bus on which consumers are told, so that they can follow.
    pub bus: Option<Bus>,
    /// Whether whole log streams go, with what they hold of others.
    pub log_streams: bool,
}

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Erased {
    /// The account in the pool.
    pub account: bool,
    /// A tombstone is in the profile's place.
    pub profile: bool,
    /// Other items under the user's key.
    pub items: usize,
    /// The reservation of the address.
    pub marker: bool,
    /// Dead letters.
    pub letters: usize,
    /// Log streams.
    pub log_streams: usize,
    /// Why consumers were not told, if they should have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_announced: Option<String>,
}

/// Removes what [`holdings`](crate::holdings) has found. `now` is a reading of the clock from before it looked, or later.
pub async fn erase(places: &Places, holdings: &Holdings, removal: &Removal, now: Timestamp) -> Result<Erased, Error> {
    let mut erased = Erased::default();
    if let Some(account) = &holdings.account {
        erased.account = places.pool.delete(&account.username).await?;
    }
    let gone = DeletedUser { user_id: holdings.user.clone(), user_pool_id: places.pool.id().to_owned() };
    let event = IdentityEvent::new(Change::Deleted(gone), now, Origin::Admin);
    // By our own hand, and before anybody is told: it must hold whether or not a consumer is there.
    places.store().apply(&event, now).await?;
    erased.profile = true;
    if let Some(bus) = &removal.bus {
        erased.not_announced = bus.publish(&event, None).await.err().map(|turned| turned.reason);
    }
    for item in holdings.items.iter().filter(|item| item.sort_key != "PROFILE") {
        delete(places, &partition_key(&holdings.user), &item.sort_key).await?;
        erased.items += 1;
    }
    if let Some(address) = &holdings.marker {
        // The tombstone claims nothing; a marker that is somebody else's by now stays.
        erased.marker = places.store().free_marker(address, &holdings.user).await?;
    }
    for (queue, letter) in &holdings.letters {
        queue.delete(letter).await?;
        erased.letters += 1;
    }
    if removal.log_streams {
        for stream in &holdings.logs {
            places.logs.delete(stream).await?;
            erased.log_streams += 1;
        }
    }
    Ok(erased)
}

async fn delete(places: &Places, partition: &str, sort: &str) -> Result<(), Error> {
    places
        .tables
        .delete_item()
        .table_name(&places.table)
        .key("pk", AttributeValue::S(partition.to_owned()))
        .key("sk", AttributeValue::S(sort.to_owned()))
        .send()
        .await
        .map(drop)
        .map_err(|error| Error::from_sdk("DeleteItem", &places.table, &error))
}
