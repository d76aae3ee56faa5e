//! One repository's folder in the cache: `blobs` has files named by an identifier of their content, `snapshots` links to them for each
//! commit, and `refs` the commit of each branch.
//!
//! Files appear by a rename, so a reader finds complete files or none, and no lock is needed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::error::{Error, Result};

/// Number of files begun by this process, which makes the names of unfinished files unique.
static BEGUN: AtomicUsize = AtomicUsize::new(0);
/// The suffix of an unfinished file.
const UNFINISHED: &str = ".incomplete";
/// An unfinished file this old is abandoned: downloads time out long before.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// A repository's folder.
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The folder of `repository` in `cache`.
    pub(super) fn of(cache: &Path, repository: &str) -> Self {
        Self { folder: cache.join(format!("models--{}", repository.replace('/', "--"))) }
    }

    /// The path of a file, if it is in the cache.
    pub(super) fn find(&self, revision: &str, file: &str) -> Option<PathBuf> {
        let known = fs::read_to_string(self.reference(revision));
        let path = self.snapshot(known.as_deref().map_or(revision, str::trim), file);
        path.is_file().then_some(path)
    }

    /// Whether the blob is in the cache.
    pub(super) fn holds(&self, etag: &str, length: u64) -> bool {
        fs::metadata(self.blob(etag)).is_ok_and(|blob| blob.len() == length)
    }

    /// Begins a blob; removes leftovers of it from other processes.
    pub(super) fn part(&self, etag: &str) -> Result<Part> {
        let blob = self.blob(etag);
        let of_blob = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{etag}.")));
        for path in fs::read_dir(self.blobs()).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let age = fs::metadata(&path).and_then(|part| part.modified()).ok().and_then(|written| written.elapsed().ok());
            if of_blob(&path) && path.to_string_lossy().ends_with(UNFINISHED) && age.is_some_and(|age| age > ABANDONED) {
                // Another process may remove it at the same time.
                let _ = fs::remove_file(path);
            }
        }
        let path = beside(&blob)?;
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        Ok(Part { file: file.map_err(at(&path))?, path })
    }

    /// Turns a finished part into the blob.
    pub(super) fn keep(&self, part: Part, etag: &str) -> Result<()> {
        part.file.sync_all().and_then(|()| fs::rename(&part.path, self.blob(etag))).map_err(at(&part.path))
    }

    /// Makes the blob a file of the commit.
    pub(super) fn link(&self, etag: &str, commit: &str, file: &str) -> Result<PathBuf> {
        let path = self.snapshot(commit, file);
        let new = beside(&path)?;
        // Relative, so that a cache can be moved: up from the folders of the file and the commit, and `snapshots`.
        #[cfg(unix)]
        let linked = {
            let up = "../".repeat(file.split('/').count() + 1);
            std::os::unix::fs::symlink(format!("{up}blobs/{etag}"), &new)
        };
        // Symbolic links need a privilege on Windows, and hard links are not on every file system. The blob stays: another process may be
        // about to link it.
        #[cfg(not(unix))]
        let linked = fs::hard_link(self.blob(etag), &new).or_else(|_| fs::copy(self.blob(etag), &new).map(|_| ()));
        let linked = linked.and_then(|()| fs::rename(&new, &path)).map_err(at(&path));
        // A rename between two hard links of one file leaves both.
        let _ = fs::remove_file(&new);
        linked.map(|()| path)
    }

    /// Makes `revision` mean `commit`.
    pub(super) fn point(&self, revision: &str, commit: &str) -> Result<()> {
        if revision == commit {
            return Ok(());
        }
        let path = self.reference(revision);
        let new = beside(&path)?;
        fs::write(&new, commit).and_then(|()| fs::rename(&new, &path)).map_err(at(&path))
    }

    fn blobs(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    fn blob(&self, etag: &str) -> PathBuf {
        self.blobs().join(etag)
    }

    fn snapshot(&self, commit: &str, file: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit).join(file)
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.folder.join("refs").join(revision)
    }
}

/// An unfinished file, which is removed unless it is kept.
pub(super) struct Part {
    pub(super) file: File,
    pub(super) path: PathBuf,
}

impl Drop for Part {
    fn drop(&mut self) {
        // If it was kept, it no longer has this name. Otherwise the first error is the one to report.
        let _ = fs::remove_file(&self.path);
    }
}

/// A unique name beside `path`, in a folder that is created if necessary.
fn beside(path: &Path) -> Result<PathBuf> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(at(folder))?;
    let unique = format!(".{}-{}{UNFINISHED}", process::id(), BEGUN.fetch_add(1, Ordering::Relaxed));
    let mut name = path.as_os_str().to_owned();
    name.push(unique);
    Ok(name.into())
}

/// Converts an error of an operation on `path`.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::File { path: path.into(), source }
}
