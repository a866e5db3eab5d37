//! The functions over the real SDK clients, whose requests are answered in this process.

mod announce_user;
mod cloud;
mod create_profile;
mod reconcile_profiles;
mod welcome_email;
