//! The room: pools and clients in memory, users in the store, and what is handed in from outside.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, RwLock, Weak};

use aws_api::{Call, Service};
use storage::{Durability, Location, StorageError};
use world::World;

use crate::access::Keyring;
use crate::client::{Client, ClientId};
use crate::constraint::Constraints;
use crate::import::ImportLog;
use crate::lockout::Lockout;
use crate::message::{Destination, Messages, Subject};
use crate::pool::{Pool, PoolId};
use crate::session::Spent;
use crate::srp::Verifier;
use crate::store::Store;
use crate::trail::{Recorded, Trail};
use crate::trigger::{ClientMetadata, Context, Triggers};
use crate::user::User;
use crate::{Error, NAME, ops};

/// All user pools of the local cloud.
pub struct UserPools {
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) triggers: Arc<dyn Triggers>,
    pub(crate) messages: Arc<dyn Messages>,
    pub(crate) trail: Arc<dyn Trail>,
    pub(crate) import_log: Arc<dyn ImportLog>,
    pub(crate) keyring: Keyring,
    pub(crate) lockout: Lockout,
    /// Sessions that were used up.
    pub(crate) spent: Spent,
    /// For tasks that outlive the call that began them.
    pub(crate) this: Weak<UserPools>,
    /// Triggers that are owed and have not had their turn.
    pub(crate) unfinished: Arc<AtomicUsize>,
    /// Few and read at every call: kept here as well as in the store.
    pools: RwLock<HashMap<PoolId, Arc<Pool>>>,
    clients: RwLock<HashMap<ClientId, Arc<Client>>>,
}

impl UserPools {
    /// Opens the pools' file, or makes it.
    pub async fn open(
        world: World,
        location: Location,
        durability: Durability,
        triggers: Arc<dyn Triggers>,
        messages: Arc<dyn Messages>,
        trail: Arc<dyn Trail>,
        import_log: Arc<dyn ImportLog>,
    ) -> Result<Arc<Self>, StorageError> {
        let store = Store::open(location, durability)?;
        let (pools, clients) = store.pools_and_clients().await?;
        Ok(Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            unfinished: Arc::default(),
            keyring: Keyring::new(world.random.clone()),
            lockout: Lockout::default(),
            spent: Spent::default(),
            world,
            store,
            triggers,
            messages,
            trail,
            import_log,
            pools: RwLock::new(pools.into_iter().map(|pool| (pool.id.clone(), Arc::new(pool))).collect()),
            clients: RwLock::new(clients.into_iter().map(|client| (client.id.clone(), Arc::new(client))).collect()),
        }))
    }

    /// The service for the router.
    pub fn services(self: &Arc<Self>) -> Vec<Arc<dyn Service>> {
        vec![Recorded::of(NAME, self, ops::OPERATIONS)]
    }

    /// Deletes every pool.
    pub async fn reset(&self) -> Result<(), Error> {
        self.store.clear().await?;
        self.pools().iter().for_each(|pool| self.keyring.forget(&pool.id));
        self.clients.write().expect("no holder panics").clear();
        self.pools.write().expect("no holder panics").clear();
        Ok(())
    }

    pub(crate) fn pool(&self, id: &str) -> Result<Arc<Pool>, Error> {
        let pools = self.pools.read().expect("no holder panics");
        pools.get(&PoolId(id.to_owned())).cloned().ok_or_else(|| Error::no_such_pool(id))
    }

    /// All pools, by id.
    pub(crate) fn pools(&self) -> Vec<Arc<Pool>> {
        let mut pools: Vec<_> = self.pools.read().expect("no holder panics").values().cloned().collect();
        pools.sort_by(|a, b| a.id.cmp(&b.id));
        pools
    }

    pub(crate) fn client(&self, id: &str) -> Result<Arc<Client>, Error> {
        let clients = self.clients.read().expect("no holder panics");
        clients.get(&ClientId(id.to_owned())).cloned().ok_or_else(|| Error::no_such_client(id))
    }

    /// A client with its pool: where every public operation begins.
    pub(crate) fn client_and_pool(&self, id: &str) -> Result<(Arc<Client>, Arc<Pool>), Error> {
        let client = self.client(id)?;
        let pool = self.pool(&client.pool.0)?;
        Ok((client, pool))
    }

    /// A client that an administrator names together with its pool.
    pub(crate) fn client_of(&self, pool: &Pool, id: &str) -> Result<Arc<Client>, Error> {
        let client = self.client(id)?;
        if client.pool == pool.id { Ok(client) } else { Err(Error::no_such_client(id)) }
    }

    /// A client of this very pool: where admin operations of a client begin.
    pub(crate) fn client_of_pool(&self, client_id: &str, pool_id: &str) -> Result<(Arc<Client>, Arc<Pool>), Error> {
        let pool = self.pool(pool_id)?;
        Ok((self.client_of(&pool, client_id)?, pool))
    }

    /// The clients of a pool, by id.
    pub(crate) fn clients_of(&self, pool: &PoolId) -> Vec<Arc<Client>> {
        let clients = self.clients.read().expect("no holder panics");
        let mut clients: Vec<_> = clients.values().filter(|client| client.pool == *pool).cloned().collect();
        clients.sort_by(|a, b| a.id.0.cmp(&b.id.0));
        clients
    }

    /// Stores a pool, new or changed.
    pub(crate) async fn save_pool(&self, pool: Pool) -> Result<Arc<Pool>, Error> {
        self.store.save_pool(&pool).await?;
        let pool = Arc::new(pool);
        self.pools.write().expect("no holder panics").insert(pool.id.clone(), Arc::clone(&pool));
        Ok(pool)
    }

    /// Deletes a pool with its clients and users.
    pub(crate) async fn delete_pool(&self, id: &PoolId) -> Result<(), Error> {
        self.store.delete_pool(id).await?;
        self.clients.write().expect("no holder panics").retain(|_, client| client.pool != *id);
        self.pools.write().expect("no holder panics").remove(id);
        self.keyring.forget(id);
        Ok(())
    }

    /// Stores a client, new or changed.
    pub(crate) async fn save_client(&self, client: Client) -> Result<Arc<Client>, Error> {
        self.store.save_client(&client).await?;
        let client = Arc::new(client);
        self.clients.write().expect("no holder panics").insert(client.id.clone(), Arc::clone(&client));
        Ok(client)
    }

    /// Deletes a client.
    pub(crate) async fn delete_client(&self, id: &ClientId) -> Result<(), Error> {
        self.store.delete_client(id).await?;
        self.clients.write().expect("no holder panics").remove(id);
        Ok(())
    }

    /// The user whom an administrator names.
    pub(crate) async fn find_user(&self, pool: &Pool, name: &str) -> Result<User, Error> {
        Constraints::new().username(name).check()?;
        self.store.find_user(pool, name).await?.ok_or_else(Error::no_such_user)
    }

    /// The user whom a public operation names. Nobody where strangers must not learn that there is none, or that they
    /// are disabled.
    pub(crate) async fn find_user_of_client(
        &self,
        client: &Client,
        pool: &Pool,
        name: &str,
    ) -> Result<Option<User>, Error> {
        match self.store.find_user(pool, name).await? {
            Some(user) if user.enabled => Ok(Some(user)),
            _ if client.settings.hides_users() => Ok(None),
            Some(_) => Err(Error::user_disabled()),
            None => Err(Error::no_such_user_of_client()),
        }
    }

    /// What is stored of a password, worked out beside the requests.
    pub(crate) async fn verifier(&self, pool: &Pool, user_id: &str, password: String) -> Result<Verifier, Error> {
        let (pool_name, user_id) = (pool.id.short_name().to_owned(), user_id.to_owned());
        let random = self.world.random.clone();
        let made = tokio::task::spawn_blocking(move || Verifier::new(&pool_name, &user_id, &password, &random));
        made.await.map_err(|_| Error::Internal(StorageError::Closed)) // the process is stopping
    }

    /// Whether this is the user's password, worked out beside the requests.
    pub(crate) async fn knows_password(&self, pool: &Pool, user: &User, password: String) -> Result<bool, Error> {
        let Some(verifier) = user.verifier.clone() else { return Ok(false) };
        let (pool_name, user_id) = (pool.id.short_name().to_owned(), user.username.clone());
        let checked = tokio::task::spawn_blocking(move || verifier.matches(&pool_name, &user_id, &password));
        checked.await.map_err(|_| Error::Internal(StorageError::Closed)) // the process is stopping
    }

    /// What the triggers of an operation are told.
    pub(crate) fn trigger_context<'a>(
        &'a self,
        pool: &'a Pool,
        client: Option<&'a ClientId>,
        metadata: Option<&'a ClientMetadata>,
        call: &'a Call,
    ) -> Context<'a> {
        Context { world: &self.world, triggers: &*self.triggers, pool, client, metadata, trace: &call.trace }
    }

    /// Sends a code or an invitation, in the words of the pool's function if it has one. What that throws is the
    /// caller's affair; a message that cannot be sent is logged, and the user stays as they are, as on AWS.
    pub(crate) async fn send(
        &self,
        triggers: &Context<'_>,
        subject: Subject,
        user: &User,
        to: &Destination,
        code: &str,
    ) -> Result<(), Error> {
        let words = triggers.custom_message(subject, user, to.channel()).await?;
        let message = subject.message(triggers.pool, user, to, code, words, triggers.trace);
        if let Err(error) = self.messages.send(message).await {
            tracing::warn!(pool = %triggers.pool.id, sub = %user.sub, error, "a message could not be handed over");
        }
        Ok(())
    }

    /// Says by name what a pool or client sets and nothing here honours.
    pub(crate) fn report_not_honoured(&self, what: &str, settings: &[String]) {
        if settings.is_empty() {
            return;
        }
        let list = settings.join(", ");
        tracing::warn!(what, settings = list, "kept and given back, but without effect here");
        let moment = self.world.timeline.moment(world::Kind::Warning, format!("{what}: no effect here: {list}"));
        self.world.timeline.record(moment);
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    use crate::testing::{Kit, PASSWORD};

    /// The public operations that take a secret hash beside their other members.
    const WITH_HASH: [&str; 5] =
        ["SignUp", "ConfirmSignUp", "ResendConfirmationCode", "ForgotPassword", "ConfirmForgotPassword"];

    fn input(client: &str) -> Value {
        json!({"ClientId": client, "Username": "Ann@example.com", "Password": PASSWORD, "ConfirmationCode": "1"})
    }

    #[tokio::test]
    async fn a_client_with_a_secret_must_prove_it_everywhere() {
        let t = Kit::new().await;
        let create = json!({"UserPoolId": t.pool, "ClientName": "secret", "GenerateSecret": true});
        let client = t.call("CreateUserPoolClient", create).await.ok()["UserPoolClient"].take();
        let text = |name: &str| client[name].as_str().expect("a text").to_owned();
        let (id, secret) = (text("ClientId"), text("ClientSecret"));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let hash = STANDARD.encode(hmac::sign(&key, format!("Ann@example.com{id}").as_bytes()));
        for operation in WITH_HASH {
            let message = t.call(operation, input(&id)).await.error("NotAuthorizedException");
            assert_eq!(message, format!("Client {id} is configured with secret but SECRET_HASH was not received"));
            let mut wrong = input(&id);
            wrong["SecretHash"] = json!("wrong");
            let message = t.call(operation, wrong).await.error("NotAuthorizedException");
            assert_eq!(message, format!("SecretHash does not match for the client: {id}"));
            let mut right = input(&id);
            right["SecretHash"] = json!(hash);
            let code = t.call(operation, right).await.0.err().map(|error| error.code);
            assert_ne!(code.as_deref(), Some("NotAuthorizedException"), "{operation}");
        }
    }

    #[tokio::test]
    async fn a_client_without_a_secret_has_none_to_prove() {
        let t = Kit::new().await;
        for operation in WITH_HASH {
            let mut with = input(&t.client);
            with["SecretHash"] = json!("aGFzaA==");
            t.call(operation, with).await.error("NotAuthorizedException");
        }
    }

    #[tokio::test]
    async fn a_name_has_no_spaces() {
        let t = Kit::new().await;
        let message = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": "a b"})).await;
        let expected = "1 validation error detected: Value at 'username' failed to satisfy constraint: \
                        Member must satisfy regular expression pattern: [\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+";
        assert_eq!(message.error("InvalidParameterException"), expected);
    }
}
