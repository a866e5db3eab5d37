//! The pattern language for those who filter other things than events: records of queues and streams.

use crate::pattern::{Event, Index, Pattern};

/// Patterns of which one must match.
#[derive(Debug)]
pub struct RecordFilter(Index);

impl RecordFilter {
    /// None if one of them is no pattern.
    pub fn compile(patterns: &[String]) -> Option<Self> {
        let patterns: Option<Vec<Pattern>> = patterns.iter().map(|pattern| Pattern::compile(pattern).ok()).collect();
        Some(Self(Index::new(&patterns?)))
    }

    /// Whether a JSON object passes; what is none does not.
    pub fn passes(&self, record: &str) -> bool {
        Event::read(record, &self.0).is_ok_and(|record| !self.0.matching(&record).is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pattern_is_enough() {
        let patterns = [r#"{"a":[1]}"#.to_owned(), r#"{"b":{"c":[{"prefix":"x"}]}}"#.to_owned()];
        let filter = RecordFilter::compile(&patterns).expect("they are patterns");
        assert!(filter.passes(r#"{"a":1}"#) && filter.passes(r#"{"b":{"c":"xy"}}"#));
        assert!(!filter.passes(r#"{"a":2,"b":{"c":"y"}}"#) && !filter.passes("no record"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert!(RecordFilter::compile(&[r#"{"a":[1]}"#.to_owned(), "single-string".to_owned()]).is_none());
        assert!(RecordFilter::compile(&[r#"[{"eventName": ["INSERT"=123}]"#.to_owned()]).is_none());
    }
}
