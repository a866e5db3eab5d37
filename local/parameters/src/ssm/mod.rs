//! Systems Manager's Parameter Store.

pub mod error;
mod filter;
pub mod name;
pub mod ops;
pub mod parameter;
mod store;

use aws_api::{Protocol, ServiceName};

pub const NAME: ServiceName = ServiceName {
    title: "AWS Systems Manager Parameter Store",
    target: "AmazonSSM",
    signing: "ssm",
    protocol: Protocol::Json11,
    unsigned: &[],
    constraint_exception: "ValidationException",
};
