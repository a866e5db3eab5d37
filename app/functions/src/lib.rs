//! The Lambda functions of Tandem: one executable, the handler chosen by `_HANDLER`.
//!
//! One file per function. Two hang on the user pool and tell the bus: [`announce_user`] of new users, [`notice_sign_in`]
//! of whatever has changed since the profile was written. [`reread_user`] listens to what CloudTrail tells of other calls
//! and tells the bus too. [`create_profile`] and [`welcome_email`] listen to the bus; [`reconcile_profiles`] runs on a
//! schedule; [`profile_api`] answers HTTP requests. They speak nothing but the AWS API, so they run wherever that is: on
//! AWS, or in the local cloud, whose binary calls [`main`] too.
//!
//! Around each invocation are its metrics ([`metrics`] has the table), its log, and its spans where there is a collector.
//! The log names users by their `sub` and says nothing else of them.
//!
//! Not here: what a profile is and how events change it (`tandem-profiles`). What the functions read from their
//! environment is in [`environment`], what they fail with in [`Error`]. Start at [`run`].

pub mod announce_user;
mod bus_event;
mod clients;
mod clock;
pub mod create_profile;
pub mod environment;
mod error;
pub mod invocation;
pub mod metrics;
pub mod notice_sign_in;
mod policy;
pub mod profile_api;
pub mod reconcile_profiles;
pub mod reread_user;
mod spans;
mod trace;
mod trail_event;
mod trigger_event;
pub mod welcome_email;
mod welcome_note;

pub use clients::sdk_config;
pub use error::Error;

use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use announce_user::AnnounceUser;
use create_profile::CreateProfile;
use invocation::Invocations;
use notice_sign_in::NoticeSignIn;
use reconcile_profiles::ReconcileProfiles;
use reread_user::RereadUser;
use welcome_email::WelcomeEmail;

/// What `_HANDLER` may be.
pub const HANDLERS: &[&str] = &[
    announce_user::HANDLER,
    notice_sign_in::HANDLER,
    reread_user::HANDLER,
    create_profile::HANDLER,
    welcome_email::HANDLER,
    profile_api::HANDLER,
    reconcile_profiles::HANDLER,
];

/// A process that is a function: one thread, which is what a sandbox has work for, and then [`run`].
pub fn main() -> Result<(), lambda_runtime::Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}

/// Serves the function that `_HANDLER` names until the Lambda service ends the process. Takes over the process's
/// `tracing` subscriber, so call it before any other is set.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    let handler = environment::required("_HANDLER", "the function to be")?;
    let invocations = Invocations::from_environment(&handler)?;
    invocations.log();
    // Clients are made once: connections outlive the invocation.
    match handler.as_str() {
        announce_user::HANDLER => {
            let settings = announce_user::Settings::from_environment()?;
            let function = Arc::new(AnnounceUser::new(&sdk_config().await, settings));
            invocations
                .serve(move |event: Box<RawValue>, context| {
                    let function = Arc::clone(&function);
                    async move { function.handle(event, &context, clock::now()).await }
                })
                .await
        }
        notice_sign_in::HANDLER => {
            let settings = notice_sign_in::Settings::from_environment()?;
            let function = Arc::new(NoticeSignIn::new(&sdk_config().await, settings));
            invocations
                .serve(move |event: Box<RawValue>, context| {
                    let function = Arc::clone(&function);
                    async move { function.handle(event, &context, clock::now()).await }
                })
                .await
        }
        reread_user::HANDLER => {
            let settings = reread_user::Settings::from_environment()?;
            let function = Arc::new(RereadUser::new(&sdk_config().await, settings));
            invocations
                .serve(move |event: Value, context| {
                    let function = Arc::clone(&function);
                    async move { function.handle(&event, &context, clock::now()).await }
                })
                .await
        }
        create_profile::HANDLER => {
            let settings = create_profile::Settings::from_environment()?;
            let function = Arc::new(CreateProfile::new(&sdk_config().await, settings));
            invocations
                .serve(move |event: Value, _| {
                    let function = Arc::clone(&function);
                    async move { function.handle(&event, clock::now()).await }
                })
                .await
        }
        reconcile_profiles::HANDLER => {
            let settings = reconcile_profiles::Settings::from_environment()?;
            let function = Arc::new(ReconcileProfiles::new(sdk_config().await, settings));
            invocations
                .serve(move |event: Value, context| {
                    let function = Arc::clone(&function);
                    async move { function.handle(&event, &context, clock::now).await }
                })
                .await
        }
        welcome_email::HANDLER => {
            let settings = welcome_email::Settings::from_environment()?;
            let function = Arc::new(WelcomeEmail::new(&sdk_config().await, settings));
            invocations
                .serve(move |event: Value, context| {
                    let function = Arc::clone(&function);
                    async move { function.handle(&event, &context, clock::now()).await }
                })
                .await
        }
        profile_api::HANDLER => {
            let settings = profile_api::Settings::from_environment()?;
            profile_api::run(&sdk_config().await, settings, invocations).await
        }
        other => Err(environment::Invalid::Handler { name: other.to_owned() }.into()),
    }
}
