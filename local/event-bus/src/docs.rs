//! `docs/eventbridge.md` lists every operation of the service's model. It must say of each what the table of
//! operations says.

use std::collections::BTreeSet;

use crate::ops::OPERATIONS;

const PAGE: &str = include_str!("../../../docs/eventbridge.md");
/// Operations of the model of 2015-10-07.
const OPERATIONS_OF_THE_MODEL: usize = 57;

/// The operations in the rows of the part under a heading.
fn listed(heading: &str) -> BTreeSet<&'static str> {
    let part = PAGE.split("\n## ").find(|part| part.starts_with(heading)).expect("the heading is there");
    let cell = |row: &'static str| row.strip_prefix("| `")?.split_once('`').map(|(name, _)| name);
    part.lines().filter_map(cell).collect()
}

#[test]
fn the_page_lists_what_works() {
    let works: BTreeSet<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
    assert_eq!(listed("Operations that work"), works);
}

#[test]
fn the_page_lists_what_is_refused() {
    let (works, refused) = (listed("Operations that work"), listed("Operations that are refused"));
    assert_eq!(works.intersection(&refused).count(), 0);
    assert_eq!(works.len() + refused.len(), OPERATIONS_OF_THE_MODEL);
}
