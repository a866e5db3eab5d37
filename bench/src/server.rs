//! Servers as processes: ours, and dynoxide's own to compare with.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::Instant;

use crate::Plan;
use crate::http::Connection;

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// How often Linux counts a process's time: `CLK_TCK`, 100 on every system there is.
const TICKS_PER_SECOND: f64 = 100.0;

/// A server that ends with this value.
pub struct Server {
    pub address: SocketAddr,
    /// From the start of the process to its first line.
    pub started_in: Duration,
    child: Child,
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// `tandem dev` on an empty state directory of its own.
    pub async fn tandem(plan: &Plan) -> Result<(Self, TempDir)> {
        let state = tempfile::tempdir()?;
        Ok((Self::tandem_on(plan, state.path()).await?, state))
    }

    /// `tandem dev` on this state directory.
    pub async fn tandem_on(plan: &Plan, state: &Path) -> Result<Self> {
        let mut command = Command::new(&plan.tandem);
        // In the directory itself: no stack file of anybody's is picked up.
        command.args(["dev", "--port", "0", "--state"]).arg(state).current_dir(state);
        Self::start(command).await
    }

    /// Dynoxide's own server on a file.
    pub async fn rival(file: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--serve-rival").arg(file);
        Self::start(command).await
    }

    async fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let began = Instant::now();
        let mut child = command.spawn().context("cannot start the server")?;
        let mut stdout = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        let first = tokio::time::timeout(START_LIMIT, stdout.next_line()).await.context("the server does not start")?;
        let started_in = began.elapsed();
        let first = first?.context("the server ended at once")?;
        let Some(address) = first.strip_prefix("ready http://") else { bail!("the server began with {first:?}") };
        Ok(Self { address: address.trim().parse()?, started_in, child, _stdout: stdout })
    }

    /// Ends it as Ctrl-C would and waits.
    pub async fn stop(mut self) -> Result<()> {
        let pid = self.pid()?.to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await?;
        tokio::time::timeout(STOP_LIMIT, self.child.wait()).await.context("the server does not stop")??;
        Ok(())
    }

    pub async fn connect(&self) -> Result<Connection> {
        Connection::open(self.address).await
    }

    /// The ids of its stack.
    pub async fn stack(&self) -> Result<Stack> {
        let stack = self.connect().await?.ask("GET /_tandem/stack").await?;
        let id = |name: &str| -> Result<String> { Ok(stack[name].as_str().context("an id is missing")?.to_owned()) };
        Ok(Stack { pool: id("userPoolId")?, app: id("userPoolClientId")?, table: id("tableName")? })
    }

    /// Waits until nothing is queued or running.
    pub async fn settle(&self) -> Result<Value> {
        self.connect().await?.ask("POST /_tandem/settle?timeoutMs=60000").await
    }

    /// Seconds of processor time that the process took so far; its functions are processes of their own.
    pub fn processor_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid()?)).context("this needs Linux's /proc")?;
        // The name before the last parenthesis may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')').context("a strange stat")?.1.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?; // utime and stime
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// Mebibytes of memory that the process holds.
    pub fn resident_mib(&self) -> Result<f64> {
        resident_mib(&self.pid()?.to_string())
    }

    /// The same of the processes that it started.
    pub fn children_resident_mib(&self) -> Result<f64> {
        let path = format!("/proc/{0}/task/{0}/children", self.pid()?);
        let children = fs::read_to_string(path).unwrap_or_default();
        children.split_whitespace().try_fold(0.0, |sum, child| Ok(sum + resident_mib(child)?))
    }

    fn pid(&self) -> Result<u32> {
        self.child.id().context("the server has ended")
    }
}

/// What the benchmark needs of the built-in stack.
#[derive(Clone)]
pub struct Stack {
    pub pool: String,
    pub app: String,
    pub table: String,
}

fn resident_mib(pid: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("this needs Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}

/// Serves dynoxide's own server as its users start it, but for durability as ours has it: what a commit writes
/// survives the process.
pub fn serve_rival(file: &Path) -> Result<()> {
    let database = dynoxide::Database::new(file.to_str().context("the path is not Unicode")?)?;
    database.disable_bulk_loading()?; // SQLite's `synchronous = NORMAL`
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("ready http://{}", listener.local_addr()?);
        dynoxide::server::serve_on(listener, database).await;
        Ok(())
    })
}
