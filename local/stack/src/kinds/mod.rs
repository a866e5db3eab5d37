//! The types of resources that can be made, one file a family.

mod events;
mod lambda;
mod pools;
mod queues;
mod tables;

use crate::kind::Kind;

/// The kind of resources of this type, if there is one.
pub fn of(name: &str) -> Option<&'static dyn Kind> {
    let families: [&[(&str, &'static dyn Kind)]; 5] =
        [pools::KINDS, lambda::KINDS, tables::KINDS, events::KINDS, queues::KINDS];
    families.into_iter().flatten().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}
