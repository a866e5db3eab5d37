//! The rules, by subject. `examples/` has a bad and a good stack of each; `docs/pitfalls.md` a section.

mod admin_users;
mod bus;
mod circular;
mod comments;
mod dead_letters;
mod federated;
mod handler_answer;
mod handler_errors;
mod handler_guard;
mod mappings;
mod pattern;
mod pool;
mod pool_names;
mod put_events;
mod reserved_words;
mod retained;
mod triggers;
mod user_pool_calls;
mod words;
mod writes;

#[cfg(test)]
mod tests;

use crate::finding::Rule;

/// All rules.
pub const RULES: &[Rule] = &[
    pool::CASE_SENSITIVE,
    pool::USERNAME_AND_ALIAS,
    pool::CLIENT_REVEALS_USERS,
    retained::POOL,
    retained::TABLE,
    pool_names::CREATED_TWICE,
    pool_names::COLLIDING,
    pool_names::RENAMED,
    pool_names::EXISTING_HERE,
    pool_names::EXISTING_ELSEWHERE,
    pool_names::ELSEWHERE,
    triggers::WITHOUT_PERMISSION,
    triggers::PERMISSION_WITHOUT_SOURCE,
    triggers::TIMEOUT,
    triggers::VPC,
    circular::REFERENCE,
    handler_guard::GUARD,
    handler_answer::EVENT,
    handler_answer::CALLBACK,
    handler_errors::RETHROWS,
    writes::UNCONDITIONAL_PUT,
    reserved_words::RESERVED_WORD,
    put_events::FAILURES_UNREAD,
    put_events::FIXED_BUS,
    put_events::RESERVED_SOURCE,
    dead_letters::RULE,
    dead_letters::FUNCTION,
    dead_letters::POLICY,
    dead_letters::FIFO,
    bus::CREATED_TWICE,
    bus::MISSING,
    bus::PERMISSION_SOURCE,
    bus::SCHEDULE,
    bus::THIRD_HOP,
    pattern::KEY,
    pattern::VALUE,
    pattern::NEVER,
    mappings::VISIBILITY,
    mappings::REDRIVE,
    mappings::STREAM_RETRIES,
    mappings::STREAM_FAILURES,
    admin_users::UNSEEN,
    admin_users::CHANGES_UNSEEN,
    federated::FIRST_SIGN_IN,
    federated::REQUIRED_ATTRIBUTE,
    federated::IMMUTABLE_ATTRIBUTE,
    federated::EMAIL_VERIFIED,
    federated::LINK_IN_PRE_SIGN_UP,
    user_pool_calls::UPDATE_RESETS,
    user_pool_calls::ATTRIBUTES_TO_GET,
    user_pool_calls::EMAIL_ALIAS,
    comments::UNKNOWN_RULE,
];

/// A rule by its id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}
