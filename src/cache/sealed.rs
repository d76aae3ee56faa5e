//! A file that says what it is about, and shows whether it is what was written.
//!
//! Its label in plain text, then a seal of sixteen bytes (the content's length and checksum), then the content. A file
//! with another label is another version's, another device's or something else altogether.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::whole_file::WholeFile;

/// What is larger was not written here, or has grown beyond use.
const BYTE_LARGEST: u64 = 64 << 20;

/// A file in a cache.
#[derive(Debug)]
pub(crate) struct SealedFile {
    pub(super) path: PathBuf,
    pub(super) label: String,
}

impl SealedFile {
    /// Where it is, or would be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What was written, where it is there and whole.
    pub(crate) fn read(&self) -> Option<Vec<u8>> {
        fs::metadata(&self.path).ok().filter(|found| found.is_file() && found.len() <= BYTE_LARGEST)?;
        let mut file = fs::read(&self.path).ok()?;
        let (seal, content) = file.strip_prefix(self.label.as_bytes())?.split_first_chunk()?;
        if *seal != sealed(content) {
            return None;
        }
        let byte_content = content.len();
        Some(file.split_off(file.len() - byte_content))
    }

    /// The lock of whoever keeps this file for longer than a moment; it ends where it is dropped, at the latest with the process.
    /// Reading and writing do not ask for it.
    pub(crate) fn try_lock(&self) -> Result<File, TryLockError> {
        let opened = self.path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            let mut options = File::options();
            options.create(true).truncate(false).write(true).open(self.path.with_extension("lock"))
        });
        let lock = opened.map_err(TryLockError::Error)?;
        lock.try_lock().map(|()| lock)
    }

    /// Whether something can be kept here. Errors with why nothing can.
    pub(crate) fn check(&self) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        if fs::metadata(&self.path).is_ok_and(|found| !found.is_file()) {
            return Err(io::Error::other("expected a file of that name, or none, found something else"));
        }
        // What is begun and not finished goes again.
        WholeFile::create(&self.path).map(drop)
    }

    /// Keeps `content` in place of what is there. Whoever reads at the same time finds one of them, whole.
    pub(crate) fn write(&self, content: &[u8]) {
        // Nobody needs to know: what could not be kept is made again.
        let _ = self.try_write(content);
    }

    fn try_write(&self, content: &[u8]) -> io::Result<()> {
        let byte_file = (self.label.len() + size_of_val(&sealed(&[])) + content.len()) as u64;
        // Opening a pipe would wait for a reader.
        if byte_file > BYTE_LARGEST || fs::metadata(&self.path).is_ok_and(|found| !found.is_file()) {
            return Ok(());
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = WholeFile::create(&self.path)?;
        file.write_all(self.label.as_bytes())?;
        file.write_all(&sealed(content))?;
        file.write_all(content)?;
        file.finish()
    }
}

/// The seal of `content`.
fn sealed(content: &[u8]) -> [u8; 16] {
    let mut seal = [0; 16];
    seal[..8].copy_from_slice(&(content.len() as u64).to_le_bytes());
    seal[8..].copy_from_slice(&checksum(content).to_le_bytes());
    seal
}

/// FNV-1a, which tells damage; it is no defence against whoever can write to the folder.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use tempfile::TempDir;

    use super::*;
    use crate::cache::Cache;

    const CONTENT: &[u8] = b"what a driver made of a shader";

    fn file(folder: &TempDir) -> SealedFile {
        Cache::at(folder.path().join("not there yet")).file("pipelines", "GPU", &["GPU", "driver 1"]).unwrap()
    }

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_checksum_is_fnv_1a() {
        assert_eq!([checksum(b""), checksum(b"a"), checksum(b"foobar")], [0xcbf29ce484222325, 0xaf63dc4c8601ec8c, 0x85944171f73967e8]);
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = folder();
        let file = file(&folder);
        assert_eq!(file.read(), None);
        for content in [CONTENT, b"", b"the next"] {
            file.write(content);
            assert_eq!(file.read().unwrap(), content);
        }
        assert_eq!(fs::read_dir(file.path().parent().unwrap()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn damage_is_noticed_and_replaced() {
        let folder = folder();
        let file = file(&folder);
        file.write(CONTENT);
        let whole = fs::read(file.path()).unwrap();
        let mut damaged: Vec<Vec<u8>> = (0..whole.len()).map(|length| whole[..length].to_vec()).collect();
        damaged.extend((0..whole.len()).map(|at| whole.iter().enumerate().map(|(i, byte)| byte ^ u8::from(i == at)).collect()));
        damaged.push([&whole[..], b"more"].concat());
        damaged.push(b"another program's".repeat(1000));
        for damaged in damaged {
            fs::write(file.path(), &damaged).unwrap();
            assert_eq!(file.read(), None, "{}", String::from_utf8_lossy(&damaged));
        }
        file.write(CONTENT);
        assert_eq!(file.read().unwrap(), CONTENT);
    }

    #[test]
    fn what_is_about_something_else_is_not_read() {
        let folder = folder();
        let [ours, theirs] = ["driver 1", "driver 2"].map(|driver| Cache::at(folder.path()).file("pipelines", "GPU", &[driver]).unwrap());
        theirs.write(CONTENT);
        fs::copy(theirs.path(), ours.path()).unwrap();
        assert_eq!(ours.read(), None);
        let older = SealedFile { label: ours.label.replace(env!("CARGO_PKG_VERSION"), "0.0.1"), path: ours.path.clone() };
        older.write(CONTENT);
        assert_eq!(ours.read(), None);
        ours.write(CONTENT);
        assert_eq!((older.read(), ours.read().as_deref()), (None, Some(CONTENT)), "a new version replaces an old one's");
    }

    #[test]
    fn what_cannot_be_written_is_not_kept() {
        let folder = folder();
        let file = file(&folder);
        // Not a folder, where the folder would be.
        fs::write(folder.path().join("not there yet"), "").unwrap();
        file.write(CONTENT);
        assert_eq!(file.read(), None);
        // A folder, where the file would be.
        fs::remove_file(folder.path().join("not there yet")).unwrap();
        fs::create_dir_all(file.path()).unwrap();
        file.write(CONTENT);
        assert_eq!(file.read(), None);
        // Something endless.
        #[cfg(unix)]
        {
            fs::remove_dir(file.path()).unwrap();
            std::os::unix::fs::symlink("/dev/zero", file.path()).unwrap();
            file.write(CONTENT);
            assert_eq!(file.read(), None);
        }
    }

    #[test]
    fn what_is_too_large_is_neither_kept_nor_read() {
        let folder = folder();
        let file = file(&folder);
        file.write(CONTENT);
        file.write(&vec![0; BYTE_LARGEST as usize]);
        assert_eq!(file.read().unwrap(), CONTENT);
        fs::OpenOptions::new().write(true).open(file.path()).unwrap().set_len(BYTE_LARGEST + 1).unwrap();
        assert_eq!(file.read(), None);
    }

    #[test]
    fn writers_and_readers_do_not_meet() {
        let folder = folder();
        let file = file(&folder);
        file.write(&[0; 4096]);
        thread::scope(|scope| {
            for writer in 1..4 {
                let file = &file;
                scope.spawn(move || (0..20).for_each(|_| file.write(&[writer; 4096])));
            }
            for _ in 0..100 {
                let found = file.read().unwrap();
                assert!(found.len() == 4096 && found.iter().all(|byte| *byte == found[0]));
            }
        });
    }
}
