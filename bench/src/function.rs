//! The benchmark as a function: the barest there can be. It tells by a datagram that an event came, and returns nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, UdpSocket};

use anyhow::{Context, Result};

/// Where datagrams go, in the function's environment.
pub const NOTIFY: &str = "BENCH_NOTIFY";

/// Takes invocations for as long as there are any.
pub fn run(runtime_api: &str, notify: Option<&str>) -> Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let mut stream = TcpStream::connect(runtime_api)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    loop {
        ask(&mut stream, runtime_api, "GET", "next", b"")?;
        let (id, _) = answer(&mut answers)?;
        if let Some(address) = notify {
            socket.send_to(b"!", address)?;
        }
        let path = format!("{}/response", id.context("an invocation without an id")?);
        ask(&mut stream, runtime_api, "POST", &path, b"null")?;
        answer(&mut answers)?;
    }
}

fn ask(stream: &mut TcpStream, host: &str, method: &str, path: &str, body: &[u8]) -> Result<()> {
    let length = body.len();
    let head = format!(
        "{method} /2018-06-01/runtime/invocation/{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n"
    );
    Ok(stream.write_all(&[head.as_bytes(), body].concat())?)
}

/// The invocation's id if the answer has one, and the body.
fn answer(answers: &mut BufReader<TcpStream>) -> Result<(Option<String>, Vec<u8>)> {
    let (mut id, mut length) = (None, 0);
    let mut line = String::new();
    loop {
        line.clear();
        anyhow::ensure!(answers.read_line(&mut line)? > 0, "the Runtime API is gone");
        if line.trim().is_empty() {
            break;
        }
        match line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim())) {
            Some((name, value)) if name == "content-length" => length = value.parse()?,
            Some((name, value)) if name == "lambda-runtime-aws-request-id" => id = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    Ok((id, body))
}
