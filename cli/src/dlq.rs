//! `tandem dlq`: dead letters of rules and of functions, and another chance for them.

use anyhow::ensure;
use serde_json::{Value, json};
use tandem_dead_letters::{Kind, Letter, Queue, Received, Redriven, Target, redrive};
use tandem_profiles::Timestamp;

use crate::arguments::{Dlq, Letters};
use crate::aws::Aws;

/// `false` if there are letters, or some stay.
pub fn run(arguments: &Dlq) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments {
            Dlq::List { letters, payload } => list(letters, *payload).await,
            Dlq::Redrive { letters, function, rate } => again(letters, function.clone(), *rate).await,
        }
    })
}

/// The queues that were named, or the local cloud's own.
pub async fn queues(aws: &Aws, named: &[String]) -> anyhow::Result<Vec<Queue>> {
    let named: Vec<String> = named.iter().filter(|name| !name.is_empty()).cloned().collect();
    let own = || ["deadLetterQueueUrl", "failedInvocationsQueueUrl"].into_iter().filter_map(|name| aws.local(name));
    let named: Vec<String> = if named.is_empty() { own().collect() } else { named };
    let client = aws_sdk_sqs::Client::new(&aws.sdk);
    let mut queues = Vec::new();
    for name in named {
        queues.push(Queue::find(client.clone(), &name).await?);
    }
    Ok(queues)
}

async fn named_queues(aws: &Aws, letters: &Letters) -> anyhow::Result<Vec<Queue>> {
    let queues = queues(aws, &letters.queues).await?;
    ensure!(!queues.is_empty(), "which queues? Name them with --queue or DEAD_LETTER_QUEUES");
    Ok(queues)
}

async fn list(letters: &Letters, payload: bool) -> anyhow::Result<bool> {
    let aws = Aws::reach(&letters.reach, None).await?;
    let mut found = Vec::new();
    for queue in named_queues(&aws, letters).await? {
        let of_queue = queue.list(letters.limit, |received| is_wanted(letters, received)).await?;
        found.extend(of_queue.into_iter().map(|received| (queue.name().to_owned(), received)));
    }
    if letters.json {
        let written: Vec<Value> = found.iter().map(|(queue, received)| as_json(queue, received, payload)).collect();
        println!("{}", serde_json::to_string_pretty(&json!({"letters": written}))?);
        return Ok(found.is_empty());
    }
    for (queue, received) in &found {
        for line in lines(queue, received, aws.now()) {
            println!("{line}");
        }
    }
    match found.len() {
        0 => println!("no dead letters"),
        1 => println!("1 dead letter; tandem dlq redrive gives it to its target once more"),
        many => println!("{many} dead letters; tandem dlq redrive gives them to their targets once more"),
    }
    Ok(found.is_empty())
}

async fn again(letters: &Letters, function: Option<String>, rate: u32) -> anyhow::Result<bool> {
    let aws = Aws::reach(&letters.reach, None).await?;
    let functions = aws_sdk_lambda::Client::new(&aws.sdk);
    let target = Target::new(functions, aws_sdk_sqs::Client::new(&aws.sdk), function);
    let (mut delivered, mut stay) = (0_usize, 0_usize);
    let mut written = Vec::new();
    for queue in named_queues(&aws, letters).await? {
        let wanted = |received: &Received| is_wanted(letters, received);
        let done = |received: &Received, became: &Redriven| {
            let (word, why) = match became {
                Redriven::Delivered => ("delivered", None),
                Redriven::FailedAgain(why) => ("failed again", Some(why)),
                Redriven::Undeliverable(why) => ("undeliverable", Some(why)),
            };
            *(if *became == Redriven::Delivered { &mut delivered } else { &mut stay }) += 1;
            if letters.json {
                let mut letter = as_json(queue.name(), received, false);
                letter["outcome"] = word.into();
                letter["reason"] = why.cloned().into();
                written.push(letter);
            } else {
                let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                let subject = received.letter.as_ref().map(subject).unwrap_or_default();
                println!("{word:<13} {subject}{why}");
            }
        };
        redrive(&queue, &target, letters.limit, rate, wanted, done).await?;
    }
    if letters.json {
        let outcome = json!({"delivered": delivered, "stay": stay, "letters": written});
        println!("{}", serde_json::to_string_pretty(&outcome)?);
    } else {
        println!("{delivered} delivered, {stay} stay");
    }
    Ok(stay == 0)
}

fn is_wanted(letters: &Letters, received: &Received) -> bool {
    let Some(letter) = &received.letter else {
        return letters.user.is_none() && letters.target.is_none() && letters.error.is_none();
    };
    letters.user.as_ref().is_none_or(|user| letter.mentions(user))
        && letters.target.as_deref().is_none_or(|name| letter.target_name() == Some(name))
        && letters.error.as_ref().is_none_or(|text| letter.why.code.contains(text) || letter.why.message.contains(text))
}

/// Which event, for whom.
fn subject(letter: &Letter) -> String {
    let event = letter.summary.detail_type.as_deref().unwrap_or("an event");
    let user = letter.summary.user_id.as_ref().map(|user| format!(" of {user}")).unwrap_or_default();
    format!("{event}{user} for {}", letter.target_name().unwrap_or("a function that it does not name"))
}

fn lines(queue: &str, received: &Received, now: Timestamp) -> Vec<String> {
    let sent_at = received.letter.as_ref().and_then(|letter| letter.failed_at).or(received.sent_at);
    let age = sent_at.map(|at| format!(", {} ago", span(now.millis() - at.millis()))).unwrap_or_default();
    let Some(letter) = &received.letter else {
        return vec![
            format!("a message that is no dead letter of a rule or a function{age}"),
            format!("    {queue}, message {}", received.message_id),
        ];
    };
    let why = &letter.why;
    let who = match letter.kind {
        Kind::Rule => "EventBridge could not hand it over",
        Kind::Function => "the function failed",
    };
    let attempts = why.attempts.map(|attempts| format!(", {attempts} attempts")).unwrap_or_default();
    let condition = why.condition.as_ref().map(|condition| format!(", {condition}")).unwrap_or_default();
    let rule = letter.rule.as_ref().and_then(|rule| rule.split_once(":rule/"));
    let rule = rule.map(|(_, rule)| format!(", rule {rule}")).unwrap_or_default();
    let message = if why.message.is_empty() { String::new() } else { format!(": {}", why.message) };
    vec![
        format!("{}{age}", subject(letter)),
        format!("    {who}: {}{message}{attempts}{condition}", why.code),
        format!("    {queue}{rule}, message {}", received.message_id),
    ]
}

fn as_json(queue: &str, received: &Received, payload: bool) -> Value {
    let mut value = json!({"queue": queue, "messageId": received.message_id, "sentAt": received.sent_at});
    if let Some(letter) = &received.letter {
        value["kind"] = json!(letter.kind);
        value["target"] = json!(letter.target);
        value["rule"] = json!(letter.rule);
        value["why"] = json!(letter.why);
        value["failedAt"] = json!(letter.failed_at);
        value["event"] = json!(letter.summary);
        if payload {
            value["payload"] = json!(letter.payload);
        }
    }
    value
}

/// In one unit, the largest that gives a number above one.
fn span(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn ages_are_told_in_one_unit() {
        assert_eq!(
            [0, 119_999, 120_000, 7_200_000, 172_800_000, -5].map(span),
            ["0 s", "119 s", "2 min", "2 h", "2 days", "0 s"]
        );
    }
}
