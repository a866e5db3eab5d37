//! A running local cloud: the rooms, opened in the order in which they need each other.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use aws_api::{Service, Signatures};
use event_bus::EventBus;
use function_host::FunctionHost;
use http_api::HttpApis;
use identity::Identity;
use logs::Logs;
use mail::Mail;
use parameters::Parameters;
use queues::Queues;
use stack::{LoadError, Loaded, Stack, Stacks};
use storage::{Location, StateDir, StorageError};
use tables::Tables;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use user_pool::UserPools;
use world::{FaultPlan, World};

use crate::deliveries::{CALLS, DELIVERIES, INVOCATIONS, Worker};
use crate::deployment::Deployment;
use crate::settings::{Settings, State};
use crate::wiring::{
    ApisOutside, BusOutside, BusPatterns, CallsOut, FunctionsOutside, LogsOutside, PoolOutside, SourcesOutside,
};
use crate::{ServiceOperations, http};

/// Sandboxes of one function: on a laptop, more of them wait for the processor and not for each other.
const SANDBOXES_PER_FUNCTION_MAX: usize = 10;

/// Why a local cloud did not start. Each says in one line what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody else listens there.
    #[error("port {port} is in use: stop what listens there, or choose another with --port (0 picks a free one)")]
    PortInUse {
        /// The port.
        port: u16,
    },
    /// The address is none of this machine's, or may not be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// An address that others can reach, and nobody said that this is meant.
    #[error(
        "{address} can be reached from other machines: add --allow-remote if that is meant (requests must be signed then)"
    )]
    Remote {
        /// The address.
        address: SocketAddr,
    },
    /// A file could not be opened; it is as it was.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What was left to do from the last run could not be read.
    #[error("the user pools' file cannot be read: {0}")]
    Pools(#[from] user_pool::Error),
    /// A parameter that was given cannot be.
    #[error(transparent)]
    Parameter(#[from] parameters::SetError),
    /// The stack could not be made.
    #[error(transparent)]
    Stack(#[from] LoadError),
}

/// All rooms of a running local cloud.
pub struct Rooms {
    pub world: World,
    pub queues: Arc<Queues>,
    pub functions: Arc<FunctionHost>,
    pub mail: Arc<Mail>,
    pub logs: Arc<Logs>,
    pub parameters: Arc<Parameters>,
    pub bus: Arc<EventBus>,
    pub tables: Arc<Tables>,
    pub pools: Arc<UserPools>,
    pub apis: Arc<HttpApis>,
    pub services: Vec<Arc<dyn Service>>,
    pub lanes: [queues::Lane; 3],
    /// What shall go wrong from the start, and after a reset.
    pub faults: FaultPlan,
    /// Parameters that are there before the stack is made, by name.
    pub given: BTreeMap<String, String>,
    /// The stack, and how it is made.
    pub deployment: Deployment,
}

impl Rooms {
    /// Sets the parameters that the local cloud was started with.
    pub async fn set_given(&self) -> Result<(), parameters::SetError> {
        for (name, value) in &self.given {
            self.parameters.set(name, value).await?;
        }
        Ok(())
    }
}

/// A running local cloud.
pub struct LocalCloud {
    address: SocketAddr,
    rooms: Arc<Rooms>,
    credentials: Option<(String, String)>,
    tasks: JoinSet<()>,
    _state: Option<StateDir>,
}

impl LocalCloud {
    /// Opens the port and the rooms, and makes the stack. When this returns, requests are answered.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        if !settings.address.ip().is_loopback() && !settings.allow_remote {
            return Err(StartError::Remote { address: settings.address });
        }
        let state = match &settings.state {
            State::Directory(path) => Some(StateDir::open(path)?),
            State::Memory => None,
        };
        let listener = listen(settings.address).await?;
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address: settings.address, source })?;
        let world = World::real(settings.place.clone());
        let signatures = if address.ip().is_loopback() { None } else { Some(credentials(&world)) };
        let (rooms, mut tasks) = open_rooms(&settings, state.as_ref(), &world, address, signatures.as_ref()).await?;
        rooms.set_given().await?;
        let rooms = Arc::new(rooms);
        let checked = match &signatures {
            None => Signatures::Unchecked,
            Some((id, secret)) => Signatures::Checked([(id.clone(), secret.clone())].into()),
        };
        // A user of the stack may set off a trigger, and the function calls us.
        tasks.spawn(http::serve(listener, Arc::clone(&rooms), checked));
        rooms.load_stack().await?;
        // As a deployment does: what compilers build and installers fetch is there when somebody signs up.
        for (function, reason) in rooms.functions.prepare_all().await {
            tracing::error!(function, reason, "the function cannot be started");
        }
        rooms.world.faults.replace(rooms.faults.clone());
        rooms.pools.resume().await?; // the functions that it runs call us
        Ok(Self { address, rooms, credentials: signatures, tasks, _state: state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the stack made.
    pub fn stack(&self) -> Stack {
        self.rooms.deployment.stack()
    }

    /// Reads the stack again and brings what stands to what it says now.
    pub async fn reload(&self) -> Result<Loaded, LoadError> {
        self.rooms.load_stack().await
    }

    /// The access key and its secret that requests must be signed with; none on loopback.
    pub fn credentials(&self) -> Option<&(String, String)> {
        self.credentials.as_ref()
    }

    /// The operations that work.
    pub fn operations(&self) -> Vec<ServiceOperations> {
        let listed = self.rooms.services.iter().map(|service| {
            let mut operations: Vec<_> = service.operations().into_iter().map(|(name, _)| name).collect();
            operations.sort_unstable();
            ServiceOperations { service: service.name().title, signing: service.name().signing, operations }
        });
        listed.collect()
    }

    /// Takes no more requests, ends every function and closes the files.
    pub async fn stop(mut self) {
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        self.rooms.functions.shutdown().await;
        if let Err(error) = self.rooms.logs.flush().await {
            tracing::error!(%error, "the last lines that functions printed could not be stored");
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse { port: address.port() },
        _ => StartError::Listen { address, source },
    })
}

/// A key pair for this run.
fn credentials(world: &World) -> (String, String) {
    const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const ANY: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (format!("AKIA{}", world.random.letters(16, UPPER)), world.random.letters(40, ANY))
}

pub(crate) async fn open_rooms(
    settings: &Settings,
    state: Option<&StateDir>,
    world: &World,
    address: SocketAddr,
    credentials: Option<&(String, String)>,
) -> Result<(Rooms, JoinSet<()>), StartError> {
    let location = |file: &str| state.map_or(Location::Memory, |state| Location::File(state.file(file)));
    let durability = settings.durability;
    // Functions and queue URLs need an address to go to, and "any" is none.
    let reachable = if address.ip().is_unspecified() { [127, 0, 0, 1].into() } else { address.ip() };
    let endpoint = format!("http://{}", SocketAddr::new(reachable, address.port()));

    let queues = Queues::open(world.clone(), location("queues.db"), durability, endpoint.clone())?;
    let (deliveries, calls, invocations) = (queues.lane(DELIVERIES), queues.lane(CALLS), queues.lane(INVOCATIONS));
    let mail = Mail::open(world.clone(), location("mail.db"), durability, settings.smtp.clone())?;
    let tables = Tables::open(world.clone(), location("tables.db"), durability)?;
    let logs = Logs::open(world.clone(), location("logs.db"), durability)?;
    let parameters = Parameters::open(world.clone(), location("parameters.db"), durability)?;

    let outside = Arc::new(FunctionsOutside {
        world: world.clone(),
        lane: invocations.clone(),
        queues: Arc::clone(&queues),
        functions: OnceLock::new(),
        bus: OnceLock::new(),
    });
    let functions = FunctionHost::open(
        world.clone(),
        location("functions.db"),
        durability,
        function_host::Settings {
            endpoint: endpoint.clone(),
            credentials: credentials.cloned().unwrap_or_else(|| ("tandem".into(), "tandem".into())),
            state_dir: state.map(|state| state.path().to_owned()),
            packages_dir: settings.packages_dir.clone(),
            sandboxes_per_function_max: SANDBOXES_PER_FUNCTION_MAX,
            time_scale: settings.time_scale,
            built_in: settings.built_in.clone(),
            launcher: settings.launcher.clone(),
        },
        Arc::clone(&outside) as Arc<dyn function_host::AsyncQueue>,
        Arc::clone(&outside) as Arc<dyn function_host::Destinations>,
    )?;
    let _ = outside.functions.set(Arc::downgrade(&functions)); // it is set once, here
    functions.set_log_sink(Arc::new(LogsOutside(Arc::clone(&logs))));

    let results = outside; // what functions return may go to the bus
    let outside = Arc::new(BusOutside {
        world: world.clone(),
        lane: deliveries.clone(),
        queues: Arc::clone(&queues),
        functions: Arc::clone(&functions),
        logs: Arc::clone(&logs),
    });
    let bus = EventBus::open(
        world.clone(),
        location("bus.db"),
        durability,
        Arc::clone(&outside) as Arc<dyn event_bus::Deliveries>,
        outside as Arc<dyn event_bus::Targets>,
        Arc::new(CallsOut::default()),
        settings.time_scale,
    )?;
    let _ = results.bus.set(Arc::downgrade(&bus)); // it is set once, here
    let outside = Arc::new(PoolOutside {
        world: world.clone(),
        functions: Arc::clone(&functions),
        mail: Arc::clone(&mail),
        bus: Arc::clone(&bus),
        logs: Arc::clone(&logs),
        endpoint: endpoint.clone(),
    });
    let pools = UserPools::open(
        world.clone(),
        location("pools.db"),
        durability,
        Arc::clone(&outside) as Arc<dyn user_pool::Triggers>,
        Arc::clone(&outside) as Arc<dyn user_pool::Messages>,
        Arc::clone(&outside) as Arc<dyn user_pool::Trail>,
        outside as Arc<dyn user_pool::ImportLog>,
    )
    .await?;

    let outside = Arc::new(ApisOutside { functions: Arc::clone(&functions), pools: Arc::clone(&pools) });
    let outside = http_api::Outside {
        functions: Arc::clone(&outside) as Arc<dyn http_api::Functions>,
        issuers: outside as Arc<dyn http_api::Issuers>,
        endpoint: endpoint.clone(),
    };
    let apis = HttpApis::open(world.clone(), location("apis.db"), durability, outside)?;

    let services = [
        pools.services(),
        functions.services(),
        bus.services(),
        queues.services(),
        tables.services(),
        mail.services(),
        logs.services(),
        parameters.services(),
        apis.services(),
        Identity::new(world.clone(), credentials.cloned()).services(),
    ]
    .concat();
    let worker = Worker {
        world: world.clone(),
        bus: Arc::clone(&bus),
        functions: Arc::clone(&functions),
        deliveries: deliveries.clone(),
        calls: calls.clone(),
        invocations: invocations.clone(),
    };
    // Behind all rooms, since what it starts calls them.
    let sources = SourcesOutside {
        world: world.clone(),
        services: [queues.services(), tables.services()].concat(),
        tables: Arc::clone(&tables),
    };
    functions.connect_sources(Arc::new(sources), Arc::new(BusPatterns)).await?;
    let mut tasks = worker.start();
    let keeper = Arc::clone(&logs);
    tasks.spawn(async move { keeper.run().await });
    let timer = Arc::clone(&bus);
    tasks.spawn(async move { timer.run().await });
    let stacks = Stacks::open(location("stacks.db"), durability)?;
    let deployment = Deployment::new(stacks, settings.stack.clone(), settings.imports.clone(), endpoint);
    let (world, lanes) = (world.clone(), [deliveries, calls, invocations]);
    let (faults, given) = (settings.faults.clone(), settings.parameters.clone());
    let rooms = Rooms {
        world,
        queues,
        functions,
        mail,
        logs,
        parameters,
        bus,
        tables,
        pools,
        apis,
        services,
        lanes,
        faults,
        given,
        deployment,
    };
    Ok((rooms, tasks))
}
