//! Groups and their members in SQL.

use rusqlite::{Connection, OptionalExtension, Row, params};
use world::Timestamp;

use super::search::{self, After, Listed};
use super::{Failure, Store, by_sub};
use crate::Error;
use crate::group::{GROUPS_MAX, GROUPS_OF_USER_MAX, Group, GroupSettings};
use crate::pool::PoolId;
use crate::user::{Sub, User};

const COLUMNS: &str = "g.pool, g.name, g.description, g.role_arn, g.precedence, g.created, g.modified";

impl Store {
    /// Stores a new group; a name that another one has is an error.
    pub async fn insert_group(&self, group: Group) -> Result<(), Error> {
        self.write(move |connection| {
            if find(connection, &group.pool.0, &group.name)?.is_some() {
                return Err(Error::GroupExists.into());
            }
            let mut count = connection.prepare_cached("SELECT count(*) FROM user_groups WHERE pool = ?1")?;
            let count: usize = count.query_row([&group.pool.0], |row| row.get(0))?;
            if count >= GROUPS_MAX {
                return Err(Error::too_many("groups in a user pool", GROUPS_MAX).into());
            }
            let mut insert = connection.prepare_cached(
                "INSERT INTO user_groups (pool, name, description, role_arn, precedence, created, modified)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            let GroupSettings { description, role_arn, precedence } = group.settings;
            let (created, modified) = (group.created.millis(), group.modified.millis());
            insert.execute(params![group.pool.0, group.name, description, role_arn, precedence, created, modified])?;
            Ok(())
        })
        .await
    }

    /// A group by its name.
    pub async fn group(&self, pool: &PoolId, name: &str) -> Result<Group, Error> {
        let (pool, name) = (pool.0.clone(), name.to_owned());
        self.read(move |connection| Ok(existing(connection, &pool, &name)?.1)).await
    }

    /// Changes what a call names of a group.
    pub async fn update_group(
        &self,
        pool: &PoolId,
        name: &str,
        change: GroupSettings,
        now: Timestamp,
    ) -> Result<Group, Error> {
        let (pool, name) = (pool.0.clone(), name.to_owned());
        self.write(move |connection| {
            let (row, group) = existing(connection, &pool, &name)?;
            let group = Group { settings: group.settings.updated(change), modified: now, ..group };
            let GroupSettings { description, role_arn, precedence } = &group.settings;
            let mut update = connection.prepare_cached(
                "UPDATE user_groups SET description = ?2, role_arn = ?3, precedence = ?4, modified = ?5 WHERE row = ?1",
            )?;
            update.execute(params![row, description, role_arn, precedence, now.millis()])?;
            Ok(group)
        })
        .await
    }

    /// Deletes a group; its members stay as users.
    pub async fn delete_group(&self, pool: &PoolId, name: &str) -> Result<(), Error> {
        let deleted =
            self.execute("DELETE FROM user_groups WHERE pool = ?1 AND name = ?2", (pool.0.clone(), name.to_owned()));
        if deleted.await? > 0 { Ok(()) } else { Err(Error::no_such_group()) }
    }

    /// Up to `limit` groups behind `after`, by name.
    pub async fn list_groups(&self, pool: &PoolId, after: After, limit: usize) -> Result<Vec<(Group, After)>, Error> {
        let pool = pool.0.clone();
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM user_groups g WHERE g.pool = ?1 AND g.name > ?2 ORDER BY g.name LIMIT ?3"
            ))?;
            let groups = query.query_map(params![pool, after.value, limit], read)?;
            Ok(groups.map(|group| group.map(at_its_name)).collect::<Result<_, _>>()?)
        })
        .await
    }

    /// The groups of a user, in the order of their precedence.
    pub async fn groups_of(&self, user: &User) -> Result<Vec<Group>, Error> {
        let row = user.row;
        self.read(move |connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM members m CROSS JOIN user_groups g ON g.row = m.user_group WHERE m.user = ?1
                 ORDER BY g.precedence IS NULL, g.precedence, g.name"
            ))?;
            Ok(query.query_map([row], read)?.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Up to `limit` groups of a user behind `after`, by name.
    pub async fn list_groups_of(&self, user: &User, after: After, limit: usize) -> Result<Vec<(Group, After)>, Error> {
        let mut groups = self.groups_of(user).await?; // a hundred at most
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(groups.into_iter().filter(|group| group.name > after.value).map(at_its_name).take(limit).collect())
    }

    /// Puts a user into a group; whoever is in it stays in it.
    pub async fn add_member(&self, pool: &PoolId, name: &str, sub: &Sub) -> Result<(), Error> {
        let (pool, name, sub) = (pool.0.clone(), name.to_owned(), sub.clone());
        self.write(move |connection| {
            let (group, _) = existing(connection, &pool, &name)?;
            let user = by_sub(connection, &pool, &sub.0)?.ok_or_else(Error::no_such_user)?;
            connection
                .prepare_cached("INSERT OR IGNORE INTO members (user_group, user) VALUES (?1, ?2)")?
                .execute([group, user.row])?;
            let mut count = connection.prepare_cached("SELECT count(*) FROM members WHERE user = ?1")?;
            let count: usize = count.query_row([user.row], |row| row.get(0))?;
            if count > GROUPS_OF_USER_MAX {
                return Err(Error::too_many("groups of a user", GROUPS_OF_USER_MAX).into());
            }
            Ok(())
        })
        .await
    }

    /// Takes a user out of a group; whoever is not in it stays out of it.
    pub async fn remove_member(&self, pool: &PoolId, name: &str, user: &User) -> Result<(), Error> {
        let (pool, name, user) = (pool.0.clone(), name.to_owned(), user.row);
        self.write(move |connection| {
            let (group, _) = existing(connection, &pool, &name)?;
            connection
                .prepare_cached("DELETE FROM members WHERE user_group = ?1 AND user = ?2")?
                .execute([group, user])?;
            Ok(())
        })
        .await
    }

    /// Up to `limit` members of a group behind `after`.
    pub async fn list_members(
        &self,
        pool: &PoolId,
        name: &str,
        after: After,
        limit: usize,
    ) -> Result<Vec<(Listed, After)>, Error> {
        let (pool, name) = (pool.0.clone(), name.to_owned());
        self.read(move |connection| {
            let (group, _) = existing(connection, &pool, &name)?;
            Ok(search::members(connection, group, &after, limit)?)
        })
        .await
    }
}

fn at_its_name(group: Group) -> (Group, After) {
    let after = After { value: group.name.clone(), row: 0 };
    (group, after)
}

fn existing(connection: &Connection, pool: &str, name: &str) -> Result<(i64, Group), Failure> {
    Ok(find(connection, pool, name)?.ok_or_else(Error::no_such_group)?)
}

fn find(connection: &Connection, pool: &str, name: &str) -> Result<Option<(i64, Group)>, rusqlite::Error> {
    let sql = format!("SELECT {COLUMNS}, g.row FROM user_groups g WHERE g.pool = ?1 AND g.name = ?2");
    let mut query = connection.prepare_cached(&sql)?;
    query.query_row([pool, name], |row| Ok((row.get(7)?, read(row)?))).optional()
}

/// In the order of [`COLUMNS`].
fn read(row: &Row<'_>) -> Result<Group, rusqlite::Error> {
    Ok(Group {
        pool: PoolId(row.get(0)?),
        name: row.get(1)?,
        settings: GroupSettings { description: row.get(2)?, role_arn: row.get(3)?, precedence: row.get(4)? },
        created: Timestamp::from_millis(row.get(5)?),
        modified: Timestamp::from_millis(row.get(6)?),
    })
}
