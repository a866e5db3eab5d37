//! Mail and text messages: SES in; mailbox and SMTP out.
//!
//! Every message that the local cloud would send to a person lands in the mailbox: codes and invitations of
//! user pools (by [`Mail::deliver`]), and what functions send through SES version 2 (by the API). With an
//! SMTP server given ([`Smtp`]), mails go out as well; a mail that cannot be passed on stays in the mailbox.
//!
//! Not here: version 1 of the SES API (the query protocol), templates, configuration sets, reputation. Any
//! sender may send: identities can be made and listed, and are not enforced. Start at [`Mail`].

mod address;
mod error;
mod identity;
mod message;
mod mime;
mod ops;
mod smtp;
mod store;

use std::sync::Arc;

use aws_api::{Protocol, Service, ServiceName};
use storage::{Durability, Location, StorageError};
use world::{Kind, World};

pub use message::{Channel, Message, StoredMessage};
pub use smtp::{NotAnSmtpUrl, Smtp};

use smtp::Outbound;
use store::Store;

const SES: ServiceName = ServiceName {
    title: "Amazon Simple Email Service (v2)",
    target: "",
    signing: "ses",
    protocol: Protocol::RestJson,
    unsigned: &[],
    constraint_exception: "BadRequestException",
};

/// The room.
#[derive(Debug)]
pub struct Mail {
    world: World,
    store: Store,
    outbound: Option<Outbound>,
}

impl Mail {
    /// Opens the mailbox. With `smtp`, mails are passed on to that server as well.
    pub fn open(
        world: World,
        location: Location,
        durability: Durability,
        smtp: Option<Smtp>,
    ) -> Result<Arc<Self>, StorageError> {
        let store = Store::open(location, durability)?;
        let outbound = smtp.map(|smtp| Outbound::new(smtp, world.timeline.clone()));
        Ok(Arc::new(Self { world, store, outbound }))
    }

    /// SES version 2.
    pub fn services(self: &Arc<Self>) -> Vec<Arc<dyn Service>> {
        vec![<dyn Service>::of(SES, Arc::clone(self), ops::OPERATIONS)]
    }

    /// Puts a message into the mailbox and, if it is a mail and a server was given, hands it to SMTP in the
    /// background. Returns its id. The message is kept once this has returned.
    pub async fn deliver(&self, message: Message) -> Result<String, StorageError> {
        let now = self.world.clock.now();
        let id = format!("0100{:012x}-{}-000000", now.millis(), self.world.random.uuid());
        let moment = self
            .world
            .timeline
            .moment(Kind::Mail, message.headline())
            .detail(message.source.clone())
            .trace(message.trace.clone())
            .about(message.recipients().map(address::of))
            .about(message.about.iter().cloned())
            .id("messageId", &id);
        let mut letter = self.outbound.as_ref().and_then(|_| smtp::Letter::write(&id, now, &message).transpose());
        self.store.add(StoredMessage::new(id.clone(), now, message)).await?;
        self.world.timeline.record(moment);
        if let (Some(outbound), Some(letter)) = (&self.outbound, letter.take()) {
            outbound.hand_over(&id, letter);
        }
        Ok(id)
    }

    /// The messages of one address or phone number, or all that are kept; oldest first.
    pub async fn messages(&self, to: Option<&str>) -> Result<Vec<StoredMessage>, StorageError> {
        match to {
            Some(to) => self.store.of_recipient(address::of(to)).await,
            None => self.store.all().await,
        }
    }

    /// Forgets every message and identity.
    pub async fn reset(&self) -> Result<(), StorageError> {
        self.store.clear().await
    }
}
