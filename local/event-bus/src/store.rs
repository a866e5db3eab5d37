//! The bus's database: the only SQL.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, Row, params};
use serde_json::Value;
use world::{Place, Timestamp};

use crate::archive::{Holdings, Kept};
use crate::book::{Book, Bus, BusSettings, DEFAULT_BUS, Rule, Tags};
use crate::document::{Document, Named};
use crate::error::Error;
use crate::pattern::Pattern;
use crate::replay::{BYTES_PER_STEP_MAX, EVENTS_PER_STEP_MAX, Recorded, Replay};
use crate::schedule::Schedule;
use crate::target::Target;

/// Versions of the schema, oldest first.
pub const SCHEMA: &[&str] = &[
    "
CREATE TABLE revision (n INTEGER NOT NULL) STRICT;
INSERT INTO revision VALUES (0);
CREATE TABLE buses (
    name TEXT PRIMARY KEY,
    description TEXT,
    kms_key_identifier TEXT,
    dead_letter_config TEXT,
    log_config TEXT,
    policy TEXT,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE rules (
    bus TEXT NOT NULL REFERENCES buses ON DELETE CASCADE,
    name TEXT NOT NULL,
    pattern TEXT NOT NULL,
    state TEXT NOT NULL,
    description TEXT,
    role_arn TEXT,
    PRIMARY KEY (bus, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE targets (
    bus TEXT NOT NULL,
    rule TEXT NOT NULL,
    id TEXT NOT NULL,
    position INTEGER NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (bus, rule, id),
    FOREIGN KEY (bus, rule) REFERENCES rules ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE tags (
    arn TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (arn, key)
) STRICT, WITHOUT ROWID;
",
    "
ALTER TABLE rules ADD COLUMN schedule TEXT;
ALTER TABLE rules ADD COLUMN scheduled_at INTEGER NOT NULL DEFAULT 0;
CREATE TABLE firings (
    rule_arn TEXT PRIMARY KEY,
    fired_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE documents (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE archived_events (
    number INTEGER PRIMARY KEY,
    archive TEXT NOT NULL,
    event_id TEXT NOT NULL,
    time INTEGER NOT NULL,
    ingested_at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    event TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX archived_events_by_id ON archived_events (archive, event_id);
CREATE INDEX archived_events_by_time ON archived_events (archive, time, number, ingested_at, size);
",
];

/// How many changes there were.
pub fn revision(connection: &Connection) -> Result<i64, Error> {
    Ok(connection.prepare_cached("SELECT n FROM revision")?.query_row([], |row| row.get(0))?)
}

/// Counts one more.
pub fn next_revision(connection: &Connection) -> Result<i64, Error> {
    let sql = "UPDATE revision SET n = n + 1 RETURNING n";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Everything. The default bus is made if it is not there.
pub fn load(connection: &Connection, place: &Place, now: Timestamp) -> Result<Book, Error> {
    let sql = "INSERT OR IGNORE INTO buses (name, created_at, modified_at) VALUES (?1, ?2, ?2)";
    connection.prepare_cached(sql)?.execute(params![DEFAULT_BUS, now.millis()])?;
    let mut tags = load_tags(connection)?;
    let mut targets = load_targets(connection)?;
    let mut buses = BTreeMap::new();
    let sql = "SELECT name, description, kms_key_identifier, dead_letter_config, log_config, policy, created_at, \
               modified_at FROM buses";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut bus = bus(row, place)?;
        bus.tags = tags.remove(&bus.arn).unwrap_or_default();
        buses.insert(bus.name.clone(), bus);
    }
    let sql = "SELECT bus, name, pattern, state, description, role_arn, schedule, scheduled_at FROM rules \
               ORDER BY bus, name";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut rule = rule(row, place)?;
        rule.tags = tags.remove(&rule.arn).unwrap_or_default();
        rule.targets = targets.remove(&(rule.bus.clone(), rule.name.clone())).unwrap_or_default();
        if let Some(bus) = buses.get_mut(&rule.bus) {
            bus.put_rule(rule);
        }
    }
    let mut book = Book::new(revision(connection)?, buses.into_values());
    book.archives = documents(connection)?;
    book.replays = documents(connection)?;
    book.connections = documents(connection)?;
    book.api_destinations = documents(connection)?;
    Ok(book)
}

fn bus(row: &Row<'_>, place: &Place) -> Result<Bus, Error> {
    let name: String = row.get(0)?;
    let settings = BusSettings {
        description: row.get(1)?,
        kms_key_identifier: row.get(2)?,
        dead_letter_config: json(row.get(3)?)?,
        log_config: json(row.get(4)?)?,
    };
    let mut bus = Bus::new(place, &name, settings, Timestamp::from_millis(row.get(6)?));
    bus.policy = json(row.get(5)?)?;
    bus.modified_at = Timestamp::from_millis(row.get(7)?);
    Ok(bus)
}

fn rule(row: &Row<'_>, place: &Place) -> Result<Rule, Error> {
    let (bus, name, pattern_text): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let pattern_text = Some(pattern_text).filter(|text| !text.is_empty());
    let pattern = pattern_text.as_deref().map(Pattern::compile).transpose();
    let pattern = pattern
        .map_err(|error| Error::Damaged(format!("the stored pattern of rule {name} on {bus} is none: {error}")))?;
    let schedule: Option<String> = row.get(6)?;
    Ok(Rule {
        arn: rule_arn(place, &bus, &name),
        name,
        bus,
        pattern_text,
        pattern,
        schedule: schedule.as_deref().and_then(Schedule::parse),
        scheduled_at: Timestamp::from_millis(row.get(7)?),
        state: row.get(3)?,
        description: row.get(4)?,
        role_arn: row.get(5)?,
        tags: Tags::new(),
        targets: Vec::new(),
    })
}

/// Rules on the default bus do not name it.
pub fn rule_arn(place: &Place, bus: &str, rule: &str) -> String {
    let path = if bus == DEFAULT_BUS { rule.to_owned() } else { format!("{bus}/{rule}") };
    place.arn("events", &format!("rule/{path}"))
}

type TargetsByRule = BTreeMap<(String, String), Vec<Arc<Target>>>;

fn load_targets(connection: &Connection) -> Result<TargetsByRule, Error> {
    let mut targets = TargetsByRule::new();
    let sql = "SELECT bus, rule, target FROM targets ORDER BY bus, rule, position";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let target: String = row.get(2)?;
        let target: Target = serde_json::from_str(&target)
            .map_err(|error| Error::Damaged(format!("a stored target cannot be read: {error}")))?;
        targets.entry((row.get(0)?, row.get(1)?)).or_default().push(Arc::new(target));
    }
    Ok(targets)
}

fn load_tags(connection: &Connection) -> Result<BTreeMap<String, Tags>, Error> {
    let mut tags: BTreeMap<String, Tags> = BTreeMap::new();
    let mut statement = connection.prepare_cached("SELECT arn, key, value FROM tags")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        tags.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
    }
    Ok(tags)
}

fn json(text: Option<String>) -> Result<Option<Value>, Error> {
    let parsed = text.map(|text| serde_json::from_str(&text)).transpose();
    parsed.map_err(|error| Error::Damaged(format!("a stored document cannot be read: {error}")))
}

/// Adds or changes a bus, without its rules and tags.
pub fn put_bus(connection: &Connection, bus: &Bus) -> Result<(), Error> {
    let sql = "INSERT INTO buses VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (name) DO UPDATE SET \
               description = ?2, kms_key_identifier = ?3, dead_letter_config = ?4, log_config = ?5, policy = ?6, \
               modified_at = ?8";
    let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
    connection.prepare_cached(sql)?.execute(params![
        bus.name,
        bus.settings.description,
        bus.settings.kms_key_identifier,
        text(&bus.settings.dead_letter_config),
        text(&bus.settings.log_config),
        text(&bus.policy),
        bus.created_at.millis(),
        bus.modified_at.millis(),
    ])?;
    Ok(())
}

/// Takes out a bus and its tags.
pub fn delete_bus(connection: &Connection, bus: &Bus) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM buses WHERE name = ?1")?.execute([&bus.name])?;
    put_tags(connection, &bus.arn, &Tags::new())
}

/// Adds or changes a rule, without its targets and tags.
pub fn put_rule(connection: &Connection, rule: &Rule) -> Result<(), Error> {
    let sql = "INSERT INTO rules (bus, name, pattern, state, description, role_arn, schedule, scheduled_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (bus, name) DO UPDATE SET pattern = ?3, state = ?4, \
               description = ?5, role_arn = ?6, schedule = ?7, scheduled_at = ?8";
    connection.prepare_cached(sql)?.execute(params![
        rule.bus,
        rule.name,
        rule.pattern_text.as_deref().unwrap_or_default(),
        rule.state,
        rule.description,
        rule.role_arn,
        rule.schedule.as_ref().map(Schedule::text),
        rule.scheduled_at.millis(),
    ])?;
    Ok(())
}

/// Takes out a rule, its targets and its tags.
pub fn delete_rule(connection: &Connection, rule: &Rule) -> Result<(), Error> {
    let sql = "DELETE FROM targets WHERE bus = ?1 AND rule = ?2";
    connection.prepare_cached(sql)?.execute([&rule.bus, &rule.name])?;
    connection.prepare_cached("DELETE FROM firings WHERE rule_arn = ?1")?.execute([&rule.arn])?;
    let sql = "DELETE FROM rules WHERE bus = ?1 AND name = ?2";
    connection.prepare_cached(sql)?.execute([&rule.bus, &rule.name])?;
    put_tags(connection, &rule.arn, &Tags::new())
}

/// Writes a rule's targets anew.
pub fn put_targets(connection: &Connection, rule: &Rule) -> Result<(), Error> {
    let sql = "DELETE FROM targets WHERE bus = ?1 AND rule = ?2";
    connection.prepare_cached(sql)?.execute([&rule.bus, &rule.name])?;
    let mut insert = connection.prepare_cached("INSERT INTO targets VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (position, target) in rule.targets.iter().enumerate() {
        let text = serde_json::to_string(target)
            .map_err(|error| Error::Damaged(format!("a target could not be written: {error}")))?;
        insert.execute(params![rule.bus, rule.name, target.id, position, text])?;
    }
    Ok(())
}

/// Writes the tags of a resource anew.
pub fn put_tags(connection: &Connection, arn: &str, tags: &Tags) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM tags WHERE arn = ?1")?.execute([arn])?;
    let mut insert = connection.prepare_cached("INSERT INTO tags VALUES (?1, ?2, ?3)")?;
    for (key, value) in tags {
        insert.execute([arn, key, value])?;
    }
    Ok(())
}

/// All documents of a kind.
fn documents<T: Document>(connection: &Connection) -> Result<Named<T>, Error> {
    let mut documents = Named::new();
    let mut statement = connection.prepare_cached("SELECT name, document FROM documents WHERE kind = ?1")?;
    let mut rows = statement.query([T::KIND])?;
    while let Some(row) = rows.next()? {
        let (name, text): (String, String) = (row.get(0)?, row.get(1)?);
        let document: T = serde_json::from_str(&text)
            .map_err(|error| Error::Damaged(format!("the stored {} {name} cannot be read: {error}", T::KIND)))?;
        documents.insert(name, Arc::new(document.loaded()));
    }
    Ok(documents)
}

/// Adds or replaces a document.
pub fn put_document<T: Document>(connection: &Connection, document: &T) -> Result<(), Error> {
    let text = serde_json::to_string(document).map_err(|error| {
        Error::Damaged(format!("the {} {} could not be written: {error}", T::KIND, document.name()))
    })?;
    let sql = "INSERT INTO documents VALUES (?1, ?2, ?3) ON CONFLICT (kind, name) DO UPDATE SET document = ?3";
    connection.prepare_cached(sql)?.execute(params![T::KIND, document.name(), text])?;
    Ok(())
}

/// Takes a document out.
pub fn delete_document<T: Document>(connection: &Connection, document: &T) -> Result<(), Error> {
    let sql = "DELETE FROM documents WHERE kind = ?1 AND name = ?2";
    connection.prepare_cached(sql)?.execute([T::KIND, document.name()])?;
    Ok(())
}

/// Adds events to their archives, each once. An archive that is gone in the meantime takes none.
pub fn keep(connection: &Connection, kept: &[Kept]) -> Result<(), Error> {
    let sql = "INSERT OR IGNORE INTO archived_events (archive, event_id, time, ingested_at, size, event) \
               SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS \
               (SELECT 1 FROM documents WHERE kind = 'archive' AND name = ?1)";
    let mut insert = connection.prepare_cached(sql)?;
    for kept in kept {
        let (time, ingested_at) = (kept.time.millis(), kept.ingested_at.millis());
        insert.execute(params![kept.archive, kept.event_id, time, ingested_at, kept.event.len(), kept.event])?;
    }
    Ok(())
}

/// Takes out what came to an archive before a time.
pub fn forget_kept(connection: &Connection, archive: &str, cutoff: Timestamp) -> Result<(), Error> {
    let sql = "DELETE FROM archived_events WHERE archive = ?1 AND ingested_at < ?2";
    connection.prepare_cached(sql)?.execute(params![archive, cutoff.millis()])?;
    Ok(())
}

/// Count and size of what came to an archive since a time.
pub fn holdings(connection: &Connection, archive: &str, cutoff: Timestamp) -> Result<Holdings, Error> {
    let sql = "SELECT count(*), coalesce(sum(size), 0) FROM archived_events WHERE archive = ?1 AND ingested_at >= ?2";
    let read = |row: &Row<'_>| Ok(Holdings { count: row.get(0)?, bytes: row.get(1)? });
    Ok(connection.prepare_cached(sql)?.query_row(params![archive, cutoff.millis()], read)?)
}

/// The next events of a replay, by their times.
pub fn recorded(connection: &Connection, replay: &Replay, cutoff: Timestamp) -> Result<Vec<Recorded>, Error> {
    let sql = "SELECT number, time, event FROM archived_events WHERE archive = ?1 AND (time, number) > (?2, ?3) \
               AND time <= ?4 AND ingested_at >= ?5 ORDER BY time, number LIMIT ?6";
    let (time, number) = replay.position.unwrap_or((replay.from_ms, i64::MIN));
    let mut statement = connection.prepare_cached(sql)?;
    let limit = i64::try_from(EVENTS_PER_STEP_MAX).unwrap_or(1);
    let mut rows = statement.query(params![replay.archive, time, number, replay.to_ms, cutoff.millis(), limit])?;
    let (mut recorded, mut bytes) = (Vec::new(), 0);
    while bytes < BYTES_PER_STEP_MAX
        && let Some(row) = rows.next()?
    {
        let event: String = row.get(2)?;
        bytes += event.len();
        recorded.push(Recorded { number: row.get(0)?, time_ms: row.get(1)?, event });
    }
    Ok(recorded)
}

/// Until when rules have fired by their schedules, by their ARNs.
pub fn firings(connection: &Connection) -> Result<BTreeMap<String, Timestamp>, Error> {
    let mut firings = BTreeMap::new();
    let mut statement = connection.prepare_cached("SELECT rule_arn, fired_until FROM firings")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        firings.insert(row.get(0)?, Timestamp::from_millis(row.get(1)?));
    }
    Ok(firings)
}

/// Notes that a rule has fired.
pub fn put_firing(connection: &Connection, rule_arn: &str, until: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO firings VALUES (?1, ?2) ON CONFLICT (rule_arn) DO UPDATE SET fired_until = ?2";
    connection.prepare_cached(sql)?.execute(params![rule_arn, until.millis()])?;
    Ok(())
}

/// Empties everything but the count of changes.
pub fn clear(connection: &Connection) -> Result<(), Error> {
    let tables = ["targets", "rules", "tags", "buses", "firings", "documents", "archived_events"];
    for table in tables {
        connection.prepare_cached(&format!("DELETE FROM {table}"))?.execute([])?;
    }
    Ok(())
}
