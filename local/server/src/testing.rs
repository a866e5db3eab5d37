//! What tests need: all rooms, in memory.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use storage::Durability;
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
