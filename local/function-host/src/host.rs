//! The host: what is deployed, what all sandboxes share, and the public face.
//!
//! Invocations read a snapshot in memory; the store is touched only when a function changes. Changes come one
//! at a time, so the snapshot and the file tell the same story.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, RwLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_api::{Protocol, Service, ServiceName};
use storage::{Database, Durability, Location, StorageError};
use tokio::sync::Mutex;
use tokio::time::timeout;
use world::World;

use crate::asynchronous::{AsyncQueue, Destinations};
use crate::code;
use crate::concurrency::{ACCOUNT_CONCURRENCY_MAX, Counter};
use crate::error::Error;
use crate::function::{Code, Configuration, Function, Qualified, Source};
use crate::layer::Layer;
use crate::log_sink::LogSink;
use crate::mapping::{Filters, Mappings, Outside, PendingWork, Sources};
use crate::name::LATEST;
use crate::ops;
use crate::plan::{Plan, Runnable};
use crate::pool::Pool;
use crate::runtimes::Runtimes;
use crate::spawner::Spawner;
use crate::store;
use crate::surroundings::{BuiltIn, Limits, Settings, Surroundings};

const NAME: ServiceName = ServiceName {
    title: "AWS Lambda",
    target: "",
    signing: "lambda",
    protocol: Protocol::RestJson,
    unsigned: &[],
    constraint_exception: "ValidationException",
};

/// How long sandboxes may take to end when the host does.
const SHUTDOWN_TIME_MAX: Duration = Duration::from_secs(3);

/// A function and what runs of it. Replaced as a whole when the function changes.
pub(crate) struct Deployment {
    pub(crate) function: Function,
    /// Without a version.
    pub(crate) arn: String,
    /// Of `$LATEST`.
    pub(crate) pool: Arc<Pool>,
    /// Of the published versions.
    pub(crate) versions: BTreeMap<u64, Arc<Pool>>,
    pub(crate) running: Counter,
}

/// Lambda.
pub struct FunctionHost {
    pub(crate) surroundings: Arc<Surroundings>,
    pub(crate) queue: Arc<dyn AsyncQueue>,
    pub(crate) destinations: Arc<dyn Destinations>,
    pub(crate) time_scale: f64,
    pub(crate) database: Database,
    built_in: HashMap<String, BuiltIn>,
    code_directory: CodeDirectory,
    functions: RwLock<HashMap<String, Arc<Deployment>>>,
    pub(crate) layers: RwLock<BTreeMap<String, Arc<Layer>>>,
    /// Held by whoever changes a function or a layer, from reading it to having replaced it. Changes are rare and wait
    /// for the disk, which is why this lock is one that may be held meanwhile.
    pub(crate) changing: Mutex<()>,
    pub(crate) unreserved_running: Counter,
    pub(crate) unreserved_max: AtomicU32,
    pub(crate) mappings: Arc<Mappings>,
}

/// Where uploaded code lies.
struct CodeDirectory {
    path: PathBuf,
    /// It goes with the host.
    temporary: bool,
}

impl Drop for CodeDirectory {
    fn drop(&mut self) {
        if self.temporary {
            code::remove(&self.path);
        }
    }
}

impl FunctionHost {
    /// Opens the functions at `location`. Nothing is started before it is invoked.
    pub fn open(
        world: World,
        location: Location,
        durability: Durability,
        settings: Settings,
        queue: Arc<dyn AsyncQueue>,
        destinations: Arc<dyn Destinations>,
    ) -> Result<Arc<Self>, StorageError> {
        let limits = Limits::aws(settings.sandboxes_per_function_max);
        Self::open_within(world, location, durability, settings, limits, queue, destinations)
    }

    /// As `open`, with limits that tests shorten.
    pub(crate) fn open_within(
        world: World,
        location: Location,
        durability: Durability,
        settings: Settings,
        limits: Limits,
        queue: Arc<dyn AsyncQueue>,
        destinations: Arc<dyn Destinations>,
    ) -> Result<Arc<Self>, StorageError> {
        let Stored { database, functions, layers } = load(location, durability)?;
        let code_directory = CodeDirectory::of(&settings, &world);
        let cannot = |source| StorageError::Open { path: code_directory.path.clone(), source };
        let spawner = Spawner::start().map_err(cannot)?;
        let runtimes = code_directory.runtimes(&settings);
        let (launcher, credentials) = (settings.launcher, settings.credentials);
        let surroundings =
            Surroundings::new(world, spawner, runtimes, limits, launcher, credentials, settings.endpoint);
        let host = Self {
            surroundings,
            queue,
            destinations,
            time_scale: if settings.time_scale > 0.0 { settings.time_scale } else { 1.0 },
            database,
            built_in: settings.built_in,
            code_directory,
            functions: RwLock::default(),
            layers: RwLock::new(layers.into_iter().map(|(name, layer)| (name, Arc::new(layer))).collect()),
            changing: Mutex::default(),
            unreserved_running: Counter::default(),
            unreserved_max: AtomicU32::new(ACCOUNT_CONCURRENCY_MAX),
            mappings: Mappings::new(),
        };
        host.sweep(&functions);
        let mut deployed = HashMap::new();
        for function in functions {
            deployed.insert(function.name.clone(), Arc::new(host.deploy(function, None)));
        }
        for deployment in deployed.values() {
            deployment.keep_warm();
        }
        *host.functions.write().expect("no holder panics") = deployed;
        host.count_reserved();
        Ok(Arc::new(host))
    }

    /// The service that the router is given.
    pub fn services(self: &Arc<Self>) -> Vec<Arc<dyn Service>> {
        vec![<dyn Service>::of(NAME, Arc::clone(self), ops::OPERATIONS)]
    }

    /// Connects queues and streams, and starts the event source mappings that read them. Before this no mapping can
    /// be made.
    pub async fn connect_sources(
        self: &Arc<Self>,
        sources: Arc<dyn Sources>,
        filters: Arc<dyn Filters>,
    ) -> Result<(), StorageError> {
        let outside = Outside {
            world: self.world().clone(),
            database: self.database.clone(),
            sources,
            filters,
            handler: Arc::new(Arc::downgrade(self)),
            time_scale: self.time_scale,
        };
        self.mappings.connect(outside).await
    }

    /// What event source mappings have not done yet: batches in work, and what waits in their queues and streams.
    pub async fn pending_work(&self) -> Vec<PendingWork> {
        self.mappings.pending().await
    }

    /// Where functions find the local cloud; for sandboxes that are started from now on.
    pub fn set_endpoint(&self, endpoint: String) {
        self.surroundings.set_endpoint(endpoint);
    }

    /// Where what functions print is kept; once, before the first is invoked.
    pub fn set_log_sink(&self, sink: Arc<dyn LogSink>) {
        let _ = self.surroundings.log_sink.set(sink); // the first one stays
    }

    /// The names of all functions.
    pub fn function_names(&self) -> Vec<String> {
        self.all().into_iter().map(|deployment| deployment.function.name.clone()).collect()
    }

    /// How many sandboxes a version of a function may have.
    pub(crate) fn sandboxes_max(&self) -> u32 {
        u32::try_from(self.surroundings.limits.sandboxes_max).unwrap_or(u32::MAX)
    }

    /// How many sandboxes there are, busy or idle.
    pub fn sandboxes(&self) -> usize {
        *self.surroundings.sandboxes().borrow()
    }

    /// Ends all sandboxes and returns when they are gone. What runs in them fails.
    pub async fn shutdown(&self) {
        self.mappings.close();
        for deployment in self.all() {
            deployment.close();
        }
        let mut sandboxes = self.surroundings.sandboxes();
        let _ = timeout(SHUTDOWN_TIME_MAX, sandboxes.wait_for(|count| *count == 0)).await;
    }

    /// Forgets all functions and ends their sandboxes.
    pub async fn reset(&self) -> Result<(), StorageError> {
        self.mappings.reset().await?;
        let _changing = self.changing.lock().await;
        store::clear(&self.database).await?;
        let all = std::mem::take(&mut *self.functions.write().expect("no holder panics"));
        let layers = std::mem::take(&mut *self.layers.write().expect("no holder panics"));
        for deployment in all.into_values() {
            self.retire(&deployment, None);
            deployment.close();
        }
        for version in layers.values().flat_map(|layer| layer.versions.values()) {
            code::remove(&self.code_directory().join(&version.directory));
        }
        self.count_reserved();
        Ok(())
    }

    pub(crate) fn world(&self) -> &World {
        &self.surroundings.world
    }

    pub(crate) fn has_built_in(&self, id: &str) -> bool {
        self.built_in.contains_key(id)
    }

    pub(crate) fn code_directory(&self) -> &Path {
        &self.code_directory.path
    }

    /// All functions, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Deployment>> {
        let mut all: Vec<_> = self.functions.read().expect("no holder panics").values().cloned().collect();
        all.sort_by(|a, b| a.function.name.cmp(&b.function.name));
        all
    }

    /// The function of this name, in any version.
    pub(crate) fn named(&self, name: &str) -> Option<Arc<Deployment>> {
        self.functions.read().expect("no holder panics").get(name).cloned()
    }

    /// Adds a function; its name must be new.
    pub(crate) async fn add(&self, function: Function) -> Result<Arc<Deployment>, Error> {
        let _changing = self.changing.lock().await;
        if self.named(&function.name).is_some() {
            self.discard(&function.code);
            return Err(Error::ResourceConflict(format!("Function already exist: {}", function.name)));
        }
        store::save(&self.database, &function).await?;
        let deployment = self.deploy(function, None);
        Ok(self.put(deployment))
    }

    /// Changes a function. Sandboxes go on if what they run stays the same.
    pub(crate) async fn change(
        &self,
        name: &str,
        change: impl FnOnce(&mut Function) -> Result<(), Error>,
    ) -> Result<Arc<Deployment>, Error> {
        let _changing = self.changing.lock().await;
        let before = self
            .named(name)
            .ok_or_else(|| Error::function_not_found(&self.world().place.arn("lambda", &format!("function:{name}"))))?;
        let mut function = before.function.clone();
        change(&mut function)?;
        function.qualified.retain(|_, configured| *configured != Qualified::default());
        store::save(&self.database, &function).await?;
        let after = self.put(self.deploy(function, Some(&before)));
        self.count_reserved();
        self.retire(&before, Some(&after));
        after.keep_warm();
        Ok(after)
    }

    /// Removes a function. What runs of it finishes.
    pub(crate) async fn remove(&self, deployment: &Deployment) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let name = &deployment.function.name;
        store::delete(&self.database, name).await?;
        let removed = self.functions.write().expect("no holder panics").remove(name);
        self.count_reserved();
        if let Some(removed) = removed {
            self.retire(&removed, None);
        }
        Ok(())
    }

    /// Ends what runs of `before` and no longer of `after`. Code that nothing has any more goes with the last
    /// sandbox that runs it; versions share code with each other and with `$LATEST`.
    fn retire(&self, before: &Deployment, after: Option<&Deployment>) {
        let is_kept =
            |pool: &Arc<Pool>| after.is_some_and(|after| after.pools().any(|(_, other)| Arc::ptr_eq(pool, other)));
        let mut obsolete: Vec<PathBuf> = before.function.codes().filter_map(|code| self.unpacked(code)).collect();
        if let Some(after) = after {
            obsolete.retain(|path| after.function.codes().all(|code| self.unpacked(code).as_ref() != Some(path)));
        }
        let code_of = |version| before.function.shown(version).and_then(|shown| self.unpacked(shown.code));
        for (version, pool) in before.pools().filter(|(_, pool)| !is_kept(pool)) {
            let directory = code_of(version).filter(|directory| obsolete.contains(directory));
            obsolete.retain(|other| Some(other) != directory.as_ref());
            pool.retire(directory);
        }
    }

    fn put(&self, deployment: Deployment) -> Arc<Deployment> {
        let deployment = Arc::new(deployment);
        let mut functions = self.functions.write().expect("no holder panics");
        functions.insert(deployment.function.name.clone(), Arc::clone(&deployment));
        deployment
    }

    /// What runs of `function`: the pools of the deployment before it where they run the same.
    fn deploy(&self, function: Function, before: Option<&Deployment>) -> Deployment {
        let arn = self.world().place.arn("lambda", &format!("function:{}", function.name));
        let running = before.map(|before| before.running.clone()).unwrap_or_default();
        let name = &function.name;
        let pool = match before {
            Some(before) if before.function.runs_as(&function) => Arc::clone(&before.pool),
            _ => self.pool(name, LATEST.into(), &function.settings, &function.code),
        };
        let versions = function.versions.iter().map(|(number, version)| {
            let as_before = before.and_then(|before| before.versions.get(number)).cloned();
            let make = || self.pool(name, number.to_string(), &version.settings, &version.code);
            (*number, as_before.unwrap_or_else(make))
        });
        let versions = versions.collect();
        Deployment { function, arn, pool, versions, running }
    }

    fn pool(&self, function: &str, version: String, settings: &Configuration, code: &Code) -> Arc<Pool> {
        Pool::new(Plan {
            function: function.to_owned(),
            version,
            settings: settings.clone(),
            code: self.runnable(&code.source),
            layers: self.layer_directories(&settings.layers),
            surroundings: Arc::clone(&self.surroundings),
        })
    }

    fn runnable(&self, source: &Source) -> Runnable {
        match source {
            Source::Unpacked(name) => Runnable::Unpacked(self.code_directory.path.join(name)),
            Source::OnDisk(path) => Runnable::OnDisk(path.clone()),
            Source::BuiltIn(id) => match self.built_in.get(id) {
                Some(built_in) => Runnable::BuiltIn(built_in.clone()),
                None => Runnable::Missing(id.clone()),
            },
        }
    }

    /// Removes code that was uploaded for nothing.
    pub(crate) fn discard(&self, code: &Code) {
        if let Some(directory) = self.unpacked(code) {
            code::remove(&directory);
        }
    }

    /// The directory of uploaded code, if it was uploaded.
    fn unpacked(&self, code: &Code) -> Option<PathBuf> {
        match &code.source {
            Source::Unpacked(name) => Some(self.code_directory.path.join(name)),
            Source::OnDisk(_) | Source::BuiltIn(_) => None,
        }
    }

    /// What is reserved for some functions is not there for the others.
    fn count_reserved(&self) {
        let reserved: u32 = self.all().iter().filter_map(|deployment| deployment.function.reserved_concurrency).sum();
        self.unreserved_max.store(ACCOUNT_CONCURRENCY_MAX.saturating_sub(reserved), Ordering::Relaxed);
    }

    /// Removes unpacked code that no function and no layer has: what an earlier process could not clean up.
    fn sweep(&self, functions: &[Function]) {
        let Ok(entries) = std::fs::read_dir(&self.code_directory.path) else { return };
        let codes = functions.iter().flat_map(Function::codes);
        let mut used: Vec<PathBuf> = codes.filter_map(|code| self.unpacked(code)).collect();
        for version in self.layers().values().flat_map(|layer| layer.versions.values()) {
            used.push(self.code_directory.path.join(&version.directory));
        }
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| !used.contains(path)) {
            code::remove(&path);
        }
    }
}

impl Drop for FunctionHost {
    /// For whoever forgot to shut down: the processes are told to end, but nobody waits until they have.
    fn drop(&mut self) {
        for deployment in self.all() {
            deployment.close();
        }
    }
}

impl Deployment {
    /// Of `$LATEST` (none) and of the versions.
    pub(crate) fn pools(&self) -> impl Iterator<Item = (Option<u64>, &Arc<Pool>)> {
        let versions = self.versions.iter().map(|(number, pool)| (Some(*number), pool));
        std::iter::once((None, &self.pool)).chain(versions)
    }

    /// Starts the sandboxes that are provisioned for versions and aliases.
    fn keep_warm(&self) {
        for (version, pool) in self.pools() {
            pool.keep_warm(self.function.provisioned(version) as usize);
        }
    }

    fn close(&self) {
        for (_, pool) in self.pools() {
            pool.close();
        }
    }
}

impl CodeDirectory {
    fn of(settings: &Settings, world: &World) -> Self {
        if let Some(directory) = &settings.state_dir {
            return Self { path: directory.join("functions"), temporary: false };
        }
        let name = format!("tandem-functions-{}-{}", std::process::id(), world.random.alphanumeric(12));
        Self { path: std::env::temp_dir().join(name), temporary: true }
    }

    /// What all functions share lies beside their code, or below it if all of that goes together.
    fn runtimes(&self, settings: &Settings) -> Runtimes {
        let beside = settings.state_dir.as_deref().unwrap_or(&self.path);
        let directory = beside.join("runtimes");
        let packages = settings.packages_dir.clone().unwrap_or_else(|| directory.join("packages"));
        Runtimes::new(directory, packages)
    }
}

/// What the file has.
struct Stored {
    database: Database,
    functions: Vec<Function>,
    layers: Vec<(String, Layer)>,
}

/// Opens the file and reads it whole.
fn load(location: Location, durability: Durability) -> Result<Stored, StorageError> {
    let in_memory = matches!(location, Location::Memory);
    let database = Database::open(location, durability, store::SCHEMA)?;
    if in_memory {
        return Ok(Stored { database, functions: Vec::new(), layers: Vec::new() });
    }
    // A read of a file is done when it is first polled, so nothing has to wait here.
    let (functions, layers) = {
        let read = |connection: &_| Ok::<_, StorageError>((store::all(connection)?, store::all_layers(connection)?));
        let mut reading = pin!(database.read(read));
        match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(stored) => stored?,
            Poll::Pending => return Err(StorageError::Closed),
        }
    };
    Ok(Stored { database, functions, layers })
}
