//! The Lambda functions of Tandem: one executable, the handler chosen by `_HANDLER`.
//!
//! One file per function: [`announce_user`] hangs on the user pool and tells the bus of new users; [`create_profile`]
//! and [`welcome_email`] listen to the bus. They speak nothing but the AWS API, so they run wherever that is: on AWS,
//! or in the local cloud, whose binary calls [`main`] too.
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
mod trace;
mod trigger_event;
pub mod welcome_email;
mod welcome_note;

pub use clients::sdk_config;
pub use error::Error;

use std::sync::Arc;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use serde_json::value::RawValue;

use announce_user::AnnounceUser;
use create_profile::CreateProfile;
use welcome_email::WelcomeEmail;

/// What `_HANDLER` may be.
pub const HANDLERS: &[&str] = &[announce_user::HANDLER, create_profile::HANDLER, welcome_email::HANDLER];

/// A process that is a function: one thread, which is what a sandbox has work for, and then [`run`].
pub fn main() -> Result<(), lambda_runtime::Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}

/// Serves the function that `_HANDLER` names until the Lambda service ends the process. Takes over the process's
/// `tracing` subscriber, so call it before any other is set.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let handler = environment::required("_HANDLER", "the function to be")?;
    // Clients are made once: connections outlive the invocation.
    match handler.as_str() {
        announce_user::HANDLER => {
            let settings = announce_user::Settings::from_environment()?;
            let function = Arc::new(AnnounceUser::new(&sdk_config().await, settings));
            lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
                let function = Arc::clone(&function);
                async move { function.handle(event.payload, &event.context, clock::now()).await }
            }))
            .await
        }
        create_profile::HANDLER => {
            let settings = create_profile::Settings::from_environment()?;
            let function = Arc::new(CreateProfile::new(&sdk_config().await, settings));
            lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
                let function = Arc::clone(&function);
                async move { function.handle(&event.payload, clock::now()).await }
            }))
            .await
        }
        welcome_email::HANDLER => {
            let settings = welcome_email::Settings::from_environment()?;
            let function = Arc::new(WelcomeEmail::new(&sdk_config().await, settings));
            lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
                let function = Arc::clone(&function);
                async move { function.handle(&event.payload, &event.context, clock::now()).await }
            }))
            .await
        }
        other => Err(environment::Invalid::Handler { name: other.to_owned() }.into()),
    }
}
