//! `cargo xtask package`: the functions' executable as Lambda takes it.
//!
//! cargo-lambda builds it, with zig as its linker, so that it runs on Lambda's older glibc and for the other architecture;
//! both come from Python's package index in the versions of `package/requirements.txt`, into `.journeys/package`. The archive is the same
//! for the same executable.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::journeys::{self, PYTHON};
use crate::project::{self, Project};

const PROFILE: &str = "lambda";
const REQUIREMENTS: &str = "xtask/src/package/requirements.txt";
const PACK: &str = "xtask/src/package/pack.py";

/// Where it goes; the templates in deploy/ look for it there.
const ARCHIVE: &str = "target/package/bootstrap.zip";

/// Lambda's limit for an archive in a call. Larger ones go by S3, and start slower.
const ZIPPED_BYTES_MAX: u64 = 50 << 20;

/// Says what begins now, not on the standard output: that may be somebody's JSON.
fn say(what: &str) {
    eprintln!("── {what}");
}

/// What to build.
#[derive(Args)]
pub struct Wanted {
    /// The processor that the functions will run on
    #[arg(long, value_enum, default_value = "arm64")]
    pub arch: Architecture,
}

/// Lambda's names of processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Architecture {
    /// Graviton: a fifth cheaper
    Arm64,
    /// Intel and AMD
    #[value(name = "x86_64")]
    X86_64,
}

impl Architecture {
    /// The one of this machine, if Lambda has it and what is built for Lambda runs here.
    pub fn of_this_machine() -> Option<Self> {
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "aarch64") => Some(Self::Arm64),
            ("linux", "x86_64") => Some(Self::X86_64),
            _ => None,
        }
    }

    /// As templates spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    fn target(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::X86_64 => "x86_64-unknown-linux-gnu",
        }
    }
}

/// An archive and what is in it.
pub struct Package {
    pub archive: PathBuf,
    pub executable: PathBuf,
}

#[derive(Deserialize)]
struct Packed {
    unzipped: u64,
    zipped: u64,
    sha256: String,
}

/// Builds and packs; true, or an error that says what is missing.
pub fn run(project: &Project, wanted: &Wanted) -> Result<bool> {
    let archive = project.root.join(ARCHIVE);
    let packed = pack(project, wanted.arch, &archive)?;
    let kib = |bytes: u64| bytes.div_ceil(1024);
    println!(
        "{ARCHIVE} for {}: {} KiB, unzipped {} KiB, sha256 {}",
        wanted.arch.name(),
        kib(packed.zipped),
        kib(packed.unzipped),
        packed.sha256
    );
    if packed.zipped > ZIPPED_BYTES_MAX {
        bail!("that is more than the {} MiB that Lambda takes in one call", ZIPPED_BYTES_MAX >> 20);
    }
    Ok(true)
}

/// The archive for this machine, for tests and figures: not where a deployment would take it from. Nothing if this
/// machine cannot run what runs on Lambda.
pub fn for_this_machine(project: &Project) -> Result<Option<Package>> {
    let Some(architecture) = Architecture::of_this_machine() else { return Ok(None) };
    let archive = project.root.join("target/package").join(architecture.name()).join("bootstrap.zip");
    pack(project, architecture, &archive)?;
    Ok(Some(Package { executable: executable(project, architecture)?, archive }))
}

fn pack(project: &Project, architecture: Architecture, archive: &Path) -> Result<Packed> {
    let bin = tools(project)?;
    add_target(project, architecture)?;
    say(&format!("building the functions for Lambda on {}", architecture.name()));
    let mut build = project.cargo();
    build.args(["lambda", "build", "--profile", PROFILE, "--package", "tandem-functions", "--bin", "bootstrap"]);
    build.args(["--target", architecture.target(), "--locked", "--quiet"]);
    build.arg("--lambda-dir").arg(built(project, architecture)?);
    let path = project::variable("PATH").unwrap_or_default();
    project::run(build.env("PATH", format!("{}:{path}", bin.display())))?;
    let executable = executable(project, architecture)?;
    let mut pack = project.command(bin.join("python"));
    let printed = project::read(pack.arg(PACK).args([&executable, archive]))?;
    serde_json::from_str(&printed).with_context(|| format!("{PACK} printed {printed}"))
}

/// Where cargo-lambda puts what it builds: a folder for each architecture, which it would not make by itself.
fn built(project: &Project, architecture: Architecture) -> Result<PathBuf> {
    Ok(project.metadata()?.target_directory.join("cargo-lambda").join(architecture.name()))
}

fn executable(project: &Project, architecture: Architecture) -> Result<PathBuf> {
    Ok(built(project, architecture)?.join("bootstrap/bootstrap"))
}

/// Where cargo-lambda is, installed in its version if need be.
fn tools(project: &Project) -> Result<PathBuf> {
    let place = journeys::place(project, "package");
    let (bin, stamp) = (place.join("bin"), place.join("installed"));
    let wanted = fs::read_to_string(project.root.join(REQUIREMENTS)).context(REQUIREMENTS)?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(bin);
    }
    let Some(python) = PYTHON.program(project) else {
        bail!("cargo-lambda and zig are fetched from PyPI, which {}", PYTHON.advice);
    };
    say("fetching cargo-lambda and zig into .journeys/package");
    project::run(project.command(python).args(["-m", "venv", "--clear"]).arg(&place))?;
    let mut pip = project.command(bin.join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS]);
    project::run(&mut pip).context("PyPI is needed once; behind a proxy, tell pip by PIP_INDEX_URL")?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(bin)
}

/// Sees that the standard library for the architecture is there.
fn add_target(project: &Project, architecture: Architecture) -> Result<()> {
    let target = architecture.target();
    let mut rustc = project.command("rustc");
    let library = project::read(rustc.args(["--print", "target-libdir", "--target", target]))?;
    if Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    if project.has("rustup", &["--version"]) {
        say(&format!("fetching the standard library for {target}"));
        if project::run(project.command("rustup").args(["target", "add", target])).is_ok() {
            return Ok(());
        }
    }
    let here = Architecture::of_this_machine().filter(|here| *here != architecture);
    let instead = here.map_or(String::new(), |here| {
        format!(", or deploy to {0} (cargo xtask package --arch {0}, parameter Architecture={0})", here.name())
    });
    bail!("there is no standard library for {target} here: `rustup target add {target}`{instead}")
}
