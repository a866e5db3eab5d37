//! Events of the cloud's own services on the default bus: what `PutEvents` refuses to everybody else (`aws.…`).
//!
//! They are routed as all events are, and durable when [`EventBus::put_service_event`] returns. The timeline tells of
//! those that a rule or an archive takes, and of rules that looked for such events and did not match. Of the others it
//! says nothing: a service has something to say at every call, and most of the time nobody listens.

use world::{Kind, Timestamp, TraceId};

use crate::book::DEFAULT_BUS;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::json::minified;
use crate::room::EventBus;
use crate::routing::Accepted;

/// What a service says.
#[derive(Clone, Debug)]
pub struct ServiceEvent {
    /// `aws.cognito-idp`
    pub source: &'static str,
    /// `AWS API Call via CloudTrail`
    pub detail_type: &'static str,
    /// For people, behind the detail type: `AdminDeleteUser`.
    pub name: String,
    /// A JSON object.
    pub detail: String,
    /// When it happened.
    pub time: Timestamp,
    /// What it belongs to.
    pub trace: TraceId,
    /// Whom it is about.
    pub about: Vec<String>,
    /// Whether the timeline tells why rules that looked for such an event did not match.
    pub is_explained: bool,
}

impl EventBus {
    /// Whether anybody could hear a service's event: there is an enabled rule with a pattern on the default bus, or an
    /// archive of it.
    pub async fn hears_services(&self) -> bool {
        let Ok(book) = self.shelf.book().await else { return false };
        if book.archives.values().any(|archive| archive.bus == DEFAULT_BUS) {
            return true;
        }
        match book.find(DEFAULT_BUS) {
            Some(bus) => !bus.index().await.rules.is_empty(),
            None => false,
        }
    }

    /// Puts a service's event on the default bus.
    pub async fn put_service_event(&self, event: ServiceEvent) -> Result<(), EventError> {
        let ServiceEvent { source, detail_type, name, detail, time, trace, about, is_explained } = event;
        let book = self.shelf.book().await?;
        let detail = minified(&detail).map_err(|error| EventError(error.to_string()))?;
        let id = self.world.random.uuid();
        let envelope = Envelope { id: &id, detail_type, source, time, resources: &[], detail: &detail };
        let accepted = Accepted {
            event: envelope.json(&self.world.place),
            id,
            detail_type: format!("{detail_type} ({name})"),
            time,
            ingested_at: self.world.clock.now(),
            trace,
            about,
            came_by: Vec::new(),
            is_replay: false,
        };
        let mut routed = self.route(&book, DEFAULT_BUS, &accepted).await;
        if routed.deliveries.is_empty() && routed.kept.is_empty() {
            // A rule whose pattern fails at the detail looked for this service, and for something else of it.
            let looked = |detail: &Option<String>| detail.as_ref().is_some_and(|text| text.starts_with("detail."));
            let is_near = |moment: &world::Moment| moment.kind == Kind::Rule && looked(&moment.detail);
            let has_matched = |moment: &world::Moment| moment.kind == Kind::Warning && moment.what.starts_with("rule ");
            if !routed.moments.iter().any(|moment| (is_explained && is_near(moment)) || has_matched(moment)) {
                return Ok(());
            }
        }
        // That no rule matched is nothing to be warned of here.
        routed.moments.retain(|moment| !moment.what.starts_with("no rule on bus "));
        Ok(self.commit(routed).await?)
    }
}

/// Why a service's event could not be put on the bus.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EventError(String);

impl From<Error> for EventError {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use world::{Kind, TraceId};

    use super::ServiceEvent;
    use crate::testing::Room;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";

    fn event(t: &Room) -> ServiceEvent {
        ServiceEvent {
            source: "aws.cognito-idp",
            detail_type: "AWS API Call via CloudTrail",
            name: "AdminDeleteUser".into(),
            detail: json!({"eventName": "AdminDeleteUser"}).to_string(),
            time: t.world.clock.now(),
            trace: TraceId::from_root("1-a-b"),
            about: vec!["ann".into()],
            is_explained: true,
        }
    }

    #[tokio::test]
    async fn a_rule_that_matches_gets_it() {
        let t = Room::new();
        assert!(!t.bus.hears_services().await);
        t.rule("default", "r", r#"{"source":["aws.cognito-idp"],"detail":{"eventName":["AdminDeleteUser"]}}"#).await;
        t.target("default", "r", json!({"Id": "t", "Arn": QUEUE})).await;
        assert!(t.bus.hears_services().await);
        t.bus.put_service_event(event(&t)).await.expect("it is taken");
        t.attempt_all().await;
        let body: serde_json::Value = serde_json::from_str(&t.sent()[0].body).expect("JSON");
        assert_eq!((&body["source"], &body["account"]), (&json!("aws.cognito-idp"), &json!("000000000000")));
        let told = t.moments(Kind::Event).remove(0);
        assert_eq!(told.what, "AWS API Call via CloudTrail (AdminDeleteUser) on bus default");
        assert_eq!(told.about, ["ann"]);
    }

    #[tokio::test]
    async fn a_rule_that_looked_for_it_and_does_not_match_is_told_of() {
        let t = Room::new();
        t.rule("default", "r", r#"{"source":["aws.cognito-idp"],"detail":{"eventName":["DeleteUser"]}}"#).await;
        t.bus.put_service_event(event(&t)).await.expect("it is taken");
        let told = t.moments(Kind::Rule).remove(0);
        assert_eq!(told.what, "rule r did not match");
        assert!(t.moments(Kind::Warning).is_empty());
    }

    #[tokio::test]
    async fn what_nobody_looks_for_is_not_told() {
        let t = Room::new();
        t.rule("default", "r", r#"{"source":["shop"]}"#).await;
        t.bus.put_service_event(event(&t)).await.expect("it is taken");
        assert!(t.moments(Kind::Event).is_empty() && t.queued().is_empty());
        t.rule("default", "r", r#"{"detail":{"eventName":["DeleteUser"]}}"#).await;
        let quiet = ServiceEvent { is_explained: false, ..event(&t) };
        t.bus.put_service_event(quiet).await.expect("it is taken");
        assert!(t.moments(Kind::Event).is_empty());
    }

    #[tokio::test]
    async fn an_archive_keeps_it() {
        let t = Room::new();
        let bus = "arn:aws:events:us-east-1:000000000000:event-bus/default";
        t.call("CreateArchive", json!({"ArchiveName": "all", "EventSourceArn": bus})).await.ok();
        assert!(t.bus.hears_services().await);
        t.bus.put_service_event(event(&t)).await.expect("it is taken");
        let archive = t.call("DescribeArchive", json!({"ArchiveName": "all"})).await.ok();
        assert_eq!(archive["EventCount"], 1);
    }
}
