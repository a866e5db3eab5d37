//! As much of HTTP/1.1 as one kept-alive connection to our own server needs.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A head longer than this is not ours.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Neither server checks a signature, but dynoxide's wants one to be there.
const SIGNED: &str = "x-amz-date: 20260101T000000Z\r\nauthorization: AWS4-HMAC-SHA256 \
    Credential=test/20260101/us-east-1/any/aws4_request, SignedHeaders=host;x-amz-date, Signature=0\r\n";

/// A connection that stays open.
pub struct Connection {
    stream: TcpStream,
    /// What was read: of an answer, then of nothing.
    read: Vec<u8>,
    written: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::new(), written: Vec::new() })
    }

    /// Calls an operation of AWS's API by its target; anything but a 200 is an error.
    pub async fn call(&mut self, target: &str, input: &Value) -> Result<Value> {
        let body = self.call_raw(target, input.to_string().as_bytes()).await?;
        Ok(serde_json::from_slice(body)?)
    }

    /// The same with bytes, for where reading and writing JSON would be what is measured.
    pub async fn call_raw(&mut self, target: &str, body: &[u8]) -> Result<&[u8]> {
        let version = if target.starts_with("DynamoDB") || target.starts_with("AmazonSQS") { "1.0" } else { "1.1" };
        let headers = format!("content-type: application/x-amz-json-{version}\r\nx-amz-target: {target}\r\n{SIGNED}");
        let (status, body) = self.exchange("POST /", &headers, body).await?;
        if status != 200 {
            bail!("{target} answered {status}: {}", String::from_utf8_lossy(body));
        }
        Ok(body)
    }

    /// Asks one of our own paths.
    pub async fn ask(&mut self, request: &str) -> Result<Value> {
        let (status, body) = self.exchange(request, "", b"").await?;
        if status != 200 {
            bail!("{request} answered {status}: {}", String::from_utf8_lossy(body));
        }
        Ok(serde_json::from_slice(body)?)
    }

    /// Calls an operation of a REST API. A function that failed is an error here, too.
    pub async fn rest(&mut self, method: &str, path: &str, input: &Value) -> Result<Value> {
        let body = if input.is_null() { String::new() } else { input.to_string() };
        let headers = format!("content-type: application/json\r\n{SIGNED}");
        let (status, body) = self.exchange(&format!("{method} {path}"), &headers, body.as_bytes()).await?;
        if !(200..300).contains(&status) {
            bail!("{method} {path} answered {status}: {}", String::from_utf8_lossy(body));
        }
        let answer: Value = if body.is_empty() { Value::Null } else { serde_json::from_slice(body)? };
        if answer.get("errorMessage").is_some() {
            bail!("{method} {path} answered {answer}");
        }
        Ok(answer)
    }

    async fn exchange(&mut self, request: &str, headers: &str, body: &[u8]) -> Result<(u16, &[u8])> {
        self.written.clear();
        let length = body.len();
        let head = format!("{request} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n");
        self.written.extend_from_slice(head.as_bytes());
        self.written.extend_from_slice(body);
        self.stream.write_all(&self.written).await?;
        self.read.clear();
        let head_length = loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if self.read.len() > HEAD_BYTES_MAX {
                bail!("an answer without an end to its head");
            }
            self.read_some().await?;
        };
        let (status, length) = read_head(&self.read[..head_length])?;
        while self.read.len() < head_length + length {
            self.read_some().await?;
        }
        Ok((status, &self.read[head_length..head_length + length]))
    }

    async fn read_some(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.read).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

/// Status and length of the body.
fn read_head(head: &[u8]) -> Result<(u16, usize)> {
    let head = std::str::from_utf8(head)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    for line in lines {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            return Ok((status, value.trim().parse()?));
        }
    }
    // An answer without a body needs to say nothing of it.
    if status == 204 { Ok((status, 0)) } else { bail!("an answer without content-length: {head}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_head() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: x\r\nContent-Length: 12\r\n\r\n";
        assert_eq!(read_head(head).expect("a head"), (200, 12));
    }

    #[test]
    fn refuses_a_head_that_tells_no_length() {
        assert!(read_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
