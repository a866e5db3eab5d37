//! What the local cloud costs, in figures beside their aims. `README.md` tells what each means and how to repeat it.
//!
//! The generator of load is one thread with one connection per worker and no SDK, so that what is measured is the
//! server. Every measurement starts a server of its own on a state directory that is thrown away.

mod figure;
mod function;
mod http;
mod load;
mod measure;
mod server;
mod srp;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;

use figure::Figures;
use measure::package::Package;

/// Measures, and prints figures beside their aims
#[derive(Parser)]
struct Arguments {
    /// Only these measurements: start, chain, sign-up, sign-in, srp, get-user, list-users, reconcile, tables, events, functions, package, template
    names: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Shorter and smaller: to see whether it works, not how fast
    #[arg(long)]
    quick: bool,
    /// Users of the pool that is reconciled: a million, or ten thousand with --quick
    #[arg(long, value_name = "N")]
    users: Option<u64>,
    /// Requests at a time
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
    /// The server to measure
    #[arg(long, value_name = "FILE", default_value = "target/release/tandem")]
    tandem: PathBuf,
    /// The archive for Lambda to measure
    #[arg(long, value_name = "FILE", requires = "bootstrap")]
    package: Option<PathBuf>,
    /// The executable in that archive
    #[arg(long, value_name = "FILE", requires = "package")]
    bootstrap: Option<PathBuf>,
    /// Serves dynoxide's own server, for comparison; started by this program itself
    #[arg(long, hide = true, value_name = "FILE")]
    serve_rival: Option<PathBuf>,
}

/// How much to do.
#[derive(Clone)]
pub struct Plan {
    /// The server to measure.
    pub tandem: PathBuf,
    /// The package to measure.
    pub package: Option<Package>,
    /// Requests at a time.
    pub concurrency: usize,
    /// How long a measurement of a rate takes.
    pub period: Duration,
    /// Users of the large pool.
    pub users_many: u64,
    /// Users of the pool that is reconciled.
    pub users_reconciled: u64,
    /// How often something is repeated of which single runs are measured.
    pub repeats: u64,
}

fn main() -> Result<()> {
    // Started by the server that is measured, as one of its functions.
    #[expect(clippy::disallowed_methods, reason = "how Lambda tells a function where it is")]
    if let Ok(runtime_api) = std::env::var("AWS_LAMBDA_RUNTIME_API") {
        return function::run(&runtime_api, std::env::var(function::NOTIFY).ok().as_deref());
    }
    let arguments = Arguments::parse();
    if let Some(file) = &arguments.serve_rival {
        return server::serve_rival(file);
    }
    let tandem = arguments.tandem.canonicalize();
    let plan = Plan {
        tandem: tandem
            .with_context(|| format!("there is no {}: run `cargo xtask bench`", arguments.tandem.display()))?,
        package: arguments
            .package
            .zip(arguments.bootstrap)
            .map(|(archive, executable)| Package { archive, executable }),
        concurrency: arguments.concurrency,
        period: Duration::from_secs(if arguments.quick { 1 } else { 4 }),
        users_many: if arguments.quick { 10_000 } else { 100_000 },
        users_reconciled: arguments.users.unwrap_or(if arguments.quick { 10_000 } else { 1_000_000 }),
        repeats: if arguments.quick { 5 } else { 20 },
    };
    if let Some(unknown) = arguments.names.iter().find(|name| !measure::ALL.iter().any(|(known, _)| known == name)) {
        bail!("there is no measurement {unknown}; see --help");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut figures = Figures::default();
    for (name, measure) in measure::ALL {
        if arguments.names.is_empty() || arguments.names.iter().any(|wanted| wanted == name) {
            eprintln!("{name} …");
            runtime.block_on(measure(&plan, &mut figures)).with_context(|| format!("{name} could not be measured"))?;
        }
    }
    print!("{}", if arguments.json { figures.json()? } else { figures.table() });
    Ok(())
}
