//! Layers: what a function on AWS finds under `/opt`.
//!
//! Nobody may write to `/opt` here, so the layers of a function are merged into a directory of ours, a later one
//! over an earlier one, and everything that AWS maps to `/opt` is mapped to it: see `plan.rs`. A function with one
//! layer uses the layer's own directory.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::code::make_directory;
use crate::runtime::InvalidEntrypoint;

/// The directory that stands for `/opt`; none without layers. Layers never change, so neither does what is made
/// of them.
pub(super) async fn merged(directory: &Path, layers: &[PathBuf]) -> Result<Option<PathBuf>, InvalidEntrypoint> {
    let [_, _, ..] = layers else { return Ok(layers.first().cloned()) };
    let mut name = Context::new(&SHA256);
    for layer in layers {
        name.update(layer.as_os_str().as_bytes());
        name.update(&[0]);
    }
    let name = URL_SAFE_NO_PAD.encode(name.finish());
    let opt = directory.join("opt").join(name);
    if opt.is_dir() {
        return Ok(Some(opt));
    }
    let (layers, made) = (layers.to_vec(), opt.clone());
    let merging = tokio::task::spawn_blocking(move || merge(&layers, &made)).await;
    match merging.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(()) => Ok(Some(opt)),
        Err(error) => Err(InvalidEntrypoint(format!("the layers could not be merged into {}: {error}", opt.display()))),
    }
}

/// In one step: a directory that is there is complete.
fn merge(layers: &[PathBuf], opt: &Path) -> io::Result<()> {
    let making = opt.with_extension(format!("{}.{:?}", std::process::id(), std::thread::current().id()));
    for layer in layers {
        add(layer, &making)?;
    }
    let moved = fs::rename(&making, opt);
    if moved.is_err() {
        let _ = fs::remove_dir_all(&making); // somebody else was faster
    }
    if opt.is_dir() { Ok(()) } else { moved }
}

fn add(from: &Path, to: &Path) -> io::Result<()> {
    make_directory(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if target.is_file() {
                fs::remove_file(&target)?;
            }
            add(&entry.path(), &target)?;
            continue;
        }
        if target.is_dir() {
            fs::remove_dir_all(&target)?;
        } else if target.symlink_metadata().is_ok() {
            fs::remove_file(&target)?;
        }
        // Another name for the same file, where the file system has such: it costs nothing.
        if fs::hard_link(entry.path(), &target).is_err() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_later_layer_lies_over_an_earlier_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let layer = |name: &str, files: &[(&str, &str)]| {
            let layer = directory.path().join(name);
            for (file, text) in files {
                fs::create_dir_all(layer.join(file).parent().expect("a parent")).expect("it is made");
                fs::write(layer.join(file), text).expect("it is written");
            }
            layer
        };
        let layers = [layer("one", &[("python/a.py", "1"), ("bin/x", "1")]), layer("two", &[("python/a.py", "2")])];
        let opt = merged(directory.path(), &layers).await.expect("they merge").expect("a directory");
        let text = |file: &str| fs::read_to_string(opt.join(file)).expect("it is there");
        assert_eq!((text("python/a.py"), text("bin/x")), ("2".into(), "1".into()));
        assert_eq!(fs::read_to_string(layers[0].join("python/a.py")).expect("it is there"), "1", "untouched");
        assert_eq!(merged(directory.path(), &layers[..1]).await, Ok(Some(layers[0].clone())));
        assert_eq!(merged(directory.path(), &[]).await, Ok(None));
    }
}
