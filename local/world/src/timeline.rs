//! The record of what happened to whom, for people to read: "why did nothing happen?" starts here.
//!
//! Kept in memory and bounded: the oldest moments go first. It is no log of requests and no store of data;
//! nothing in the local cloud decides by it. Codes, passwords and tokens never enter it.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};

use serde::Serialize;

use crate::{Clock, Timestamp};

/// Moments kept. About 500 bytes each.
const MOMENTS_MAX: usize = 20_000;
/// Of one text in a moment: what callers sent may be repeated in it, and that may be megabytes.
const TEXT_BYTES_MAX: usize = 2_048;
/// Of the names of whom a moment is about, and of its ids.
const NAMES_MAX: usize = 32;

/// The trace that a request belongs to: the `Root` of `X-Amzn-Trace-Id`, such as
/// `1-6745c3a1-0123456789abcdef01234567`. SDKs inside a function pass it on, which is what ties
/// an item written by the third function to the sign-up that began it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct TraceId(Arc<str>);

impl TraceId {
    /// A new trace, as AWS's front door makes one for a request that has none.
    pub fn new(now: Timestamp, random: &crate::Random) -> Self {
        let tail = random.letters(24, b"0123456789abcdef");
        Self(format!("1-{:08x}-{tail}", now.seconds()).into())
    }

    /// The root in the value of an `X-Amzn-Trace-Id` header; nothing if it has none.
    pub fn from_header(value: &str) -> Option<Self> {
        let root = value.split(';').find_map(|part| part.trim().strip_prefix("Root="))?;
        let fits = root.len() <= 64 && root.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (fits && !root.is_empty()).then(|| Self(root.into()))
    }

    /// From the root alone, as a store kept it.
    pub fn from_root(root: &str) -> Self {
        Self(root.into())
    }

    /// The root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of an `X-Amzn-Trace-Id` header.
    pub fn header(&self) -> String {
        format!("Root={};Sampled=1", self.0)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What sort of moment it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A call of an AWS API, by a user's client or by a function.
    ApiCall,
    /// One attempt to run a trigger of a user pool.
    Trigger,
    /// An event accepted by a bus.
    Event,
    /// A rule that matched an event, or the first field that did not.
    Rule,
    /// One attempt to deliver an event to a target.
    Delivery,
    /// One run of a function.
    Invocation,
    /// An item written to a table.
    Item,
    /// A mail or text message handed over.
    Mail,
    /// Something that went wrong because the fault plan says so.
    Fault,
    /// Something that people should look at: an unknown bus, a message that went to a dead-letter queue.
    Warning,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As asked for.
    Ok,
    /// Looked at and passed over: a rule that did not match, a write that a condition stopped.
    Skipped,
    /// Failed, and will be tried again.
    Retrying,
    /// Failed for good.
    Failed,
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    /// When it began, RFC 3339 with milliseconds.
    #[serde(serialize_with = "rfc3339")]
    pub at: Timestamp,
    /// What sort of moment.
    pub kind: Kind,
    /// How it went.
    pub outcome: Outcome,
    /// One line for people: `SignUp`, `PostConfirmation → announce-user`.
    pub what: String,
    /// What else people should know: the error, the first field that did not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How long it took, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<u64>,
    /// The trace it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
    /// Whom it is about: sub, user name, e-mail address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
    /// Ids to look further with: `requestId`, `eventId`, `messageId`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<(&'static str, String)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over by reference")]
fn rfc3339<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.rfc3339_millis())
}

impl Moment {
    /// A moment that went well; change what was otherwise.
    pub fn new(at: Timestamp, kind: Kind, what: impl Into<String>) -> Self {
        Self {
            at,
            kind,
            outcome: Outcome::Ok,
            what: what.into(),
            detail: None,
            duration_us: None,
            trace: None,
            about: Vec::new(),
            ids: Vec::new(),
        }
    }

    /// With another outcome.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// With a word on what happened.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With how long it took.
    #[must_use]
    pub fn took(mut self, duration: std::time::Duration) -> Self {
        self.duration_us = Some(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
        self
    }

    /// As part of a trace.
    #[must_use]
    pub fn trace(mut self, trace: Option<TraceId>) -> Self {
        self.trace = trace;
        self
    }

    /// About somebody; empty names are passed over.
    #[must_use]
    pub fn about(mut self, whom: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.about.extend(whom.into_iter().map(Into::into).filter(|name| !name.is_empty()));
        self
    }

    /// Keeps every text within what a record of many moments can hold.
    fn cut(&mut self) {
        self.about.truncate(NAMES_MAX);
        self.ids.truncate(NAMES_MAX);
        let ids = self.ids.iter_mut().map(|(_, id)| id);
        for text in self.about.iter_mut().chain(ids).chain(&mut self.detail).chain([&mut self.what]) {
            if text.len() > TEXT_BYTES_MAX {
                text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
                text.push('…');
                text.shrink_to_fit();
            }
        }
    }

    /// With an id to look further with.
    #[must_use]
    pub fn id(mut self, name: &'static str, id: impl Into<String>) -> Self {
        self.ids.push((name, id.into()));
        self
    }
}

/// The record. Cheap to clone: all clones are the same record.
#[derive(Clone, Debug)]
pub struct Timeline {
    clock: Clock,
    moments: Arc<Mutex<VecDeque<Arc<Moment>>>>,
}

impl Timeline {
    /// An empty record.
    pub fn new(clock: Clock) -> Self {
        Self { clock, moments: Arc::default() }
    }

    /// A moment that begins now; hand it to [`Timeline::record`] when it has ended.
    pub fn moment(&self, kind: Kind, what: impl Into<String>) -> Moment {
        Moment::new(self.clock.now(), kind, what)
    }

    /// Adds a moment; the oldest goes when there are too many.
    pub fn record(&self, mut moment: Moment) {
        moment.cut();
        let mut moments = self.moments.lock().expect("no holder panics");
        if moments.len() == MOMENTS_MAX {
            moments.pop_front();
        }
        moments.push_back(Arc::new(moment));
    }

    /// Everything kept, by time.
    pub fn all(&self) -> Vec<Arc<Moment>> {
        in_order(self.moments.lock().expect("no holder panics").iter().cloned().collect())
    }

    /// The story of one user, given any of their names: all that is about them, and all that belongs to a
    /// trace which is. Another name of the same person (the sub for an e-mail address) is followed too.
    pub fn of(&self, user: &str) -> Vec<Arc<Moment>> {
        let all: Vec<_> = self.moments.lock().expect("no holder panics").iter().cloned().collect();
        let mut names = HashSet::from([user.to_lowercase()]);
        let mut traces = HashSet::new();
        loop {
            let known = (names.len(), traces.len());
            for moment in &all {
                if moment.about.iter().any(|name| names.contains(&name.to_lowercase())) {
                    names.extend(moment.about.iter().map(|name| name.to_lowercase()));
                    traces.extend(moment.trace.clone());
                }
            }
            if known == (names.len(), traces.len()) {
                break;
            }
        }
        let belongs = |moment: &Moment| {
            moment.about.iter().any(|name| names.contains(&name.to_lowercase()))
                || moment.trace.as_ref().is_some_and(|trace| traces.contains(trace))
        };
        in_order(all.into_iter().filter(|moment| belongs(moment)).collect())
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.moments.lock().expect("no holder panics").clear();
    }
}

/// A moment is recorded when it ends but told where it began.
fn in_order(mut moments: Vec<Arc<Moment>>) -> Vec<Arc<Moment>> {
    moments.sort_by_key(|moment| moment.at);
    moments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::World;

    #[test]
    fn a_story_follows_names_and_traces() {
        let world = World::for_tests(1);
        let trace = TraceId::new(world.clock.now(), &world.random);
        let record = |moment| world.timeline.record(moment);
        record(world.timeline.moment(Kind::ApiCall, "SignUp").about(["sub-1", "Ann@example.com"]));
        record(world.timeline.moment(Kind::ApiCall, "ConfirmSignUp").about(["sub-1"]).trace(Some(trace.clone())));
        record(world.timeline.moment(Kind::Item, "PutItem").trace(Some(trace)));
        record(world.timeline.moment(Kind::ApiCall, "SignUp").about(["sub-2"]));

        let story: Vec<_> = world.timeline.of("ann@example.com").iter().map(|moment| moment.what.clone()).collect();
        assert_eq!(story, ["SignUp", "ConfirmSignUp", "PutItem"]);
    }

    #[test]
    fn a_moment_stays_small_whatever_was_sent() {
        let world = World::for_tests(1);
        let long = "é".repeat(1_000_000);
        let moment = world.timeline.moment(Kind::ApiCall, &long).detail(&long).about(vec![&long; 100]).id("id", &long);
        world.timeline.record(moment);
        let moment = world.timeline.all().swap_remove(0);
        let texts = moment.about.iter().chain(&moment.detail).chain([&moment.what, &moment.ids[0].1]);
        let bytes: usize = texts.map(String::len).sum();
        assert!(bytes <= (NAMES_MAX + 3) * (TEXT_BYTES_MAX + '…'.len_utf8()), "{bytes}");
    }

    #[test]
    fn a_trace_is_read_from_its_header() {
        let of = |value| TraceId::from_header(value).map(|trace| trace.to_string());
        assert_eq!(of("Self=1-a-b;Root=1-6745c3a1-ab;Sampled=1").as_deref(), Some("1-6745c3a1-ab"));
        assert_eq!(of("Sampled=1"), None);
        assert_eq!(of("Root=<script>"), None);
    }
}
