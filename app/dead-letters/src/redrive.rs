//! Gives letters to the one target that they were meant for.
//!
//! A function is invoked and waited for, so that the letter leaves its queue only when the handler has succeeded; what
//! fails again stays, and says why. A crash between the two repeats the letter: handlers that live with EventBridge's
//! at-least-once live with this.

use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::Value;
use tandem_pool::reason;
use tokio::time::{Instant, sleep_until};

use crate::error::Error;
use crate::letter::Letter;
use crate::queue::{Queue, Received};

/// So long nobody else sees a batch that is being redriven: ten letters, each as long as a function of ours may take.
const REDRIVING_SECONDS: i32 = 300;

/// Who letters go to.
#[derive(Clone, Debug)]
pub struct Target {
    functions: aws_sdk_lambda::Client,
    queues: aws_sdk_sqs::Client,
    /// For letters that do not say whose they are.
    otherwise: Option<String>,
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redriven {
    /// The target has it, and it has left the queue.
    Delivered,
    /// The target failed again: it stays. The error's type and words.
    FailedAgain(String),
    /// It cannot be redriven: it stays.
    Undeliverable(String),
}

impl Target {
    /// Over these clients; `otherwise` is the function for letters that do not say whose they are.
    pub fn new(functions: aws_sdk_lambda::Client, queues: aws_sdk_sqs::Client, otherwise: Option<String>) -> Self {
        Self { functions, queues, otherwise }
    }

    async fn give(&self, letter: &Letter) -> Redriven {
        let Some(target) = letter.target.as_deref().or(self.otherwise.as_deref()) else {
            let why = "the letter does not say which function it was for: name the function";
            return Redriven::Undeliverable(why.to_owned());
        };
        match target.split(':').nth(2) {
            Some("sqs") => self.send(target, letter).await,
            Some("lambda") | None => self.invoke(target, letter).await,
            Some(_) => Redriven::Undeliverable(format!("{target} takes no single event: only functions and queues do")),
        }
    }

    async fn invoke(&self, function: &str, letter: &Letter) -> Redriven {
        let request = self.functions.invoke().function_name(function).invocation_type(InvocationType::RequestResponse);
        let answer = match request.payload(Blob::new(letter.payload.get())).send().await {
            Ok(answer) => answer,
            Err(error) => return Redriven::FailedAgain(reason(&error)),
        };
        if answer.function_error.is_none() {
            return Redriven::Delivered;
        }
        let told = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let told: Value = serde_json::from_slice(&told).unwrap_or_default();
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        Redriven::FailedAgain(format!("{}: {}", text("errorType"), text("errorMessage")))
    }

    async fn send(&self, queue: &str, letter: &Letter) -> Redriven {
        let name = queue.rsplit(':').next().unwrap_or(queue);
        let url = match self.queues.get_queue_url().queue_name(name).send().await {
            Ok(answer) => answer.queue_url.unwrap_or_default(),
            Err(error) => return Redriven::FailedAgain(reason(&error)),
        };
        let request = self.queues.send_message().queue_url(url).message_body(letter.payload.get());
        match request.send().await {
            Ok(_) => Redriven::Delivered,
            Err(error) => Redriven::FailedAgain(reason(&error)),
        }
    }
}

/// Redrives up to `limit` letters of a queue that `wanted` says yes to, at most `per_second` a second, and tells `done`
/// of each. What fails again is not tried a second time in one run.
pub async fn redrive(
    queue: &Queue,
    target: &Target,
    limit: usize,
    per_second: u32,
    wanted: impl Fn(&Received) -> bool,
    mut done: impl FnMut(&Received, &Redriven),
) -> Result<(), Error> {
    let every = Duration::from_secs(1) / per_second.max(1);
    let mut next = Instant::now();
    let mut given = 0;
    let mut staying: Vec<Received> = Vec::new();
    let outcome = 'queue: loop {
        let batch = match queue.receive(REDRIVING_SECONDS).await {
            Ok(batch) if batch.is_empty() => break Ok(()),
            Ok(batch) => batch,
            Err(error) => break Err(error),
        };
        let known = staying.len();
        for received in batch {
            let again = staying[..known].iter().any(|other| other.message_id == received.message_id);
            let letter = received.letter.clone().filter(|_| given < limit && !again && wanted(&received));
            let Some(letter) = letter else {
                staying.push(received);
                continue;
            };
            given += 1;
            sleep_until(next).await;
            next = next.max(Instant::now()) + every;
            let became = target.give(&letter).await;
            let delivered = became == Redriven::Delivered;
            done(&received, &became);
            if !delivered {
                staying.push(received);
            } else if let Err(error) = queue.delete(&received).await {
                break 'queue Err(error);
            }
        }
        if given >= limit {
            break Ok(());
        }
    };
    queue.give_back(staying.iter()).await?;
    outcome
}
