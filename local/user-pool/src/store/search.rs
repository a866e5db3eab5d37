//! `ListUsers` in SQL: every filter is a range of an index, and a page begins behind the last entry of the page before,
//! so that both cost the same at a thousand users and at a hundred thousand.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use world::Timestamp;

use super::{from_json, read_status};
use crate::attributes::Attributes;
use crate::user::{Status, Sub, User};

/// What `ListUsers` can filter by, beside the columns of `users` itself.
pub const SEARCHABLE: &[&str] = &["email", "phone_number", "name", "given_name", "family_name", "preferred_username"];

/// What `ListUsers` looks for.
#[derive(Clone, Debug)]
pub enum Search {
    /// Everybody.
    All,
    /// One of [`SEARCHABLE`], compared without case; a prefix or the whole.
    Attribute { name: &'static str, value: String, prefix: bool },
    /// `username`, compared letter by letter.
    Username { value: String, prefix: bool },
    /// `sub`.
    Sub { value: String, prefix: bool },
    /// `cognito:user_status`: one of these.
    Status(Vec<Status>),
    /// `status`.
    Enabled(bool),
    /// A value that nobody can have.
    Nobody,
}

/// Where the next page begins: behind this value (of what is searched by) and this row.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct After {
    pub value: String,
    pub row: i64,
}

/// A user as a list shows them: without what only a sign-in needs.
#[derive(Clone, Debug)]
pub struct Listed {
    pub sub: Sub,
    pub username: String,
    pub status: Status,
    pub enabled: bool,
    pub attributes: Attributes,
    pub created: Timestamp,
    pub modified: Timestamp,
}

impl From<User> for Listed {
    fn from(user: User) -> Self {
        let User { sub, username, status, enabled, attributes, created, modified, .. } = user;
        Self { sub, username, status, enabled, attributes, created, modified }
    }
}

/// Up to `limit` users behind `after`, with where each stands.
pub fn list(
    connection: &Connection,
    pool: &str,
    search: &Search,
    after: &After,
    limit: usize,
) -> Result<Vec<(Listed, After)>, rusqlite::Error> {
    let mut found = Vec::new();
    for Query { sql, values, row } in queries(search, after) {
        let left = i64::try_from(limit - found.len()).unwrap_or(i64::MAX);
        let known = [Value::from(pool.to_owned()), left.into(), row.into()];
        let mut statement = connection.prepare_cached(&sql)?;
        for entry in statement.query_map(params_from_iter(known.into_iter().chain(values)), read)? {
            found.push(entry?);
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// Up to `limit` members of a group behind `after`, in the order of their rows.
pub fn members(
    connection: &Connection,
    group: i64,
    after: &After,
    limit: usize,
) -> Result<Vec<(Listed, After)>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, '' FROM members m CROSS JOIN users u ON u.row = m.user
         WHERE m.user_group = ?1 AND m.user > ?2 ORDER BY m.user LIMIT ?3"
    ))?;
    statement.query_map(rusqlite::params![group, after.row, limit], read)?.collect()
}

/// A statement and its parameters from the fourth on; before them come the pool, the limit and the row to begin behind.
struct Query {
    sql: String,
    values: Vec<Value>,
    row: i64,
}

/// Where a key stands: the tables, what narrows them down to a range of one index, the key and its row.
struct Source {
    tables: &'static str,
    scope: String,
    key: &'static str,
    row: &'static str,
}

/// One after the other: several states are several ranges.
fn queries(search: &Search, after: &After) -> Vec<Query> {
    // CROSS JOIN: SQLite keeps the order of the tables, and with it the index.
    match search {
        Search::Nobody => Vec::new(),
        Search::All => vec![by_row("u.pool = ?1", "", after.row)],
        Search::Enabled(true) => vec![by_row("u.pool = ?1 AND u.enabled <> 0", "", after.row)],
        // In the words of the index's own condition.
        Search::Enabled(false) => vec![by_row("u.pool = ?1 AND u.enabled = 0", "", after.row)],
        Search::Status(statuses) => {
            let mut names: Vec<_> = statuses.iter().map(|status| status.as_str()).collect();
            names.sort_unstable();
            let open = names.into_iter().filter(|name| *name >= after.value.as_str());
            let query = |name: &str| {
                let row = if name == after.value { after.row } else { 0 };
                by_row("u.pool = ?1 AND u.status = ?4", name, row)
            };
            open.map(query).collect()
        }
        Search::Attribute { name, value, prefix } => {
            let tables = "searchable s CROSS JOIN users u ON u.row = s.user";
            let scope = format!("s.pool = ?1 AND s.attribute = '{name}'");
            vec![Source { tables, scope, key: "s.value", row: "s.user" }.range(&value.to_lowercase(), *prefix, after)]
        }
        // By its name in the index: a user's own name is stored as it is compared.
        Search::Username { value, prefix } => {
            let tables = "names n CROSS JOIN users u ON u.row = n.user";
            let scope = "n.pool = ?1 AND n.kind = 'username'".into();
            vec![Source { tables, scope, key: "n.name", row: "n.user" }.range(value, *prefix, after)]
        }
        Search::Sub { value, prefix } => {
            let source = Source { tables: "users u", scope: "u.pool = ?1".into(), key: "u.sub", row: "u.row" };
            vec![source.range(value, *prefix, after)]
        }
    }
}

/// In the order of the rows; the value, if the condition has one, is the same for all.
fn by_row(condition: &str, value: &str, row: i64) -> Query {
    let sql = format!("SELECT {COLUMNS}, ?4 FROM users u WHERE {condition} AND u.row > ?3 ORDER BY u.row LIMIT ?2");
    Query { sql, values: vec![value.to_owned().into()], row }
}

impl Source {
    /// In the order of the key, and of the rows where that is the same.
    fn range(&self, value: &str, prefix: bool, after: &After) -> Query {
        let Self { tables, scope, key, row } = self;
        let sql = format!(
            "SELECT {COLUMNS}, {key} FROM {tables}
             WHERE {scope} AND ({key}, {row}) > (?4, ?3) AND {key} < ?5 ORDER BY {key}, {row} LIMIT ?2"
        );
        let end = if prefix { behind(value) } else { Value::from(format!("{value}\0")) };
        let begin = value.max(&after.value).to_owned(); // rows begin at 1: the very value is behind (value, 0)
        Query { sql, values: vec![begin.into(), end], row: after.row }
    }
}

/// The first text behind all those that begin with `prefix`; in SQLite every BLOB is behind every text.
fn behind(prefix: &str) -> Value {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // The code points of surrogates are none of a character.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            chars.push(next);
            return Value::Text(chars.into_iter().collect());
        }
    }
    Value::Blob(Vec::new())
}

const COLUMNS: &str = "u.row, u.sub, u.username, u.status, u.enabled, u.attributes, u.created, u.modified";

/// In the order of [`COLUMNS`], and the key.
fn read(row: &Row<'_>) -> Result<(Listed, After), rusqlite::Error> {
    let listed = Listed {
        sub: Sub(row.get(1)?),
        username: row.get(2)?,
        status: read_status(row, 3)?,
        enabled: row.get(4)?,
        attributes: from_json(row, 5)?,
        created: Timestamp::from_millis(row.get(6)?),
        modified: Timestamp::from_millis(row.get(7)?),
    };
    Ok((listed, After { value: row.get(8)?, row: row.get(0)? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SCHEMA;

    /// What SQLite will do for a search.
    fn plan(search: &Search) -> Vec<String> {
        let connection = Connection::open_in_memory().expect("a database");
        connection.execute_batch(&SCHEMA.concat()).expect("the schema");
        let query = queries(search, &After::default()).swap_remove(0);
        let explain = format!("EXPLAIN QUERY PLAN {}", query.sql);
        let mut statement = connection.prepare(&explain).expect("it is prepared");
        let unbound = vec![Value::Null; statement.parameter_count()];
        let lines = statement.query_map(params_from_iter(unbound), |row| row.get(3)).expect("a plan");
        lines.collect::<Result<_, _>>().expect("lines")
    }

    #[track_caller]
    fn check(search: &Search, expected: &str) {
        let plan = plan(search);
        assert!(plan[0].starts_with("SEARCH") && plan[0].ends_with(expected), "{search:?}: {plan:?}");
        let joins = plan[1..].iter().all(|line| line == "SEARCH u USING INTEGER PRIMARY KEY (rowid=?)");
        assert!(joins, "{search:?} scans or sorts: {plan:?}");
    }

    #[test]
    fn every_search_is_a_range_of_an_index() {
        let value = || "a".to_owned();
        for prefix in [false, true] {
            for name in SEARCHABLE {
                let by_value = "PRIMARY KEY (pool=? AND attribute=? AND (value,user)>(?,?) AND value<?)";
                check(&Search::Attribute { name, value: value(), prefix }, by_value);
            }
            let by_name = "PRIMARY KEY (pool=? AND kind=? AND (name,user)>(?,?) AND name<?)";
            check(&Search::Username { value: value(), prefix }, by_name);
            check(&Search::Sub { value: value(), prefix }, "(pool=? AND sub>? AND sub<?)");
        }
        check(&Search::Status(vec![Status::Confirmed]), "users_by_status (pool=? AND status=? AND row>?)");
        check(&Search::All, "users_by_pool (pool=? AND row>?)");
        check(&Search::Enabled(true), "users_by_pool (pool=? AND row>?)");
        check(&Search::Enabled(false), "users_disabled (pool=? AND rowid>?)");
    }

    #[test]
    fn a_prefix_ends_before_the_next_text() {
        assert_eq!(behind("an"), Value::Text("ao".into()));
        assert_eq!(behind("a\u{10FFFF}"), Value::Text("b".into()));
        assert_eq!(behind("\u{D7FF}"), Value::Text("\u{E000}".into()));
        assert_eq!(behind("\u{10FFFF}"), Value::Blob(Vec::new()));
        assert_eq!(behind(""), Value::Blob(Vec::new()));
    }
}
