//! Declarations in SQL: a document each.

use rusqlite::{Connection, OptionalExtension, Row, params};
use world::Timestamp;

use super::search::After;
use super::{Failure, Store, from_json, to_json};
use crate::Error;
use crate::declared::{Declared, Document, Domain};
use crate::pool::PoolId;

const COLUMNS: &str = "pool, name, document, created, modified";

impl Store {
    /// Stores something new; a name that another one has is an error.
    pub async fn declare<D: Document>(&self, declared: Declared<D>) -> Result<(), Error> {
        self.write(move |connection| insert(connection, &declared)).await
    }

    /// Stores a new domain: no two pools have the same, and a pool has one of each sort.
    pub async fn declare_domain(&self, domain: Declared<Domain>) -> Result<(), Error> {
        self.write(move |connection| {
            if find_domain(connection, &domain.name)?.is_some() {
                return Err(Domain::taken(&domain.name, &domain.pool).into());
            }
            let is_custom = domain.document.is_custom();
            if domains(connection, &domain.pool)?.iter().any(|other| other.document.is_custom() == is_custom) {
                return Err(Error::InvalidParameter("User pool already has a domain configured.".into()).into());
            }
            insert(connection, &domain)
        })
        .await
    }

    /// Something that was declared, if it was.
    pub async fn find_declared<D: Document>(&self, pool: &PoolId, name: &str) -> Result<Option<Declared<D>>, Error> {
        let (pool, name) = (pool.clone(), name.to_owned());
        self.read(move |connection| Ok(find(connection, &pool, &name)?)).await
    }

    /// Something that was declared.
    pub async fn declared<D: Document>(&self, pool: &PoolId, name: &str) -> Result<Declared<D>, Error> {
        self.find_declared(pool, name).await?.ok_or_else(|| D::missing(name))
    }

    /// Changes what was declared, as it is at that moment.
    pub async fn redeclare<D: Document>(
        &self,
        pool: &PoolId,
        name: &str,
        now: Timestamp,
        change: impl FnOnce(&mut D) -> Result<(), Error> + Send + 'static,
    ) -> Result<Declared<D>, Error> {
        let (pool, name) = (pool.clone(), name.to_owned());
        self.write(move |connection| {
            let mut declared: Declared<D> = find(connection, &pool, &name)?.ok_or_else(|| D::missing(&name))?;
            change(&mut declared.document)?;
            declared.modified = now;
            save(connection, &declared)?;
            Ok(declared)
        })
        .await
    }

    /// Stores something in place of what was declared before, if it was.
    pub async fn replace_declared<D: Document>(
        &self,
        pool: &PoolId,
        name: &str,
        document: D,
        now: Timestamp,
    ) -> Result<Declared<D>, Error> {
        let declared = Declared { pool: pool.clone(), name: name.to_owned(), document, created: now, modified: now };
        self.write(move |connection| {
            let before: Option<Declared<D>> = find(connection, &declared.pool, &declared.name)?;
            let created = before.map_or(declared.created, |before| before.created);
            let declared = Declared { created, ..declared };
            save(connection, &declared)?;
            Ok(declared)
        })
        .await
    }

    /// Takes a declaration back.
    pub async fn undeclare<D: Document>(&self, pool: &PoolId, name: &str) -> Result<(), Error> {
        let sql = "DELETE FROM declared WHERE pool = ?1 AND kind = ?2 AND name = ?3";
        let deleted = self.execute(sql, (pool.0.clone(), D::KIND, name.to_owned())).await?;
        if deleted > 0 { Ok(()) } else { Err(D::missing(name)) }
    }

    /// Up to `limit` declarations of a kind behind `after`, by name.
    pub async fn list_declared<D: Document>(
        &self,
        pool: &PoolId,
        after: After,
        limit: usize,
    ) -> Result<Vec<(Declared<D>, After)>, Error> {
        let pool = pool.0.clone();
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM declared WHERE pool = ?1 AND kind = ?2 AND name > ?3 ORDER BY name LIMIT ?4"
            ))?;
            let found = query.query_map(params![pool, D::KIND, after.value, limit], read)?;
            let with_its_place = |declared: Declared<D>| {
                let after = After { value: declared.name.clone(), row: 0 };
                (declared, after)
            };
            Ok(found.map(|declared| declared.map(with_its_place)).collect::<Result<_, _>>()?)
        })
        .await
    }

    /// A domain of any pool.
    pub async fn domain(&self, name: &str) -> Result<Option<Declared<Domain>>, Error> {
        let name = name.to_owned();
        self.read(move |connection| Ok(find_domain(connection, &name)?)).await
    }

    /// The domains of a pool: a prefix and a custom one, if it has them.
    pub async fn domains_of(&self, pool: &PoolId) -> Result<Vec<Declared<Domain>>, Error> {
        let pool = pool.clone();
        self.read(move |connection| Ok(domains(connection, &pool)?)).await
    }
}

fn insert<D: Document>(connection: &Connection, declared: &Declared<D>) -> Result<(), Failure> {
    if find::<D>(connection, &declared.pool, &declared.name)?.is_some() {
        return Err(D::taken(&declared.name, &declared.pool).into());
    }
    let mut count = connection.prepare_cached("SELECT count(*) FROM declared WHERE pool = ?1 AND kind = ?2")?;
    let count: usize = count.query_row([&*declared.pool.0, D::KIND], |row| row.get(0))?;
    if count >= D::MOST {
        return Err(Error::too_many(D::PLURAL, D::MOST).into());
    }
    Ok(save(connection, declared)?)
}

pub(super) fn save<D: Document>(connection: &Connection, declared: &Declared<D>) -> Result<(), rusqlite::Error> {
    let mut save = connection.prepare_cached(
        "INSERT INTO declared (pool, kind, name, document, created, modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET document = ?4, modified = ?6",
    )?;
    let Declared { pool, name, document, created, modified } = declared;
    save.execute(params![pool.0, D::KIND, name, to_json(document), created.millis(), modified.millis()])?;
    Ok(())
}

pub(super) fn find<D: Document>(
    connection: &Connection,
    pool: &PoolId,
    name: &str,
) -> Result<Option<Declared<D>>, rusqlite::Error> {
    let sql = format!("SELECT {COLUMNS} FROM declared WHERE pool = ?1 AND kind = ?2 AND name = ?3");
    connection.prepare_cached(&sql)?.query_row([&*pool.0, D::KIND, name], read).optional()
}

fn find_domain(connection: &Connection, name: &str) -> Result<Option<Declared<Domain>>, rusqlite::Error> {
    let sql = format!("SELECT {COLUMNS} FROM declared WHERE kind = 'domain' AND name = ?1");
    connection.prepare_cached(&sql)?.query_row([name], read).optional()
}

fn domains(connection: &Connection, pool: &PoolId) -> Result<Vec<Declared<Domain>>, rusqlite::Error> {
    let sql = format!("SELECT {COLUMNS} FROM declared WHERE pool = ?1 AND kind = ?2 ORDER BY name");
    connection.prepare_cached(&sql)?.query_map([&*pool.0, Domain::KIND], read)?.collect()
}

/// In the order of [`COLUMNS`].
fn read<D: Document>(row: &Row<'_>) -> Result<Declared<D>, rusqlite::Error> {
    Ok(Declared {
        pool: PoolId(row.get(0)?),
        name: row.get(1)?,
        document: from_json(row, 2)?,
        created: Timestamp::from_millis(row.get(3)?),
        modified: Timestamp::from_millis(row.get(4)?),
    })
}
