//! One repository's folder in the cache: `blobs` has the files by what identifies their content, `snapshots` each commit's
//! files as links to them, and `refs` the commit of each branch.
//!
//! Everything appears by a rename: whoever looks finds the whole of it or nothing, and no lock is needed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::error::{Error, Result};

/// Files this process has begun: keeps the names of unfinished ones apart.
static BEGUN: AtomicUsize = AtomicUsize::new(0);
/// How the name of an unfinished file ends.
const UNFINISHED: &str = ".incomplete";
/// An unfinished file this old belongs to nobody: a server that sends nothing is given up long before.
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

    /// The path of a file that is there.
    pub(super) fn find(&self, revision: &str, file: &str) -> Option<PathBuf> {
        let known = fs::read_to_string(self.reference(revision));
        let path = self.snapshot(known.as_deref().map_or(revision, str::trim), file);
        path.is_file().then_some(path)
    }

    /// Whether the blob is there.
    pub(super) fn holds(&self, etag: &str, length: u64) -> bool {
        fs::metadata(self.blob(etag)).is_ok_and(|blob| blob.len() == length)
    }

    /// Begins a blob; removes what ended processes have left of it.
    pub(super) fn part(&self, etag: &str) -> Result<Part> {
        let blob = self.blob(etag);
        let of_blob = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{etag}.")));
        for path in fs::read_dir(self.blobs()).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let age = fs::metadata(&path).and_then(|part| part.modified()).ok().and_then(|written| written.elapsed().ok());
            if of_blob(&path) && path.to_string_lossy().ends_with(UNFINISHED) && age.is_some_and(|age| age > ABANDONED) {
                // Another process may have removed it too.
                let _ = fs::remove_file(path);
            }
        }
        let path = beside(&blob)?;
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        Ok(Part { file: file.map_err(at(&path))?, path })
    }

    /// Makes a finished part the blob.
    pub(super) fn keep(&self, part: Part, etag: &str) -> Result<()> {
        part.file.sync_all().and_then(|()| fs::rename(&part.path, self.blob(etag))).map_err(at(&part.path))
    }

    /// Makes the blob a file of the commit.
    pub(super) fn link(&self, etag: &str, commit: &str, file: &str) -> Result<PathBuf> {
        let path = self.snapshot(commit, file);
        let new = beside(&path)?;
        // Relative, so that a cache can be moved: out of the file's folders, the commit's and `snapshots`.
        #[cfg(unix)]
        let linked = {
            let up = "../".repeat(file.split('/').count() + 1);
            std::os::unix::fs::symlink(format!("{up}blobs/{etag}"), &new)
        };
        // Symbolic links need a privilege on Windows, hard links a file system that has them. The blob stays: another
        // process may be about to link it too.
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

/// An unfinished file, which is gone again unless it is kept.
pub(super) struct Part {
    pub(super) file: File,
    pub(super) path: PathBuf,
}

impl Drop for Part {
    fn drop(&mut self) {
        // Where it was kept there is nothing of this name; else the first error is the one to tell.
        let _ = fs::remove_file(&self.path);
    }
}

/// A name of its own beside `path`, in a folder that is there.
fn beside(path: &Path) -> Result<PathBuf> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(at(folder))?;
    let unique = format!(".{}-{}{UNFINISHED}", process::id(), BEGUN.fetch_add(1, Ordering::Relaxed));
    let mut name = path.as_os_str().to_owned();
    name.push(unique);
    Ok(name.into())
}

/// The error of something done to `path`.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::File { path: path.into(), source }
}
