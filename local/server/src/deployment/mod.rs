//! The stack that is served: read from where it is written, and made in the rooms.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use stack::{LoadError, Loaded, Reading, Resources, Stack, StackSource, Stacks, Surroundings};
use storage::StorageError;

use crate::cloud::Rooms;

/// The stack, and how it is made.
pub struct Deployment {
    stacks: Stacks,
    source: Option<Arc<dyn StackSource>>,
    imports: BTreeMap<String, String>,
    endpoint: String,
    /// One load at a time.
    turn: tokio::sync::Mutex<()>,
    /// What the last load made.
    stack: RwLock<Stack>,
}

impl Deployment {
    /// Nothing is loaded yet.
    pub fn new(
        stacks: Stacks,
        source: Option<Arc<dyn StackSource>>,
        imports: BTreeMap<String, String>,
        endpoint: String,
    ) -> Self {
        Self { stacks, source, imports, endpoint, turn: tokio::sync::Mutex::default(), stack: RwLock::default() }
    }

    /// What the last load made.
    pub fn stack(&self) -> Stack {
        self.stack.read().expect("no holder panics").clone()
    }

    /// Forgets what was made; the rooms have done so already.
    pub async fn reset(&self) -> Result<(), StorageError> {
        self.stacks.reset().await
    }
}

impl Rooms {
    /// Reads the stack and brings what stands to what it says.
    pub async fn load_stack(&self) -> Result<Loaded, LoadError> {
        let deployment = &self.deployment;
        let _turn = deployment.turn.lock().await;
        let resources = Resources::new(&self.world, &self.services);
        let loaded = match &deployment.source {
            None => Loaded { stack: stack::built_in(&resources).await?, ..Loaded::default() },
            Some(source) => deployment.load(source, &resources).await?,
        };
        *deployment.stack.write().expect("no holder panics") = loaded.stack.clone();
        Ok(loaded)
    }
}

impl Deployment {
    async fn load(&self, source: &Arc<dyn StackSource>, resources: &Resources<'_>) -> Result<Loaded, LoadError> {
        let mut elsewhere = self.stacks.elsewhere().await?;
        elsewhere.imports.clone_from(&self.imports);
        let Reading { stack, template, files } = loop {
            let (source, known) = (Arc::clone(source), Arc::new(elsewhere));
            let asked = Arc::clone(&known);
            // It reads files, and may run Node.
            let read = tokio::task::spawn_blocking(move || source.read(&asked)).await;
            elsewhere = Arc::try_unwrap(known).unwrap_or_else(|known| (*known).clone());
            let read = read.map_err(|error| LoadError::Source(error.to_string()))?;
            // What it asked for and found now may make another stack of it, even where it had something to fall back to.
            if !elsewhere.look_up(resources).await {
                break read?;
            }
        };
        let around =
            Surroundings { stack, place: resources.world().place.clone(), endpoint: self.endpoint.clone(), depth: 0 };
        self.stacks.load(resources, &around, &template, &files, elsewhere).await
    }
}

#[cfg(test)]
mod tests;
