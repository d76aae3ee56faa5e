//! Shaders compiled by the driver, kept in a file for the next start.

use std::sync::{Mutex, PoisonError};

use crate::cache::{SealedFile, checksum};

/// A device's pipeline cache. All engines on the device share it.
#[derive(Debug)]
pub(crate) struct PipelineCache {
    compiled: wgpu::PipelineCache,
    kept: Mutex<Kept>,
}

impl PipelineCache {
    /// The cache that `create` makes from the contents of `file`, or from nothing; `None` if the device has none.
    pub(super) fn open(file: SealedFile, create: impl Fn(Option<&[u8]>) -> Option<wgpu::PipelineCache>) -> Option<Self> {
        let stored = file.read();
        let compiled = stored.and_then(|data| create(Some(&data))).or_else(|| create(None))?;
        let kept = Kept { file, checksum: checksum(&compiled.get_data()?) };
        Some(Self { compiled, kept: Mutex::new(kept) })
    }

    /// The cache to create pipelines with.
    pub(crate) fn compiled(&self) -> &wgpu::PipelineCache {
        &self.compiled
    }

    /// Saves what was compiled since the last call.
    pub(crate) fn keep(&self) {
        // Lock before reading, so that older data cannot overwrite newer.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(data) = self.compiled.get_data() {
            kept.keep(&data);
        }
    }
}

/// The saved state, at first the driver's data before anything was compiled. Drivers that keep nothing never change it, and get no file.
#[derive(Debug)]
struct Kept {
    file: SealedFile,
    checksum: u64,
}

impl Kept {
    fn keep(&mut self, data: &[u8]) {
        let checksum = checksum(data);
        if checksum != self.checksum {
            self.file.write(data);
            self.checksum = checksum;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cache::Cache;

    #[test]
    fn only_what_is_new_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = || Cache::at(folder.path()).file("pipelines", "GPU", &["driver"]).unwrap();
        let mut kept = Kept { file: file(), checksum: checksum(b"empty") };
        kept.keep(b"empty");
        assert!(!file().path().exists(), "a driver that keeps nothing needs no file");
        kept.keep(b"empty, and a pipeline");
        assert_eq!(file().read().unwrap(), b"empty, and a pipeline");
        fs::remove_file(file().path()).unwrap();
        kept.keep(b"empty, and a pipeline");
        assert!(!file().path().exists(), "what was written is not written again");
        kept.keep(b"empty, and two pipelines");
        assert_eq!(file().read().unwrap(), b"empty, and two pipelines");
    }
}
