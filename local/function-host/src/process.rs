//! The process of a sandbox: starting it, listening to it, ending it.
//!
//! One task owns all of it: the port, the output and the process, for which it alone waits and which it alone
//! kills. What is true of the sandbox in between stands in `sandbox.rs`.

use std::fs;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use crate::log_sink::LogStream;
use crate::plan::Plan;
use crate::runtime::Program;
use crate::runtime_api;
use crate::sandbox::Sandbox;

/// How long a process may take to end by itself after it reported that it cannot start.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How long we go on listening to a process that has ended: its last request may still be in the socket.
const LAST_REQUESTS: Duration = Duration::from_millis(200);
/// Long enough to hear from the kernel of a connection that was made.
const LAST_CONNECTION: Duration = Duration::from_millis(1);
/// A file that was written a moment ago is busy while another child, forked in that moment, has not yet let go
/// of what it inherited.
const BUSY_WAIT: Duration = Duration::from_millis(5);
const BUSY_ATTEMPTS_MAX: u32 = 10;
/// How often a sandbox asks itself whether it is still needed.
const IDLE_CHECK: Duration = Duration::from_mins(1);

/// Starts the process and gives what it prints.
pub(crate) async fn spawn(
    plan: &Plan,
    program: &Program,
    runtime_api: &str,
    stream: &LogStream,
) -> io::Result<(Child, io::PipeReader)> {
    let mut attempts = 0;
    loop {
        let (reader, writer) = io::pipe()?;
        let mut command = match &plan.surroundings.launcher {
            None => Command::new(&program.path),
            Some(launcher) => {
                let mut command = Command::new(&launcher.program);
                command.args(&launcher.args).arg(std::process::id().to_string()).arg(&program.path);
                command
            }
        };
        let (launcher, guard) = (plan.surroundings.launcher.as_ref(), &plan.surroundings.guard);
        guard.watch(launcher, runtime_api, None);
        command.args(&program.args).current_dir(&program.task_root).env_clear();
        command.envs(plan.environment(program, runtime_api, &stream.name));
        command.stderr(writer.try_clone()?).stdout(writer);
        attempts += 1;
        match plan.surroundings.spawner.spawn(command).await {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && attempts < BUSY_ATTEMPTS_MAX => {
                sleep(BUSY_WAIT).await;
            }
            Ok(child) => {
                guard.watch(launcher, runtime_api, child.id());
                return Ok((child, reader));
            }
            Err(error) => {
                guard.release(runtime_api);
                return Err(error);
            }
        }
    }
}

/// The sandbox's own task: its port, its output, its process.
pub(crate) async fn live(sandbox: Arc<Sandbox>, mut child: Child, listener: TcpListener, init_time_max: Duration) {
    let _counted = sandbox.plan.surroundings.count_sandbox();
    let mut connections = JoinSet::new();
    let mut printing = true;
    let mut coming_up = true;
    let init_over = sleep(init_time_max);
    tokio::pin!(init_over);
    let mut idle_check = interval(IDLE_CHECK);
    let status = loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(runtime_api::serve(Arc::clone(&sandbox), stream));
            },
            Some(_) = connections.join_next() => {}
            status = child.wait() => break status.ok(),
            () = sandbox.stop.notified() => break None,
            () = sandbox.logs.follow(), if printing => printing = false,
            () = &mut init_over, if coming_up => {
                coming_up = false;
                if sandbox.init_timed_out() {
                    break None;
                }
            }
            _ = idle_check.tick() => sandbox.end_if_idle(),
        }
    };
    let status = match status {
        Some(status) => {
            hear_out(&sandbox, &listener, &mut connections).await;
            Some(status)
        }
        None => stop(&sandbox, &mut child).await,
    };
    // Its children may live on and hold its files and ports. The group's id is taken as long as they do.
    signal_group(sandbox.pid, Signal::KILL);
    if let Ok(address) = listener.local_addr() {
        let address = address.to_string();
        let runtime_api = address.clone();
        let _ = tokio::task::spawn_blocking(move || kill_strays(&runtime_api)).await; // it does not panic
        sandbox.plan.surroundings.guard.release(&address);
    }
    sandbox.logs.catch_up();
    sandbox.ended(&exit_reason(status));
}

/// Takes the last requests of a process that has ended: an answer it gave before counts.
async fn hear_out(sandbox: &Arc<Sandbox>, listener: &TcpListener, connections: &mut JoinSet<()>) {
    while let Ok(Ok((stream, _))) = timeout(LAST_CONNECTION, listener.accept()).await {
        connections.spawn(runtime_api::serve(Arc::clone(sandbox), stream));
    }
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(LAST_REQUESTS, all).await;
}

async fn stop(sandbox: &Sandbox, child: &mut Child) -> Option<ExitStatus> {
    let (ends_itself, has_extension) = sandbox.ending();
    let grace = if ends_itself {
        LAST_WORDS
    } else if has_extension {
        signal_group(sandbox.pid, Signal::TERM);
        sandbox.plan.surroundings.limits.shutdown_time
    } else {
        Duration::ZERO
    };
    if !grace.is_zero()
        && let Ok(status) = timeout(grace, child.wait()).await
    {
        return status.ok();
    }
    signal_group(sandbox.pid, Signal::KILL);
    child.wait().await.ok()
}

pub(crate) fn signal_group(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, signal); // there may be nobody left
    }
}

/// Ends what a function has started and what has left its group (`setsid`). Such a process is known by the address
/// that it inherited, which is this sandbox's alone as long as its port is open. Only Linux can be asked. How many there were.
pub(crate) fn kill_strays(runtime_api: &str) -> usize {
    let mut found = 0;
    let sign = format!("AWS_LAMBDA_RUNTIME_API={runtime_api}");
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        let Some(pid) = pid else { continue };
        let Ok(environment) = fs::read(process.path().join("environ")) else { continue };
        if environment.split(|byte| *byte == 0).any(|variable| variable == sign.as_bytes()) {
            let _ = kill_process(pid, Signal::KILL); // it may have ended meanwhile
            found += 1;
        }
    }
    found
}

/// As Lambda words it: `Runtime exited with error: exit status 127`.
fn exit_reason(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    let Some(status) = status else { return "Runtime exited without providing a reason".into() };
    match (status.code(), status.signal()) {
        (Some(0), _) | (None, None) => "Runtime exited without providing a reason".into(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(signal)) => {
            let name = match signal {
                4 => "illegal instruction",
                6 => "aborted",
                8 => "floating point exception",
                9 => "killed",
                11 => "segmentation fault",
                13 => "broken pipe",
                15 => "terminated",
                _ => return format!("Runtime exited with error: signal {signal}"),
            };
            let core = if status.core_dumped() { " (core dumped)" } else { "" };
            format!("Runtime exited with error: signal: {name}{core}")
        }
    }
}

/// `No such file or directory (os error 2)` as Lambda's Go says it: `no such file or directory`.
pub(crate) fn lower_case(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
