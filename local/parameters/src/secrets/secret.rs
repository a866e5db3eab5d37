//! A secret, its versions, and the staging labels that wander between them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::hidden::Hidden;
use crate::tags::Tags;

/// The label of the version that callers get unless they ask for another.
pub const CURRENT: &str = "AWSCURRENT";
/// The label of the version that was current before.
pub const PREVIOUS: &str = "AWSPREVIOUS";
const PENDING: &str = "AWSPENDING";
/// Labels on all versions of a secret together.
const STAGES_MAX: usize = 20;
/// Versions that are kept; of more, the oldest without a label go.
const VERSIONS_MAX: usize = 100;
const DAY_MS: i64 = 86_400_000;

/// A secret without its versions. Times are milliseconds since the epoch.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    #[serde(skip)]
    pub id: i64,
    pub name: String,
    pub description: Option<String>,
    pub kms_key_id: Option<String>,
    pub tags: Tags,
    pub created_at: i64,
    pub changed_at: i64,
    pub accessed_at: Option<i64>,
    /// When it goes for good, if it is to.
    pub deletion_at: Option<i64>,
}

/// One version of a secret.
#[derive(Clone, Debug)]
pub struct Version {
    /// Counts up.
    pub n: i64,
    pub id: String,
    pub created_at: i64,
    pub accessed_at: Option<i64>,
    pub stages: BTreeSet<String>,
    pub value: Value,
}

/// What a version holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(Hidden),
    /// In base64.
    Binary(Hidden),
}

impl Secret {
    /// An error if it is to go.
    pub fn check_kept(&self) -> Result<(), Error> {
        if self.deletion_at.is_some() { Err(Error::marked_for_deletion()) } else { Ok(()) }
    }
}

/// Of accesses only the day is told.
pub fn day(at: i64) -> i64 {
    at - at.rem_euclid(DAY_MS)
}

/// All versions of a secret, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Versions(pub Vec<Version>);

impl Versions {
    pub fn of_id(&self, id: &str) -> Option<usize> {
        self.0.iter().position(|version| version.id == id)
    }

    pub fn of_stage(&self, stage: &str) -> Option<usize> {
        self.0.iter().position(|version| version.stages.contains(stage))
    }

    /// The version that a caller wants: by its id, its stage, or both.
    pub fn find(&self, id: Option<&str>, stage: Option<&str>) -> Result<usize, Error> {
        match (id, stage) {
            (None, stage) => {
                let stage = stage.unwrap_or(CURRENT);
                self.of_stage(stage).ok_or_else(|| Error::no_stage(stage))
            }
            (Some(id), stage) => {
                let at = self.of_id(id).ok_or_else(|| Error::no_version(id))?;
                if stage.is_some_and(|stage| !self.0[at].stages.contains(stage)) {
                    let message = "You provided a VersionStage that is not associated to the provided VersionId.";
                    return Err(Error::InvalidRequest(message.into()));
                }
                Ok(at)
            }
        }
    }

    /// Adds a version with these labels; the first one is current whatever they are. `false` if the version is there
    /// already, with the same value.
    pub fn add(&mut self, id: &str, value: Value, stages: &[String], arn: &str, now: i64) -> Result<bool, Error> {
        if let Some(at) = self.of_id(id) {
            return if self.0[at].value == value { Ok(false) } else { Err(Error::token_in_use(id, arn)) };
        }
        let n = self.0.last().map_or(1, |last| last.n + 1);
        let is_first = self.0.is_empty();
        let at = self.0.len();
        self.0.push(Version {
            n,
            id: id.to_owned(),
            created_at: now,
            accessed_at: None,
            stages: BTreeSet::new(),
            value,
        });
        for stage in stages {
            self.attach(at, stage);
        }
        if is_first {
            self.attach(at, CURRENT);
        }
        if self.0.iter().map(|version| version.stages.len()).sum::<usize>() > STAGES_MAX {
            return Err(Error::LimitExceeded(format!("A secret can have at most {STAGES_MAX} staging labels.")));
        }
        while self.0.len() > VERSIONS_MAX
            && let Some(oldest) = self.0.iter().position(|version| version.stages.is_empty())
        {
            self.0.remove(oldest);
        }
        Ok(true)
    }

    /// Moves a label to the version at `at`. Whatever was current becomes the previous one, and waits no longer for
    /// becoming current.
    pub fn attach(&mut self, at: usize, stage: &str) {
        let before = self.of_stage(stage).filter(|before| *before != at);
        if let Some(before) = before {
            self.0[before].stages.remove(stage);
            if stage == CURRENT {
                self.0[before].stages.remove(PENDING);
                self.attach(before, PREVIOUS);
            }
        }
        if stage == CURRENT {
            self.0[at].stages.remove(PREVIOUS);
        }
        self.0[at].stages.insert(stage.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every version is labelled after versions with these labels were put.
    #[track_caller]
    fn check(puts: &[&[&str]], expected: &[&str]) {
        let mut versions = Versions::default();
        for (stages, n) in puts.iter().zip(1..) {
            let stages: Vec<_> = stages.iter().map(ToString::to_string).collect();
            let added = versions.add(&format!("{n}"), Value::Text(Hidden(n.to_string())), &stages, "arn", 0);
            assert!(added.expect("it is added"));
        }
        let stages = |version: &Version| version.stages.iter().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(versions.0.iter().map(stages).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn labels_wander_as_recorded_from_the_service() {
        check(&[&[CURRENT], &[CURRENT]], &["AWSPREVIOUS", "AWSCURRENT"]);
        check(&[&[CURRENT], &[CURRENT], &[CURRENT]], &["", "AWSPREVIOUS", "AWSCURRENT"]);
        check(&[&[CURRENT], &["AWSPENDING"]], &["AWSCURRENT", "AWSPENDING"]);
        check(&[&[CURRENT, "AWSPENDING"], &[CURRENT]], &["AWSPREVIOUS", "AWSCURRENT"]);
        check(&[&[CURRENT], &[CURRENT, "PUT0"], &[CURRENT]], &["", "AWSPREVIOUS PUT0", "AWSCURRENT"]);
        check(
            &[&[CURRENT], &["one", "two", "three"], &["four", "one", "two"]],
            &["AWSCURRENT", "three", "four one two"],
        );
        check(&[&["mine"]], &["AWSCURRENT mine"]);
    }

    #[test]
    fn a_hundred_versions_are_kept_and_those_with_labels() {
        let mut versions = Versions::default();
        for n in 0..150 {
            let stages = if n == 3 { vec![CURRENT.to_owned(), "kept".to_owned()] } else { vec![CURRENT.to_owned()] };
            versions.add(&n.to_string(), Value::Text(Hidden(n.to_string())), &stages, "arn", 0).expect("it is added");
        }
        assert_eq!(versions.0.len(), VERSIONS_MAX);
        assert_eq!((versions.0[0].id.as_str(), versions.0[1].id.as_str()), ("3", "51"));
    }
}
