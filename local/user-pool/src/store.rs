//! The pools' file. The only place of this room that knows SQL.
//!
//! `names` holds what finds a user at sign-in, each name once per pool and kind: it is what makes names unique.
//! `searchable` holds what `ListUsers` filters by, so that a search costs the same at a thousand users and at a
//! hundred thousand.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use storage::{Database, Durability, Location, StorageError};
use world::Timestamp;

use crate::Error;
use crate::client::{Client, ClientId};
use crate::pool::{Pool, PoolId, Settings};
use crate::srp::Verifier;
use crate::user::{Status, Sub, User};

const SCHEMA: &[&str] = &["
    CREATE TABLE pools (
        id TEXT PRIMARY KEY, arn TEXT NOT NULL, settings TEXT NOT NULL, secret BLOB NOT NULL,
        created INTEGER NOT NULL, modified INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE clients (
        id TEXT PRIMARY KEY, pool TEXT NOT NULL REFERENCES pools ON DELETE CASCADE, secret TEXT,
        settings TEXT NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE signing_keys (
        pool TEXT PRIMARY KEY REFERENCES pools ON DELETE CASCADE, document BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE users (
        row INTEGER PRIMARY KEY, pool TEXT NOT NULL REFERENCES pools ON DELETE CASCADE, sub TEXT NOT NULL,
        username TEXT NOT NULL, status TEXT NOT NULL, enabled INTEGER NOT NULL, attributes TEXT NOT NULL,
        salt BLOB, verifier BLOB, temporary_password_until INTEGER, codes TEXT NOT NULL, sign_outs INTEGER NOT NULL,
        created INTEGER NOT NULL, modified INTEGER NOT NULL, attempts TEXT NOT NULL, UNIQUE (pool, sub));
    CREATE INDEX users_by_pool ON users (pool, row);
    CREATE TABLE names (
        pool TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, PRIMARY KEY (pool, kind, name)) WITHOUT ROWID;
    CREATE INDEX names_by_user ON names (user);
    CREATE TABLE searchable (
        pool TEXT NOT NULL, attribute TEXT NOT NULL, value TEXT NOT NULL,
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        PRIMARY KEY (pool, attribute, value, user)) WITHOUT ROWID;
    CREATE INDEX searchable_by_user ON searchable (user);
    CREATE TABLE revoked (
        pool TEXT NOT NULL REFERENCES pools ON DELETE CASCADE, origin_jti TEXT NOT NULL, expires INTEGER NOT NULL,
        PRIMARY KEY (pool, origin_jti)) WITHOUT ROWID;
"];

/// What `ListUsers` can filter by, beside the columns of `users` itself.
pub const SEARCHABLE: &[&str] = &["email", "phone_number", "name", "given_name", "family_name", "preferred_username"];

const USER_COLUMNS: &str = "row, pool, sub, username, status, enabled, attributes, salt, verifier, \
    temporary_password_until, codes, sign_outs, created, modified, attempts";

/// What to do when somebody else has an alias that a user is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasConflict {
    /// Say so.
    Refuse,
    /// Take it from them; theirs counts as unverified then (`ForceAliasCreation`).
    Move,
}

/// What `ListUsers` looks for.
#[derive(Clone, Debug)]
pub enum Search {
    /// Everybody.
    All,
    /// One of [`SEARCHABLE`], compared without case; a prefix or the whole.
    Attribute { name: String, value: String, prefix: bool },
    /// `username`, compared letter by letter.
    Username { value: String, prefix: bool },
    /// `sub`.
    Sub { value: String, prefix: bool },
    /// `cognito:user_status`.
    Status { value: String, prefix: bool },
    /// `status`.
    Enabled(bool),
    /// A value that nobody can have.
    Nobody,
}

/// Where the next page begins: behind this value (of a prefix search) and this row.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct After {
    pub value: String,
    pub row: i64,
}

/// The file.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens the file, or makes it.
    pub fn open(location: Location, durability: Durability) -> Result<Self, StorageError> {
        Ok(Self { database: Database::open(location, durability, SCHEMA)? })
    }

    /// All pools and clients: few, and kept in memory.
    pub async fn pools_and_clients(&self) -> Result<(Vec<Pool>, Vec<Client>), StorageError> {
        self.database
            .read(|connection| {
                let mut pools = connection.prepare("SELECT id, arn, settings, secret, created, modified FROM pools")?;
                let pools = pools.query_map([], read_pool)?.collect::<Result<_, _>>()?;
                let mut clients =
                    connection.prepare("SELECT id, pool, secret, settings, created, modified FROM clients")?;
                let clients = clients.query_map([], read_client)?.collect::<Result<_, _>>()?;
                Ok((pools, clients))
            })
            .await
    }

    /// Stores a pool, new or changed.
    pub async fn save_pool(&self, pool: &Pool) -> Result<(), Error> {
        let pool = pool.clone();
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO pools (id, arn, settings, secret, created, modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT (id) DO UPDATE SET settings = ?3, modified = ?6",
                )?
                .execute(params![
                    pool.id.0,
                    pool.arn,
                    to_json(&pool.settings),
                    pool.secret,
                    pool.created.millis(),
                    pool.modified.millis()
                ])?;
            Ok(())
        })
        .await
    }

    /// Deletes a pool with everything in it.
    pub async fn delete_pool(&self, id: &PoolId) -> Result<(), Error> {
        let id = id.0.clone();
        self.write(move |connection| {
            connection.execute("DELETE FROM pools WHERE id = ?1", [id])?;
            Ok(())
        })
        .await
    }

    /// Stores a client, new or changed.
    pub async fn save_client(&self, client: &Client) -> Result<(), Error> {
        let client = client.clone();
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO clients (id, pool, secret, settings, created, modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT (id) DO UPDATE SET secret = ?3, settings = ?4, modified = ?6",
                )?
                .execute(params![
                    client.id.0,
                    client.pool.0,
                    client.secret,
                    to_json(&client.settings),
                    client.created.millis(),
                    client.modified.millis()
                ])?;
            Ok(())
        })
        .await
    }

    /// Deletes a client.
    pub async fn delete_client(&self, id: &ClientId) -> Result<(), Error> {
        let id = id.0.clone();
        self.write(move |connection| {
            connection.execute("DELETE FROM clients WHERE id = ?1", [id])?;
            Ok(())
        })
        .await
    }

    /// A pool's signing keys, if they were made.
    pub async fn signing_keys(&self, pool: &PoolId) -> Result<Option<Vec<u8>>, Error> {
        let pool = pool.0.clone();
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT document FROM signing_keys WHERE pool = ?1")?;
            Ok(query.query_row([pool], |row| row.get(0)).optional()?)
        })
        .await
    }

    /// Stores a pool's signing keys unless it has some; returns those that it has then.
    pub async fn save_signing_keys(&self, pool: &PoolId, document: Vec<u8>) -> Result<Vec<u8>, Error> {
        let pool = pool.0.clone();
        self.write(move |connection| {
            connection.execute("INSERT OR IGNORE INTO signing_keys VALUES (?1, ?2)", params![pool, document])?;
            let mut query = connection.prepare_cached("SELECT document FROM signing_keys WHERE pool = ?1")?;
            Ok(query.query_row([pool], |row| row.get(0))?)
        })
        .await
    }

    /// Stores a new user and their names; a name that somebody has is an error, except an alias with
    /// [`AliasConflict::Move`].
    pub async fn insert_user(&self, pool: &Arc<Pool>, user: User, conflict: AliasConflict) -> Result<User, Error> {
        let pool = Arc::clone(pool);
        self.write(move |connection| {
            let mut user = user;
            connection
                .prepare_cached(
                    "INSERT INTO users (pool, sub, username, status, enabled, attributes, salt, verifier,
                         temporary_password_until, codes, sign_outs, created, modified, attempts)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                )?
                .execute(params![
                    user.pool.0,
                    user.sub.0,
                    user.username,
                    user.status.as_str(),
                    user.enabled,
                    to_json(&user.attributes),
                    user.verifier.as_ref().map(|verifier| verifier.salt),
                    user.verifier.as_ref().map(|verifier| &verifier.v[..]),
                    user.temporary_password_until.map(Timestamp::millis),
                    to_json(&user.codes),
                    user.sign_outs,
                    user.created.millis(),
                    user.modified.millis(),
                    to_json(&user.attempts)
                ])?;
            user.row = connection.last_insert_rowid();
            let names = user.sign_in_names(&pool.settings).into_iter().collect();
            add_names(connection, &pool.settings, &user, &names, conflict, Claim::New)?;
            add_searchable(connection, &user, &searchable(&user))?;
            Ok(user)
        })
        .await
    }

    /// The user whom a name finds: the name itself, an address, number or alias that counts as one, or the sub.
    pub async fn find_user(&self, pool: &Pool, name: &str) -> Result<Option<User>, Error> {
        let (id, folded, sub) = (pool.id.0.clone(), pool.settings.fold(name), name.to_owned());
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT {USER_COLUMNS} FROM users WHERE row = (
                     SELECT user FROM names WHERE pool = ?1 AND name = ?2
                         AND kind IN ('username', 'email', 'phone_number', 'preferred_username')
                     ORDER BY kind = 'username' DESC LIMIT 1)"
            ))?;
            let found = query.query_row(params![id, folded], read_user).optional()?;
            if found.is_some() {
                return Ok(found);
            }
            Ok(by_sub(connection, &id, &sub)?)
        })
        .await
    }

    /// The user of a sub.
    pub async fn user(&self, pool: &PoolId, sub: &Sub) -> Result<Option<User>, Error> {
        let (pool, sub) = (pool.0.clone(), sub.0.clone());
        self.read(move |connection| Ok(by_sub(connection, &pool, &sub)?)).await
    }

    /// Changes a user as they are at that moment, and their names with them. What `change` refuses changes nothing.
    pub async fn update_user<T: Send + 'static>(
        &self,
        pool: &Arc<Pool>,
        sub: &Sub,
        conflict: AliasConflict,
        change: impl FnOnce(&mut User) -> Result<T, Error> + Send + 'static,
    ) -> Result<(User, T), Error> {
        let (pool, sub) = (Arc::clone(pool), sub.clone());
        self.write(move |connection| {
            let mut user = by_sub(connection, &pool.id.0, &sub.0)?.ok_or_else(Error::no_such_user)?;
            let old_names: BTreeSet<_> = user.sign_in_names(&pool.settings).into_iter().collect();
            let old_searchable = searchable(&user);
            let result = change(&mut user)?;
            save_user(connection, &user)?;

            let names: BTreeSet<_> = user.sign_in_names(&pool.settings).into_iter().collect();
            for (kind, name) in old_names.difference(&names) {
                let mut delete =
                    connection.prepare_cached("DELETE FROM names WHERE pool = ?1 AND kind = ?2 AND name = ?3")?;
                delete.execute(params![user.pool.0, kind, name])?;
            }
            let added = names.difference(&old_names).cloned().collect();
            add_names(connection, &pool.settings, &user, &added, conflict, Claim::Change)?;

            let searchable = searchable(&user);
            for (attribute, value) in old_searchable.difference(&searchable) {
                let mut delete = connection.prepare_cached(
                    "DELETE FROM searchable WHERE pool = ?1 AND attribute = ?2 AND value = ?3 AND user = ?4",
                )?;
                delete.execute(params![user.pool.0, attribute, value, user.row])?;
            }
            add_searchable(connection, &user, &searchable.difference(&old_searchable).cloned().collect())?;
            Ok((user, result))
        })
        .await
    }

    /// Deletes a user with all their names; whether there was one.
    pub async fn delete_user(&self, pool: &PoolId, sub: &Sub) -> Result<bool, Error> {
        let (pool, sub) = (pool.0.clone(), sub.0.clone());
        self.write(move |connection| {
            let mut delete = connection.prepare_cached("DELETE FROM users WHERE pool = ?1 AND sub = ?2")?;
            Ok(delete.execute([pool, sub])? > 0)
        })
        .await
    }

    /// Up to `limit` users behind `after`, with where the last of them stands.
    pub async fn list_users(
        &self,
        pool: &PoolId,
        search: Search,
        after: After,
        limit: usize,
    ) -> Result<Vec<(User, After)>, Error> {
        let pool = pool.0.clone();
        self.read(move |connection| Ok(list(connection, &pool, &search, &after, limit)?)).await
    }

    /// How many users a pool has, for `DescribeUserPool`'s estimate.
    pub async fn count_users(&self, pool: &PoolId) -> Result<u64, Error> {
        let pool = pool.0.clone();
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT count(*) FROM users WHERE pool = ?1")?;
            Ok(query.query_row([pool], |row| row.get(0))?)
        })
        .await
    }

    /// Revokes what descends from one sign-in; forgets revocations that have outlived their tokens.
    pub async fn revoke(
        &self,
        pool: &PoolId,
        origin_jti: &str,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (pool, origin_jti) = (pool.0.clone(), origin_jti.to_owned());
        self.write(move |connection| {
            let mut forget = connection.prepare_cached("DELETE FROM revoked WHERE pool = ?1 AND expires < ?2")?;
            forget.execute(params![pool, now.millis()])?;
            let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO revoked VALUES (?1, ?2, ?3)")?;
            insert.execute(params![pool, origin_jti, expires.millis()])?;
            Ok(())
        })
        .await
    }

    /// Whether a sign-in was revoked.
    pub async fn is_revoked(&self, pool: &PoolId, origin_jti: &str) -> Result<bool, Error> {
        let (pool, origin_jti) = (pool.0.clone(), origin_jti.to_owned());
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT 1 FROM revoked WHERE pool = ?1 AND origin_jti = ?2")?;
            Ok(query.exists([pool, origin_jti])?)
        })
        .await
    }

    /// Forgets every pool.
    pub async fn clear(&self) -> Result<(), Error> {
        self.write(|connection| Ok(connection.execute_batch("DELETE FROM pools")?)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        self.database.read(query).await.map_err(|Failure(error)| error)
    }

    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        self.database.write(change).await.map_err(|Failure(error)| error)
    }
}

/// Lets `?` work on both SQL's errors and the engine's inside a transaction.
struct Failure(Error);

impl<E: IntoFailure> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into_failure())
    }
}

trait IntoFailure {
    fn into_failure(self) -> Error;
}

impl IntoFailure for rusqlite::Error {
    fn into_failure(self) -> Error {
        Error::Internal(self.into())
    }
}

impl IntoFailure for StorageError {
    fn into_failure(self) -> Error {
        Error::Internal(self)
    }
}

impl IntoFailure for Error {
    fn into_failure(self) -> Error {
        self
    }
}

/// Whether names are claimed by a new user or by one who changes them: refusals are worded differently.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    New,
    Change,
}

type Names = BTreeSet<(&'static str, String)>;

fn add_names(
    connection: &Connection,
    settings: &Settings,
    user: &User,
    names: &Names,
    conflict: AliasConflict,
    claim: Claim,
) -> Result<(), Failure> {
    for (kind, name) in names {
        let holder = "SELECT user FROM names WHERE pool = ?1 AND kind = ?2 AND name = ?3";
        let holder: Option<i64> = connection
            .prepare_cached(holder)?
            .query_row(params![user.pool.0, kind, name], |row| row.get(0))
            .optional()?;
        if let Some(holder) = holder {
            let is_alias = *kind != "username" && !settings.has_username_attribute(kind);
            let can_move = is_alias && *kind != "preferred_username"; // which nothing verifies
            match (*kind, conflict) {
                ("username", _) => return Err(Error::UsernameExists("User already exists".into()).into()),
                (_, AliasConflict::Move) if can_move => take_alias(connection, settings, holder, kind, name)?,
                _ if claim == Claim::New && !is_alias => return Err(Error::name_taken(kind).into()),
                _ => return Err(Error::alias_taken(kind).into()),
            }
        }
        let mut insert = connection.prepare_cached("INSERT INTO names VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![user.pool.0, kind, name, user.row])?;
    }
    Ok(())
}

/// Takes an alias from its holder, whose attribute counts as unverified from now on.
fn take_alias(
    connection: &Connection,
    settings: &Settings,
    holder: i64,
    kind: &str,
    name: &str,
) -> Result<(), Failure> {
    let sql = format!("SELECT {USER_COLUMNS} FROM users WHERE row = ?1");
    let mut holder = connection.prepare_cached(&sql)?.query_row([holder], read_user)?;
    holder.attributes.set(&format!("{kind}_verified"), "false");
    save_user(connection, &holder)?;
    debug_assert!(!holder.sign_in_names(settings).iter().any(|(k, n)| *k == kind && n == name));
    let mut delete = connection.prepare_cached("DELETE FROM names WHERE pool = ?1 AND kind = ?2 AND name = ?3")?;
    delete.execute(params![holder.pool.0, kind, name])?;
    Ok(())
}

fn searchable(user: &User) -> Names {
    let value = |name: &&'static str| Some((*name, user.attributes.get(name)?.to_lowercase()));
    SEARCHABLE.iter().filter_map(value).collect()
}

fn add_searchable(connection: &Connection, user: &User, entries: &Names) -> Result<(), Failure> {
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO searchable VALUES (?1, ?2, ?3, ?4)")?;
    for (attribute, value) in entries {
        insert.execute(params![user.pool.0, attribute, value, user.row])?;
    }
    Ok(())
}

fn save_user(connection: &Connection, user: &User) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "UPDATE users SET status = ?2, enabled = ?3, attributes = ?4, salt = ?5, verifier = ?6,
                 temporary_password_until = ?7, codes = ?8, sign_outs = ?9, modified = ?10, attempts = ?11
             WHERE row = ?1",
        )?
        .execute(params![
            user.row,
            user.status.as_str(),
            user.enabled,
            to_json(&user.attributes),
            user.verifier.as_ref().map(|verifier| verifier.salt),
            user.verifier.as_ref().map(|verifier| &verifier.v[..]),
            user.temporary_password_until.map(Timestamp::millis),
            to_json(&user.codes),
            user.sign_outs,
            user.modified.millis(),
            to_json(&user.attempts)
        ])?;
    Ok(())
}

fn by_sub(connection: &Connection, pool: &str, sub: &str) -> Result<Option<User>, rusqlite::Error> {
    let sql = format!("SELECT {USER_COLUMNS} FROM users WHERE pool = ?1 AND sub = ?2");
    connection.prepare_cached(&sql)?.query_row([pool, sub], read_user).optional()
}

fn list(
    connection: &Connection,
    pool: &str,
    search: &Search,
    after: &After,
    limit: usize,
) -> Result<Vec<(User, After)>, rusqlite::Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let columns = "u.row, u.pool, u.sub, u.username, u.status, u.enabled, u.attributes, u.salt, u.verifier, \
        u.temporary_password_until, u.codes, u.sign_outs, u.created, u.modified, u.attempts";
    if let Search::Attribute { name, value, prefix } = search {
        let value = value.to_lowercase();
        let mut query = connection.prepare_cached(&format!(
            "SELECT {columns}, s.value FROM searchable s JOIN users u ON u.row = s.user
             WHERE s.pool = ?1 AND s.attribute = ?2 AND s.value >= ?3 AND s.value < ?4
                 AND (s.value, s.user) > (?5, ?6) ORDER BY s.value, s.user LIMIT ?7"
        ))?;
        let end = if *prefix { format!("{value}\u{10FFFF}") } else { format!("{value}\0") };
        let rows = query.query_map(params![pool, name, value, end, after.value, after.row, limit], |row| {
            let user = read_user(row)?;
            let after = After { value: row.get("value")?, row: user.row };
            Ok((user, after))
        })?;
        return rows.collect();
    }
    let (condition, value) = match search {
        Search::All | Search::Attribute { .. } => ("TRUE", String::new()),
        // By its name in the index: a user's own name is stored as it is compared.
        Search::Username { value, prefix: false } => {
            ("u.row IN (SELECT user FROM names WHERE pool = ?1 AND kind = 'username' AND name = ?4)", value.clone())
        }
        Search::Username { value, prefix: true } => ("substr(u.username, 1, length(?4)) = ?4", value.clone()),
        Search::Sub { value, prefix: false } => ("u.sub = ?4", value.clone()),
        Search::Sub { value, prefix: true } => ("substr(u.sub, 1, length(?4)) = ?4", value.clone()),
        Search::Status { value, prefix: false } => ("u.status = ?4", value.to_uppercase()),
        Search::Status { value, prefix: true } => ("substr(u.status, 1, length(?4)) = ?4", value.to_uppercase()),
        Search::Enabled(enabled) => ("u.enabled = (?4 = 'true')", enabled.to_string()),
        Search::Nobody => return Ok(Vec::new()),
    };
    let mut query = connection.prepare_cached(&format!(
        "SELECT {columns} FROM users u WHERE u.pool = ?1 AND u.row > ?2 AND {condition} AND ?4 IS NOT NULL
         ORDER BY u.row LIMIT ?3"
    ))?;
    let rows = query.query_map(params![pool, after.row, limit, value], |row| {
        let user = read_user(row)?;
        let after = After { value: String::new(), row: user.row };
        Ok((user, after))
    })?;
    rows.collect()
}

fn read_pool(row: &Row<'_>) -> Result<Pool, rusqlite::Error> {
    Ok(Pool {
        id: PoolId(row.get(0)?),
        arn: row.get(1)?,
        settings: from_json(row, 2)?,
        secret: row.get(3)?,
        created: Timestamp::from_millis(row.get(4)?),
        modified: Timestamp::from_millis(row.get(5)?),
    })
}

fn read_client(row: &Row<'_>) -> Result<Client, rusqlite::Error> {
    Ok(Client {
        id: ClientId(row.get(0)?),
        pool: PoolId(row.get(1)?),
        secret: row.get(2)?,
        settings: from_json(row, 3)?,
        created: Timestamp::from_millis(row.get(4)?),
        modified: Timestamp::from_millis(row.get(5)?),
    })
}

/// In the order of [`USER_COLUMNS`].
fn read_user(row: &Row<'_>) -> Result<User, rusqlite::Error> {
    let status: String = row.get(4)?;
    let (salt, verifier): (Option<[u8; 16]>, Option<Vec<u8>>) = (row.get(7)?, row.get(8)?);
    Ok(User {
        row: row.get(0)?,
        pool: PoolId(row.get(1)?),
        sub: Sub(row.get(2)?),
        username: row.get(3)?,
        status: Status::from_name(&status).ok_or_else(|| damaged(4, format!("no status: {status}")))?,
        enabled: row.get(5)?,
        attributes: from_json(row, 6)?,
        verifier: salt.zip(verifier).map(|(salt, v)| Verifier { salt, v: v.into() }),
        temporary_password_until: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_millis),
        codes: from_json(row, 10)?,
        sign_outs: row.get(11)?,
        created: Timestamp::from_millis(row.get(12)?),
        modified: Timestamp::from_millis(row.get(13)?),
        attempts: from_json(row, 14)?,
    })
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default() // plain structs with text keys: nothing in them can fail
}

fn from_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, rusqlite::Error> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| damaged(column, error.to_string()))
}

fn damaged(column: usize, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, what.into())
}
