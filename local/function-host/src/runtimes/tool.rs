//! Running a tool of this machine to its end: an interpreter's `--version`, an installer, a compiler.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

/// Of what a tool prints, on either stream; the rest is read and dropped.
const OUTPUT_BYTES_MAX: usize = 8 * 1024 * 1024;
const READ_BYTES: usize = 64 * 1024;

/// What a tool printed, and whether it went well.
pub(super) struct Output {
    pub(super) succeeded: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Why there is no output.
#[derive(Debug)]
pub(super) enum Failed {
    NotFound,
    Other(String),
}

/// Runs a command without input. It is killed when it takes longer than `time_max`.
pub(super) async fn run(command: &mut Command, time_max: Duration) -> Result<Output, Failed> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failed::NotFound,
        _ => Failed::Other(error.to_string()),
    })?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let all = async {
        let (stdout, stderr, status) = tokio::join!(read(stdout), read(stderr), child.wait());
        (stdout, stderr, status)
    };
    let Ok((stdout, stderr, status)) = timeout(time_max, all).await else {
        return Err(Failed::Other(format!("it took longer than {} seconds", time_max.as_secs())));
    };
    let status = status.map_err(|error| Failed::Other(error.to_string()))?;
    Ok(Output { succeeded: status.success(), stdout, stderr })
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let (mut kept, mut buffer) = (Vec::new(), vec![0; READ_BYTES]);
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let room = OUTPUT_BYTES_MAX.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// A command that sees none of the AWS settings of whoever started us, and works in `directory`.
pub(super) fn command(program: impl AsRef<std::ffi::OsStr>, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory);
    command
}
