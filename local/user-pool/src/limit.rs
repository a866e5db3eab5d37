//! How often a user may do a thing within an hour, where AWS counts per user. (Request rates are not counted here.)
//!
//! Source: "Quotas in Amazon Cognito", per-user limits. Wrong codes are counted with the code: see `code.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use world::Timestamp;

use crate::Error;

const WINDOW: Duration = Duration::from_hours(1);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Action {
    ChangePassword,
    ForgotPassword,
    GetUserAttributeVerificationCode,
    ResendConfirmationCode,
}

impl Action {
    const fn attempts_max(self) -> u32 {
        match self {
            Self::ChangePassword | Self::GetUserAttributeVerificationCode | Self::ResendConfirmationCode => 5,
            Self::ForgotPassword => 20, // 5 to 20 on AWS, by how risky it finds the caller
        }
    }
}

/// What one user did in the current hour of each action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attempts(BTreeMap<Action, Window>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    /// Milliseconds since the epoch.
    began: i64,
    attempts: u32,
}

impl Attempts {
    /// Counts an attempt, or refuses it: save the user afterwards.
    pub fn count(&mut self, action: Action, now: Timestamp) -> Result<(), Error> {
        self.0.retain(|_, window| now < Timestamp::from_millis(window.began).plus(WINDOW));
        let window = self.0.entry(action).or_insert(Window { began: now.millis(), attempts: 0 });
        if window.attempts >= action.attempts_max() {
            return Err(Error::too_often());
        }
        window.attempts += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_is_refused_until_the_hour_is_over() {
        let (mut attempts, now) = (Attempts::default(), Timestamp::from_millis(0));
        for _ in 0..5 {
            attempts.count(Action::ChangePassword, now).expect("five are allowed");
        }
        assert!(attempts.count(Action::ChangePassword, now).is_err());
        attempts.count(Action::ResendConfirmationCode, now).expect("another action");
        attempts.count(Action::ChangePassword, now.plus(WINDOW)).expect("a new hour");
    }
}
