//! The event as targets see it, and who it is about.

use world::{Place, Timestamp};

use crate::json::{Reader, Token, quoted};
use crate::json_path::children;

/// Where a detail tells who it is about: in our own events' `data`, and directly.
const NAMES_OF_PEOPLE: &[(&str, &[&str])] =
    &[("data", &["userId", "email", "username"]), ("", &["sub", "email", "userId"])];
/// A name longer than this is none.
const PERSON_BYTES_MAX: usize = 320;

/// What goes into an envelope.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The event's id.
    pub id: &'a str,
    /// `DetailType` of the entry.
    pub detail_type: &'a str,
    /// `Source` of the entry.
    pub source: &'a str,
    /// `Time` of the entry, or when it came.
    pub time: Timestamp,
    /// `Resources` of the entry.
    pub resources: &'a [String],
    /// A JSON object without superfluous white space.
    pub detail: &'a str,
}

impl Envelope<'_> {
    /// The event: members in the service's order, minified (recorded).
    pub fn json(&self, place: &Place) -> String {
        let resources: Vec<String> = self.resources.iter().map(|resource| quoted(resource)).collect();
        format!(
            r#"{{"version":"0","id":{},"detail-type":{},"source":{},"account":{},"time":"{}","region":{},"resources":[{}],"detail":{}}}"#,
            quoted(self.id),
            quoted(self.detail_type),
            quoted(self.source),
            quoted(&place.account),
            self.time.rfc3339_seconds(),
            quoted(&place.region),
            resources.join(","),
            self.detail,
        )
    }
}

/// The event as a replay delivers it: `replay-name` behind the region.
pub fn with_replay_name(event: &str, replay: &str) -> String {
    let mut members = Vec::new();
    for (name, value) in children(event).unwrap_or_default() {
        let name = name.unwrap_or_default();
        members.push(format!("{}:{value}", quoted(&name)));
        if name == "region" {
            members.push(format!("\"replay-name\":{}", quoted(replay)));
        }
    }
    format!("{{{}}}", members.join(","))
}

/// The names of people in a detail, each once.
pub fn people(detail: &str) -> Vec<String> {
    let mut people = Vec::new();
    let mut reader = Reader::new(detail);
    let mut parents: Vec<String> = Vec::new();
    let _ = reader.next();
    while let Ok(Some(token)) = reader.next() {
        match token {
            Token::Name => {
                let name = reader.name();
                let Ok(Some(token)) = reader.next() else { return people };
                let parent = parents.last().map_or("", String::as_str);
                let is_wanted =
                    NAMES_OF_PEOPLE.iter().any(|(within, names)| *within == parent && names.contains(&&*name));
                if token == Token::ObjectStart && parents.is_empty() && name == "data" {
                    parents.push(name.into_owned());
                } else if token == Token::String && is_wanted {
                    let person = reader.text().unwrap_or_default().into_owned();
                    let is_new = !person.is_empty() && !people.contains(&person);
                    if is_new && person.len() <= PERSON_BYTES_MAX {
                        people.push(person);
                    }
                } else if reader.skip_value(token).is_err() {
                    return people;
                }
            }
            _ => drop(parents.pop()),
        }
    }
    people
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order() {
        let envelope = Envelope {
            id: "i",
            detail_type: "a \"type\"",
            source: "s",
            time: Timestamp::from_millis(1_767_225_600_999),
            resources: &["r1".into(), "r2".into()],
            detail: r#"{"b":1}"#,
        };
        assert_eq!(
            envelope.json(&Place::default()),
            r#"{"version":"0","id":"i","detail-type":"a \"type\"","source":"s","account":"000000000000","time":"2026-01-01T00:00:00Z","region":"us-east-1","resources":["r1","r2"],"detail":{"b":1}}"#
        );
    }

    #[test]
    fn a_replay_is_named_behind_the_region() {
        let event = r#"{"version":"0","id":"i","region":"r","resources":["a","b"],"detail":{"region":"x"}}"#;
        let expected =
            r#"{"version":"0","id":"i","region":"r","replay-name":"n","resources":["a","b"],"detail":{"region":"x"}}"#;
        assert_eq!(with_replay_name(event, "n"), expected);
    }

    #[test]
    fn people_are_found() {
        let detail = r#"{"metadata":{"email":"no"},"data":{"userId":"u","x":{"email":"no"},"email":"e","username":"e"},"sub":"s","data2":1,"email":5}"#;
        assert_eq!(people(detail), ["u", "e", "s"]);
        assert_eq!(people("{}"), Vec::<String>::new());
    }
}
