//! A file that appears at its path when it is complete.
//!
//! ```
//! use std::io::Write;
//! use densenet_wgpu::internal::WholeFile;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("rows.csv");
//! let mut file = WholeFile::create(&path)?;
//! writeln!(file, "path,label")?;
//! assert!(!path.exists());
//! file.finish()?;
//! assert_eq!(std::fs::read_to_string(&path)?, "path,label\n");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::{NamedTempFile, TempPath};

/// Files that were begun and are not yet in their place.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A file that is being written, beside where it will be. Whoever opens its path finds what was there before, or all of
/// it; where it is dropped unfinished, nothing of it stays.
///
/// ```
/// use std::io::Write;
/// use densenet_wgpu::internal::WholeFile;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("rows.csv");
/// std::fs::write(&path, "of yesterday")?;
/// let mut file = WholeFile::create(&path)?;
/// file.write_all(b"half of ")?;
/// drop(file); // something went wrong
/// assert_eq!(std::fs::read(&path)?, b"of yesterday");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct WholeFile {
    target: PathBuf,
    beside: Option<TempPath>,
    file: File,
}

impl WholeFile {
    /// Begins the file that will be at `path`; a link there keeps pointing to it. A device or pipe is written to at once.
    ///
    /// Errors where `path` is a folder or its folder does not exist or cannot be written to.
    pub fn create(path: &Path) -> io::Result<Self> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        match fs::metadata(&target) {
            Ok(existing) if existing.is_dir() => return Err(io::Error::other("expected a file to write, found a folder of that name")),
            Ok(existing) if !existing.is_file() => {
                let file = fs::OpenOptions::new().write(true).open(&target)?;
                return Ok(Self { target, beside: None, file });
            }
            _ => {}
        }
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (file, beside) = temporary_file(folder)?.into_parts();
        unfinished().push(beside.to_path_buf());
        Ok(Self { target, beside: Some(beside), file })
    }

    /// Another handle of the same file, for a writer that keeps its own.
    pub fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Puts the file in its place.
    pub fn finish(mut self) -> io::Result<()> {
        let Some(beside) = self.beside.take() else { return self.file.flush() };
        let path = beside.to_path_buf();
        let finished = self.file.sync_all().and_then(|()| beside.persist(&self.target).map_err(|error| error.error));
        unfinished().retain(|other| *other != path);
        finished
    }

    /// Removes every file that was begun and not finished: for a program that is about to end without unwinding.
    pub fn abandon_all() {
        for path in unfinished().drain(..) {
            // The first that cannot be removed must not keep the others.
            let _ = fs::remove_file(path);
        }
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let path: &Path = beside;
            unfinished().retain(|other| other != path);
        }
    }
}

fn unfinished() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new file in `folder`, with the permissions any new file gets.
fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".densenet-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    // Without the path of the temporary file, which says nothing to whoever reads the error.
    builder.tempfile_in(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other("expected a folder that exists, found none; make it first"),
        kind => kind.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        let mut dropped = WholeFile::create(&path).unwrap();
        dropped.write_all(b"half").unwrap();
        drop(dropped);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no unfinished file is left behind");
        assert!(WholeFile::create(folder.path()).unwrap_err().to_string().contains("found a folder"));
        assert!(WholeFile::create(&folder.path().join("no/file")).unwrap_err().to_string().contains("make it first"));
    }
}
