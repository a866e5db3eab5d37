//! The launcher: what stands between us and a sandbox, so that the sandbox dies with us.
//!
//! A process can ask the kernel for a signal when its parent dies, but only for itself. So we start our own
//! executable, which asks and then becomes the function's program. It needs no `unsafe`: `exec` is a plain
//! call outside a fork.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// A file that was written a moment ago is busy while another child, forked in that moment, has not yet let go
/// of what it inherited.
const BUSY_ATTEMPTS_MAX: u32 = 1000;

/// Becomes `program` with `args`, which will be killed when the process `parent_pid` dies; comes back only
/// if that fails. To be called by a process that does nothing else.
///
/// Environment, working directory and open files are those of the caller.
pub fn launcher_main(parent_pid: u32, program: &Path, args: &[String]) -> io::Error {
    if let Err(error) = die_with(parent_pid) {
        return error;
    }
    let mut attempts = 0;
    loop {
        let error = Command::new(program).args(args).exec();
        attempts += 1;
        if error.kind() != io::ErrorKind::ExecutableFileBusy || attempts == BUSY_ATTEMPTS_MAX {
            return error;
        }
        std::thread::yield_now();
    }
}

/// On systems without such a signal (all but Linux) a sandbox outlives a killed server until its next call
/// of the Runtime API fails, which makes every official runtime exit.
#[cfg(target_os = "linux")]
fn die_with(parent_pid: u32) -> io::Result<()> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died before we asked; then nobody would ever tell us.
    let parent = getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    if parent == Some(parent_pid) { Ok(()) } else { Err(io::Error::other("the server that started this is gone")) }
}

#[cfg(not(target_os = "linux"))]
fn die_with(_parent_pid: u32) -> io::Result<()> {
    Ok(())
}
