//! What the sandboxes of a function run, and the environment they run in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::HeaderValue;
use world::World;

use crate::function::Configuration;
use crate::name::LATEST;
use crate::runtime::{InvalidEntrypoint, Program};
use crate::surroundings::{BuiltIn, Surroundings};

/// What the sandboxes of a pool run.
pub(crate) struct Plan {
    pub(crate) function: String,
    pub(crate) arn: HeaderValue,
    pub(crate) settings: Configuration,
    pub(crate) code: Runnable,
    pub(crate) surroundings: Arc<Surroundings>,
}

/// Where the code lies.
pub(crate) enum Runnable {
    /// A directory of unpacked code, which is ours.
    Unpacked(PathBuf),
    /// An executable or a directory that somebody else may change: they build it anew while we run.
    OnDisk(PathBuf),
    /// A command line of the server's.
    BuiltIn(BuiltIn),
    /// It was built in when the function was made and no longer is.
    Missing(String),
}

impl Plan {
    /// The command line, if what it names is there.
    pub(crate) fn program(&self) -> Result<Program, InvalidEntrypoint> {
        match &self.code {
            Runnable::Unpacked(path) | Runnable::OnDisk(path) => self.settings.runtime.program(path),
            Runnable::BuiltIn(BuiltIn { program, args }) => {
                let task_root = program.parent().unwrap_or(Path::new("/")).to_owned();
                Ok(Program { path: program.clone(), args: args.clone(), task_root })
            }
            Runnable::Missing(id) => {
                Err(InvalidEntrypoint(format!("this version of the server has no built-in function {id}")))
            }
        }
    }

    /// A sandbox's whole environment: what AWS sets by default, over it what the user set, over it what is
    /// reserved. Nothing of our own environment goes in: no profile, no real credentials.
    pub(crate) fn environment(&self, task_root: &Path, runtime_api: &str) -> BTreeMap<String, String> {
        let Surroundings { world, credentials: (key_id, secret), .. } = &*self.surroundings;
        let root = task_root.display().to_string();
        let mut all = BTreeMap::from(
            [
                ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
                ("LD_LIBRARY_PATH", format!("{root}:{root}/lib:/opt/lib")),
                ("LANG", "en_US.UTF-8".into()),
                ("TZ", ":UTC".into()),
                ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".into()),
                ("AWS_ENDPOINT_URL", self.surroundings.endpoint()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        all.retain(|_, value| !value.is_empty());
        all.extend(self.settings.environment.iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        let stream = format!("{}/[{LATEST}]{}", world.clock.now().format("%Y/%m/%d"), hex_32(world));
        let reserved: [(&str, &str); _] = [
            ("_HANDLER", &self.settings.handler),
            ("_AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1"),
            ("_AWS_XRAY_DAEMON_PORT", "2000"),
            ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000"),
            ("AWS_ACCESS_KEY_ID", key_id),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_SESSION_TOKEN", "tandem"),
            ("AWS_REGION", &world.place.region),
            ("AWS_DEFAULT_REGION", &world.place.region),
            ("AWS_LAMBDA_FUNCTION_NAME", &self.function),
            ("AWS_LAMBDA_FUNCTION_VERSION", LATEST),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &self.settings.memory_mb.to_string()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", &self.settings.logging.group),
            ("AWS_LAMBDA_LOG_STREAM_NAME", &stream),
            ("AWS_LAMBDA_LOG_FORMAT", &self.settings.logging.format),
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("LAMBDA_TASK_ROOT", &root),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ];
        let of_runtime = self.settings.runtime.environment().iter().copied();
        let level = self.settings.logging.application_level.as_deref();
        let level = level.map(|level| ("AWS_LAMBDA_LOG_LEVEL", level));
        for (name, value) in reserved.into_iter().chain(of_runtime).chain(level) {
            all.insert(name.into(), value.into());
        }
        all
    }
}

fn hex_32(world: &World) -> String {
    world.random.letters(32, b"0123456789abcdef")
}
