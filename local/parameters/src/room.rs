//! The room itself: what it is built of, and what the server and a stack do with it.

use std::sync::Arc;

use aws_api::Service;
use storage::{Database, Durability, Location, StorageError};
use world::World;

use crate::ssm::name::Named;
use crate::ssm::parameter::{KINDS, Wanted};
use crate::tags::Tags;
use crate::{secrets, ssm, store};

/// Parameter Store and Secrets Manager.
#[derive(Debug)]
pub struct Parameters {
    pub(crate) world: World,
    pub(crate) database: Database,
}

/// Why a parameter was not set. It does not show the value.
#[derive(Debug, thiserror::Error)]
#[error("the parameter {name} could not be set: {reason}")]
pub struct SetError {
    name: String,
    reason: String,
}

impl Parameters {
    /// Opens the room over `parameters.db` or a database in memory.
    pub fn open(world: World, location: Location, durability: Durability) -> Result<Arc<Self>, StorageError> {
        let database = Database::open(location, durability, store::SCHEMA)?;
        Ok(Arc::new(Self { world, database }))
    }

    /// The two APIs.
    pub fn services(self: &Arc<Self>) -> Vec<Arc<dyn Service>> {
        vec![
            <dyn Service>::of(ssm::NAME, Arc::clone(self), ssm::ops::OPERATIONS),
            <dyn Service>::of(secrets::NAME, Arc::clone(self), secrets::ops::OPERATIONS),
        ]
    }

    /// The value of a parameter, decrypted: by name, `name:version`, `name:label` or ARN.
    pub async fn parameter(&self, name: &str) -> Option<String> {
        let named = Named::read(&self.world.place, name).ok()?;
        let read = move |connection: &rusqlite::Connection| ssm::ops::value(connection, &named);
        match self.database.read(read).await {
            Ok(value) => value,
            Err(error) => {
                tracing::error!(%error, name, "a parameter could not be read");
                None
            }
        }
    }

    /// The `SecretString` of a secret's current version: by name, ARN, or ARN without its last six characters.
    pub async fn secret(&self, id: &str) -> Option<String> {
        let shown = secrets::ops::value(self, id, None, None).await.ok()?;
        shown.string().map(str::to_owned)
    }

    /// Gives a parameter a value. A new one is a `String`; one that is there keeps its type, and stays as it is if it
    /// has that value.
    pub async fn set(&self, name: &str, value: &str) -> Result<(), SetError> {
        let failed = |error: ssm::error::Error| SetError { name: name.to_owned(), reason: error.to_string() };
        ssm::name::check(name).map_err(failed)?;
        if value.is_empty() {
            return Err(SetError { name: name.to_owned(), reason: "a value has at least one character".into() });
        }
        let now = self.world.clock.now().millis();
        let mut wanted = Wanted::value(name, value);
        wanted.tier = Some("Intelligent-Tiering".into());
        let set = self.database.write(move |connection| {
            let named = Named { names: vec![wanted.name.clone()], selector: None };
            match ssm::ops::value(connection, &named)? {
                Some(value) if value == wanted.value.0 => return Ok(()),
                Some(_) => {}
                None => wanted.kind = KINDS.last().map(ToString::to_string),
            }
            ssm::ops::put(connection, wanted, true, &Tags::new(), now).map(drop)
        });
        set.await.map_err(failed)
    }

    /// Forgets every parameter and secret.
    pub async fn reset(&self) -> Result<(), StorageError> {
        self.database.write(store::clear).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use storage::Location;
    use world::World;

    use crate::testing::Room;

    #[tokio::test]
    async fn what_is_set_is_read_and_stays_if_it_is_the_same() {
        let t = Room::new();
        for value in ["1", "1", "2"] {
            t.parameters.set("/a", value).await.expect("it is set");
        }
        let found = t.ssm("GetParameter", json!({ "Name": "/a" })).await.ok()["Parameter"].clone();
        assert_eq!((&found["Type"], &found["Version"], &found["Value"]), (&json!("String"), &json!(2), &json!("2")));
        assert_eq!(t.parameters.parameter("/a:1").await.as_deref(), Some("1"));
        assert_eq!(t.parameters.parameter("/b").await, None);
        let refused = t.parameters.set("/a b", "hunter2").await.expect_err("no name").to_string();
        assert!(refused.contains("/a b") && !refused.contains("hunter2"), "{refused}");
    }

    #[tokio::test]
    async fn a_secure_parameter_stays_one_and_is_read_in_the_clear() {
        let t = Room::new();
        t.ssm("PutParameter", json!({ "Name": "/a", "Value": "1", "Type": "SecureString" })).await.ok();
        t.parameters.set("/a", "2").await.expect("it is set");
        assert_eq!(t.parameters.parameter("/a").await.as_deref(), Some("2"));
        assert_eq!(t.ssm("GetParameter", json!({ "Name": "/a" })).await.ok()["Parameter"]["Type"], "SecureString");
    }

    #[tokio::test]
    async fn everything_is_there_after_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let open = || Room::over(World::for_tests(1), Location::File(dir.path().join("parameters.db")));
        let t = open();
        t.put("/a", "1").await;
        let made = t.create_secret("s", "hunter2").await;
        drop(t);
        let t = open();
        assert_eq!(t.parameters.parameter("/a").await.as_deref(), Some("1"));
        assert_eq!(t.parameters.secret(made["ARN"].as_str().expect("an ARN")).await.as_deref(), Some("hunter2"));
        t.parameters.reset().await.expect("it is reset");
        assert_eq!((t.parameters.parameter("/a").await, t.parameters.secret("s").await), (None, None));
    }
}
