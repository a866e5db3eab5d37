//! What tests need: all rooms, in memory, and somebody who asks.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use storage::Durability;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use world::World;

use crate::Place;
use crate::cloud::{Rooms, open_rooms};
use crate::settings::{Settings, State};

/// With a built-in function `false`, which fails at once.
pub fn settings(address: SocketAddr) -> Settings {
    let failing = function_host::BuiltIn { program: "/bin/false".into(), args: Vec::new() };
    Settings {
        address,
        allow_remote: false,
        state: State::Memory,
        durability: Durability::default(),
        place: Place::default(),
        time_scale: 1.0,
        faults: world::FaultPlan::default(),
        parameters: BTreeMap::new(),
        stack: None,
        imports: BTreeMap::new(),
        smtp: None,
        built_in: HashMap::from([("false".to_owned(), failing)]),
        packages_dir: None,
        launcher: None,
    }
}

/// All rooms, and what works in them.
pub async fn rooms(world: &World) -> (Rooms, JoinSet<()>) {
    rooms_at(world, SocketAddr::from(([127, 0, 0, 1], 4566))).await
}

/// As if they were behind a port.
pub async fn rooms_at(world: &World, address: SocketAddr) -> (Rooms, JoinSet<()>) {
    open_rooms(&settings(address), None, world, address, None).await.expect("rooms in memory")
}

/// Asks over the wire: the status, and the whole answer.
pub async fn ask(address: SocketAddr, line: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let mut request = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    let mut answer = String::new();
    let reading = stream.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("in time").expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, answer)
}
