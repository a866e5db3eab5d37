//! What one room needs of another: each file implements the traits that one room declares.

mod bus;
mod functions;
mod pool;

pub use bus::BusOutside;
pub use functions::FunctionsOutside;
pub use pool::PoolOutside;
