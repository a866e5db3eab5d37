//! Stacks: what people write down of them, made through the same operations that the API calls. One code path.
//!
//! Not here: any room (a stack knows services by their wire names alone, so that what it makes is what anybody's
//! client would make), and reading templates (`template` does). Start at [`Stacks::load`]; the stack that needs no
//! file is [`built_in`].
//!
//! A load goes through `check.rs` (what is wrong?), `order.rs` (what comes first?) and `load.rs` (make, change, remove).
//! `absent.rs` (what is not made?) comes before all of them. `kinds/` knows what each type of resource is, `known.rs` what references come to, `store.rs` what an earlier load
//! made.

mod absent;
mod built_in;
mod check;
mod error;
mod kind;
mod kinds;
mod known;
mod load;
mod name;
mod nested;
mod order;
mod resources;
mod shape;
mod stack;
mod stacks;
mod store;

pub use built_in::{BUILT_IN_FUNCTIONS, built_in};
pub use error::{LoadError, StackError};
pub use kind::Surroundings;
pub use known::Elsewhere;
pub use resources::Resources;
pub use stack::{Change, Loaded, Resource, Stack, What};
pub use stacks::{Reading, StackSource, Stacks};

use check::existing_pool_of;
