//! What tests need: a host, and a function that does what its event says.
//!
//! The function is this very test binary, run again: [`the_test_function`] is a test that becomes a Lambda
//! runtime when it finds itself in a sandbox. It speaks the Runtime API over a plain socket, so that what the
//! tests rely on is the wire and not a client of ours.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_api::{ApiError, Call, Reply, Service};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use storage::{Durability, Location};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::tcp::OwnedWriteHalf;
use world::{TraceId, World};

use crate::asynchronous::{AsyncQueue, Destinations, QueueError};
use crate::host::FunctionHost;
use crate::surroundings::{BuiltIn, Launcher, Limits, Settings};

pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/tests";

/// Long enough for a process to answer, and short enough to wait for where a second one is wanted.
const WARM_WAIT: Duration = Duration::from_millis(250);

/// A host, its state directory, and what it gave away.
pub(crate) struct Tandem {
    pub(crate) host: Arc<FunctionHost>,
    pub(crate) world: World,
    pub(crate) queued: Arc<Queued>,
    pub(crate) sent: Arc<Sent>,
    pub(crate) directory: TempDir,
    service: Arc<dyn Service>,
}

/// Jobs, and whose they are.
#[derive(Default)]
pub(crate) struct Queued(pub(crate) Mutex<Vec<(Vec<u8>, String)>>);

/// What destinations were sent.
#[derive(Default)]
pub(crate) struct Sent(pub(crate) Mutex<Vec<Delivery>>);

/// ARN, body, attributes.
pub(crate) type Delivery = (String, Value, HashMap<String, String>);

#[async_trait]
impl AsyncQueue for Queued {
    async fn enqueue(&self, job: Vec<u8>, label: String) -> Result<(), QueueError> {
        self.0.lock().expect("no holder panics").push((job, label));
        Ok(())
    }
}

#[async_trait]
impl Destinations for Sent {
    async fn send(
        &self,
        arn: &str,
        body: String,
        attributes: Vec<(String, String)>,
        _trace: &TraceId,
    ) -> Result<(), String> {
        let body = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        let attributes = attributes.into_iter().collect();
        self.0.lock().expect("no holder panics").push((arn.to_owned(), body, attributes));
        Ok(())
    }
}

impl Tandem {
    pub(crate) fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// With other settings or limits.
    pub(crate) fn with(change: impl FnOnce(&mut Settings, &mut Limits)) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self::open(World::for_tests(1), directory, change)
    }

    /// On what an earlier one left.
    pub(crate) fn open(world: World, directory: TempDir, change: impl FnOnce(&mut Settings, &mut Limits)) -> Self {
        let mut settings = Settings {
            endpoint: "http://127.0.0.1:4566".into(),
            state_dir: Some(directory.path().to_owned()),
            built_in: HashMap::from([("test".to_owned(), test_function())]),
            ..Settings::default()
        };
        // A busy machine must not make a test start a process that it does not expect.
        let mut limits = Limits { warm_wait: WARM_WAIT, ..Limits::aws(10) };
        change(&mut settings, &mut limits);
        let (queued, sent) = (Arc::<Queued>::default(), Arc::<Sent>::default());
        let location = Location::File(directory.path().join("functions.db"));
        let (queue, destinations) = (queued.clone(), sent.clone());
        let durability = Durability::default();
        let host =
            FunctionHost::open_within(world.clone(), location, durability, settings, limits, queue, destinations);
        let host = host.expect("it opens");
        let service = host.services().remove(0);
        Self { host, world, queued, sent, directory, service }
    }

    /// Calls an operation; all members are in `input`.
    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let call = Call::internal(operation, &input, self.trace(), self.world.random.uuid());
        let reply = self.service.call(&call).await?;
        Ok(if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).expect("JSON") })
    }

    /// The error of a call that fails: code, status and message.
    pub(crate) async fn error(&self, operation: &str, input: Value) -> (String, u16, String) {
        let error = self.call(operation, input).await.expect_err("it is refused");
        (error.short_code().to_owned(), error.status.as_u16(), error.message)
    }

    /// Makes a function that runs the test function with this handler.
    pub(crate) async fn create(&self, name: &str, handler: &str) -> Value {
        self.create_with(name, handler, json!({})).await
    }

    /// With other members of the request.
    pub(crate) async fn create_with(&self, name: &str, handler: &str, more: Value) -> Value {
        let mut input = json!({
            "FunctionName": name, "Runtime": "provided.al2023", "Role": ROLE, "Handler": handler,
            "Code": {"S3Bucket": "built-in", "S3Key": "test"},
        });
        let members = input.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        self.call("CreateFunction", input).await.expect("it is made")
    }

    /// Invokes over the API, with these headers.
    pub(crate) async fn invoke_with(
        &self,
        function: &str,
        payload: Value,
        headers: &[(&'static str, &str)],
    ) -> Result<Reply, ApiError> {
        let mut call = Call::internal("Invoke", &payload, self.trace(), self.world.random.uuid());
        call.path.insert("FunctionName".into(), function.into());
        for (name, value) in headers {
            call.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header"));
        }
        self.service.call(&call).await
    }

    /// Invokes: the payload, and whether the function failed.
    pub(crate) async fn invoke(&self, function: &str, payload: Value) -> (Value, bool) {
        let reply = self.invoke_with(function, payload, &[("x-amz-log-type", "Tail")]).await.expect("it is invoked");
        assert_eq!(reply.status, 200);
        let failed = header(&reply, "x-amz-function-error").is_some();
        if let (true, Some(log)) = (failed, header(&reply, "x-amz-log-result")) {
            // For whoever reads why a test failed.
            println!("{}", String::from_utf8_lossy(&STANDARD.decode(log).expect("Base64")));
        }
        (serde_json::from_slice(&reply.body).expect("JSON"), failed)
    }

    fn trace(&self) -> TraceId {
        TraceId::new(self.world.clock.now(), &self.world.random)
    }
}

/// A header of a reply.
pub(crate) fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let (_, value) = reply.headers.iter().find(|(other, _)| other.as_str() == name)?;
    value.to_str().ok()
}

/// An archive in Base64.
pub(crate) fn zipped(files: &[(&str, &str)]) -> String {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("an entry");
        writer.write_all(content.as_bytes()).expect("its content");
    }
    STANDARD.encode(writer.finish().expect("an archive").into_inner())
}

/// The command line of the test function.
pub(crate) fn test_function() -> BuiltIn {
    let args = ["--exact", "testing::the_test_function", "--nocapture", "--test-threads=1"];
    BuiltIn { program: this_binary(), args: args.map(Into::into).into() }
}

/// This binary as a launcher: see [`the_launcher`].
pub(crate) fn test_launcher() -> Launcher {
    let args = ["--exact", "testing::the_launcher", "--nocapture", "--test-threads=1", "--"];
    Launcher { program: this_binary(), args: args.map(Into::into).into() }
}

/// A `bootstrap` that is the test function.
pub(crate) fn bootstrap() -> String {
    let BuiltIn { program, args } = test_function();
    format!("#!/bin/sh\nexec '{}' {}\n", program.display(), args.join(" "))
}

pub(crate) fn this_binary() -> PathBuf {
    std::env::current_exe().expect("a path")
}

/// Where functions wait until a test lets them go.
pub(crate) struct Gate(TcpListener);

/// A function that waits.
pub(crate) struct Waiting(OwnedReadHalf, OwnedWriteHalf);

impl Gate {
    pub(crate) async fn open() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    /// The event of an invocation that will wait here.
    pub(crate) fn event(&self) -> Value {
        json!({"do": "wait", "port": self.0.local_addr().expect("an address").port()})
    }

    /// The next function that waits.
    pub(crate) async fn next(&self) -> Waiting {
        let (stream, _) = self.0.accept().await.expect("a function");
        let (read, write) = stream.into_split();
        Waiting(read, write)
    }

    /// Whether nobody comes for a while.
    pub(crate) async fn is_quiet(&self) -> bool {
        tokio::time::timeout(Duration::from_millis(100), self.0.accept()).await.is_err()
    }
}

impl Waiting {
    pub(crate) async fn let_go(self) {
        tokio::io::AsyncWriteExt::write_all(&mut { self.1 }, b"\n").await.expect("it listens");
    }

    /// Returns when the function's process is gone.
    pub(crate) async fn gone(mut self) {
        let mut byte = [0];
        let read = tokio::io::AsyncReadExt::read(&mut self.0, &mut byte).await;
        assert!(matches!(read, Ok(0) | Err(_)), "the function said something");
    }
}

/// One request of the Runtime API: status, headers in lower case, body.
fn request(stream: &mut TcpStream, line: &str, headers: &str, body: &[u8]) -> (u16, HashMap<String, String>, Vec<u8>) {
    let head = format!("{line} HTTP/1.1\r\nHost: runtime\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    stream.write_all(head.as_bytes()).expect("the Runtime API listens");
    stream.write_all(body).expect("the Runtime API reads on");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).expect("a status line");
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let mut answer = HashMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).expect("a header");
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        answer.insert(name.to_lowercase(), value.to_owned());
    }
    let length = answer.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    (status, answer, body)
}

#[expect(clippy::disallowed_methods, reason = "the test function is a process of its own, told by its environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Not a test but a function; as a test of the suite it does nothing.
#[test]
fn the_test_function() {
    if let Some(address) = variable("AWS_LAMBDA_RUNTIME_API") {
        run_as_function(&address);
    }
}

/// Not a test but a launcher, if it is given something to launch.
#[test]
fn the_launcher() {
    let mut args = std::env::args().skip_while(|arg| arg != "--").skip(1);
    if let (Some(parent), Some(program)) = (args.next(), args.next()) {
        let parent = parent.parse().expect("a process id");
        let args: Vec<String> = args.collect();
        panic!("{}", crate::launcher_main(parent, &PathBuf::from(program), &args));
    }
}

/// Not a test but a server to be killed, if it is given a port at which its function shall wait.
#[tokio::test]
async fn the_server() {
    let args: Vec<String> = std::env::args().skip_while(|arg| arg != "--").skip(1).collect();
    if let Some(port) = args.first().and_then(|port| port.parse::<u16>().ok()) {
        let tandem = Tandem::with(|settings, _| settings.launcher = Some(test_launcher()));
        tandem.create("f", "h").await;
        tandem.invoke("f", json!({"do": "wait", "port": port})).await;
    }
}

fn run_as_function(address: &str) {
    let mut stream = TcpStream::connect(address).expect("the Runtime API listens");
    println!("coming up");
    match variable("_HANDLER").as_deref() {
        Some("init-exit") => std::process::exit(7),
        Some("init-hang") => wait_for_ever(),
        Some("init-error") => {
            let body = br#"{"errorType":"Test.Init","errorMessage":"cannot start","stackTrace":[]}"#;
            let header = "Lambda-Runtime-Function-Error-Type: Test.Init\r\n";
            let (status, ..) = request(&mut stream, "POST /2018-06-01/runtime/init/error", header, body);
            assert_eq!(status, 202);
            std::process::exit(1);
        }
        _ => {}
    }
    let mut invocations = 0;
    loop {
        let next = request(&mut stream, "GET /2018-06-01/runtime/invocation/next", "", b"");
        invocations += 1;
        let (status, headers, body) = next;
        assert_eq!(status, 200);
        let event: Value = serde_json::from_slice(&body).expect("JSON");
        act(&mut stream, &headers, &event, invocations);
    }
}

fn wait_for_ever() {
    loop {
        std::thread::park();
    }
}

fn act(stream: &mut TcpStream, headers: &HashMap<String, String>, event: &Value, invocations: u32) {
    let id = &headers["lambda-runtime-aws-request-id"];
    let path = format!("POST /2018-06-01/runtime/invocation/{id}");
    let respond = |stream: &mut TcpStream, body: &[u8]| request(stream, &format!("{path}/response"), "", body);
    match event["do"].as_str().unwrap_or("echo") {
        "fail" => {
            let body = br#"{"errorType":"Test.Error","errorMessage":"it went wrong"}"#;
            assert_eq!(request(stream, &format!("{path}/error"), "", body).0, 202);
        }
        "exit" => std::process::exit(event["code"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or(0)),
        "abort" => std::process::abort(),
        "hang" => wait_for_ever(),
        "answer-and-exit" => {
            let body = br#""the last words""#;
            let head = format!("{path}/response HTTP/1.1\r\nHost: r\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), body].concat()).expect("the Runtime API listens");
            std::process::exit(0);
        }
        "wait" => {
            let port = event["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
            let mut gate = TcpStream::connect(("127.0.0.1", port)).expect("a gate");
            if gate.read(&mut [0]).is_ok_and(|count| count == 1) {
                respond(stream, format!("{{\"process\":{}}}", std::process::id()).as_bytes());
            }
        }
        "print" => {
            let line = "x".repeat(99);
            for _ in 0..event["lines"].as_u64().unwrap_or(1) {
                println!("{line}");
            }
            eprintln!("and the last line");
            respond(stream, b"null");
        }
        "answer-late" => {
            std::thread::park_timeout(Duration::from_millis(event["ms"].as_u64().unwrap_or(0)));
            respond(stream, event["n"].to_string().as_bytes());
        }
        "respond-large" => {
            let (status, _, body) = respond(stream, &vec![b' '; 7 * 1024 * 1024]);
            eprintln!("{status} {}", String::from_utf8_lossy(&body));
        }
        "respond-large-enough" => {
            let size = 6 * 1024 * 1024;
            let (status, ..) = respond(stream, format!("\"{}\"", "y".repeat(size - 2)).as_bytes());
            assert_eq!(status, 202);
        }
        "environment" => {
            let all: HashMap<String, String> = std::env::vars().collect();
            respond(stream, json!({"environment": all, "headers": headers}).to_string().as_bytes());
        }
        "misbehave" => {
            let mut told = Vec::new();
            let mut tell = |name: &str, answer: (u16, HashMap<String, String>, Vec<u8>)| {
                told.push(json!({"call": name, "status": answer.0, "body": String::from_utf8_lossy(&answer.2)}));
            };
            let api = "/2018-06-01/runtime";
            tell("wrong id", request(stream, &format!("POST {api}/invocation/nobody/response"), "", b"1"));
            tell("init error", request(stream, &format!("POST {api}/init/error"), "", b"{}"));
            tell("restore", request(stream, &format!("GET {api}/restore/next"), "", b""));
            tell("again", request(stream, &format!("GET {api}/invocation/next"), "", b""));
            tell("page", request(stream, &format!("GET {api}/invocation/next"), "Origin: http://evil\r\n", b""));
            let name = "Lambda-Extension-Name: e\r\n";
            tell("extension", request(stream, "POST /2020-01-01/extension/register", name, b"{\"events\":[]}"));
            respond(stream, Value::Array(told).to_string().as_bytes());
            let (status, _, body) = respond(stream, b"2");
            eprintln!("twice: {status} {}", String::from_utf8_lossy(&body));
        }
        _ => {
            let answer = json!({"event": event, "invocations": invocations, "process": std::process::id()});
            assert_eq!(respond(stream, answer.to_string().as_bytes()).0, 202);
        }
    }
}
