//! The rooms without a port: requests go straight to the router.
//!
//! For fuzzing, which wants many requests a second and the same answers every time: the clock stands still and
//! randomness repeats itself. Not here: the stack, and looking inside. Nobody else should need this: a program that
//! wants a local cloud starts [`crate::LocalCloud`] and speaks HTTP to it.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use aws_api::{Router, Signatures};
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{Request, Response};
use storage::{Durability, StateDir};
use tokio::task::JoinSet;
use world::World;

use crate::cloud::{Rooms, open_rooms};
use crate::settings::{Settings, State};
use crate::settle::settle;
use crate::{Place, StartError};

/// All rooms behind a router.
pub struct InProcess {
    router: Router,
    rooms: Rooms,
    _tasks: JoinSet<()>,
    _state: Option<StateDir>,
}

impl InProcess {
    /// Opens empty rooms, in memory or in a directory; the same seed draws the same ids.
    pub async fn open(directory: Option<PathBuf>, seed: u64) -> Result<Self, StartError> {
        let address = SocketAddr::from(([127, 0, 0, 1], 4566));
        let settings = Settings {
            address,
            allow_remote: false,
            state: directory.clone().map_or(State::Memory, State::Directory),
            durability: Durability::default(),
            place: Place::default(),
            time_scale: 1.0,
            faults: world::FaultPlan::default(),
            parameters: BTreeMap::new(),
            stack: None,
            imports: BTreeMap::new(),
            smtp: None,
            built_in: HashMap::new(),
            packages_dir: None,
            launcher: None,
        };
        let state = directory.map(|directory| StateDir::open(&directory)).transpose()?;
        let world = World::for_tests(seed);
        let (rooms, tasks) = open_rooms(&settings, state.as_ref(), &world, address, None).await?;
        let router = Router::new(world, Signatures::Unchecked, &rooms.services);
        Ok(Self { router, rooms, _tasks: tasks, _state: state })
    }

    /// What the port would answer.
    pub async fn answer(&self, request: Request<Vec<u8>>) -> Response<Bytes> {
        let (parts, body) = self.router.answer(request.map(Body::from)).await.into_parts();
        Response::from_parts(parts, to_bytes(body, usize::MAX).await.unwrap_or_default())
    }

    /// Waits until nothing is queued or running, so long at most; whether it came to that.
    pub async fn settle(&self, limit: Duration) -> bool {
        settle(
            &self.rooms.world,
            &self.rooms.queues,
            &self.rooms.lanes,
            &self.rooms.pools,
            &self.rooms.functions,
            &self.rooms.bus,
            limit,
        )
        .await
        .is_ok()
    }
}
