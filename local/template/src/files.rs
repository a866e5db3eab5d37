//! The files beside a document. Nothing here opens them: the caller does.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Reads files for whoever reads a document that names them.
pub trait Files: Send + Sync {
    /// The text of a file. A path that is not absolute starts where the document's own does.
    fn read(&self, path: &Path) -> io::Result<String>;
}

/// Files that are held in memory; none at all is an empty one.
impl Files for BTreeMap<PathBuf, String> {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
