//! What becomes of a user's call if the bus does not answer: the one thing that triggers leave to whoever deploys them.

use crate::environment::{Invalid, optional};

const VARIABLE: &str = "ON_PUBLISH_FAILURE";

/// What becomes of the sign-up, or the sign-in, if the bus does not take the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnPublishFailure {
    /// The trigger fails: Cognito tells the user.
    Fail,
    /// The trigger succeeds, and an error is logged: the next sign-in or the reconciler makes up for it.
    Continue,
}

impl OnPublishFailure {
    /// From `ON_PUBLISH_FAILURE`; what it is unless said depends on the function.
    pub(crate) fn from_environment(unless_said: Self) -> Result<Self, Invalid> {
        Self::of(optional(VARIABLE).as_deref(), unless_said)
    }

    fn of(value: Option<&str>, unless_said: Self) -> Result<Self, Invalid> {
        match value {
            None => Ok(unless_said),
            Some("fail") => Ok(Self::Fail),
            Some("continue") => Ok(Self::Continue),
            Some(other) => {
                let (value, expected) = (other.to_owned(), "fail or continue");
                Err(Invalid::Value { name: VARIABLE, value, expected })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_depends_on_the_function() {
        for unless_said in [OnPublishFailure::Fail, OnPublishFailure::Continue] {
            assert_eq!(OnPublishFailure::of(None, unless_said).expect("valid"), unless_said);
        }
    }

    #[test]
    fn what_is_said_counts() {
        let said = OnPublishFailure::of(Some("continue"), OnPublishFailure::Fail).expect("valid");
        assert_eq!(said, OnPublishFailure::Continue);
    }

    #[test]
    fn a_policy_that_nobody_knows_is_refused() {
        let words = "the environment variable ON_PUBLISH_FAILURE is \"ignore\": it must be fail or continue";
        let refused = OnPublishFailure::of(Some("ignore"), OnPublishFailure::Fail).expect_err("refused");
        assert_eq!(refused.to_string(), words);
    }
}
