//! The one thread that starts child processes.
//!
//! The parent-death signal of a child is sent when the *thread* that forked it ends, so no worker of the
//! asynchronous runtime may do it: those come and go. This thread lives as long as the host.

use std::io;
use std::process::Stdio;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// A handle to the thread; it ends with the last handle.
#[derive(Clone, Debug)]
pub(crate) struct Spawner(mpsc::Sender<Request>);

#[derive(Debug)]
struct Request {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

impl Spawner {
    pub(crate) fn start() -> io::Result<Self> {
        let (sender, requests) = mpsc::channel::<Request>();
        std::thread::Builder::new().name("function-spawner".into()).spawn(move || {
            for Request { mut command, runtime, reply } in requests {
                let _entered = runtime.enter();
                let _ = reply.send(command.spawn()); // a child that nobody waits for any more is killed by its drop
            }
        })?;
        Ok(Self(sender))
    }

    /// Starts `command` in a process group of its own, without input, to be killed when the `Child` is dropped.
    pub(crate) async fn spawn(&self, mut command: Command) -> io::Result<Child> {
        command.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        let gone = || io::Error::other("the thread that starts processes has ended");
        let (reply, answer) = oneshot::channel();
        let request = Request { command, runtime: Handle::current(), reply };
        self.0.send(request).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
