//! AWS Security Token Service (STS): who a caller is, and credentials for a while. Code that uses an SDK often begins
//! with one of its calls.
//!
//! There is no IAM here: roles are not looked up, policies and conditions have no effect, identity tokens are read and
//! not verified. What is given works, because on loopback any credentials do, and elsewhere it is the caller's own key.
//! Who somebody is lies in their session token, so nothing is remembered. Start at [`Identity`] and `ops/`.

mod error;
mod ops;
mod query_api;
mod session;

use std::sync::Arc;

use aws_api::{Protocol, Service, ServiceName};
use world::World;

const STS: ServiceName = ServiceName {
    title: "AWS Security Token Service",
    target: "",
    signing: "sts",
    protocol: Protocol::Query,
    // AssumeRoleWithWebIdentity is unsigned on AWS. Here nobody verifies its token, so it needs a signature where
    // signatures are checked.
    unsigned: &[],
    constraint_exception: "ValidationError",
};

/// The room.
#[derive(Debug)]
pub struct Identity {
    world: World,
    /// Where signatures are checked: the one key that counts.
    key: Option<(String, String)>,
}

impl Identity {
    /// Of an account; `key` is the one that requests must be signed with, if they must be.
    pub fn new(world: World, key: Option<(String, String)>) -> Arc<Self> {
        Arc::new(Self { world, key })
    }

    /// STS, which speaks the query protocol alone.
    pub fn services(self: &Arc<Self>) -> Vec<Arc<dyn Service>> {
        vec![<dyn Service>::with_query(STS, Arc::clone(self), ops::OPERATIONS, &query_api::QUERY_API)]
    }
}
