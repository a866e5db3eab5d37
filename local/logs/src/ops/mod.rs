//! The operations of CloudWatch Logs' API, one file each.

use rusqlite::Connection;
use serde::Serialize;

use crate::error::Error;
use crate::room::Logs;
use crate::store::{self, Group, Stream};

aws_api::operations! { Logs;
    "CreateLogGroup" => create_log_group,
    "CreateLogStream" => create_log_stream,
    "DeleteLogGroup" => delete_log_group,
    "DeleteLogStream" => delete_log_stream,
    "DeleteRetentionPolicy" => delete_retention_policy,
    "DescribeLogGroups" => describe_log_groups,
    "DescribeLogStreams" => describe_log_streams,
    "FilterLogEvents" => filter_log_events,
    "GetLogEvents" => get_log_events,
    "ListTagsForResource" => list_tags_for_resource,
    "ListTagsLogGroup" => list_tags_log_group,
    "PutLogEvents" => put_log_events,
    "PutRetentionPolicy" => put_retention_policy,
    "TagLogGroup" => tag_log_group,
    "TagResource" => tag_resource,
    "UntagLogGroup" => untag_log_group,
    "UntagResource" => untag_resource,
}

/// The answer of operations that have none.
#[derive(Serialize)]
struct Empty {}

/// The group, which must be there.
fn existing_group(connection: &Connection, name: &str) -> Result<Group, Error> {
    store::group(connection, name)?.ok_or_else(Error::no_group)
}

/// The stream, which must be there.
fn existing_stream(connection: &Connection, group: &Group, name: &str) -> Result<Stream, Error> {
    store::stream(connection, group.id, name)?.ok_or_else(Error::no_stream)
}

/// Changes a group that must be there.
async fn change_group(
    room: &Logs,
    name: String,
    change: impl FnOnce(&mut Group) -> Result<(), Error> + Send + 'static,
) -> Result<Empty, Error> {
    let now = room.world.clock.now();
    let changed = room.database.write(move |connection| {
        let mut group = existing_group(connection, &name)?;
        change(&mut group)?;
        store::save_group(connection, &group)?;
        store::trim(connection, group.id, now)
    });
    changed.await.map(|()| Empty {})
}
