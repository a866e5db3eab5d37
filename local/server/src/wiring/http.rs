//! The HTTP client of API destinations: the only place of the local cloud that calls out, and only to the addresses
//! that its user configured. No redirect is followed, and no proxy asked.

use std::error::Error as _;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use event_bus::{HttpClient, HttpError, HttpRequest, HttpResponse};
use http::uri::Scheme;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::OnceCell;

/// Answers are read so far, and not further.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// A connection that nobody uses is closed after this.
const IDLE: Duration = Duration::from_secs(20);

type Plain = Client<HttpConnector, Full<Bytes>>;
type Secure = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Calls out. The certificates of the system are read when the first `https` address is called.
#[derive(Default)]
pub struct CallsOut {
    plain: OnceCell<Plain>,
    secure: OnceCell<Secure>,
}

impl CallsOut {
    async fn plain(&self) -> &Plain {
        self.plain.get_or_init(|| async { builder().build(HttpConnector::new()) }).await
    }

    async fn secure(&self) -> Result<&Secure, HttpError> {
        let build = || async {
            let connector = tokio::task::spawn_blocking(|| HttpsConnectorBuilder::new().with_native_roots()).await;
            let connector = connector
                .map_err(|error| HttpError::NotConnected(error.to_string()))?
                .map_err(|error| HttpError::NotConnected(format!("the system's certificates: {error}")))?;
            Ok(builder().build(connector.https_only().enable_http1().build()))
        };
        self.secure.get_or_try_init(build).await
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let uri: Uri = request.url.parse().map_err(|_| HttpError::Impossible("The address is none.".into()))?;
        let is_secure = uri.scheme() == Some(&Scheme::HTTPS);
        let mut built = Request::builder().method(request.method.as_str()).uri(uri);
        for (name, value) in &request.headers {
            built = built.header(name, value);
        }
        let built = built
            .body(Full::new(Bytes::from(request.body)))
            .map_err(|_| HttpError::Impossible("The method or a header is none.".into()))?;
        let sent =
            if is_secure { self.secure().await?.request(built).await } else { self.plain().await.request(built).await };
        let response = sent.map_err(|error| not_connected(&error))?;
        let (parts, body) = response.into_parts();
        // A longer answer counts as well; what it says beyond this, nobody asks.
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map(|body| body.to_bytes().to_vec());
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Ok(HttpResponse {
            status: parts.status.as_u16(),
            headers: parts.headers.iter().map(header).collect(),
            body: body.unwrap_or_default(),
        })
    }
}

fn builder() -> hyper_util::client::legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
    builder
}

/// The causes tell of addresses and certificates, never of what was sent.
fn not_connected(error: &hyper_util::client::legacy::Error) -> HttpError {
    let mut words = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    let text = words.join(": ");
    if text.contains("dns error") { HttpError::UnknownHost(text) } else { HttpError::NotConnected(text) }
}

#[async_trait]
impl HttpClient for CallsOut {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let timeout = request.timeout;
        tokio::time::timeout(timeout, self.exchange(request)).await.unwrap_or(Err(HttpError::TimedOut))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn request(url: String) -> HttpRequest {
        let headers = vec![("x-a".to_owned(), "b".to_owned())];
        HttpRequest { method: "PUT".into(), url, headers, body: b"body".to_vec(), timeout: Duration::from_secs(5) }
    }

    /// A server that takes one request, answers it so and returns it.
    async fn answer_once(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/path?q=1", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut taken = Vec::new();
            while !taken.ends_with(b"body") {
                let mut part = [0; 1024];
                let read = stream.read(&mut part).await.expect("a request");
                assert!(read > 0, "the request ends with its body");
                taken.extend_from_slice(&part[..read]);
            }
            stream.write_all(answer.as_bytes()).await.expect("it is sent");
            String::from_utf8(taken).expect("text")
        });
        (url, server)
    }

    #[tokio::test]
    async fn sends_what_it_is_given_and_follows_nothing() {
        let redirect =
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\nretry-after: 7\r\ncontent-length: 2\r\n\r\nok";
        let (url, server) = answer_once(redirect).await;
        let Ok(response) = CallsOut::default().send(request(url)).await else { panic!("an answer") };
        assert_eq!((response.status, response.header("Retry-After"), &*response.body), (302, Some("7"), &b"ok"[..]));
        let taken = server.await.expect("the server ends");
        assert!(taken.starts_with("PUT /path?q=1 HTTP/1.1\r\n") && taken.contains("\r\nx-a: b\r\n"), "{taken}");
    }

    #[tokio::test]
    async fn says_why_there_was_no_answer() {
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", silent.local_addr().expect("an address"));
        let brief = HttpRequest { timeout: Duration::from_millis(20), ..request(url.clone()) };
        assert_eq!(CallsOut::default().send(brief).await.err(), Some(HttpError::TimedOut));
        drop(silent);
        let refused = CallsOut::default().send(request(url)).await.err();
        assert!(matches!(refused, Some(HttpError::NotConnected(_))), "{refused:?}");
        let impossible = CallsOut::default().send(request("http://".into())).await.err();
        assert!(matches!(impossible, Some(HttpError::Impossible(_))), "{impossible:?}");
    }
}
