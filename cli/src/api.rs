//! A client of the local cloud for the tools of this binary: one request at a time, unsigned, on loopback.

use std::fmt;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// An operation answered with an error.
#[derive(Debug)]
pub struct Refused {
    line: String,
    /// SDKs try such calls again.
    pub is_transient: bool,
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.line)
    }
}

fn is_transient(kind: &str, status: StatusCode) -> bool {
    let signs = ["Throttl", "ThroughputExceeded", "TooManyRequests", "RequestLimitExceeded"];
    status.is_server_error() || signs.iter().any(|sign| kind.contains(sign))
}

/// Where the local cloud listens.
pub struct Api {
    authority: String,
}

impl Api {
    /// At `http://host:port`.
    pub fn new(endpoint: &str) -> anyhow::Result<Self> {
        let uri: Uri = endpoint.parse().with_context(|| format!("{endpoint} is not a URL"))?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"));
        let authority = authority.with_context(|| format!("{endpoint} is not of the form http://host:port"))?;
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self { authority: format!("{}:{port}", authority.host()) })
    }

    /// Calls an operation: `("AWSCognitoIdentityProviderService.SignUp", {…})`.
    pub async fn call(&self, target: &str, input: &Value) -> anyhow::Result<Value> {
        let request =
            Request::post("/").header("x-amz-target", target).header("content-type", "application/x-amz-json-1.1");
        let (status, body) = self.send(request, input.to_string().into()).await?;
        if status.is_success() {
            return Ok(body);
        }
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = text("__type").rsplit('#').next().unwrap_or_default();
        Err(Refused { line: format!("{kind}: {}", text("message")), is_transient: is_transient(kind, status) }.into())
    }

    /// Looks inside: `(GET, "/_tandem/stack")`.
    pub async fn inside(&self, method: Method, path: &str) -> anyhow::Result<Value> {
        let (status, body) = self.ask_inside(method, path, Bytes::new()).await?;
        if !status.is_success() {
            bail!("{path} answered {status}: {body}");
        }
        Ok(body)
    }

    /// The same, for callers who know what else may be answered.
    pub async fn ask_inside(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<(StatusCode, Value)> {
        self.send(Request::builder().method(method).uri(path), body).await
    }

    /// Whether anybody is there.
    pub async fn reach(&self) -> anyhow::Result<TcpStream> {
        let stream = TcpStream::connect(&self.authority).await;
        stream.with_context(|| format!("nothing answers at {}: is tandem dev running?", self.authority))
    }

    async fn send(&self, request: http::request::Builder, body: Bytes) -> anyhow::Result<(StatusCode, Value)> {
        let stream = self.reach().await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let request = request.header("host", &self.authority).body(Full::new(body))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        connection.abort();
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }
}

/// A value for a query string.
pub fn query_value(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
