//! `tandem dev`: serves until it is told to end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use server::{
    BuiltIn, Durability, FaultPlan, Launcher, Loaded, LocalCloud, Place, Settings, Stack, StackSource, State,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::stack_file::{StackFile, pairs};
use crate::{arguments, console, demo};

/// How often the stack's files are looked at: a few of them, and nobody saves faster.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// The first argument of a process that starts a function's program.
pub const SANDBOX_WORD: &str = "sandbox";
/// The first argument of a process that is one of the functions of this binary.
pub const FUNCTION_WORD: &str = "function";

/// Serves until SIGINT or SIGTERM.
pub fn run(arguments: &arguments::Dev) -> anyhow::Result<()> {
    let mut settings = settings(arguments)?;
    let file = StackFile::find(arguments, &settings.place)?.map(Arc::new);
    ensure!(file.is_none() || !arguments.demo, "--demo shows the built-in stack: leave the file away");
    settings.stack = file.clone().map(|file| file as Arc<dyn StackSource>);
    console::show();
    runtime()?.block_on(serve(settings, file, arguments))
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

async fn serve(settings: Settings, file: Option<Arc<StackFile>>, arguments: &arguments::Dev) -> anyhow::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    // A first start may compile for minutes.
    let cloud = tokio::select! {
        cloud = LocalCloud::start(settings) => cloud?,
        _ = interrupted.recv() => return Ok(()),
        _ = terminated.recv() => return Ok(()),
    };
    announce(&cloud, arguments.chaos)?;
    let work = async {
        if arguments.demo {
            let endpoint = format!("http://{}", cloud.address());
            demo::run(&endpoint, &cloud.stack()).await.context("the demonstration failed")?;
        }
        match &file {
            Some(file) => follow(&cloud, file).await,
            None => std::future::pending().await,
        }
    };
    let result = tokio::select! {
        result = work => result,
        _ = interrupted.recv() => Ok(()),
        _ = terminated.recv() => Ok(()),
    };
    cloud.stop().await;
    result
}

/// Brings the stack up to date whenever its file is saved. A mistake in it is told, and the stack stays as it is.
async fn follow(cloud: &LocalCloud, file: &StackFile) -> anyhow::Result<()> {
    let mut said: BTreeSet<String> = cloud.stack().warnings.iter().map(|warning| without_place(warning)).collect();
    let mut due = tokio::time::interval(LOOK_EVERY);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        if !file.changed() {
            continue;
        }
        match cloud.reload().await {
            Ok(loaded) => {
                let new = loaded.stack.warnings.iter().filter(|warning| said.insert(without_place(warning)));
                tell_changes(file, &loaded, new)?;
            }
            Err(error) => tracing::error!("the stack stays as it is: {error}"),
        }
    }
}

/// Lines move while people write.
fn without_place(warning: &str) -> String {
    warning.split_once(": ").map_or(warning, |(_, message)| message).to_owned()
}

fn tell_changes<'a>(file: &StackFile, loaded: &Loaded, warnings: impl Iterator<Item = &'a String>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let result = if loaded.changes.is_empty() { " nothing changed" } else { "" };
    writeln!(out, "{} was read again:{result}", file.path().display())?;
    for change in &loaded.changes {
        writeln!(out, "  {:<10} {} ({})", change.what.to_string(), change.logical_id, change.kind)?;
    }
    for warning in warnings {
        writeln!(out, "  {warning}")?;
    }
    out.flush()
}

/// The first line is a contract: scripts wait for it.
fn announce(cloud: &LocalCloud, chaos: Option<u64>) -> io::Result<()> {
    let stack = cloud.stack();
    let mut out = io::stdout().lock();
    writeln!(out, "ready http://{}", cloud.address())?;
    writeln!(out)?;
    for (what, value) in table(&stack) {
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
    for warning in &stack.warnings {
        writeln!(out, "  {warning}")?;
    }
    if !stack.warnings.is_empty() {
        writeln!(out)?;
    }
    out.flush()
}

/// What there is, with a line for each of several pools or tables.
fn table(stack: &Stack) -> Vec<(&'static str, String)> {
    let mut lines = vec![("region", stack.region.clone()), ("account", stack.account_id.clone())];
    if stack.resources.is_empty() {
        lines.extend([
            ("user pool", stack.user_pool_id.clone()),
            ("client", stack.user_pool_client_id.clone()),
            ("event bus", stack.event_bus_name.clone()),
            ("table", stack.table_name.clone()),
        ]);
    }
    for (kind, what) in [
        ("AWS::Cognito::UserPool", "user pool"),
        ("AWS::Cognito::UserPoolClient", "client"),
        ("AWS::Events::EventBus", "event bus"),
        ("AWS::DynamoDB::Table", "table"),
        ("AWS::DynamoDB::GlobalTable", "table"),
        ("AWS::SQS::Queue", "queue"),
    ] {
        let of_kind = stack.resources.iter().filter(|resource| resource.kind == kind);
        lines.extend(of_kind.map(|resource| (what, resource.physical_id.clone())));
    }
    if !stack.functions.is_empty() {
        lines.push(("functions", stack.functions.join(", ")));
    }
    lines.extend(stack.urls.values().map(|url| ("url", url.clone())));
    lines.extend(stack.outputs.iter().map(|(name, value)| ("output", format!("{name} = {value}"))));
    lines
}

fn settings(arguments: &arguments::Dev) -> anyhow::Result<Settings> {
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
        stack: None,
        imports: pairs(&arguments.import, "--import")?,
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
