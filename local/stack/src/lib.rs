//! A stack's resources, made through the same operations that the API calls: one code path.
//!
//! Not here: any room. A stack knows services by their wire names alone, so that what it makes is what anybody's
//! client would make. Today there is one stack, the built-in one; files (serverless.yml, SAM, CloudFormation) come
//! here later. Start at [`built_in`].

mod built_in;
mod resources;

pub use built_in::{BUILT_IN_FUNCTIONS, built_in};
pub use resources::{Resources, StackError};

use serde::Serialize;

/// What a stack made, for people and tests: `GET /_tandem/stack`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// The region that we pretend to be in.
    pub region: String,
    /// The account that we pretend to be.
    pub account_id: String,
    /// The user pool.
    pub user_pool_id: String,
    /// Its client.
    pub user_pool_client_id: String,
    /// The event bus.
    pub event_bus_name: String,
    /// The table of profiles.
    pub table_name: String,
    /// The functions, by name.
    pub functions: Vec<String>,
    /// Where deliveries end that no target took.
    pub dead_letter_queue_url: String,
    /// Where invocations end that no attempt brought to success.
    pub failed_invocations_queue_url: String,
}
