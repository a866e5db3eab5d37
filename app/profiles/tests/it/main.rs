//! The crate through its public face: events against their schemas, and the store over a table in memory.

mod convergence;
mod events;
mod people;
mod store;
mod table;
mod unique;
