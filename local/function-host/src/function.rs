//! A function: its settings, its code, who may invoke it.
//!
//! One value holds everything that is stored of a function, so a change is one write. What runs of it
//! (sandboxes, counters) is in `host.rs`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use world::{Timestamp, World};

use crate::event_invoke::EventInvoke;
use crate::name::LATEST;
use crate::policy::Statement;
use crate::runtime::Runtime;

/// Everything that is stored of a function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) settings: Configuration,
    pub(crate) code: Code,
    pub(crate) last_modified_ms: i64,
    pub(crate) revision_id: String,
    pub(crate) policy: Vec<Statement>,
    pub(crate) event_invoke: Option<EventInvoke>,
    pub(crate) reserved_concurrency: Option<u32>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// What `CreateFunction` and `UpdateFunctionConfiguration` set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Configuration {
    pub(crate) runtime: Runtime,
    pub(crate) role: String,
    pub(crate) handler: String,
    pub(crate) description: String,
    pub(crate) timeout_s: u32,
    pub(crate) memory_mb: u32,
    pub(crate) ephemeral_storage_mb: u32,
    pub(crate) environment: Option<BTreeMap<String, String>>,
    pub(crate) architecture: String,
    pub(crate) tracing_mode: String,
    pub(crate) dead_letter_arn: Option<String>,
    pub(crate) logging: Logging,
}

/// `LoggingConfig`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Logging {
    /// `Text` or `JSON`.
    pub(crate) format: String,
    pub(crate) application_level: Option<String>,
    pub(crate) system_level: Option<String>,
    pub(crate) group: String,
}

impl Logging {
    /// Plain text into the function's own group.
    pub(crate) fn text(function: &str) -> Self {
        let group = format!("/aws/lambda/{function}");
        Self { format: "Text".into(), application_level: None, system_level: None, group }
    }
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Code {
    pub(crate) source: Source,
    pub(crate) size_bytes: u64,
    /// Base64, as `CodeSha256` has it.
    pub(crate) sha256: String,
}

/// Where it lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Source {
    /// An archive, unpacked into a directory of this name among the function host's own.
    Unpacked(String),
    /// An executable, or a directory with `bootstrap` in it, used where it lies.
    OnDisk(PathBuf),
    /// A command line of the server's, by its id.
    BuiltIn(String),
}

impl Function {
    /// Notes that something changed, as every change does.
    pub(crate) fn touch(&mut self, world: &World) {
        self.last_modified_ms = world.clock.now().millis();
        self.revision_id = world.random.uuid();
    }

    /// `2026-01-01T00:00:00.000+0000`
    pub(crate) fn last_modified(&self) -> String {
        Timestamp::from_millis(self.last_modified_ms).format("%Y-%m-%dT%H:%M:%S%.3f+0000")
    }

    /// The resource part of the ARN, with the version.
    pub(crate) fn latest_resource(&self) -> String {
        format!("function:{}:{LATEST}", self.name)
    }

    /// Whether going from `self` to `next` needs new sandboxes.
    pub(crate) fn runs_as(&self, next: &Self) -> bool {
        self.settings == next.settings && self.code == next.code
    }
}
