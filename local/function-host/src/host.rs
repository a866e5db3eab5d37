//! The host: what is deployed, what all sandboxes share, and the public face.
//!
//! Invocations read a snapshot in memory; the store is touched only when a function changes. Changes come one
//! at a time, so the snapshot and the file tell the same story.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, RwLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_api::{Protocol, Service, ServiceName};
use http::HeaderValue;
use storage::{Database, Durability, Location, StorageError};
use tokio::sync::Mutex;
use tokio::time::timeout;
use world::World;

use crate::asynchronous::{AsyncQueue, Destinations};
use crate::code;
use crate::concurrency::{ACCOUNT_CONCURRENCY_MAX, Counter};
use crate::error::Error;
use crate::function::{Function, Source};
use crate::name::Target;
use crate::ops;
use crate::plan::{Plan, Runnable};
use crate::pool::Pool;
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
    pub(crate) pool: Arc<Pool>,
    pub(crate) running: Counter,
}

/// Lambda.
pub struct FunctionHost {
    pub(crate) surroundings: Arc<Surroundings>,
    pub(crate) queue: Arc<dyn AsyncQueue>,
    pub(crate) destinations: Arc<dyn Destinations>,
    pub(crate) time_scale: f64,
    database: Database,
    built_in: HashMap<String, BuiltIn>,
    code_directory: CodeDirectory,
    functions: RwLock<HashMap<String, Arc<Deployment>>>,
    /// Held by whoever changes a function, from reading it to having replaced it. Changes are rare and wait
    /// for the disk, which is why this lock is one that may be held meanwhile.
    changing: Mutex<()>,
    pub(crate) unreserved_running: Counter,
    pub(crate) unreserved_max: AtomicU32,
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
        let (database, functions) = load(location, durability)?;
        let code_directory = CodeDirectory::of(&settings, &world);
        let cannot = |source| StorageError::Open { path: code_directory.path.clone(), source };
        let spawner = Spawner::start().map_err(cannot)?;
        let surroundings =
            Surroundings::new(world, spawner, limits, settings.launcher, settings.credentials, settings.endpoint);
        let host = Self {
            surroundings,
            queue,
            destinations,
            time_scale: if settings.time_scale > 0.0 { settings.time_scale } else { 1.0 },
            database,
            built_in: settings.built_in,
            code_directory,
            functions: RwLock::default(),
            changing: Mutex::default(),
            unreserved_running: Counter::default(),
            unreserved_max: AtomicU32::new(ACCOUNT_CONCURRENCY_MAX),
        };
        host.sweep(&functions);
        let mut deployed = HashMap::new();
        for function in functions {
            deployed.insert(function.name.clone(), Arc::new(host.deploy(function, None)));
        }
        *host.functions.write().expect("no holder panics") = deployed;
        host.count_reserved();
        Ok(Arc::new(host))
    }

    /// The service that the router is given.
    pub fn services(self: &Arc<Self>) -> Vec<Arc<dyn Service>> {
        vec![<dyn Service>::of(NAME, Arc::clone(self), ops::OPERATIONS)]
    }

    /// Where functions find the local cloud; for sandboxes that are started from now on.
    pub fn set_endpoint(&self, endpoint: String) {
        self.surroundings.set_endpoint(endpoint);
    }

    /// The names of all functions.
    pub fn function_names(&self) -> Vec<String> {
        self.all().into_iter().map(|deployment| deployment.function.name.clone()).collect()
    }

    /// How many sandboxes there are, busy or idle.
    pub fn sandboxes(&self) -> usize {
        *self.surroundings.sandboxes().borrow()
    }

    /// Ends all sandboxes and returns when they are gone. What runs in them fails.
    pub async fn shutdown(&self) {
        for deployment in self.all() {
            deployment.pool.close();
        }
        let mut sandboxes = self.surroundings.sandboxes();
        let _ = timeout(SHUTDOWN_TIME_MAX, sandboxes.wait_for(|count| *count == 0)).await;
    }

    /// Forgets all functions and ends their sandboxes.
    pub async fn reset(&self) -> Result<(), StorageError> {
        let _changing = self.changing.lock().await;
        store::clear(&self.database).await?;
        let all = std::mem::take(&mut *self.functions.write().expect("no holder panics"));
        for deployment in all.into_values() {
            deployment.pool.retire(self.unpacked(&deployment.function));
            deployment.pool.close();
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

    /// What a caller of `operation` names.
    pub(crate) fn find(
        &self,
        operation: &str,
        reference: &str,
        qualifier: Option<&str>,
    ) -> Result<Arc<Deployment>, Error> {
        let place = &self.surroundings.world.place;
        let target = Target::resolve(place, operation, reference, qualifier)?;
        let found = if target.is_latest() { self.named(target.name) } else { None };
        found.ok_or_else(|| Error::function_not_found(&target.arn(place)))
    }

    /// Adds a function; its name must be new.
    pub(crate) async fn add(&self, function: Function) -> Result<Arc<Deployment>, Error> {
        let _changing = self.changing.lock().await;
        if self.named(&function.name).is_some() {
            if let Some(directory) = self.unpacked(&function) {
                code::remove(&directory);
            }
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
        store::save(&self.database, &function).await?;
        let same = before.function.runs_as(&function);
        let obsolete = (before.function.code != function.code).then(|| self.unpacked(&before.function)).flatten();
        let after = self.put(self.deploy(function, Some((&before, same))));
        self.count_reserved();
        if !same {
            before.pool.retire(obsolete);
        }
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
            removed.pool.retire(self.unpacked(&removed.function));
        }
        Ok(())
    }

    fn put(&self, deployment: Deployment) -> Arc<Deployment> {
        let deployment = Arc::new(deployment);
        let mut functions = self.functions.write().expect("no holder panics");
        functions.insert(deployment.function.name.clone(), Arc::clone(&deployment));
        deployment
    }

    /// What runs of `function`: the pool of the deployment before it if that runs the same.
    fn deploy(&self, function: Function, before: Option<(&Deployment, bool)>) -> Deployment {
        let arn = self.world().place.arn("lambda", &format!("function:{}", function.name));
        let running = before.map(|(before, _)| before.running.clone()).unwrap_or_default();
        let pool = match before {
            Some((before, true)) => Arc::clone(&before.pool),
            _ => Pool::new(Plan {
                function: function.name.clone(),
                arn: HeaderValue::from_str(&arn).unwrap_or(HeaderValue::from_static("")),
                settings: function.settings.clone(),
                code: self.runnable(&function.code.source),
                surroundings: Arc::clone(&self.surroundings),
            }),
        };
        Deployment { function, arn, pool, running }
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

    /// The directory of uploaded code, if it was uploaded.
    fn unpacked(&self, function: &Function) -> Option<PathBuf> {
        match &function.code.source {
            Source::Unpacked(name) => Some(self.code_directory.path.join(name)),
            Source::OnDisk(_) | Source::BuiltIn(_) => None,
        }
    }

    /// What is reserved for some functions is not there for the others.
    fn count_reserved(&self) {
        let reserved: u32 = self.all().iter().filter_map(|deployment| deployment.function.reserved_concurrency).sum();
        self.unreserved_max.store(ACCOUNT_CONCURRENCY_MAX.saturating_sub(reserved), Ordering::Relaxed);
    }

    /// Removes unpacked code that no function has: what an earlier process could not clean up.
    fn sweep(&self, functions: &[Function]) {
        let Ok(entries) = std::fs::read_dir(&self.code_directory.path) else { return };
        let used: Vec<PathBuf> = functions.iter().filter_map(|function| self.unpacked(function)).collect();
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| !used.contains(path)) {
            code::remove(&path);
        }
    }
}

impl Drop for FunctionHost {
    /// For whoever forgot to shut down: the processes are told to end, but nobody waits until they have.
    fn drop(&mut self) {
        for deployment in self.all() {
            deployment.pool.close();
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
}

/// Opens the file and reads it whole.
fn load(location: Location, durability: Durability) -> Result<(Database, Vec<Function>), StorageError> {
    let in_memory = matches!(location, Location::Memory);
    let database = Database::open(location, durability, store::SCHEMA)?;
    if in_memory {
        return Ok((database, Vec::new()));
    }
    // A read of a file is done when it is first polled, so nothing has to wait here.
    let functions = {
        let mut reading = pin!(database.read(store::all));
        match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(functions) => functions?,
            Poll::Pending => return Err(StorageError::Closed),
        }
    };
    Ok((database, functions))
}
