//! Things that are kept as one JSON document each, under their kind and name: archives, replays, connections and API
//! destinations. Few, small, and never searched by anything but their name.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Documents of one kind by name.
pub type Named<T> = BTreeMap<String, Arc<T>>;

/// Something that is kept as one document. New members need a default: older documents must still load.
pub trait Document: Serialize + DeserializeOwned {
    /// What the store calls its kind. Never changed.
    const KIND: &'static str;

    /// Unique among its kind.
    fn name(&self) -> &str;

    /// Whatever is computed and not stored.
    fn loaded(self) -> Self {
        self
    }
}
