//! What functions print, on its way into CloudWatch Logs.

use std::sync::Arc;

use function_host::{LogSink, LogStream};
use logs::Logs;
use world::Timestamp;

/// The room that keeps it.
pub struct LogsOutside(pub Arc<Logs>);

impl LogSink for LogsOutside {
    fn print(&self, stream: &LogStream, at: Timestamp, message: &str) {
        self.0.print(&stream.group, &stream.name, at.millis(), message);
    }
}
