//! Looks for what is held of a person. Nothing here changes anything.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use tandem_dead_letters::{Queue, Received};
use tandem_pool::Pool;
use tandem_profiles::{Attributes, PARTITION_KEY, ProfileStore, SORT_KEY, UserId, normalised, partition_key};

use crate::error::Error;
use crate::logs::{LogStream, Logs};

/// More dead letters than this are not looked through in one queue.
const LETTERS_MAX: usize = 100_000;

/// Where a person may be known.
#[derive(Clone, Debug)]
pub struct Places {
    /// The user pool.
    pub pool: Pool,
    /// The profiles' table, by name and as a store.
    pub tables: aws_sdk_dynamodb::Client,
    /// The profiles' table.
    pub table: String,
    /// The bus whose archives are looked at: its ARN.
    pub bus_arn: Option<String>,
    /// The bus's service.
    pub events: aws_sdk_eventbridge::Client,
    /// Queues of dead letters.
    pub queues: Vec<Queue>,
    /// Groups of logs.
    pub logs: Logs,
}

/// What is held of a person.
#[derive(Clone, Debug)]
pub struct Holdings {
    /// Who.
    pub user: UserId,
    /// The account in the pool.
    pub account: Option<Account>,
    /// Items under the user's key, the profile among them.
    pub items: Vec<Item>,
    /// The reservation of their address: the address in its normal form.
    pub marker: Option<String>,
    /// Dead letters that name the user, by queue.
    pub letters: Vec<(Queue, Received)>,
    /// Archives of the bus. They cannot be searched: each may hold the user's events.
    pub archives: Vec<Archive>,
    /// Log streams that name the user.
    pub logs: Vec<LogStream>,
    /// Whether the table can be put back to a moment of the last 35 days.
    pub point_in_time_recovery: bool,
}

/// The account in the pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The name in the pool.
    pub username: String,
    /// Cognito's status.
    pub status: String,
    /// How many attributes it has.
    pub attributes: usize,
}

/// An item under the user's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The sort key.
    pub sort_key: String,
    /// The names of its attributes.
    pub attributes: BTreeSet<String>,
    /// A tombstone, which has nothing personal in it, and the time at which it goes (seconds since the epoch).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tombstone_until: Option<u64>,
}

/// An archive of the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Archive {
    /// Its name.
    pub name: String,
    /// After how many days it forgets; `None` for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<i32>,
    /// How many events of everybody are in it.
    pub events: i64,
}

impl Holdings {
    /// Whether there is nothing of the person that could be removed one by one.
    pub fn is_clear(&self) -> bool {
        self.account.is_none()
            && self.items.iter().all(|item| item.tombstone_until.is_some())
            && self.marker.is_none()
            && self.letters.is_empty()
            && self.logs.is_empty()
    }
}

/// Who is meant by a sub, a user name or an e-mail address.
pub async fn who(places: &Places, name: &str) -> Result<UserId, Error> {
    let mut found = BTreeSet::new();
    let attributes: &[&str] = if name.contains('@') { &["email", "username"] } else { &["sub", "username"] };
    for attribute in attributes {
        found.extend(places.pool.find(attribute, name).await?.into_iter().map(|user| user.id));
    }
    if name.contains('@') {
        let profiles = places.store().get_by_email::<Attributes>(name).await?;
        found.extend(profiles.into_iter().map(|profile| profile.identity.user_id));
    } else if let Ok(user) = UserId::new(name)
        && !items(places, &user).await?.is_empty()
    {
        found.insert(user);
    }
    let mut ids: Vec<_> = found.into_iter().collect();
    match ids.len() {
        0 => Err(Error::Nobody(name.to_owned())),
        1 => Ok(ids.remove(0)),
        _ => Err(Error::Several { name: name.to_owned(), ids }),
    }
}

/// Everything that is held of a user.
pub async fn holdings(places: &Places, user: &UserId) -> Result<Holdings, Error> {
    let account = places.pool.user(user).await?;
    let profile = places.store().get::<Attributes>(user).await?;
    let addresses: BTreeSet<String> = [
        account.as_ref().and_then(|account| account.attributes.get("email").cloned()),
        profile.and_then(|profile| profile.identity.email),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut marker = None;
    for address in addresses.iter().filter_map(|address| normalised(address)) {
        if places.store().owner_of(&address).await?.as_ref() == Some(user) {
            marker = Some(address);
        }
    }
    let mut letters = Vec::new();
    for queue in &places.queues {
        let mentions = |received: &Received| {
            received.letter.as_ref().is_some_and(|letter| {
                letter.mentions(user.as_str()) || addresses.iter().any(|address| letter.mentions(address))
            })
        };
        let found = queue.list(LETTERS_MAX, mentions).await?;
        letters.extend(found.into_iter().map(|received| (queue.clone(), received)));
    }
    let words: Vec<String> = addresses.iter().cloned().chain([user.to_string()]).collect();
    Ok(Holdings {
        user: user.clone(),
        account: account.map(|account| Account {
            username: account.username,
            status: account.status,
            attributes: account.attributes.len(),
        }),
        items: items(places, user).await?,
        marker,
        letters,
        archives: archives(places).await?,
        logs: places.logs.naming(&words).await?,
        point_in_time_recovery: point_in_time_recovery(places).await,
    })
}

impl Places {
    pub(crate) fn store(&self) -> ProfileStore {
        ProfileStore::new(self.tables.clone(), self.table.clone())
    }
}

async fn items(places: &Places, user: &UserId) -> Result<Vec<Item>, Error> {
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let answer = places
            .tables
            .query()
            .table_name(&places.table)
            .key_condition_expression("pk = :user")
            .expression_attribute_values(":user", AttributeValue::S(partition_key(user)))
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| Error::from_sdk("Query", &places.table, &error))?;
        items.extend(answer.items.unwrap_or_default().iter().map(item));
        start = answer.last_evaluated_key;
        if start.is_none() {
            return Ok(items);
        }
    }
}

fn item(item: &std::collections::HashMap<String, AttributeValue>) -> Item {
    let expiry = item.get(tandem_profiles::EXPIRY).and_then(|value| value.as_n().ok()?.parse().ok());
    Item {
        sort_key: item.get(SORT_KEY).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default(),
        attributes: item.keys().filter(|name| ![PARTITION_KEY, SORT_KEY].contains(&name.as_str())).cloned().collect(),
        tombstone_until: item.contains_key("deletedAt").then_some(expiry).flatten(),
    }
}

async fn archives(places: &Places) -> Result<Vec<Archive>, Error> {
    let Some(bus) = &places.bus_arn else { return Ok(Vec::new()) };
    let mut archives = Vec::new();
    let mut next = None;
    loop {
        let request = places.events.list_archives().event_source_arn(bus).set_next_token(next);
        let answer = request.send().await.map_err(|error| Error::from_sdk("ListArchives", bus, &error))?;
        archives.extend(answer.archives.unwrap_or_default().into_iter().map(|archive| Archive {
            name: archive.archive_name.unwrap_or_default(),
            retention_days: archive.retention_days.filter(|days| *days > 0),
            events: archive.event_count,
        }));
        next = answer.next_token;
        if next.is_none() {
            return Ok(archives);
        }
    }
}

/// No answer is taken for no: it is a note to the reader and changes nothing.
async fn point_in_time_recovery(places: &Places) -> bool {
    use aws_sdk_dynamodb::types::PointInTimeRecoveryStatus::Enabled;
    let answer = places.tables.describe_continuous_backups().table_name(&places.table).send().await;
    let recovery = answer.ok().and_then(|answer| {
        answer.continuous_backups_description?.point_in_time_recovery_description?.point_in_time_recovery_status
    });
    recovery == Some(Enabled)
}
