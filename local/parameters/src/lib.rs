//! Values by name: Systems Manager's Parameter Store and Secrets Manager.
//!
//! Parameters have up to a hundred versions, labels, tags and tiers; secrets have versions with staging labels, and a
//! recovery window when they are deleted. Values lie in one file that its owner alone can read. No value is ever
//! printed: what holds one is a [`hidden::Hidden`].
//!
//! Not here: encryption (a key is remembered, and not used), rotation, replicas, resource policies, and everything
//! else that Systems Manager does. Their operations answer `UnknownOperationException`. Start at [`Parameters`].

mod constraint;
mod hidden;
mod opaque;
mod page;
mod room;
mod secrets;
mod ssm;
mod store;
mod tags;
#[cfg(test)]
mod testing;

pub use room::{Parameters, SetError};
