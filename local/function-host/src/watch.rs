//! Whether code that lies on disk has changed.
//!
//! We look when somebody invokes, and not all the time: watchers of the operating system want a thread and a watch
//! per directory, run into limits where projects are large, and see nothing on network file systems and in
//! containers' mounts. Looking is cheap: a few microseconds per file, several times a second at most, and less
//! often the longer it takes. What others wrote (`node_modules`, version control, build output) is left out.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::hash::{Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

/// How often we look.
const INTERVAL: Duration = Duration::from_millis(200);
/// Of the time, looking takes at most one part in so many.
const SHARE: u32 = 50;
/// Of files and directories that are looked at; a project with more is watched in part.
const ENTRIES_MAX: usize = 20_000;
/// Directories that nobody edits.
const LEFT_OUT: &[&str] = &["node_modules", "target", "__pycache__", "venv", "site-packages", "cdk.out", "coverage"];

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    /// Code that is ours, or the server's: it does not change.
    Nothing,
    /// One file.
    File(PathBuf),
    /// All files in a directory.
    Tree(PathBuf),
}

/// Of code: two builds have different ones.
pub(crate) type Identity = u64;

/// When we looked last.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    next: Option<Instant>,
}

impl Looked {
    /// Whether it is time to look again; if so, the others need not.
    pub(crate) fn is_due(&mut self) -> bool {
        let now = Instant::now();
        if self.next.is_some_and(|next| now < next) {
            return false;
        }
        self.next = Some(now + INTERVAL);
        true
    }

    /// Looking took so long.
    pub(crate) fn took(&mut self, duration: Duration) {
        self.next = Some(Instant::now() + INTERVAL.max(duration * SHARE));
    }
}

impl Watched {
    /// The identity of what is there now; none if there is nothing, as in the middle of a build.
    pub(crate) fn identity(&self) -> Option<Identity> {
        match self {
            Self::Nothing => None,
            Self::File(path) => path.metadata().ok().map(|metadata| hashed(Path::new(""), &metadata)),
            Self::Tree(root) => tree(root),
        }
    }
}

/// Whether a directory of this name is none of the project's own: also whatever is hidden.
pub(crate) fn is_left_out(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with('.') || LEFT_OUT.contains(&name))
}

/// The sum of all files' hashes: the order in which they come does not matter.
fn tree(root: &Path) -> Option<Identity> {
    let (mut directories, mut sum, mut entries) = (vec![root.to_owned()], 0u64, 0);
    while let Some(directory) = directories.pop() {
        let Ok(listed) = fs::read_dir(&directory) else { continue };
        for entry in listed.flatten() {
            entries += 1;
            if entries > ENTRIES_MAX {
                return Some(sum);
            }
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if !is_left_out(&entry.file_name()) {
                    directories.push(entry.path());
                }
                continue;
            }
            let path = entry.path();
            if let Ok(metadata) = path.metadata() {
                sum = sum.wrapping_add(hashed(&path, &metadata));
            }
        }
    }
    (entries > 0).then_some(sum)
}

fn hashed(path: &Path, metadata: &Metadata) -> u64 {
    let mut hasher = DefaultHasher::new();
    (path, metadata.mtime(), metadata.mtime_nsec(), metadata.len(), metadata.ino()).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_changes_with_its_files_and_not_with_what_is_left_out() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        let write = |name: &str, text: &str| {
            fs::create_dir_all(root.join(name).parent().expect("a parent")).expect("it is made");
            fs::write(root.join(name), text).expect("it is written");
        };
        let watched = Watched::Tree(root.to_owned());
        assert_eq!(watched.identity(), None);
        write("src/a.js", "1");
        let first = watched.identity();
        assert_eq!(watched.identity(), first);
        write("node_modules/x/index.js", "1");
        write(".git/index", "1");
        assert_eq!(watched.identity(), first);
        write("src/a.js", "22");
        assert_ne!(watched.identity(), first);
        fs::remove_file(root.join("src/a.js")).expect("it is removed");
        write("src/b.js", "1");
        assert_ne!(watched.identity(), first);
    }
}
