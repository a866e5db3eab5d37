//! Amazon Cognito user pools: pools and their clients, users and their states, sign-up, sign-in, tokens, triggers.
//!
//! Not here: HTTP (see `aws-api`), running functions ([`Triggers`]) and sending messages ([`Messages`]), which
//! `server` hands in; managed login's pages, MFA and custom challenges, which are not there yet. What is declared
//! for those is kept (`declared.rs`).
//!
//! Data flows one way: `ops/` (one file per API operation: wire shapes and the steps of the operation) calls the
//! engine (the other modules, by their nouns), which calls `store.rs`, the only file that knows SQL. Start at
//! [`UserPools`], then read `ops/sign_up.rs` and `ops/confirm_sign_up.rs`.

mod access;
mod attributes;
mod client;
mod code;
mod constraint;
mod declared;
mod error;
mod federation;
mod filter;
mod group;
mod import;
mod keys;
mod limit;
mod lockout;
mod message;
mod migration;
mod ops;
mod owed;
mod page_token;
mod password;
mod pool;
mod room;
mod secret_hash;
mod session;
mod sign_in;
mod srp;
mod store;
#[cfg(test)]
mod testing;
mod token;
mod trail;
mod trigger;
mod user;
mod username;

pub use client::ClientId;
pub use error::Error;
pub use federation::{FederatedSignIn, FederatedUser};
pub use import::{FILE_BYTES_MAX, ImportLog, UploadError};
pub use message::{Channel, Message, Messages};
pub use pool::PoolId;
pub use room::UserPools;
pub use trail::{Record, Trail};
pub use trigger::{TriggerCall, TriggerFailure, Triggers};
pub use user::Sub;

/// What the wire has to know of this service.
pub const NAME: aws_api::ServiceName = aws_api::ServiceName {
    title: "Amazon Cognito user pools",
    target: "AWSCognitoIdentityProviderService",
    signing: "cognito-idp",
    protocol: aws_api::Protocol::Json11,
    unsigned: ops::UNSIGNED,
    constraint_exception: "InvalidParameterException",
};
