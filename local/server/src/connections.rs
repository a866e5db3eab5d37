//! The port's connections: how many there may be, and how long a request's head may take to come.
//!
//! Who opens connections and says nothing, or a letter a minute, must not take the port away from others, nor the
//! memory. Connections of other machines are counted apart from those of this one: functions call us from here while
//! their callers wait.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower_service::Service;

/// After the system refused a connection: it has no file descriptors left, say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What clients may do, at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections from this machine.
    pub near: usize,
    /// Connections from other machines.
    pub far: usize,
    /// Until a request's head is there. It bounds a connection's idle time between two requests too, and is longer than
    /// the 90 seconds after which hyper's client, and so the SDK for Rust, closes one by itself.
    pub head_time: Duration,
}

impl Limits {
    /// Those of the one port.
    pub const fn of_the_port() -> Self {
        Self { near: 4_096, far: 512, head_time: Duration::from_mins(2) }
    }
}

/// Answers requests until the task is aborted, and its connections end with it.
pub async fn serve(listener: TcpListener, app: Router, limits: Limits) {
    let mut service_for = app.into_make_service_with_connect_info::<SocketAddr>();
    let (near, far) = (Arc::new(Semaphore::new(limits.near)), Arc::new(Semaphore::new(limits.far)));
    let mut connections = JoinSet::new();
    loop {
        let (stream, from) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
        };
        let places = if from.ip().is_loopback() { &near } else { &far };
        let Ok(place) = Arc::clone(places).try_acquire_owned() else {
            tracing::warn!(%from, "a connection was closed: there are too many");
            continue;
        };
        // Small answers must not wait for an acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delays");
        }
        let Ok::<_, Infallible>(service) = service_for.call(from).await;
        connections.spawn(async move {
            connection(stream, TowerToHyperService::new(service), limits.head_time).await;
            drop(place);
        });
    }
}

async fn connection<S>(stream: TcpStream, service: S, head_time: Duration)
where
    S: hyper::service::Service<http::Request<hyper::body::Incoming>, Response = axum::response::Response>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head_time);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection ended");
    }
}

/// What concerns one connection alone is no reason to wait.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "no connection can be taken");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::ConnectInfo;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const HEAD_TIME_MAX: Duration = Duration::from_mins(2);

    async fn port(near: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let whence = |ConnectInfo(from): ConnectInfo<SocketAddr>| async move { from.ip().to_string() };
        let app = Router::new().route("/", get(whence));
        tokio::spawn(serve(listener, app, Limits { near, far: 0, head_time: HEAD_TIME_MAX }));
        address
    }

    /// A connection on which one request was answered; none if it was closed.
    async fn asked(address: SocketAddr) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(address).await.expect("it is accepted");
        let request = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let mut answer = [0; 1024];
        stream.write_all(request.as_bytes()).await.ok()?;
        let length = stream.read(&mut answer).await.ok().filter(|length| *length > 0)?;
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");
        Some(stream)
    }

    #[tokio::test]
    async fn a_connection_too_many_is_closed_and_one_that_ends_makes_room() {
        let address = port(2).await;
        let (one, two) = (asked(address).await, asked(address).await);
        assert!(one.is_some() && two.is_some());
        assert!(asked(address).await.is_none(), "there are two");
        drop(one);
        while asked(address).await.is_none() {} // until its end has been seen
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_ends() {
        let address = port(1).await;
        let mut idle = asked(address).await.expect("an answer");
        let began = tokio::time::Instant::now();
        let _ = idle.read_to_end(&mut Vec::new()).await;
        let waited = began.elapsed();
        assert!(waited >= HEAD_TIME_MAX && waited < 2 * HEAD_TIME_MAX, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_never_ends_is_not_waited_for() {
        let address = port(1).await;
        let mut slow = TcpStream::connect(address).await.expect("it is accepted");
        slow.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.expect("it is sent");
        let began = tokio::time::Instant::now();
        let mut rest = Vec::new();
        let _ = slow.read_to_end(&mut rest).await; // it may be reset, too
        let waited = began.elapsed();
        assert!(waited >= HEAD_TIME_MAX && waited < 2 * HEAD_TIME_MAX, "{waited:?}");
        assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
        while asked(address).await.is_none() {} // the place is free again
    }
}
