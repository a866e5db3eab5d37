//! `tandem erase USER`: what is held of a person, and its removal.

use anyhow::Context;
use serde_json::{Value, json};
use tandem_dead_letters::Queue;
use tandem_erasure::{Erased, Error, Holdings, Logs, Places, Removal, erase, holdings, who};
use tandem_pool::{Bus, Pool};
use tandem_profiles::Timestamp;

use crate::arguments::Erase;
use crate::aws::Aws;
use crate::dlq;

/// `false` if something is held.
pub fn run(arguments: &Erase) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(look_and_erase(arguments))
}

async fn look_and_erase(arguments: &Erase) -> anyhow::Result<bool> {
    let aws = Aws::reach(&arguments.reach, arguments.user_pool_id.as_deref()).await?;
    let (places, bus) = places(&aws, arguments).await?;
    let user = match who(&places, &arguments.user).await {
        Ok(user) => user,
        // Nothing held is what was wanted.
        Err(error @ Error::Nobody(_)) if arguments.yes => {
            eprintln!("{error}");
            return Ok(true);
        }
        Err(error) => return Err(error.into()),
    };
    let now = aws.now();
    let found = holdings(&places, &user).await?;
    if !arguments.yes {
        print(&found, None, arguments)?;
        return Ok(found.is_clear());
    }
    let removal = Removal { bus, log_streams: arguments.delete_log_streams };
    let erased = erase(&places, &found, &removal, now).await?;
    let left = holdings(&places, &user).await?;
    print(&left, Some(&erased), arguments)?;
    Ok(left.is_clear())
}

async fn places(aws: &Aws, arguments: &Erase) -> anyhow::Result<(Places, Option<Bus>)> {
    let said = |typed: &Option<String>| typed.clone().filter(|text| !text.is_empty());
    let pool = said(&arguments.user_pool_id).or_else(|| aws.local("userPoolId"));
    let pool = pool.context("which user pool? Name it with --user-pool-id or USER_POOL_ID")?;
    let table = said(&arguments.table).or_else(|| aws.local("tableName"));
    let table = table.context("which table? Name it with --table or TABLE_NAME")?;
    let bus = said(&arguments.event_bus).or_else(|| aws.local("eventBusName"));
    let events = aws_sdk_eventbridge::Client::new(&aws.sdk);
    let bus_arn = match &bus {
        Some(name) => bus_arn(&events, name).await?,
        None => None,
    };
    let named: Vec<_> = arguments.log_groups.iter().filter(|group| !group.is_empty()).cloned().collect();
    let own = || aws.local_list("functions").into_iter().map(|name| format!("/aws/lambda/{name}")).collect();
    let groups = if named.is_empty() { own() } else { named };
    let places = Places {
        pool: Pool::new(aws_sdk_cognitoidentityprovider::Client::new(&aws.sdk), pool),
        tables: aws_sdk_dynamodb::Client::new(&aws.sdk),
        table,
        bus_arn,
        events: events.clone(),
        queues: dlq::queues(aws, &arguments.queues).await?,
        logs: Logs::new(aws_sdk_cloudwatchlogs::Client::new(&aws.sdk), groups),
    };
    Ok((places, bus.map(|name| Bus::new(events, name))))
}

async fn bus_arn(events: &aws_sdk_eventbridge::Client, name: &str) -> anyhow::Result<Option<String>> {
    if name.starts_with("arn:") {
        return Ok(Some(name.to_owned()));
    }
    let answer = events.describe_event_bus().name(name).send().await;
    Ok(answer.with_context(|| format!("the bus {name} cannot be looked at"))?.arn)
}

fn print(found: &Holdings, erased: Option<&Erased>, arguments: &Erase) -> anyhow::Result<()> {
    if arguments.json {
        let mut value = as_json(found);
        if let Some(erased) = erased {
            value["erased"] = json!(erased);
        }
        println!("{}", serde_json::to_string_pretty(&value)?);
        return Ok(());
    }
    if let Some(erased) = erased {
        println!("{}", removed(erased));
        println!();
    }
    println!("held of {}", found.user);
    for (place, what) in lines(found) {
        println!("  {place:<16} {what}");
    }
    if erased.is_none() && !found.is_clear() {
        println!("nothing was changed: --yes removes what can be removed one by one");
    }
    Ok(())
}

fn removed(erased: &Erased) -> String {
    let mut parts = Vec::new();
    let mut part = |is_there: bool, text: String| parts.extend(is_there.then_some(text));
    part(erased.account, "the account".into());
    part(erased.profile, "the profile (a tombstone is in its place)".into());
    part(erased.items > 0, counted(erased.items, "other item"));
    part(erased.marker, "the reservation of the address".into());
    part(erased.letters > 0, counted(erased.letters, "dead letter"));
    part(erased.log_streams > 0, counted(erased.log_streams, "log stream"));
    if parts.is_empty() { "there was nothing to remove".into() } else { format!("removed: {}", parts.join(", ")) }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// One line for each place, those where nothing is among them: who asks wants to know where it was looked.
fn lines(found: &Holdings) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let account = found.account.as_ref();
    lines.push((
        "user pool",
        account.map_or("nothing".into(), |account| {
            format!("{} ({}), {}", account.username, account.status, counted(account.attributes, "attribute"))
        }),
    ));
    for item in &found.items {
        let what = if let Some(seconds) = item.tombstone_until {
            let until = Timestamp::from_millis(i64::try_from(seconds).unwrap_or_default().saturating_mul(1000));
            format!("{}: a tombstone, ids and times alone, until {until}", item.sort_key)
        } else {
            let names: Vec<_> = item.attributes.iter().map(String::as_str).collect();
            format!("{}: {}", item.sort_key, names.join(", "))
        };
        lines.push(("table", what));
    }
    if found.items.is_empty() {
        lines.push(("table", "nothing".into()));
    }
    if found.marker.is_some() {
        lines.push(("table", "the reservation of the address".into()));
    }
    for (queue, received) in &found.letters {
        lines.push(("dead letters", format!("message {} in {}", received.message_id, Queue::name(queue))));
    }
    if found.letters.is_empty() {
        lines.push(("dead letters", "nothing".into()));
    }
    for stream in &found.logs {
        let events = counted(stream.events, "event");
        let until = kept(stream.retention_days);
        lines.push(("logs", format!("{events} in {} {}; {until}", stream.group, stream.stream)));
    }
    if found.logs.is_empty() {
        lines.push(("logs", "nothing".into()));
    }
    for archive in &found.archives {
        let until = kept(archive.retention_days);
        let what =
            format!("archive {} cannot be searched ({} events of everybody); {until}", archive.name, archive.events);
        lines.push(("bus", what));
    }
    if found.point_in_time_recovery {
        lines.push(("backups", "point-in-time recovery keeps every state of the table for up to 35 days".into()));
    }
    lines
}

fn kept(days: Option<i32>) -> String {
    days.map_or("kept for ever".into(), |days| format!("kept for {days} days"))
}

fn as_json(found: &Holdings) -> Value {
    let letters =
        found.letters.iter().map(|(queue, received)| json!({"queue": queue.name(), "messageId": received.message_id}));
    json!({
        "userId": found.user,
        "clear": found.is_clear(),
        "account": found.account,
        "items": found.items,
        "reservation": found.marker.is_some(),
        "deadLetters": letters.collect::<Vec<_>>(),
        "logs": found.logs,
        "archives": found.archives,
        "pointInTimeRecovery": found.point_in_time_recovery,
    })
}
