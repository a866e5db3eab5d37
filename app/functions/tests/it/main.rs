//! The functions over the real SDK clients, whose requests are answered in this process.

mod announce_user;
mod cloud;
mod create_profile;
mod log;
mod notice_sign_in;
mod patience;
mod profile_api;
mod reconcile_profiles;
mod reread_user;
mod welcome_email;

/// Keys and tokens, which the unit tests need too.
#[path = "../../src/profile_api/testing.rs"]
mod testing;
