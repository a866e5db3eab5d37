//! Receiving: which messages a receiver is given, and which go to the dead-letter queue instead.
//!
//! A standard queue gives what has been visible for longest. A FIFO queue gives groups: of each group that nobody
//! has a message of, its first messages in their order. Both are found by an index, however long the queue is.

use std::pin::pin;
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::Instant;
use world::{Kind, Outcome, Timestamp, TraceId, World};

use crate::Queues;
use crate::error::Error;
use crate::in_flight::InFlight;
use crate::message::Received;
use crate::queue::Queue;
use crate::queues::{later, name_in_arn};
use crate::receipt::Receipt;
use crate::store::attempts::{self, Attempt};
use crate::store::messages::{self, Move, Visible};
use crate::store::{groups, queues};

/// For so long a call of a FIFO queue may be repeated by its attempt id.
const ATTEMPT_S: i64 = 300;

/// What a receiver asks for.
#[derive(Clone, Debug)]
pub(crate) struct Receive {
    pub count: usize,
    /// The queue's own where there is none.
    pub visibility_timeout_s: Option<i64>,
    /// The queue's own where there is none.
    pub wait_s: Option<i64>,
    /// Of a FIFO queue: a call of the same id gets the same messages again.
    pub attempt_id: Option<String>,
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
    /// Receives messages, waiting for the first one as long as asked for.
    pub(crate) async fn receive(&self, name: &str, receive: Receive) -> Result<Vec<Received>, Error> {
        let mut look = self.look(name, &receive).await?;
        let wait = Duration::from_secs(u64::try_from(look.wait_s).unwrap_or_default());
        let until = Instant::now() + wait;
        while look.received.is_empty() && Instant::now() < until {
            let poll = self.poll(look.queue);
            let mut news = pin!(poll.notified());
            news.as_mut().enable(); // what is sent from here on wakes us, so look once more before we wait
            look = self.look(name, &receive).await?;
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
    async fn look(&self, name: &str, receive: &Receive) -> Result<Look, Error> {
        let (name, world, receive) = (name.to_owned(), self.world.clone(), receive.clone());
        let in_flight = self.in_flight.clone();
        let look = self.database.write(move |connection| {
            let queue = queues::of_name(connection, &name)?;
            look(connection, &world, &queue, &receive, &in_flight)
        });
        let look = look.await?;
        for buried in &look.buried {
            self.tell_pollers(buried.target);
            self.tell_of(buried);
        }
        Ok(look)
    }

    fn tell_of(&self, buried: &Buried) {
        let what = format!("{} → {}", buried.from, buried.to);
        let moment = self.world.timeline.moment(Kind::Warning, what).outcome(Outcome::Failed);
        let moment = moment.detail("received too often: moved to the dead-letter queue");
        let trace = buried.trace_header.as_deref().and_then(TraceId::from_header);
        self.world.timeline.record(moment.id("messageId", &buried.message_id).trace(trace));
    }
}

fn look(
    connection: &Connection,
    world: &World,
    queue: &Queue,
    receive: &Receive,
    in_flight: &InFlight,
) -> Result<Look, Error> {
    if receive.attempt_id.is_some() && !queue.is_fifo() {
        let attempt_id = receive.attempt_id.as_deref().unwrap_or_default();
        return Err(Error::not_of_this_type(attempt_id, "ReceiveRequestAttemptId"));
    }
    let now = world.clock.now();
    messages::expire(connection, queue.id, queue.keeps_after(now))?;
    let visibility_timeout_s = receive.visibility_timeout_s.unwrap_or(queue.attributes.visibility_timeout_s());
    let wait_s = receive.wait_s.unwrap_or(queue.attributes.wait_s());
    let look = Look { queue: queue.id, wait_s, received: Vec::new(), next_visible: None, buried: Vec::new() };
    let room = in_flight.room(connection, queue.id, receive.count, now)?;
    if room == 0 && wait_s == 0 && !queue.is_fifo() {
        return Err(Error::too_many_in_flight()); // a long poll waits, and FIFO queues say nothing
    }
    let grave = grave(connection, world, queue)?;
    let visible = later(now, visibility_timeout_s);
    let mut hand = Hand { connection, world, queue, now, visible, room, grave, look, receipts: Vec::new() };
    match &receive.attempt_id {
        Some(attempt_id) => hand.take_again_or_anew(attempt_id)?,
        None => hand.take()?,
    }
    let Hand { mut look, .. } = hand;
    in_flight.add(queue.id, look.received.len());
    if look.received.is_empty() {
        look.next_visible = if queue.is_fifo() {
            groups::next_available(connection, queue.id, now)?
        } else {
            messages::next_visible(connection, queue.id, now)?
        };
    }
    Ok(look)
}

/// Where messages go that were received too often, and how often that is. A dead-letter queue that is not
/// there, or is none of this type any more, takes none: the messages stay.
fn grave(connection: &Connection, world: &World, queue: &Queue) -> Result<Option<(Queue, i64)>, Error> {
    let Some(policy) = queue.attributes.redrive_policy() else { return Ok(None) };
    let Some(name) = name_in_arn(world, &policy.dead_letter_target_arn) else { return Ok(None) };
    let target = queues::find(connection, &name)?.filter(|target| target.is_fifo() == queue.is_fifo());
    Ok(target.map(|target| (target, policy.max_receive_count)))
}

/// A receiver's hand in a queue.
struct Hand<'a> {
    connection: &'a Connection,
    world: &'a World,
    queue: &'a Queue,
    now: Timestamp,
    /// Until then what is taken is hidden.
    visible: Timestamp,
    /// For so many messages.
    room: usize,
    grave: Option<(Queue, i64)>,
    look: Look,
    receipts: Vec<(i64, i64)>,
}

impl Hand<'_> {
    /// Takes what a call of this id was given before, if nothing happened to it, or else what there is.
    fn take_again_or_anew(&mut self, attempt_id: &str) -> Result<(), Error> {
        let (connection, queue) = (self.connection, self.queue.id);
        let known = attempts::find(connection, queue, attempt_id, self.now)?;
        let mut until = later(self.now, ATTEMPT_S);
        if let Some(attempt) = known {
            let again = self.untouched(&attempt)?;
            if !again.is_empty() {
                for (message, receipt) in again {
                    messages::set_visible(connection, message.id, self.visible)?;
                    self.receipts.push((message.id, receipt.nonce));
                    self.look.received.push(self.received(message, receipt, 0));
                }
                self.refresh_groups()?;
                until = attempt.until;
            }
        }
        if self.look.received.is_empty() {
            self.take()?;
        }
        if self.look.received.is_empty() {
            return Ok(());
        }
        let receipts = std::mem::take(&mut self.receipts);
        attempts::insert(connection, queue, attempt_id, &Attempt { receipts, visible: self.visible, until }, self.now)
    }

    /// The messages of an attempt, if every one is still hidden as that attempt hid it.
    fn untouched(&self, attempt: &Attempt) -> Result<Vec<(Visible, Receipt)>, Error> {
        let mut all = Vec::with_capacity(attempt.receipts.len());
        for (id, nonce) in &attempt.receipts {
            let message = messages::of_receipt(self.connection, self.queue.id, *id, *nonce)?;
            let Some(message) = message.filter(|it| it.hidden_until == attempt.visible && it.hidden_until > self.now)
            else {
                return Ok(Vec::new());
            };
            all.push((message, Receipt { queue: self.queue.id, message: *id, nonce: *nonce }));
        }
        Ok(all)
    }

    fn refresh_groups(&self) -> Result<(), Error> {
        let mut groups: Vec<&str> =
            self.look.received.iter().filter_map(|message| message.group_id.as_deref()).collect();
        groups.dedup(); // messages of a group follow each other
        groups.into_iter().try_for_each(|group_id| groups::refresh(self.connection, self.queue.id, group_id))
    }

    fn take(&mut self) -> Result<(), Error> {
        loop {
            let buried_before = self.look.buried.len();
            if self.queue.is_fifo() {
                self.take_of_groups()?;
            } else {
                for message in messages::visible(self.connection, self.queue.id, self.now, self.room())? {
                    self.take_one(message)?;
                }
            }
            // The buried made room for others. Without a time-out, though, the received would come again.
            let more = self.look.buried.len() > buried_before && self.room() > 0;
            if !more || self.visible <= self.now {
                return Ok(());
            }
        }
    }

    /// As many as there are of one group, then of the next.
    fn take_of_groups(&mut self) -> Result<(), Error> {
        for group_id in groups::available(self.connection, self.queue.id, self.now, self.room())? {
            if self.room() == 0 {
                break;
            }
            for message in messages::of_group(self.connection, self.queue.id, &group_id, self.now, self.room())? {
                self.take_one(message)?;
            }
            groups::refresh(self.connection, self.queue.id, &group_id)?;
        }
        Ok(())
    }

    fn room(&self) -> usize {
        self.room.saturating_sub(self.look.received.len())
    }

    fn take_one(&mut self, message: Visible) -> Result<(), Error> {
        let target = self.grave.as_ref().filter(|(_, receives_max)| message.receives_here >= *receives_max);
        if let Some((target, _)) = target {
            let buried = Buried {
                target: target.id,
                message_id: message.message_id.clone(),
                trace_header: message.trace_header.clone(),
                from: self.queue.name.clone(),
                to: target.name.clone(),
            };
            bury(self.connection, self.world, self.queue, target, &message)?;
            self.look.buried.push(buried);
            return Ok(());
        }
        let nonce = i64::from_be_bytes(self.world.random.bytes());
        let receipt = Receipt { queue: self.queue.id, message: message.id, nonce };
        messages::receive(self.connection, message.id, nonce, self.now, self.visible)?;
        self.receipts.push((message.id, nonce));
        self.look.received.push(self.received(message, receipt, 1));
        Ok(())
    }

    fn received(&self, message: Visible, receipt: Receipt, receives_more: i64) -> Received {
        Received {
            message_id: message.message_id,
            receipt_handle: receipt.handle(),
            body: message.body,
            attributes: message.attributes,
            group_id: message.group_id,
            deduplication_id: message.deduplication_id,
            sequence: message.sequence,
            trace_header: message.trace_header,
            source_arn: message.source_arn,
            sent: message.sent,
            first_received: message.first_received.unwrap_or(self.now),
            receives: message.receives + receives_more,
        }
    }
}

/// Moves a message to its dead-letter queue. In a FIFO queue it counts as sent now, and its own id takes the place
/// of its deduplication id, so that two messages that shared one are both kept.
fn bury(connection: &Connection, world: &World, queue: &Queue, target: &Queue, message: &Visible) -> Result<(), Error> {
    let now = world.clock.now();
    let source_arn = queue.arn(&world.place);
    let fifo = target.is_fifo();
    let sequence = if fifo { Some(queues::next_sequence(connection, target.id)?) } else { None };
    let to = Move {
        queue: target.id,
        message_id: &message.message_id,
        sent: if fifo { now } else { message.sent },
        visible: now,
        sequence,
        deduplication_id: fifo.then_some(message.message_id.as_str()),
        source_arn: Some(&source_arn),
    };
    messages::change_queue(connection, message.id, &to)?;
    append_to_group(connection, target, message, sequence, now)
}

/// A message came into a FIFO queue from another queue.
pub(crate) fn append_to_group(
    connection: &Connection,
    target: &Queue,
    message: &Visible,
    sequence: Option<i64>,
    visible: Timestamp,
) -> Result<(), Error> {
    match (&message.group_id, sequence) {
        (Some(group_id), Some(sequence)) => groups::append(connection, target.id, group_id, sequence, visible),
        _ => Ok(()),
    }
}

/// Up to `count` messages that a receiver could have now, in the order in which it would have them.
pub(crate) fn receivable(
    connection: &Connection,
    queue: &Queue,
    now: Timestamp,
    count: usize,
) -> Result<Vec<Visible>, Error> {
    if !queue.is_fifo() {
        return messages::visible(connection, queue.id, now, count);
    }
    let mut all = Vec::new();
    for group_id in groups::available(connection, queue.id, now, count)? {
        all.extend(messages::of_group(connection, queue.id, &group_id, now, count - all.len())?);
        if all.len() >= count {
            break;
        }
    }
    Ok(all)
}
