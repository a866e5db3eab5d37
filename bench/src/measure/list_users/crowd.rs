//! A crowd of users, copied from one of them in the pools' file while no server has it: a hundred thousand of them
//! in a few seconds, where the API would work out a hundred thousand passwords.
//!
//! This knows the tables of the user pools, and no more of them than it changes: other columns are copied as they are.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, params};

/// The address of a user by number.
pub fn email(number: u64) -> String {
    format!("user-{number}@example.com")
}

/// Copies the pool's first user until there are as many users as wanted.
pub fn grow(file: &Path, pool: &str, wanted: u64) -> Result<()> {
    let mut connection = Connection::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let transaction = connection.transaction()?;
    let count = "SELECT count(*), min(row), (SELECT max(row) FROM users) FROM users WHERE pool = ?1";
    let (there, first, last): (u64, i64, i64) =
        transaction.query_row(count, [pool], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    transaction.execute_batch("CREATE TEMP TABLE copies AS SELECT 0 AS number, * FROM users WHERE FALSE")?;
    transaction.execute(
        "WITH RECURSIVE numbers (number) AS (SELECT ?1 UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < ?2)
         INSERT INTO copies SELECT number, users.* FROM numbers JOIN users ON users.row = ?3",
        params![there, wanted, first],
    )?;
    // The name is the sub, as where people sign up by address. A sub is random, so its order is not that of the rows.
    transaction.execute(
        "UPDATE copies SET row = ?1 + 1 + number - ?2, sub = lower(hex(randomblob(4)) || '-0000-4000-8000-' || hex(randomblob(6))),
             attributes = json_set(attributes, '$.email', 'user-' || number || '@example.com')",
        params![last, there],
    )?;
    transaction.execute_batch(
        "UPDATE copies SET username = sub;
         ALTER TABLE copies DROP COLUMN number;
         INSERT INTO users SELECT * FROM copies;
         INSERT INTO names SELECT pool, 'username', username, row FROM copies;
         INSERT INTO names SELECT pool, 'email', json_extract(attributes, '$.email'), row FROM copies;
         INSERT INTO searchable SELECT pool, 'email', json_extract(attributes, '$.email'), row FROM copies;
         DROP TABLE copies;",
    )?;
    transaction.commit()?;
    let there: u64 = connection.query_row("SELECT count(*) FROM users WHERE pool = ?1", [pool], |row| row.get(0))?;
    ensure!(there == wanted, "there are {there} users instead of {wanted}");
    Ok(())
}
