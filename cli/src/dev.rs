//! `tandem dev`: serves until it is told to end.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use server::{BuiltIn, Durability, FaultPlan, Launcher, LocalCloud, Place, Settings, State};
use tokio::signal::unix::{SignalKind, signal};

use crate::{arguments, console, demo};

/// The first argument of a process that starts a function's program.
pub const SANDBOX_WORD: &str = "sandbox";
/// The first argument of a process that is one of the functions of this binary.
pub const FUNCTION_WORD: &str = "function";

/// Serves until SIGINT or SIGTERM.
pub fn run(arguments: &arguments::Dev) -> anyhow::Result<()> {
    let settings = settings(arguments)?;
    console::show();
    runtime()?.block_on(serve(settings, arguments))
}

/// Prints the operations that work.
pub fn print_operations(json: bool) -> anyhow::Result<()> {
    let settings = Settings {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        allow_remote: false,
        state: State::Memory,
        durability: Durability::default(),
        place: Place::default(),
        time_scale: 1.0,
        faults: FaultPlan::default(),
        parameters: BTreeMap::new(),
        stack: None,
        imports: BTreeMap::new(),
        smtp: None,
        built_in: built_in()?,
        packages_dir: None,
        launcher: None,
    };
    let services = runtime()?.block_on(async {
        let cloud = LocalCloud::start(settings).await?;
        let operations = cloud.operations();
        cloud.stop().await;
        anyhow::Ok(operations)
    })?;
    if json {
        println!("{}", serde_json::to_string_pretty(&services)?);
        return Ok(());
    }
    for service in services {
        println!("{} ({}): {}", service.service, service.signing, service.operations.len());
        for operation in service.operations {
            println!("  {operation}");
        }
    }
    Ok(())
}

async fn serve(settings: Settings, arguments: &arguments::Dev) -> anyhow::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let cloud = LocalCloud::start(settings).await?;
    announce(&cloud, arguments.chaos)?;
    let work = async {
        if arguments.demo {
            demo::run(&format!("http://{}", cloud.address()), &cloud.stack()).await?;
        }
        std::future::pending::<anyhow::Result<()>>().await
    };
    let result = tokio::select! {
        result = work => result.context("the demonstration failed"),
        _ = interrupted.recv() => Ok(()),
        _ = terminated.recv() => Ok(()),
    };
    cloud.stop().await;
    result
}

/// The first line is a contract: scripts wait for it.
fn announce(cloud: &LocalCloud, chaos: Option<u64>) -> io::Result<()> {
    let stack = cloud.stack();
    let mut out = io::stdout().lock();
    writeln!(out, "ready http://{}", cloud.address())?;
    writeln!(out)?;
    for (what, value) in [
        ("region", stack.region.as_str()),
        ("account", &stack.account_id),
        ("user pool", &stack.user_pool_id),
        ("client", &stack.user_pool_client_id),
        ("event bus", &stack.event_bus_name),
        ("table", &stack.table_name),
        ("functions", &stack.functions.join(", ")),
    ] {
        writeln!(out, "  {what:<10} {value}")?;
    }
    if let Some(seed) = chaos {
        writeln!(out, "  {:<10} seed {seed}: {}", "chaos", server::CHAOS_IN_WORDS)?;
    }
    if let Some((id, secret)) = cloud.credentials() {
        writeln!(out, "  {:<10} {id}", "key id")?;
        writeln!(out, "  {:<10} {secret}", "secret")?;
    }
    writeln!(out)?;
    writeln!(out, "  export AWS_ENDPOINT_URL=http://{}", cloud.address())?;
    writeln!(out, "  export AWS_REGION={0} AWS_DEFAULT_REGION={0}", stack.region)?; // boto3 reads the second alone
    if cloud.credentials().is_none() {
        writeln!(out, "  export AWS_ACCESS_KEY_ID=tandem AWS_SECRET_ACCESS_KEY=tandem   # any will do")?;
    }
    writeln!(out)?;
    out.flush()
}

fn settings(arguments: &arguments::Dev) -> anyhow::Result<Settings> {
    if let Some(file) = &arguments.file {
        bail!("{} cannot be read yet: start without a file to serve the built-in stack", file.display());
    }
    let account = &arguments.account;
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(digits, "--account takes twelve digits, not {account}");
    let region_fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let region = &arguments.region;
    ensure!(
        !region.is_empty() && region.bytes().all(region_fits),
        "--region takes a name like us-east-1, not {region}"
    );
    let scale = arguments.time_scale;
    ensure!(scale.is_finite() && scale > 0.0, "--time-scale takes a number above 0, not {scale}");
    let smtp = arguments.smtp.as_deref().map(str::parse).transpose();
    Ok(Settings {
        address: SocketAddr::new(arguments.bind, arguments.port),
        allow_remote: arguments.allow_remote,
        state: if arguments.in_memory { State::Memory } else { State::Directory(arguments.state.clone()) },
        durability: if arguments.durable { Durability::PowerCut } else { Durability::ProcessDeath },
        place: Place { region: region.clone(), account: account.clone() },
        time_scale: scale,
        faults: arguments.chaos.map(server::chaos).unwrap_or_default(),
        parameters: parameters(&arguments.ssm)?,
        smtp: smtp.context("--smtp takes smtp://[user:password@]host[:port] or smtps://…")?,
        built_in: built_in()?,
        packages_dir: arguments.in_memory.then(packages_dir).flatten(),
        launcher: Some(Launcher { program: this_program()?, args: vec![SANDBOX_WORD.to_owned()] }),
    })
}

/// Values of Parameter Store. They may be secrets, so a mistake is told without them.
fn parameters(typed: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let read = |text: &String| {
        let (name, value) = text.split_once('=').context("--ssm takes /name=value: one of them has no =")?;
        ensure!(!name.is_empty(), "--ssm takes /name=value: one of them has no name");
        ensure!(!value.is_empty(), "--ssm takes /name=value: {name} has no value");
        Ok((name.to_owned(), value.to_owned()))
    };
    typed.iter().map(read).collect()
}

/// Packages outlive a server without a state directory: nobody wants to fetch an SDK at every start.
fn packages_dir() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))?;
    Some(cache.join("tandem/packages"))
}

/// The functions of this binary are this binary, called by another word.
fn built_in() -> anyhow::Result<HashMap<String, BuiltIn>> {
    let program = this_program()?;
    let function = || BuiltIn { program: program.clone(), args: vec![FUNCTION_WORD.to_owned()] };
    Ok(server::BUILT_IN_FUNCTIONS.iter().map(|name| ((*name).to_owned(), function())).collect())
}

fn this_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("this program does not find itself")
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads could be started")
}
