//! The operations that work.

#[cfg(test)]
mod harness;

use crate::Identity;

aws_api::operations! { Identity;
    "AssumeRole" => assume_role,
    "AssumeRoleWithWebIdentity" => assume_role_with_web_identity,
    "GetCallerIdentity" => get_caller_identity,
    "GetSessionToken" => get_session_token,
}
