//! Findings for people and for machines.

mod explain;
mod json;
mod people;
mod sarif;

pub use explain::explain;
pub use json::json;
pub use people::{People, rules_list};
pub use sarif::sarif;

use template::Span;

/// The lines and columns of a stretch, from 1, in characters; the end stands behind the last character.
struct Region {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl Region {
    fn of(span: &Span) -> Self {
        let (line, column) = span.line_column();
        let end = Span { start: span.end, ..span.clone() };
        let (end_line, end_column) = end.line_column();
        Self { line, column, end_line, end_column }
    }
}

/// A path as it is written in reports, on every system.
fn path_of(span: &Span) -> String {
    let path = span.source.path.to_string_lossy().replace('\\', "/");
    path.strip_prefix("./").map_or(path.clone(), str::to_owned)
}
