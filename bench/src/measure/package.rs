//! The functions' executable as it goes to Lambda: its size, and what its start costs, behind a Runtime API of this program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::{Instant, timeout};

use crate::Plan;
use crate::figure::{Aim, Figures};

/// How long a start may take.
const LIMIT: Duration = Duration::from_secs(30);

const HANDLERS: &[&str] = &[
    "announce-user",
    "notice-sign-in",
    "create-profile",
    "welcome-email",
    "reread-user",
    "reconcile-profiles",
    "profile-api",
];

/// What any of them asks its environment for.
const VARIABLES: &[(&str, &str)] = &[
    ("EVENT_BUS_NAME", "tandem"),
    ("TABLE_NAME", "tandem-profiles"),
    ("USER_POOL_ID", "eu-west-1_EXAMPLE"),
    ("CLIENT_IDS", "client"),
    ("SENDER_ADDRESS", "no-reply@example.com"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
];

/// An archive for Lambda and what is in it.
#[derive(Clone)]
pub struct Package {
    pub archive: PathBuf,
    pub executable: PathBuf,
}

pub async fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let Some(package) = &plan.package else {
        eprintln!("the package is not measured: `cargo xtask bench package` builds and names it");
        return Ok(());
    };
    figures.add("package, zipped", mib(&package.archive)?, "MiB", Aim::AtMost(8.0));
    figures.add("package, unzipped", mib(&package.executable)?, "MiB", Aim::None);
    for handler in HANDLERS {
        let Some(start) = median(plan, &package.executable, handler, None).await? else {
            eprintln!("{handler} does not start: is it in the package?");
            continue;
        };
        figures.add(format!("{handler}: init"), start.millis, "ms", Aim::AtMost(15.0));
        figures.add(format!("{handler}: memory after init"), start.resident_mib, "MiB", Aim::None);
    }
    // No certificates are read where all calls go to a server without TLS: what that is worth.
    if let Some(plain) = median(plan, &package.executable, HANDLERS[0], Some("http://127.0.0.1:9")).await? {
        figures.add(format!("{}: init without TLS", HANDLERS[0]), plain.millis, "ms", Aim::None);
    }
    Ok(())
}

struct Start {
    millis: f64,
    resident_mib: f64,
}

/// The median of several starts; none if the executable ends instead of asking for work.
async fn median(plan: &Plan, executable: &Path, handler: &str, endpoint: Option<&str>) -> Result<Option<Start>> {
    let mut starts = Vec::new();
    for _ in 0..plan.repeats {
        match start(executable, handler, endpoint).await? {
            Some(start) => starts.push(start),
            None => return Ok(None),
        }
    }
    starts.sort_by(|one, other| one.millis.total_cmp(&other.millis));
    Ok(Some(starts.swap_remove(starts.len() / 2)))
}

/// From the start of the process until it asks for its first event, which is what Lambda calls init.
async fn start(executable: &Path, handler: &str, endpoint: Option<&str>) -> Result<Option<Start>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut command = Command::new(executable);
    command.env_clear().envs(VARIABLES.iter().copied()).env("_HANDLER", handler);
    command.env("AWS_LAMBDA_RUNTIME_API", listener.local_addr()?.to_string());
    command.envs(endpoint.map(|endpoint| ("AWS_ENDPOINT_URL", endpoint)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let began = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {}", executable.display()))?;
    let asked = async {
        let (mut stream, _) = listener.accept().await?;
        let mut first = [0];
        stream.read_exact(&mut first).await?;
        anyhow::Ok((began.elapsed(), stream))
    };
    let (init, _stream) = tokio::select! {
        asked = timeout(LIMIT, asked) => asked.context("it asks for no event")??,
        _ = child.wait() => return Ok(None),
    };
    let resident_mib = resident_mib(child.id().context("the process is gone")?)?;
    child.kill().await?;
    Ok(Some(Start { millis: init.as_secs_f64() * 1000.0, resident_mib }))
}

fn resident_mib(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}

fn mib(file: &Path) -> Result<f64> {
    let bytes = fs::metadata(file).with_context(|| format!("there is no {}", file.display()))?.len();
    #[expect(clippy::cast_precision_loss, reason = "a file's size, shown with three digits")]
    Ok(bytes as f64 / f64::from(1 << 20))
}
