//! A target is dead and the events keep coming.
//!
//! What could be lost is memory, and then everything: a queue that is kept in memory grows with every event until
//! the system ends the server. It does not, because a job waits on disk, and a lane holds no more of them in memory
//! than it will hand out next. So the server's size is bounded whatever waits; a kill -9 in the middle of the
//! attempts takes nothing away; and when the target comes back to life it gets every event.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_eventbridge::Client as Bus;
use aws_sdk_eventbridge::types::{
    ApiDestinationHttpMethod, ConnectionAuthorizationType, CreateConnectionApiKeyAuthRequestParameters,
    CreateConnectionAuthRequestParameters, PutEventsRequestEntry, Target as RuleTarget,
};
use e2e::Server;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// How many events wait, unless this variable of the environment says another number (100000 is what it is for).
const EVENTS_VARIABLE: &str = "TANDEM_BACKPRESSURE_EVENTS";
const EVENTS_USUAL: usize = 4_000;
const EVENTS_PER_CALL: usize = 10;
const CALLERS: usize = 8;
/// Of an event's detail: 100,000 of them are far more than the server may take.
const DETAIL_BYTES: usize = 4_000;
/// The most that the server takes, whatever waits.
const RSS_MB_MAX: u64 = 150;
/// How long the dead target asks to be left alone: nobody tries twice before the clock is advanced.
const RETRY_AFTER_S: u64 = 3_600;
const SETTLE_MS_MAX: u64 = 300_000;
/// Attempts that were under way when the clock was advanced are made again after the next wait.
const ROUNDS_MAX: usize = 10;

/// An HTTP server that is out of order until it is repaired.
#[derive(Default)]
struct Target {
    works: AtomicBool,
    refused: AtomicUsize,
    taken: AtomicUsize,
    ids: Mutex<BTreeSet<String>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_for_a_dead_target_wait_on_disk() {
    let count = events_wanted();
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::in_directory(directory.path()).await;
    let (target, url) = Target::open().await;
    let bus = Bus::new(&server.config());
    route_to(&bus, &url).await;
    let at_rest = memory_mb(&server).rss;

    let began = Instant::now();
    let acknowledged = put(&bus, count).await;
    let put_for = began.elapsed();
    assert_eq!(acknowledged.len(), count);
    let first = memory_mb(&server);
    server.kill_9().await; // in the middle of the attempts

    let server = Server::in_directory(directory.path()).await;
    let (status, body) = settle(&server).await;
    assert_eq!((status, &body["count"]), (504, &count.into()), "{body}");
    let told = body["pending"].as_array().map_or(0, Vec::len);
    assert!((1..=50).contains(&told), "{told} are told one by one");
    let second = memory_mb(&server);

    target.works.store(true, Ordering::SeqCst);
    let mut settled = None;
    for _ in 0..ROUNDS_MAX {
        server.advance(Duration::from_secs(2 * RETRY_AFTER_S)).await;
        settled = Some(settle(&server).await);
        if settled.as_ref().is_some_and(|(status, _)| *status == 200) {
            break;
        }
    }
    assert_eq!(settled.map(|(status, _)| status), Some(200));
    let last = memory_mb(&server);
    let ids = target.ids.lock().expect("no holder panics").clone();
    let disk_mb = disk_bytes(directory.path()) / 1_000_000;
    println!(
        "{count} events of {DETAIL_BYTES} bytes put in {:.1} s ({} a second); refused {}, lost {}, taken twice {}",
        put_for.as_secs_f64(),
        count as u128 * 1000 / put_for.as_millis().max(1),
        target.refused.load(Ordering::SeqCst),
        acknowledged.difference(&ids).count(),
        target.taken.load(Ordering::SeqCst) - ids.len(),
    );
    println!(
        "RSS {at_rest} MB at rest, {} MB when all was put, {} MB after the restart, {} MB when all was delivered; at \
         most {} MB (bound {RSS_MB_MAX} MB); {disk_mb} MB on disk",
        first.rss,
        second.rss,
        last.rss,
        first.peak.max(last.peak),
    );
    assert_eq!(ids, acknowledged);
    assert!(first.peak.max(last.peak) <= RSS_MB_MAX, "the server took more memory than it may");
}

#[expect(clippy::disallowed_methods, reason = "a test takes no arguments")]
fn events_wanted() -> usize {
    std::env::var(EVENTS_VARIABLE).ok().map_or(EVENTS_USUAL, |text| text.parse().expect("a number"))
}

/// Everything from `test` goes to the address.
async fn route_to(bus: &Bus, url: &str) {
    let key = CreateConnectionApiKeyAuthRequestParameters::builder().api_key_name("x-key").api_key_value("k");
    let auth = CreateConnectionAuthRequestParameters::builder().api_key_auth_parameters(key.build().expect("a key"));
    let connection = bus.create_connection().name("c").authorization_type(ConnectionAuthorizationType::ApiKey);
    let connection = connection.auth_parameters(auth.build()).send().await.expect("CreateConnection");
    let destination = bus.create_api_destination().name("d").invocation_endpoint(url);
    let destination = destination.http_method(ApiDestinationHttpMethod::Post).invocation_rate_limit_per_second(100_000);
    let destination = destination.connection_arn(connection.connection_arn.expect("an ARN")).send().await;
    let arn = destination.expect("CreateApiDestination").api_destination_arn.expect("an ARN");
    bus.put_rule().name("r").event_pattern(r#"{"source":["test"]}"#).send().await.expect("PutRule");
    let role = "arn:aws:iam::000000000000:role/calls-out";
    let target = RuleTarget::builder().id("t").arn(arn).role_arn(role).build().expect("a target");
    let put = bus.put_targets().rule("r").targets(target).send().await.expect("PutTargets");
    assert_eq!(put.failed_entry_count(), 0, "{put:?}");
}

/// Puts so many events; the ids of those that were accepted.
async fn put(bus: &Bus, count: usize) -> BTreeSet<String> {
    let detail = format!(r#"{{"text":"{}"}}"#, "x".repeat(DETAIL_BYTES));
    let left = Arc::new(AtomicUsize::new(count));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (bus, detail, left) = (bus.clone(), detail.clone(), Arc::clone(&left));
            tokio::spawn(async move {
                let mut ids = Vec::new();
                let take = |left: usize| Some(left.saturating_sub(EVENTS_PER_CALL));
                while let Ok(left) = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
                    if left == 0 {
                        break;
                    }
                    let entry =
                        PutEventsRequestEntry::builder().source("test").detail_type("t").detail(&detail).build();
                    let entries = vec![entry; left.min(EVENTS_PER_CALL)];
                    let answer = bus.put_events().set_entries(Some(entries)).send().await.expect("PutEvents");
                    ids.extend(answer.entries.unwrap_or_default().into_iter().filter_map(|entry| entry.event_id));
                }
                ids
            })
        })
        .collect();
    let mut ids = BTreeSet::new();
    for caller in callers {
        ids.extend(caller.await.expect("it puts"));
    }
    ids
}

/// Waits until nothing is left, or nothing that is due.
async fn settle(server: &Server) -> (u16, Value) {
    server.inside("POST", &format!("/_tandem/settle?timeoutMs={SETTLE_MS_MAX}"), "").await
}

impl Target {
    /// Out of order, and its address.
    async fn open() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/events", listener.local_addr().expect("an address"));
        let target = Arc::<Self>::default();
        let shared = Arc::clone(&target);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let target = Arc::clone(&shared);
                tokio::spawn(async move { target.answer(stream).await });
            }
        });
        (target, url)
    }

    /// Answers what comes on one connection.
    async fn answer(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
                let header = line.trim_end().to_ascii_lowercase();
                if header.is_empty() {
                    break;
                }
                if let Some(value) = header.strip_prefix("content-length:") {
                    length = value.trim().parse().ok()?;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.ok()?;
            let answer = if self.works.load(Ordering::SeqCst) {
                let event: Value = serde_json::from_slice(&body).expect("an event");
                let id = event["id"].as_str().expect("an id").to_owned();
                self.taken.fetch_add(1, Ordering::SeqCst);
                self.ids.lock().expect("no holder panics").insert(id);
                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned()
            } else {
                self.refused.fetch_add(1, Ordering::SeqCst);
                format!("HTTP/1.1 503 Service Unavailable\r\nretry-after: {RETRY_AFTER_S}\r\ncontent-length: 0\r\n\r\n")
            };
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
    }
}

/// Resident memory: now, and at most so far.
struct Memory {
    rss: u64,
    peak: u64,
}

fn memory_mb(server: &Server) -> Memory {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("it runs");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux tells it");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    };
    Memory { rss: field("VmRSS:"), peak: field("VmHWM:") }
}

fn disk_bytes(directory: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(directory).expect("a directory").flatten();
    files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}
