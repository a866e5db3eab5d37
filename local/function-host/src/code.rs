//! A function's code as it comes in: archives are unpacked, paths and built-in ids are checked.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zip::ZipArchive;

use crate::error::Error;
use crate::function::{Code, Source};
use crate::host::FunctionHost;
use crate::runtime::{Kind, Runtime};
use crate::runtimes::is_cargo_project;

/// Of an archive in a request: 50 MB.
pub(crate) const ZIPPED_BYTES_MAX: usize = 52_428_800;
/// Of everything in it: 250 MB.
pub(crate) const UNZIPPED_BYTES_MAX: u64 = 262_144_000;
/// Files and directories in an archive. AWS has no such limit; without one an archive of a few megabytes
/// could make millions of files.
const ENTRIES_MAX: usize = 100_000;

const NOT_AN_ARCHIVE: &str = "Could not unzip uploaded file. Please check your file, then try to upload again.";

/// `Code` of `CreateFunction`; `UpdateFunctionCode` has the same members beside its own.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CodeRequest {
    /// Base64.
    pub(crate) zip_file: Option<String>,
    pub(crate) s3_bucket: Option<String>,
    pub(crate) s3_key: Option<String>,
    pub(crate) image_uri: Option<String>,
}

impl CodeRequest {
    /// Brings the code of a function of `runtime` to where it will run.
    ///
    /// Beside AWS's forms there are buckets that do not exist there: see the table in `lib.rs`. `inline` is for
    /// whoever reads templates: `CloudFormation`'s `ZipFile` is the source text itself, which the API does not take.
    pub(crate) async fn take(self, host: &FunctionHost, runtime: Runtime) -> Result<Code, Error> {
        if self.image_uri.is_some() {
            return Err(Error::InvalidParameterValue("Container images are not implemented by this server".into()));
        }
        match (self.zip_file, self.s3_bucket.as_deref(), self.s3_key) {
            (Some(zip), None, None) => unpack(host, zip).await,
            (None, Some("local" | "hot-reload"), Some(path)) => on_disk(host, PathBuf::from(path), runtime).await,
            (None, Some("inline"), Some(text)) => inline(host, text, runtime).await,
            (None, Some("built-in"), Some(id)) => built_in(host, id),
            (None, Some(_), Some(_)) => Err(Error::InvalidParameterValue(
                "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket \
                 does not exist (this server has no S3: use ZipFile, or S3Bucket `local` with a path as S3Key)"
                    .into(),
            )),
            _ => Err(Error::InvalidParameterValue("Please provide either a ZipFile or an S3Bucket and S3Key".into())),
        }
    }
}

async fn on_disk(host: &FunctionHost, path: PathBuf, runtime: Runtime) -> Result<Code, Error> {
    if !path.is_absolute() {
        let shown = path.display();
        return Err(Error::InvalidParameterValue(format!("S3Key must be an absolute path here, not {shown}")));
    }
    if path.extension().is_some_and(|extension| extension == "zip") && path.is_file() {
        return unpack_file(host, path).await;
    }
    let is_source = runtime.kind != Kind::Provided || is_cargo_project(&path);
    let (code, what) = match path.is_dir() {
        _ if is_source => (path.clone(), "directory"),
        true => (path.join("bootstrap"), "executable"),
        false => (path.clone(), "executable"),
    };
    let metadata = code.metadata().ok().filter(|metadata| metadata.is_dir() || !is_source);
    let Some(metadata) = metadata else {
        let shown = code.display();
        return Err(Error::InvalidParameterValue(format!("There is no {what} at {shown}")));
    };
    // Nobody wants to read a whole executable to learn whether it is another one.
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let identity = format!("{}\n{modified:?}\n{}\n{}", path.display(), metadata.len(), metadata.ino());
    let sha256 = sha256(identity.as_bytes());
    Ok(Code { size_bytes: metadata.len(), sha256, source: Source::OnDisk(path), unzipped_bytes: 0 })
}

fn built_in(host: &FunctionHost, id: String) -> Result<Code, Error> {
    if !host.has_built_in(&id) {
        return Err(Error::InvalidParameterValue(format!("There is no built-in function {id}")));
    }
    Ok(Code { size_bytes: 0, sha256: sha256(id.as_bytes()), source: Source::BuiltIn(id), unzipped_bytes: 0 })
}

/// Unpacks an archive (Base64) of code or of a layer into a directory of its own.
pub(crate) async fn unpack(host: &FunctionHost, zip: String) -> Result<Code, Error> {
    if zip.len() / 4 * 3 > ZIPPED_BYTES_MAX + 2 {
        return Err(Error::RequestEntityTooLarge { bytes_max: ZIPPED_BYTES_MAX });
    }
    let decode = || STANDARD.decode(zip).map_err(|_| Error::InvalidParameterValue(NOT_AN_ARCHIVE.into()));
    unpacked(host, move |directory| unpack_into(directory, &decode()?)).await
}

/// Unpacks an archive that lies on this machine.
async fn unpack_file(host: &FunctionHost, path: PathBuf) -> Result<Code, Error> {
    let read = move || {
        let size_bytes = path.metadata().map_or(0, |metadata| metadata.len());
        if size_bytes > UNZIPPED_BYTES_MAX {
            return Err(Error::RequestEntityTooLarge { bytes_max: ZIPPED_BYTES_MAX });
        }
        fs::read(&path).map_err(|error| {
            let shown = path.display();
            Error::InvalidParameterValue(format!("{shown} cannot be read: {error}"))
        })
    };
    unpacked(host, move |directory| unpack_into(directory, &read()?)).await
}

/// Takes a copy of a layer that lies on this machine: an archive, or the directory that would be in it. A copy, since a
/// version of a layer never changes.
pub(crate) async fn copy(host: &FunctionHost, path: PathBuf) -> Result<Code, Error> {
    if path.extension().is_some_and(|extension| extension == "zip") && path.is_file() {
        return unpack_file(host, path).await;
    }
    if !path.is_absolute() || !path.is_dir() {
        let shown = path.display();
        return Err(Error::InvalidParameterValue(format!("There is no directory at {shown}: S3Key must name one")));
    }
    let copy = move |directory: &Path| {
        let mut copied = Copied { bytes: 0, names: String::new() };
        copied.directory(&path, directory)?;
        Ok((copied.bytes, copied.bytes, sha256(copied.names.as_bytes())))
    };
    unpacked(host, copy).await
}

/// What was copied so far.
struct Copied {
    bytes: u64,
    /// Of files, with their sizes and times.
    names: String,
}

impl Copied {
    fn directory(&mut self, from: &Path, to: &Path) -> Result<(), Error> {
        let failed = |error: io::Error| {
            let shown = from.display();
            Error::InvalidParameterValue(format!("{shown} cannot be copied: {error}"))
        };
        make_directory(to).map_err(|error| not_unpacked(&error, to))?;
        let mut entries = fs::read_dir(from).map_err(failed)?.collect::<io::Result<Vec<_>>>().map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, to) = (entry.path(), to.join(entry.file_name()));
            let metadata = path.metadata().map_err(failed)?;
            if metadata.is_dir() {
                self.directory(&path, &to)?;
                continue;
            }
            self.bytes += metadata.len();
            if self.bytes > UNZIPPED_BYTES_MAX {
                let message = format!("Unzipped size must be smaller than {UNZIPPED_BYTES_MAX} bytes");
                return Err(Error::InvalidParameterValue(message));
            }
            let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let _ = writeln!(self.names, "{}\n{}\n{modified:?}", path.display(), metadata.len());
            fs::copy(&path, &to).map_err(failed)?;
        }
        Ok(())
    }
}

/// Source text, as the file that its runtime looks for.
async fn inline(host: &FunctionHost, text: String, runtime: Runtime) -> Result<Code, Error> {
    let Some(file) = runtime.inline_file() else {
        let text = "ZipFile can only be used with Node.js and Python runtimes";
        return Err(Error::InvalidParameterValue(text.into()));
    };
    let write = move |directory: &Path| {
        make_directory(directory)?;
        make_file(&directory.join(file), false)?.write_all(text.as_bytes())?;
        Ok((text.len() as u64, text.len() as u64, sha256(text.as_bytes())))
    };
    unpacked(host, move |directory| write(directory).map_err(|error: io::Error| not_unpacked(&error, directory))).await
}

/// What `unpack` puts into a new directory; if it fails, nothing stays.
async fn unpacked(
    host: &FunctionHost,
    unpack: impl FnOnce(&Path) -> Result<(u64, u64, String), Error> + Send + 'static,
) -> Result<Code, Error> {
    let name = host.world().random.uuid();
    let directory = host.code_directory().join(&name);
    let unpacked = tokio::task::spawn_blocking(move || {
        let code = unpack(&directory);
        if code.is_err() {
            remove(&directory);
        }
        code
    });
    let (size_bytes, unzipped_bytes, sha256) = unpacked.await.map_err(|error| Error::Service(error.to_string()))??;
    Ok(Code { source: Source::Unpacked(name), size_bytes, unzipped_bytes, sha256 })
}

/// Removes a directory of unpacked code; one that is gone already is fine.
pub(crate) fn remove(directory: &Path) {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, directory = %directory.display(), "unpacked code could not be removed");
        }
        _ => {}
    }
}

/// The size of the archive, of what was in it, and its digest.
fn unpack_into(directory: &Path, bytes: &[u8]) -> Result<(u64, u64, String), Error> {
    let refused = || Error::InvalidParameterValue(NOT_AN_ARCHIVE.into());
    let too_large =
        || Error::InvalidParameterValue(format!("Unzipped size must be smaller than {UNZIPPED_BYTES_MAX} bytes"));
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| refused())?;
    if archive.len() > ENTRIES_MAX {
        return Err(refused());
    }
    make_directory(directory).map_err(|error| not_unpacked(&error, directory))?;
    let failed = |error: io::Error| match error.kind() {
        // Names that no file system takes, or one for both a file and a directory: the archive's fault, not ours.
        ErrorKind::AlreadyExists
        | ErrorKind::InvalidFilename
        | ErrorKind::InvalidInput
        | ErrorKind::IsADirectory
        | ErrorKind::NotADirectory => refused(),
        _ => not_unpacked(&error, directory),
    };
    let mut left = UNZIPPED_BYTES_MAX;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|_| refused())?;
        // No absolute paths, no `..` that leads out, no links to somewhere else.
        let path = directory.join(entry.enclosed_name().ok_or_else(refused)?);
        if entry.is_symlink() {
            return Err(refused());
        }
        if entry.is_dir() {
            make_directory(&path).map_err(failed)?;
            continue;
        }
        make_directory(path.parent().unwrap_or(directory)).map_err(failed)?;
        let runs = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0) || path.ends_with("bootstrap");
        let mut file = make_file(&path, runs).map_err(failed)?;
        // The size in the header is a claim; what comes out is counted.
        let written = io::copy(&mut entry.by_ref().take(left + 1), &mut file).map_err(|_| refused())?;
        left = left.checked_sub(written).ok_or_else(too_large)?;
    }
    Ok((bytes.len() as u64, UNZIPPED_BYTES_MAX - left, sha256(bytes)))
}

fn not_unpacked(error: &io::Error, directory: &Path) -> Error {
    tracing::error!(%error, directory = %directory.display(), "code could not be unpacked");
    Error::Service("The code could not be unpacked".into())
}

/// A directory for its owner alone.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn make_file(path: &Path, executable: bool) -> io::Result<File> {
    let mode = if executable { 0o700 } else { 0o600 };
    OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)
}

fn sha256(bytes: &[u8]) -> String {
    STANDARD.encode(digest(&SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).expect("an entry");
            writer.write_all(content).expect("its content");
        }
        writer.finish().expect("an archive").into_inner()
    }

    #[test]
    fn unpacks_for_the_owner_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("code");
        unpack_into(&root, &archive(&[("bootstrap", b"#!"), ("lib/data.json", b"{}")])).expect("it unpacks");
        let mode = |path: &str| root.join(path).metadata().expect("it is there").permissions().mode() & 0o777;
        assert_eq!([mode("bootstrap"), mode("lib"), mode("lib/data.json")], [0o700, 0o700, 0o600]);
    }

    #[track_caller]
    fn check_refused(bytes: &[u8]) {
        let directory = tempfile::tempdir().expect("a directory");
        let error = unpack_into(&directory.path().join("code"), bytes).expect_err("it is refused");
        assert_eq!(error.to_string(), NOT_AN_ARCHIVE);
        assert!(!directory.path().join("escaped").exists());
    }

    #[test]
    fn refuses_what_leads_out() {
        check_refused(&archive(&[("../escaped", b"x")]));
        check_refused(&archive(&[("a/../../escaped", b"x")]));
    }

    #[test]
    fn refuses_what_is_no_archive() {
        check_refused(b"PK but nothing else");
        check_refused(b"");
    }

    #[test]
    fn refuses_a_link() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.add_symlink("link", "/etc", SimpleFileOptions::default()).expect("a link");
        check_refused(&writer.finish().expect("an archive").into_inner());
    }
}
