//! A function: its settings, its code, its versions and aliases, who may invoke it.
//!
//! One value holds everything that is stored of a function, so a change is one write. What runs of it
//! (sandboxes, counters) is in `host.rs`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use world::{Timestamp, World};

use crate::alias::Alias;
use crate::event_invoke::EventInvoke;
use crate::function_url::FunctionUrl;
use crate::name::LATEST;
use crate::policy::Statement;
use crate::runtime::Runtime;

/// Everything that is stored of a function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// Of `$LATEST`, as the three that follow.
    pub(crate) settings: Configuration,
    pub(crate) code: Code,
    pub(crate) last_modified_ms: i64,
    pub(crate) revision_id: String,
    /// What is configured for the function when it is named without a version, or as `$LATEST`.
    #[serde(flatten)]
    pub(crate) unqualified: Qualified,
    pub(crate) reserved_concurrency: Option<u32>,
    pub(crate) tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) versions: BTreeMap<u64, Version>,
    /// The number of the version that was published last; a number is never used again.
    #[serde(default)]
    pub(crate) version_last: u64,
    #[serde(default)]
    pub(crate) aliases: BTreeMap<String, Alias>,
    /// What is configured for one version or one alias, by qualifier.
    #[serde(default)]
    pub(crate) qualified: BTreeMap<String, Qualified>,
    /// `RecursiveLoop`, if it was ever set.
    #[serde(default)]
    pub(crate) recursive_loop: Option<String>,
}

/// A published version: nothing of it changes any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) settings: Configuration,
    pub(crate) code: Code,
    pub(crate) last_modified_ms: i64,
    pub(crate) revision_id: String,
    /// The description that `$LATEST` had; a version may have one of its own.
    pub(crate) description_of_latest: String,
}

/// What a function, a version and an alias each have for themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Qualified {
    #[serde(default)]
    pub(crate) policy: Vec<Statement>,
    #[serde(default)]
    pub(crate) event_invoke: Option<EventInvoke>,
    #[serde(default)]
    pub(crate) url: Option<FunctionUrl>,
    #[serde(default)]
    pub(crate) provisioned: Option<Provisioned>,
    #[serde(default)]
    pub(crate) runtime_updates: Option<RuntimeUpdates>,
}

/// `PutProvisionedConcurrencyConfig`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Provisioned {
    pub(crate) requested: u32,
    pub(crate) last_modified_ms: i64,
}

/// `PutRuntimeManagementConfig`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RuntimeUpdates {
    pub(crate) update_on: String,
    pub(crate) version_arn: Option<String>,
}

/// `$LATEST` or a version, as configurations are answered.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) name: &'a str,
    /// None is `$LATEST`.
    pub(crate) version: Option<u64>,
    pub(crate) settings: &'a Configuration,
    pub(crate) code: &'a Code,
    pub(crate) last_modified_ms: i64,
    pub(crate) revision_id: &'a str,
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
    /// ARNs of layer versions, in the order in which they are laid over each other.
    #[serde(default)]
    pub(crate) layers: Vec<String>,
    #[serde(default)]
    pub(crate) kept: Kept,
}

/// Settings that have no effect here; they are given back so that deploy tools see what they asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) subnet_ids: Vec<String>,
    pub(crate) security_group_ids: Vec<String>,
    pub(crate) ipv6_for_dual_stack: bool,
    pub(crate) kms_key_arn: Option<String>,
    pub(crate) snap_start: Option<String>,
    /// ARN and local path of each.
    pub(crate) file_systems: Vec<(String, String)>,
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
    /// Of an archive's content.
    #[serde(default)]
    pub(crate) unzipped_bytes: u64,
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

    /// What is configured for a qualifier, if anything ever was.
    pub(crate) fn at(&self, qualifier: Option<&str>) -> Option<&Qualified> {
        match qualifier {
            None | Some(LATEST) => Some(&self.unqualified),
            Some(qualifier) => self.qualified.get(qualifier),
        }
    }

    /// As [`Function::at`], to be changed.
    pub(crate) fn at_mut(&mut self, qualifier: Option<&str>) -> &mut Qualified {
        match qualifier {
            None | Some(LATEST) => &mut self.unqualified,
            Some(qualifier) => self.qualified.entry(qualifier.to_owned()).or_default(),
        }
    }

    /// Everything that is configured, with its qualifier.
    pub(crate) fn all_qualified(&self) -> impl Iterator<Item = (Option<&str>, &Qualified)> {
        let others = self.qualified.iter().map(|(qualifier, configured)| (Some(qualifier.as_str()), configured));
        std::iter::once((None, &self.unqualified)).chain(others)
    }

    /// `$LATEST` (none) or a version, if it is there.
    pub(crate) fn shown(&self, version: Option<u64>) -> Option<Shown<'_>> {
        let name = self.name.as_str();
        Some(match version {
            None => Shown {
                name,
                version,
                settings: &self.settings,
                code: &self.code,
                last_modified_ms: self.last_modified_ms,
                revision_id: &self.revision_id,
            },
            Some(number) => {
                let Version { settings, code, last_modified_ms, revision_id, .. } = self.versions.get(&number)?;
                Shown { name, version, settings, code, last_modified_ms: *last_modified_ms, revision_id }
            }
        })
    }

    /// Publishes `$LATEST`, unless the version published last is the same; the version's number.
    pub(crate) fn publish(&mut self, description: Option<String>, world: &World) -> u64 {
        if let Some(last) = self.versions.get(&self.version_last)
            && self.is_published_as(last)
        {
            return self.version_last;
        }
        let mut settings = self.settings.clone();
        let description_of_latest = settings.description.clone();
        settings.description = description.unwrap_or(settings.description);
        let version = Version {
            settings,
            code: self.code.clone(),
            last_modified_ms: world.clock.now().millis(),
            revision_id: world.random.uuid(),
            description_of_latest,
        };
        self.version_last += 1;
        self.versions.insert(self.version_last, version);
        self.revision_id = world.random.uuid();
        self.version_last
    }

    fn is_published_as(&self, version: &Version) -> bool {
        let settings = Configuration { description: self.settings.description.clone(), ..version.settings.clone() };
        self.code.sha256 == version.code.sha256
            && self.settings == settings
            && self.settings.description == version.description_of_latest
    }

    /// How many sandboxes are provisioned for a version, by itself and by the aliases that stand for it.
    pub(crate) fn provisioned(&self, version: Option<u64>) -> u32 {
        let Some(version) = version else { return 0 };
        let is_for = |qualifier: &str| match self.aliases.get(qualifier) {
            Some(alias) => alias.versions().any(|other| other == version),
            None => qualifier == version.to_string(),
        };
        let of = |(qualifier, configured): (&String, &Qualified)| {
            configured.provisioned.as_ref().filter(|_| is_for(qualifier)).map_or(0, |provisioned| provisioned.requested)
        };
        self.qualified.iter().map(of).max().unwrap_or(0)
    }

    /// Every configuration that it has: of `$LATEST` and of each version.
    pub(crate) fn configurations(&self) -> impl Iterator<Item = &Configuration> {
        std::iter::once(&self.settings).chain(self.versions.values().map(|version| &version.settings))
    }

    /// Every code that it has: of `$LATEST` and of each version.
    pub(crate) fn codes(&self) -> impl Iterator<Item = &Code> {
        std::iter::once(&self.code).chain(self.versions.values().map(|version| &version.code))
    }

    /// Whether going from `self` to `next` needs new sandboxes of `$LATEST`.
    pub(crate) fn runs_as(&self, next: &Self) -> bool {
        let described = Configuration { description: self.settings.description.clone(), ..next.settings.clone() };
        self.settings == described && self.code == next.code
    }
}

impl Shown<'_> {
    /// `2026-01-01T00:00:00.000+0000`
    pub(crate) fn last_modified(&self) -> String {
        Timestamp::from_millis(self.last_modified_ms).format("%Y-%m-%dT%H:%M:%S%.3f+0000")
    }
}
