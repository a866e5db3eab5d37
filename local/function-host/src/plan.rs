//! What the sandboxes of a function run, and the environment they run in.
//!
//! Nothing of our own environment goes in: no profile, no real credentials, nobody's home directory. What AWS has
//! under `/opt` lies in a directory of ours, to which everything is mapped that AWS maps to `/opt`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use world::World;

use crate::function::Configuration;
use crate::log_sink::{Format, LogStream, Printer};
use crate::runtime::{InvalidEntrypoint, Kind, Program};
use crate::runtimes::{self, Wanted};
use crate::surroundings::{BuiltIn, Surroundings};
use crate::watch::Watched;

/// What the sandboxes of a pool run.
pub(crate) struct Plan {
    pub(crate) function: String,
    /// `$LATEST` or a number.
    pub(crate) version: String,
    pub(crate) settings: Configuration,
    pub(crate) code: Runnable,
    /// The directories of its layers, in the order in which they are laid over each other.
    pub(crate) layers: Vec<PathBuf>,
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
    /// The command line, with all that it needs in place: that may take a compiler or an installer.
    pub(crate) async fn prepare(&self) -> Result<Program, InvalidEntrypoint> {
        let (code, changes) = match &self.code {
            Runnable::Unpacked(path) => (path, false),
            Runnable::OnDisk(path) => (path, true),
            Runnable::BuiltIn(BuiltIn { program, args }) => {
                let task_root = program.parent().unwrap_or(Path::new("/")).to_owned();
                let (path, args) = (program.clone(), args.clone());
                return Ok(Program { path, args, task_root, ..Program::default() });
            }
            Runnable::Missing(id) => {
                let text = format!("this version of the server has no built-in function {id}");
                return Err(InvalidEntrypoint(text));
            }
        };
        let Configuration { runtime, handler, .. } = &self.settings;
        let layers = &self.layers;
        let wanted = Wanted { function: &self.function, runtime: *runtime, handler, code, changes, layers };
        let mut program = self.surroundings.runtimes.prepare(wanted).await?;
        self.wrap(&mut program);
        Ok(program)
    }

    /// Whether preparing takes so long that it should not wait for the first invocation.
    pub(crate) fn takes_preparation(&self) -> bool {
        match &self.code {
            Runnable::Unpacked(path) | Runnable::OnDisk(path) => {
                self.settings.runtime.kind != Kind::Provided || runtimes::is_cargo_project(path)
            }
            Runnable::BuiltIn(_) | Runnable::Missing(_) => false,
        }
    }

    /// `AWS_LAMBDA_EXEC_WRAPPER`, a script of a layer that becomes what it is given as arguments.
    fn wrap(&self, program: &mut Program) {
        let variables = self.settings.environment.as_ref();
        let Some(wrapper) = variables.and_then(|variables| variables.get("AWS_LAMBDA_EXEC_WRAPPER")) else { return };
        if self.settings.runtime.kind == Kind::Provided || wrapper.is_empty() {
            return;
        }
        let in_layer = wrapper.strip_prefix("/opt/").and_then(|rest| Some(program.opt.as_ref()?.join(rest)));
        let path = in_layer.unwrap_or_else(|| PathBuf::from(wrapper));
        let inner = std::mem::replace(&mut program.path, path);
        program.args.insert(0, inner.display().to_string());
    }

    /// What tells that the code has changed.
    pub(crate) fn watched(&self) -> Watched {
        let Runnable::OnDisk(path) = &self.code else { return Watched::Nothing };
        if self.takes_preparation() {
            return Watched::Tree(path.clone());
        }
        Watched::File(if path.is_dir() { path.join("bootstrap") } else { path.clone() })
    }

    /// The log stream of a new sandbox.
    pub(crate) fn log_stream(&self) -> LogStream {
        let world = &self.surroundings.world;
        let name = format!("{}/[{}]{}", world.clock.now().format("%Y/%m/%d"), self.version, hex_32(world));
        LogStream { group: self.settings.logging.group.as_str().into(), name: name.into() }
    }

    /// A sandbox's way into its log stream.
    pub(crate) fn printer(&self, stream: LogStream) -> Printer {
        let logging = &self.settings.logging;
        let format = match (logging.format.as_str(), logging.system_level.as_deref()) {
            ("JSON", Some("WARN")) => Format::Silent,
            ("JSON", _) => Format::Json,
            _ => Format::Text,
        };
        let Surroundings { world, log_sink, .. } = &*self.surroundings;
        Printer::new(Arc::clone(log_sink), world.clock.clone(), stream, self.version.clone(), format)
    }

    /// A sandbox's whole environment: what AWS sets by default, over it what the user set, over it what is
    /// reserved.
    pub(crate) fn environment(
        &self,
        program: &Program,
        runtime_api: &str,
        log_stream: &str,
    ) -> BTreeMap<String, String> {
        let Surroundings { world, credentials: (key_id, secret), .. } = &*self.surroundings;
        let root = program.task_root.display().to_string();
        let opt = program.opt.as_ref().map_or_else(|| "/opt".to_owned(), |opt| opt.display().to_string());
        let mut all = BTreeMap::from(
            [
                ("PATH", format!("/usr/local/bin:/usr/bin:/bin:{opt}/bin")),
                ("LD_LIBRARY_PATH", format!("{root}:{root}/lib:{opt}/lib")),
                ("LANG", "en_US.UTF-8".into()),
                ("TZ", ":UTC".into()),
                ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".into()),
                ("AWS_ENDPOINT_URL", self.surroundings.endpoint()),
                // An SDK finds the home directory of whoever started us even without HOME, and must not look there
                // for profiles; and no machine here has credentials to give away.
                ("AWS_CONFIG_FILE", "/dev/null".into()),
                ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
                ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        if let Some(opt) = &program.opt {
            all.insert("LAMBDA_OPT".into(), opt.display().to_string()); // for scripts that want to know
        }
        all.extend(program.environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        all.retain(|_, value| !value.is_empty());
        all.extend(self.settings.environment.iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
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
            ("AWS_LAMBDA_FUNCTION_VERSION", &self.version),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &self.settings.memory_mb.to_string()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", &self.settings.logging.group),
            ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream),
            ("AWS_LAMBDA_LOG_FORMAT", &self.settings.logging.format),
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("LAMBDA_TASK_ROOT", &root),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ];
        let of_runtime = self.settings.runtime.execution_environment();
        let of_runtime = of_runtime.as_deref().map(|name| ("AWS_EXECUTION_ENV", name));
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
