//! The room itself: what it is built of, and what the server does with it.

use std::sync::Arc;

use aws_api::{Arn, Protocol, Service, ServiceName};
use storage::{Database, Durability, Location, StorageError};
use world::{Timestamp, World};

use crate::api_call::Rates;
use crate::book::DEFAULT_BUS;
use crate::delivery::Lane;
use crate::error::Error;
use crate::oauth::Tokens;
use crate::ops::OPERATIONS;
use crate::ports::{Deliveries, HttpClient, Step, Targets};
use crate::routing::Explanations;
use crate::shelf::Shelf;
use crate::store;

const NAME: ServiceName = ServiceName {
    title: "Amazon EventBridge",
    target: "AWSEvents",
    signing: "events",
    protocol: Protocol::Json11,
    unsigned: &[],
    constraint_exception: "ValidationException",
};

/// `EventBridge`: buses, rules and targets, and the deliveries that events make.
pub struct EventBus {
    pub(crate) world: World,
    pub(crate) shelf: Shelf,
    pub(crate) deliveries: Arc<dyn Deliveries>,
    pub(crate) targets: Arc<dyn Targets>,
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) tokens: Tokens,
    pub(crate) rates: Rates,
    pub(crate) explanations: Explanations,
    /// Waits between attempts are divided by it.
    pub(crate) time_scale: f64,
}

impl EventBus {
    /// Opens the room over `bus.db` or a database in memory. The waits between attempts at a delivery are divided by
    /// `time_scale`, but for those that an HTTP server asks for.
    pub fn open(
        world: World,
        location: Location,
        durability: Durability,
        deliveries: Arc<dyn Deliveries>,
        targets: Arc<dyn Targets>,
        http: Arc<dyn HttpClient>,
        time_scale: f64,
    ) -> Result<Arc<Self>, StorageError> {
        let database = Database::open(location, durability, store::SCHEMA)?;
        let shelf = Shelf::new(database, world.clone());
        let (tokens, rates, explanations) = (Tokens::default(), Rates::default(), Explanations::default());
        let time_scale = if time_scale > 0.0 { time_scale } else { 1.0 };
        Ok(Arc::new(Self { world, shelf, deliveries, targets, http, tokens, rates, explanations, time_scale }))
    }

    /// The API.
    pub fn services(self: &Arc<Self>) -> Vec<Arc<dyn Service>> {
        vec![<dyn Service>::of(NAME, Arc::clone(self), OPERATIONS)]
    }

    /// One attempt at a delivery that was queued: `delivery` are the bytes given to [`Deliveries::enqueue`],
    /// `failed_attempts` the attempts made before, `first_queued` when it was queued first. An attempt may be
    /// repeated if its outcome was lost; nothing is assumed about which one was the last.
    pub async fn attempt(&self, delivery: &[u8], failed_attempts: u32, first_queued: Timestamp) -> Step {
        self.try_delivery(delivery, (failed_attempts, first_queued), Lane::Deliveries).await
    }

    /// The same for what [`Step::Call`] put into a lane of its own: it may wait for an HTTP server.
    pub async fn attempt_call(&self, delivery: &[u8], failed_attempts: u32, first_queued: Timestamp) -> Step {
        self.try_delivery(delivery, (failed_attempts, first_queued), Lane::Calls).await
    }

    /// Forgets every bus, rule and target, and whatever else there is. Deliveries already queued are the server's to forget.
    pub async fn reset(&self) -> Result<(), StorageError> {
        let (place, now) = (self.world.place.clone(), self.world.clock.now());
        let cleared = self.shelf.change(move |book, connection| {
            store::clear(connection)?;
            *book = store::load(connection, &place, now)?;
            Ok(())
        });
        cleared.await.map_err(|error| match error {
            Error::Storage(error) => error,
            error => {
                tracing::error!(%error, "the buses could not be reset");
                StorageError::Closed
            }
        })
    }

    /// The name in `EventBusName`, which may be an ARN; nothing given is the default bus. An ARN of another
    /// account or region stays as it is, and so names no bus of ours.
    pub(crate) fn bus_name(&self, given: Option<&str>) -> String {
        let given = given.unwrap_or(DEFAULT_BUS);
        let place = &self.world.place;
        match given.parse::<Arn>() {
            Ok(arn) if arn.service == "events" && arn.region == place.region && arn.account == place.account => {
                arn.resource.strip_prefix("event-bus/").unwrap_or(given).to_owned()
            }
            _ => given.to_owned(),
        }
    }
}
