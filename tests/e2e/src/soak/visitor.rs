//! Somebody who signs up, and tries again whenever the server was not there.

use std::sync::Arc;

use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use tokio::sync::watch;

use super::Front;
use crate::{PASSWORD, ask};

/// Tries of one step. Each failed one but a few is a kill or a fault.
const TRIES_MAX: usize = 50;

/// What somebody was told when they confirmed their address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// That they are confirmed.
    Acknowledged,
    /// Nothing, because the server was killed; and then that they had been confirmed before.
    FoundDone,
    /// That they are confirmed, and that the trigger failed.
    TriggerFailed,
}

pub(crate) struct Visitor {
    pub address: String,
    front: watch::Receiver<Option<Arc<Front>>>,
}

/// An answer of the service, as far as it matters here.
enum Answer {
    Ok,
    Refused {
        code: String,
        message: String,
    },
    /// There was none.
    None,
}

impl Visitor {
    pub fn new(number: usize, front: watch::Receiver<Option<Arc<Front>>>) -> Self {
        Self { address: address(number), front }
    }

    pub async fn sign_up_and_confirm(&mut self) -> Confirmation {
        self.sign_up().await;
        let mut unanswered = false;
        for _ in 0..TRIES_MAX {
            let Some(code) = self.code().await else { continue };
            let front = self.front().await;
            let confirm = front.pools.confirm_sign_up().client_id(&front.client).username(&self.address);
            match answer(confirm.confirmation_code(code).send().await) {
                Answer::Ok => return Confirmation::Acknowledged,
                Answer::Refused { message, .. } if message.ends_with("Current status is CONFIRMED") => {
                    assert!(unanswered, "{} is confirmed and never asked for it", self.address);
                    return Confirmation::FoundDone;
                }
                Answer::Refused { code, .. }
                    if code == "UserLambdaValidationException" || code == "UnexpectedLambdaException" =>
                {
                    return Confirmation::TriggerFailed;
                }
                Answer::Refused { code, message } if code != "CodeMismatchException" => {
                    panic!("{} could not be confirmed: {code}: {message}", self.address);
                }
                Answer::Refused { .. } => {} // there is a newer code
                Answer::None => unanswered = true,
            }
        }
        panic!("{} was never confirmed", self.address);
    }

    async fn sign_up(&mut self) {
        let mut unanswered = false;
        for _ in 0..TRIES_MAX {
            let front = self.front().await;
            let sign_up = front.pools.sign_up().client_id(&front.client).username(&self.address).password(PASSWORD);
            match answer(sign_up.send().await) {
                Answer::Ok => return,
                Answer::Refused { code, .. } if code == "UsernameExistsException" && unanswered => return,
                Answer::Refused { code, message } => panic!("{} could not sign up: {code}: {message}", self.address),
                Answer::None => unanswered = true,
            }
        }
        panic!("{} never signed up", self.address);
    }

    /// The newest code that was mailed. If none was (a kill between storing the user and mailing it), another is
    /// asked for.
    async fn code(&mut self) -> Option<String> {
        let front = self.front().await;
        let (_, mailbox) =
            ask(&front.endpoint, "GET", &format!("/_tandem/mailbox?to={}", self.address), "").await.ok()?;
        let messages = mailbox["messages"].as_array()?;
        let code = messages.iter().rev().find_map(|message| message["code"].as_str());
        if code.is_none() {
            let resend = front.pools.resend_confirmation_code().client_id(&front.client).username(&self.address);
            let _ = resend.send().await; // what came of it, the mailbox shows
        }
        code.map(str::to_owned)
    }

    /// The server, when there is one.
    async fn front(&mut self) -> Arc<Front> {
        let front = self.front.wait_for(Option::is_some).await.expect("the stage outlives its visitors");
        Arc::clone(front.as_ref().expect("it was waited for"))
    }
}

pub(crate) fn address(number: usize) -> String {
    format!("visitor-{number}@example.com")
}

fn answer<T, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> Answer {
    match result {
        Ok(_) => Answer::Ok,
        Err(SdkError::ServiceError(error)) => Answer::Refused {
            code: error.err().code().unwrap_or_default().to_owned(),
            message: error.err().message().unwrap_or_default().to_owned(),
        },
        Err(_) => Answer::None,
    }
}
