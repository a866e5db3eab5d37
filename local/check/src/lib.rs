//! x
pub mod code;
