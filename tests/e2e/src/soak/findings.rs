//! What there is at the end, counted and judged.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_dynamodb::Client as Tables;
use aws_sdk_sqs::Client as Queues;
use serde_json::Value;

use super::visitor::Confirmation;
use super::{Kill, Soak};
use crate::Server;

/// Sandboxes that one function has at most: so many mails can be under way at a kill.
const MAILS_UNDER_WAY_MAX: usize = 10;
/// Of users, named when something is wrong with them.
const NAMED_MAX: usize = 5;

/// What there is at the end.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Users who are confirmed: address by sub.
    confirmed: BTreeMap<String, String>,
    unconfirmed: usize,
    /// Events by the user whom they are about.
    events: BTreeMap<String, usize>,
    /// Profiles by user.
    profiles: BTreeMap<String, usize>,
    /// Welcome mails by id: to whom, when, of which event.
    mails: BTreeMap<String, Mail>,
    /// Invocations and deliveries that were given up and made again by hand.
    pub dead_letters: usize,
    /// Callers who were told that the trigger failed.
    pub triggers_failed: usize,
    /// Faults that struck.
    pub faults: u64,
}

#[derive(Clone, Debug)]
struct Mail {
    to: String,
    at: String,
    event_id: Option<String>,
}

impl Findings {
    /// Welcome mails so far. Ids tell apart what is read twice.
    pub(crate) async fn read_mailbox(&mut self, server: &Server) {
        let (status, mailbox) = server.inside("GET", "/_tandem/mailbox", "").await;
        assert_eq!(status, 200);
        let text = |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
        for message in mailbox["messages"].as_array().expect("a mailbox") {
            if message["source"] != "ses" {
                continue;
            }
            let headers = message["headers"].as_array().map(Vec::as_slice).unwrap_or_default();
            let event_id = headers.iter().find(|header| header[0] == "X-Tandem-Event-Id");
            let event_id = event_id.and_then(|header| header[1].as_str()).map(str::to_owned);
            let mail = Mail { to: text(message, "to"), at: text(message, "at"), event_id };
            self.mails.insert(text(message, "id"), mail);
        }
    }

    pub(crate) async fn count(&mut self, server: &Server, seen: &str) {
        self.count_users(server).await;
        self.count_profiles(server).await;
        self.count_events(server, seen).await;
    }

    async fn count_users(&mut self, server: &Server) {
        let list = Pools::new(&server.config()).list_users().user_pool_id(server.of_stack("userPoolId"));
        let mut pages = list.into_paginator().items().send();
        while let Some(user) = pages.next().await {
            let user = user.expect("ListUsers");
            let attribute = |name: &str| {
                let found = user.attributes().iter().find(|attribute| attribute.name() == name);
                found.and_then(|attribute| attribute.value()).unwrap_or_default().to_owned()
            };
            if user.user_status().is_some_and(|status| status.as_str() == "CONFIRMED") {
                self.confirmed.insert(attribute("sub"), attribute("email"));
            } else {
                self.unconfirmed += 1;
            }
        }
    }

    async fn count_profiles(&mut self, server: &Server) {
        let scan = Tables::new(&server.config()).scan().table_name(server.of_stack("tableName"));
        let mut items = scan.into_paginator().items().send();
        while let Some(item) = items.next().await {
            let item = item.expect("Scan");
            let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
            if text("sk") == "PROFILE" {
                *self.profiles.entry(text("userId")).or_default() += 1;
            }
        }
    }

    async fn count_events(&mut self, server: &Server, seen: &str) {
        let queues = Queues::new(&server.config());
        let url = queues.get_queue_url().queue_name(seen).send().await.expect("GetQueueUrl").queue_url.expect("a URL");
        loop {
            let receive = queues.receive_message().queue_url(&url).max_number_of_messages(10).visibility_timeout(3_600);
            let messages = receive.send().await.expect("ReceiveMessage").messages.unwrap_or_default();
            if messages.is_empty() {
                return;
            }
            for message in messages {
                let event: Value = serde_json::from_str(message.body().expect("a body")).expect("an event");
                let user = event["detail"]["data"]["userId"].as_str().expect("a user").to_owned();
                *self.events.entry(user).or_default() += 1;
            }
        }
    }

    /// One line, and one more for every fact that a reader may doubt.
    pub(crate) fn told(&self, soak: &Soak, kills: &[Kill]) -> String {
        let Soak { sign_ups, seed, .. } = soak;
        let second = self.second_mails().len();
        format!(
            "soak: {sign_ups} sign-ups, seed {seed}, {} kills, {} faults\n  \
             users     {} confirmed, {} not; {} callers were told that the trigger failed\n  \
             events    {} of {} users\n  \
             profiles  {} of {} users\n  \
             mails     {} to {} users; {second} second mails, at most {} by the kills\n  \
             redriven  {} dead letters",
            kills.len(),
            self.faults,
            self.confirmed.len(),
            self.unconfirmed,
            self.triggers_failed,
            self.events.values().sum::<usize>(),
            self.events.len(),
            self.profiles.values().sum::<usize>(),
            self.profiles.len(),
            self.mails.len(),
            self.mails.values().map(|mail| &mail.to).collect::<BTreeSet<_>>().len(),
            second_mails_max(kills),
            self.dead_letters,
        )
    }

    /// Panics if anything is lost, or there is more than there may be.
    pub(crate) fn check(&self, soak: &Soak, kills: &[Kill], confirmations: &[(String, Confirmation)]) {
        assert_eq!(kills.len(), soak.kills, "kills");
        assert_eq!(confirmations.len(), soak.sign_ups, "visitors");
        let addresses: BTreeSet<&String> = self.confirmed.values().collect();
        none("confirmations are lost", confirmations.iter().map(|(to, _)| to).filter(|to| !addresses.contains(to)));
        none("events are lost", self.confirmed.keys().filter(|sub| !self.events.contains_key(*sub)));
        none("profiles are lost", self.confirmed.keys().filter(|sub| !self.profiles.contains_key(*sub)));
        none("users have several profiles", self.profiles.iter().filter(|(_, n)| **n > 1).map(|(sub, _)| sub));
        none("profiles are nobody's", self.profiles.keys().filter(|sub| !self.confirmed.contains_key(*sub)));
        let greeted: BTreeSet<&String> = self.mails.values().map(|mail| &mail.to).collect();
        none("welcome mails are lost", self.confirmed.values().filter(|address| !greeted.contains(address)));
        none("mails name no event", self.mails.values().filter(|mail| mail.event_id.is_none()).map(|mail| &mail.to));

        let second = self.second_mails();
        let excused =
            |first: &Mail, second: &Mail| kills.iter().any(|kill| first.at <= kill.after && second.at >= kill.before);
        let unexcused = second.iter().filter(|(first, second)| !excused(first, second));
        none("second mails have no kill before them", unexcused.map(|(_, second)| &second.to));
        let max = second_mails_max(kills);
        assert!(second.len() <= max, "{} second mails, at most {max} by the kills", second.len());
    }

    /// Each with the mail to the same address before it.
    fn second_mails(&self) -> Vec<(&Mail, &Mail)> {
        let mut by_address: BTreeMap<&str, Vec<&Mail>> = BTreeMap::new();
        for mail in self.mails.values() {
            by_address.entry(&mail.to).or_default().push(mail);
        }
        let mut pairs = Vec::new();
        for mails in by_address.values_mut() {
            mails.sort_by(|a, b| a.at.cmp(&b.at));
            pairs.extend(mails.windows(2).map(|pair| (pair[0], pair[1])));
        }
        pairs
    }
}

/// Every kill can cut off as many mails as there are sandboxes, between the sending and its note; each of them is
/// sent once more.
fn second_mails_max(kills: &[Kill]) -> usize {
    kills.len() * MAILS_UNDER_WAY_MAX
}

#[track_caller]
fn none<'a>(what: &str, wrong: impl Iterator<Item = &'a String>) {
    let wrong: Vec<_> = wrong.collect();
    let named: Vec<_> = wrong.iter().take(NAMED_MAX).collect();
    assert!(wrong.is_empty(), "{} {what}: {named:?}", wrong.len());
}
