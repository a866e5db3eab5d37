//! What one room needs of another: each file implements the traits that one room declares.

mod apis;
mod bus;
mod functions;
mod http;
mod logs;
mod pool;
mod sources;

pub use apis::ApisOutside;
pub use bus::BusOutside;
pub use functions::FunctionsOutside;
pub use http::CallsOut;
pub use logs::LogsOutside;
pub use pool::PoolOutside;
pub use sources::{BusPatterns, SourcesOutside};
