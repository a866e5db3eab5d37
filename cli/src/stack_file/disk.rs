//! The files that a stack is read from, and whether they have changed since.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use server::template::Files;

/// When a file was changed last; none if it is not there, which may change too.
type Changed = Option<SystemTime>;

/// Files of this machine. Those that are opened are remembered.
#[derive(Debug, Default)]
pub struct Disk {
    seen: Mutex<BTreeMap<PathBuf, Changed>>,
}

impl Disk {
    /// A file's text.
    pub fn text(&self, path: &Path) -> io::Result<String> {
        self.watch(path);
        fs::read_to_string(path)
    }

    /// A file that somebody else reads.
    pub fn watch(&self, path: &Path) {
        // Its time before its text: what is written between the two counts as a change.
        self.seen.lock().expect("no holder panics").insert(path.to_owned(), changed(path));
    }

    /// A new reading begins.
    pub fn forget(&self) {
        self.seen.lock().expect("no holder panics").clear();
    }

    /// Whether a file is another one than when it was read.
    pub fn changed(&self) -> bool {
        let seen = self.seen.lock().expect("no holder panics");
        seen.iter().any(|(path, before)| changed(path) != *before)
    }
}

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.text(path)
    }
}

fn changed(path: &Path) -> Changed {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_that_is_written_comes_and_goes_has_changed() {
        let folder = std::env::temp_dir().join(format!("tandem-disk-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let (file, other) = (folder.join("a"), folder.join("b"));
        fs::write(&file, "1").expect("it is written");
        let disk = Disk::default();
        assert_eq!(disk.text(&file).expect("it is read"), "1");
        assert!(disk.text(&other).is_err());
        assert!(!disk.changed());
        fs::write(&other, "2").expect("it is written");
        assert!(disk.changed());
        disk.forget();
        disk.watch(&file);
        assert!(!disk.changed());
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        fs::File::open(&file).and_then(|file| file.set_modified(later)).expect("its time is set");
        assert!(disk.changed());
        fs::remove_dir_all(&folder).expect("it is removed");
    }
}
