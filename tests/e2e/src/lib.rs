//! What the black-box tests share: a server process of their own, and SDK clients that point at it.
//!
//! The tests know the product by its command line and its wire alone. They find the binary beside themselves
//! (`cargo xtask test` builds it first).

mod console;
pub mod soak;

pub use console::Console;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// A password that every policy takes.
pub const PASSWORD: &str = "Passw0rd!";

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub endpoint: String,
    /// What the built-in stack made.
    pub stack: Value,
    /// What clients sign with: on loopback any will do.
    credentials: (String, String),
}

impl Server {
    /// One that keeps nothing.
    pub async fn in_memory() -> Self {
        Self::start(&["--in-memory"]).await
    }

    /// One that keeps its state in a directory.
    pub async fn in_directory(directory: &Path) -> Self {
        Self::start(&["--state", directory.to_str().expect("a path in UTF-8")]).await
    }

    /// One that serves a stack's file, with further arguments.
    pub async fn serving(file: &Path, arguments: &[&str]) -> Self {
        Self::start(&[&[file.to_str().expect("a path in UTF-8")], arguments].concat()).await
    }

    /// One that keeps its state in a directory and takes further arguments.
    pub async fn chaotic(directory: &Path, arguments: &[&str]) -> Self {
        let directory = ["--state", directory.to_str().expect("a path in UTF-8")];
        Self::start(&[&directory[..], arguments].concat()).await
    }

    /// One that other machines could reach, and that keeps nothing.
    pub async fn remote() -> Self {
        Self::start(&["--in-memory", "--bind", "0.0.0.0", "--allow-remote"]).await
    }

    /// One that keeps nothing, and its console.
    pub async fn overheard() -> (Self, Console) {
        let mut child = command(&["--in-memory"]).env_remove("RUST_LOG").stderr(Stdio::piped()).spawn().expect(STARTS);
        let console = Console::of(child.stderr.take().expect("it is piped"));
        (Self::of(child).await, console)
    }

    async fn start(arguments: &[&str]) -> Self {
        Self::of(command(arguments).spawn().expect(STARTS)).await
    }

    /// The server that a process is, as soon as it is ready.
    async fn of(mut child: Child) -> Self {
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let first = lines.next_line().await.expect("it says something").expect("a first line");
        let endpoint = first.strip_prefix("ready ").unwrap_or_else(|| panic!("not ready: {first}")).to_owned();
        let mut credentials = ("tandem".to_owned(), "tandem".to_owned());
        while let Ok(Some(line)) = lines.next_line().await {
            match line.trim_start().split_once("  ").map(|(name, value)| (name, value.trim())) {
                Some(("key id", id)) => id.clone_into(&mut credentials.0),
                Some(("secret", secret)) => secret.clone_into(&mut credentials.1),
                _ if line.trim_start().starts_with("export") => break, // the table has ended
                _ => {}
            }
        }
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut server = Self { child, endpoint, stack: Value::Null, credentials };
        server.stack = server.inside("GET", "/_tandem/stack", "").await.1;
        server
    }

    /// Ends it as a crash does, and waits until it is gone.
    pub async fn kill_9(mut self) {
        self.kill().await;
    }

    /// The same, where the server is somebody else's.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("it is killed");
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// A request beside AWS's: status and body.
    pub async fn inside(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        ask(&self.endpoint, method, path, body).await.expect("it answers")
    }

    /// A request as no SDK would send it, to AWS's APIs: status and body.
    pub async fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> (u16, Value) {
        send(&self.endpoint, "POST /", headers, body).await.expect("it answers")
    }

    /// A request to the function URL of a function: status and body. By its path, since not every resolver takes a name
    /// under `localhost` for this machine.
    pub async fn call_url(
        &self,
        function: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, Value) {
        let url = self.stack["urls"][function].as_str().expect("the function has a URL");
        let id = url.trim_start_matches("http://").split('.').next().expect("a host");
        let line = format!("{method} /_tandem/urls/{id}{path}");
        send(&self.endpoint, &line, headers, body.as_bytes()).await.expect("it answers")
    }

    /// Waits until nothing is queued or running.
    pub async fn settle(&self) {
        let (status, body) = self.inside("POST", "/_tandem/settle", "").await;
        assert_eq!(status, 200, "{body}");
    }

    /// Sets the clock ahead.
    pub async fn advance(&self, by: Duration) {
        let body = format!(r#"{{"advanceSeconds": {}}}"#, by.as_secs());
        assert_eq!(self.inside("POST", "/_tandem/clock", &body).await.0, 200);
    }

    /// The newest code that was sent to an address.
    pub async fn code(&self, to: &str) -> String {
        let (_, mailbox) = self.inside("GET", &format!("/_tandem/mailbox?to={to}"), "").await;
        let messages = mailbox["messages"].as_array().expect("a mailbox");
        let codes = messages.iter().rev().filter_map(|message| message["code"].as_str());
        codes.map(str::to_owned).next().expect("a code was sent")
    }

    /// A text of the stack's description.
    pub fn of_stack(&self, name: &str) -> &str {
        self.stack[name].as_str().unwrap_or_else(|| panic!("the stack has no {name}: {}", self.stack))
    }

    /// A queue that EventBridge may send to; its URL.
    pub async fn queue_of_events(&self, name: &str) -> String {
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }]});
        let create = aws_sdk_sqs::Client::new(&self.config()).create_queue().queue_name(name);
        let made = create.attributes(QueueAttributeName::Policy, policy.to_string()).send().await.expect("CreateQueue");
        made.queue_url.expect("a URL")
    }

    /// What every SDK client is made of.
    pub fn config(&self) -> SdkConfig {
        let credentials =
            aws_sdk_dynamodb::config::Credentials::new(&self.credentials.0, &self.credentials.1, None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.endpoint)
            .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// Signs somebody up and confirms them with the mailed code.
    pub async fn confirmed(&self, address: &str) {
        let pools = aws_sdk_cognitoidentityprovider::Client::new(&self.config());
        let client = self.of_stack("userPoolClientId");
        pools.sign_up().client_id(client).username(address).password(PASSWORD).send().await.expect("SignUp");
        let code = self.code(address).await;
        let confirm = pools.confirm_sign_up().client_id(client).username(address).confirmation_code(code);
        confirm.send().await.expect("ConfirmSignUp");
    }
}

const STARTS: &str = "tandem starts";

/// A server that is on its way, and may die before it is ready.
#[derive(Debug)]
pub struct Starting {
    child: Child,
    state: PathBuf,
}

impl Starting {
    /// One that makes a stack in a state directory.
    pub fn of(file: &Path, state: &Path) -> Self {
        let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
        let child = command(&[&text(file), "--state", &text(state)]).stderr(Stdio::null()).spawn().expect(STARTS);
        Self { child, state: state.to_owned() }
    }

    /// Ends it as a crash does, as soon as its state has been seen to change so often, or when it is ready.
    pub async fn kill_9_after(mut self, changes: usize) {
        let mut lines = BufReader::new(self.child.stdout.take().expect("its output is piped")).lines();
        let looking = async {
            let mut looks = tokio::time::interval(Duration::from_millis(1));
            let (mut seen, mut size) = (0, bytes_in(&self.state));
            while seen < changes {
                looks.tick().await;
                let now = bytes_in(&self.state);
                seen += usize::from(now != size);
                size = now;
            }
        };
        tokio::select! {
            () = looking => {}
            _ = lines.next_line() => {}
        }
        self.child.kill().await.expect("it is killed");
    }
}

/// How much the files of a directory hold.
fn bytes_in(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(["dev", "--port", "0"]).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    command.kill_on_drop(true);
    command
}

/// A request beside AWS's, of whoever may find nobody there: status and body.
pub(crate) async fn ask(endpoint: &str, method: &str, path: &str, body: &str) -> io::Result<(u16, Value)> {
    send(endpoint, &format!("{method} {path}"), &[], body.as_bytes()).await
}

async fn send(endpoint: &str, line: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<(u16, Value)> {
    let host = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await?;
    let length = body.len();
    let mut head = format!("{line} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n");
    head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    // Who finds a body too large need not read it to its end.
    let _ = stream.write_all(body).await;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the answer broke off"))?;
    let body = response.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

/// The binary under test: beside the tests, as cargo builds them (`target/PROFILE/deps/TEST`), or beside a program.
pub fn binary() -> PathBuf {
    let this = std::env::current_exe().expect("a test is a file");
    let directory = this.ancestors().skip(1).find(|path| !path.ends_with("deps")).expect("target/PROFILE");
    let binary = directory.join("tandem");
    assert!(binary.exists(), "{} is not there: run `cargo build` first, or `cargo xtask test`", binary.display());
    binary
}
