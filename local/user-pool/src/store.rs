//! The pools' file. The only place of this room that knows SQL.
//!
//! `names` holds what finds a user at sign-in, each name once per pool and kind: it is what makes names unique.
//! `searchable` holds what `ListUsers` filters by, so that a search costs the same at a thousand users and at a
//! hundred thousand.

mod declared;
mod groups;
mod import;
mod recent;
mod search;

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use storage::{Database, Durability, Location, StorageError};
use world::Timestamp;

use crate::Error;
use crate::client::{Client, ClientId};
use crate::owed::Owed;
use crate::pool::{Pool, PoolId, Settings};
use crate::srp::Verifier;
use crate::user::{Status, Sub, User};
use recent::Recent;
pub use search::{After, Listed, SEARCHABLE, Search};

const SCHEMA: &[&str] = &[
    "
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
",
    "
    CREATE TABLE owed (
        id INTEGER PRIMARY KEY, user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, document TEXT NOT NULL);
    CREATE INDEX owed_by_user ON owed (user);
",
    // The filters `cognito:user_status` and `status` of `ListUsers`. Few users are disabled.
    "
    CREATE INDEX users_by_status ON users (pool, status, row);
    CREATE INDEX users_disabled ON users (pool) WHERE enabled = 0;
",
    "
    CREATE TABLE user_groups (
        row INTEGER PRIMARY KEY, pool TEXT NOT NULL REFERENCES pools ON DELETE CASCADE, name TEXT NOT NULL,
        description TEXT, role_arn TEXT, precedence INTEGER, created INTEGER NOT NULL, modified INTEGER NOT NULL,
        UNIQUE (pool, name));
    CREATE TABLE members (
        user_group INTEGER NOT NULL REFERENCES user_groups ON DELETE CASCADE,
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, PRIMARY KEY (user_group, user)) WITHOUT ROWID;
    CREATE INDEX members_by_user ON members (user);
    CREATE TABLE declared (
        pool TEXT NOT NULL REFERENCES pools ON DELETE CASCADE, kind TEXT NOT NULL, name TEXT NOT NULL,
        document TEXT NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
        PRIMARY KEY (pool, kind, name)) WITHOUT ROWID;
    CREATE UNIQUE INDEX declared_domains ON declared (name) WHERE kind = 'domain';
",
    // Files of jobs that have not ended.
    "
    CREATE TABLE import_files (
        pool TEXT NOT NULL REFERENCES pools ON DELETE CASCADE, job TEXT NOT NULL, content BLOB NOT NULL,
        PRIMARY KEY (pool, job));
",
];

const USER_COLUMNS: &str = "row, pool, sub, username, status, enabled, attributes, salt, verifier, \
    temporary_password_until, codes, sign_outs, created, modified, attempts";

/// Behind the columns of a user and the number of what they are owed.
const OWED_DOCUMENT: usize = 16;

/// What to do when somebody else has an alias that a user is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasConflict {
    /// Say so.
    Refuse,
    /// Take it from them; theirs counts as unverified then (`ForceAliasCreation`).
    Move,
}

/// The file.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    users: Arc<Recent<(PoolId, Sub), Option<User>>>,
    revoked: Arc<Recent<(PoolId, String), bool>>,
}

impl Store {
    /// Opens the file, or makes it.
    pub fn open(location: Location, durability: Durability) -> Result<Self, StorageError> {
        let database = Database::open(location, durability, SCHEMA)?;
        Ok(Self { database, users: Arc::default(), revoked: Arc::default() })
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
        let sql = "INSERT INTO pools (id, arn, settings, secret, created, modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT (id) DO UPDATE SET settings = ?3, modified = ?6";
        let Pool { id, arn, settings, secret, created, modified } = pool.clone();
        self.execute(sql, (id.0, arn, to_json(&settings), secret, created.millis(), modified.millis())).await.map(drop)
    }

    /// Deletes a pool with everything in it.
    pub async fn delete_pool(&self, id: &PoolId) -> Result<(), Error> {
        self.execute("DELETE FROM pools WHERE id = ?1", (id.0.clone(),)).await.map(drop)
    }

    /// Stores a client, new or changed.
    pub async fn save_client(&self, client: &Client) -> Result<(), Error> {
        let sql = "INSERT INTO clients (id, pool, secret, settings, created, modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT (id) DO UPDATE SET secret = ?3, settings = ?4, modified = ?6";
        let Client { id, pool, secret, settings, created, modified } = client.clone();
        let values = (id.0, pool.0, secret, to_json(&settings), created.millis(), modified.millis());
        self.execute(sql, values).await.map(drop)
    }

    /// Deletes a client.
    pub async fn delete_client(&self, id: &ClientId) -> Result<(), Error> {
        self.execute("DELETE FROM clients WHERE id = ?1", (id.0.clone(),)).await.map(drop)
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
            insert(connection, &pool, &mut user, conflict)?;
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
        let (asked, commits) = ((pool.clone(), sub.clone()), self.database.commits());
        if let Some(user) = self.users.get(&asked, commits) {
            return Ok(user);
        }
        let (pool, sub) = asked.clone();
        let user = self.read(move |connection| Ok(by_sub(connection, &pool.0, &sub.0)?)).await?;
        self.users.keep(asked, user.clone(), commits);
        Ok(user)
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
            add_owed(connection, &mut user)?;

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
        let sql = "DELETE FROM users WHERE pool = ?1 AND sub = ?2";
        Ok(self.execute(sql, (pool.0.clone(), sub.0.clone())).await? > 0)
    }

    /// Up to `limit` users behind `after`, with where each stands.
    pub async fn list_users(
        &self,
        pool: &PoolId,
        search: Search,
        after: After,
        limit: usize,
    ) -> Result<Vec<(Listed, After)>, Error> {
        let pool = pool.0.clone();
        self.read(move |connection| Ok(search::list(connection, &pool, &search, &after, limit)?)).await
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
        let (asked, commits) = ((pool.clone(), origin_jti.to_owned()), self.database.commits());
        if let Some(is_revoked) = self.revoked.get(&asked, commits) {
            return Ok(is_revoked);
        }
        let (pool, origin_jti) = asked.clone();
        let is_revoked = self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT 1 FROM revoked WHERE pool = ?1 AND origin_jti = ?2")?;
            Ok(query.exists([pool.0, origin_jti])?)
        });
        let is_revoked = is_revoked.await?;
        self.revoked.keep(asked, is_revoked, commits);
        Ok(is_revoked)
    }

    /// The triggers that changes owe and that have not had their turn, oldest first.
    pub async fn owed(&self) -> Result<Vec<(User, Owed)>, Error> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT {USER_COLUMNS}, id, document FROM owed JOIN users ON users.row = owed.user ORDER BY id"
            ))?;
            let rows = query.query_map([], |row| {
                let mut owed: Owed = from_json(row, OWED_DOCUMENT)?;
                owed.id = row.get("id")?;
                Ok((read_user(row)?, owed))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// A trigger has had its turn.
    pub async fn forget_owed(&self, id: i64) -> Result<(), Error> {
        self.write(move |connection| {
            connection.prepare_cached("DELETE FROM owed WHERE id = ?1")?.execute([id])?;
            Ok(())
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

    /// One statement as a change of its own; how many rows it changed.
    async fn execute(&self, sql: &'static str, values: impl Params + Send + 'static) -> Result<usize, Error> {
        self.write(move |connection| Ok(connection.prepare_cached(sql)?.execute(values)?)).await
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

/// Stores a new user with their names and what they are owed.
fn insert(connection: &Connection, pool: &Pool, user: &mut User, conflict: AliasConflict) -> Result<(), Failure> {
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
    add_names(connection, &pool.settings, user, &names, conflict, Claim::New)?;
    add_searchable(connection, user, &searchable(user))?;
    add_owed(connection, user)
}

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

/// What a change owes is stored with it.
fn add_owed(connection: &Connection, user: &mut User) -> Result<(), Failure> {
    let Some(owed) = &mut user.owed else { return Ok(()) };
    let mut insert = connection.prepare_cached("INSERT INTO owed (user, document) VALUES (?1, ?2)")?;
    insert.execute(params![user.row, to_json(owed)])?;
    owed.id = connection.last_insert_rowid();
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
    let (salt, verifier): (Option<[u8; 16]>, Option<Vec<u8>>) = (row.get(7)?, row.get(8)?);
    Ok(User {
        row: row.get(0)?,
        pool: PoolId(row.get(1)?),
        sub: Sub(row.get(2)?),
        username: row.get(3)?,
        status: read_status(row, 4)?,
        enabled: row.get(5)?,
        attributes: from_json(row, 6)?,
        verifier: salt.zip(verifier).map(|(salt, v)| Verifier { salt, v: v.into() }),
        temporary_password_until: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_millis),
        codes: from_json(row, 10)?,
        sign_outs: row.get(11)?,
        created: Timestamp::from_millis(row.get(12)?),
        modified: Timestamp::from_millis(row.get(13)?),
        attempts: from_json(row, 14)?,
        owed: None,
    })
}

fn read_status(row: &Row<'_>, column: usize) -> Result<Status, rusqlite::Error> {
    let name: String = row.get(column)?;
    Status::from_name(&name).ok_or_else(|| damaged(column, format!("no status: {name}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_of_any_earlier_version_is_brought_up_to_date() {
        for version in 1..SCHEMA.len() {
            let directory = tempfile::tempdir().expect("a directory");
            let file = Location::File(directory.path().join("pools.db"));
            let old = Database::open(file.clone(), Durability::default(), &SCHEMA[..version]).expect("it is made");
            let insert = "INSERT INTO pools VALUES ('r_1', 'arn', '{}', zeroblob(32), 0, 0)";
            old.write(move |connection| connection.execute(insert, []).map_err(StorageError::from))
                .await
                .expect("kept");
            drop(old);
            let store = Store::open(file, Durability::default()).expect("it is opened");
            let (pools, _) = store.pools_and_clients().await.expect("they are read");
            assert_eq!(pools.len(), 1, "{version}");
            assert!(store.list_groups(&pools[0].id, After::default(), 1).await.expect("they are read").is_empty());
        }
    }
}
