//! Dynoxide's own server, asked for what its library cannot answer to the byte.
//!
//! Its router is private and wants a listener. A listener that is served would be a second port into the
//! tables, without our checks of signatures and origins, for every process and web page of this machine. So
//! ours is served for one moment, in which it takes one connection: ours. From then on nobody accepts there.
//! All of it happens on one thread beside the runtime, which may block, and which starts with the first
//! request that needs it.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use dynoxide::Database;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait before callers do.
const WAITING_MAX: usize = 64;
/// Room for a head and a small body.
const READ_BYTES: usize = 4096;

/// The way to the server.
pub struct Forward {
    /// Taken by the thread when it starts.
    database: Mutex<Option<Database>>,
    requests: OnceLock<mpsc::Sender<Question>>,
}

struct Question {
    target: String,
    body: Bytes,
    reply: oneshot::Sender<io::Result<Answer>>,
}

/// What the server said.
pub struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

impl Forward {
    pub fn new(database: Database) -> Self {
        Self { database: Mutex::new(Some(database)), requests: OnceLock::new() }
    }

    /// Asks the server. `target` is the value of `X-Amz-Target`.
    pub async fn ask(&self, target: String, body: Bytes) -> io::Result<Answer> {
        let (reply, answer) = oneshot::channel();
        let ended = || io::Error::other("the thread of dynoxide's server has ended");
        let question = Question { target, body, reply };
        self.requests().send(question).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    fn requests(&self) -> &mpsc::Sender<Question> {
        self.requests.get_or_init(|| {
            let (requests, questions) = mpsc::channel(WAITING_MAX);
            let database = self.database.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(database) = database {
                let thread = std::thread::Builder::new().name("tables-forward".into());
                if let Err(error) = thread.spawn(move || run(&database, questions)) {
                    tracing::error!(%error, "the thread of dynoxide's server could not start");
                }
            }
            requests
        })
    }
}

/// Ends with the room.
fn run(database: &Database, mut questions: mpsc::Receiver<Question>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "the runtime of dynoxide's server could not start"),
    };
    runtime.block_on(async {
        let mut peer = None;
        while let Some(Question { target, body, reply }) = questions.recv().await {
            let answer = ask(&mut peer, database, &target, &body).await;
            if answer.is_err() {
                peer = None;
            }
            let _ = reply.send(answer); // the caller may have gone
        }
    });
}

/// The server, and the one connection to it.
struct Peer {
    stream: TcpStream,
    /// Holds the listener. Polled until it has taken our connection and never again: dropping it would end
    /// the connection as well.
    _server: Pin<Box<dyn Future<Output = ()>>>,
}

async fn ask(peer: &mut Option<Peer>, database: &Database, target: &str, body: &[u8]) -> io::Result<Answer> {
    if let Some(Peer { stream, .. }) = peer.as_mut().filter(|peer| is_open(&peer.stream)) {
        return exchange(stream, target, body).await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut server: Pin<Box<dyn Future<Output = ()>>> =
        Box::pin(dynoxide::server::serve_on(listener, database.clone()));
    let first = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let answer = exchange(&mut stream, target, body).await?;
        io::Result::Ok((stream, answer))
    };
    let (stream, answer) = tokio::select! {
        first = first => first?,
        () = &mut server => return Err(io::Error::other("dynoxide's server has ended")),
    };
    *peer = Some(Peer { stream, _server: server });
    Ok(answer)
}

/// Whether the server has left the connection open while it had nothing to do.
fn is_open(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// One request and its answer in HTTP/1.1, with a peer of this process.
async fn exchange(stream: &mut TcpStream, target: &str, body: &[u8]) -> io::Result<Answer> {
    // The server wants to see a signature and does not read it; the caller's was checked where it had to be.
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-target: {target}\r\n\
         x-amz-date: 20260101T000000Z\r\nauthorization: AWS4-HMAC-SHA256 \
         Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    let mut bytes = Vec::with_capacity(READ_BYTES);
    let head = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(head) = Head::read(&bytes)? {
            break head;
        }
    };
    let mut body = bytes.split_off(head.length);
    body.reserve(head.body_length.saturating_sub(body.len()));
    while body.len() < head.body_length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Answer { status: head.status, body })
}

/// As much of an answer's head as we need.
struct Head {
    length: usize,
    status: StatusCode,
    body_length: usize,
}

impl Head {
    /// Nothing if it has not come to its end yet.
    fn read(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
        let read = || {
            let text = std::str::from_utf8(&bytes[..end]).ok()?;
            let status = StatusCode::from_bytes(text.strip_prefix("HTTP/1.1 ")?.get(..3)?.as_bytes()).ok()?;
            let lengths = text.lines().filter_map(|line| line.split_once(':'));
            let mut lengths = lengths.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            let body_length = lengths.next()?.1.trim().parse().ok()?;
            Some(Self { length: end + 4, status, body_length })
        };
        read().map(Some).ok_or_else(|| io::Error::other("dynoxide's server gave no answer that can be read"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn asks_the_server() {
        let forward = Forward::new(Database::memory().expect("it opens"));
        for _ in 0..2 {
            let answer = forward.ask("DynamoDB_20120810.ListTables".into(), Bytes::from_static(b"{}")).await;
            let answer = answer.expect("an answer");
            assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, &br#"{"TableNames":[]}"#[..]));
        }
    }

    #[tokio::test]
    async fn hands_on_its_refusals() {
        let forward = Forward::new(Database::memory().expect("it opens"));
        let answer = forward.ask("DynamoDB_20120810.ListTables".into(), Bytes::from_static(b"[")).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.body, br#"{"__type":"com.amazon.coral.service#SerializationException"}"#);
    }
}
