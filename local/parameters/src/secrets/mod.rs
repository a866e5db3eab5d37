//! Secrets Manager.

pub mod error;
mod filter;
mod id;
pub mod ops;
mod password;
mod secret;
mod store;

use aws_api::{Protocol, ServiceName};

pub const NAME: ServiceName = ServiceName {
    title: "AWS Secrets Manager",
    target: "secretsmanager",
    signing: "secretsmanager",
    protocol: Protocol::Json11,
    unsigned: &[],
    constraint_exception: "ValidationException",
};
