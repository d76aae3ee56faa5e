//! What was found out about a device, kept from one start to the next.
//!
//! A cache saves time and changes no answer. It never fails: what is missing, damaged or somebody else's is made again,
//! and what cannot be written is not kept. Any number of processes may share one.
//!
//! ```
//! use densenet_wgpu::devices::Cache;
//! use densenet_wgpu::Gpu;
//!
//! let folder = tempfile::tempdir().expect("a folder");
//! let gpu = Gpu::open(None)?.with_cache(Cache::at(folder.path()));
//! assert_eq!(gpu.cache().folder(), Some(folder.path()));
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod sealed;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::environment::caches;
pub(crate) use sealed::{SealedFile, checksum};

/// A folder of files that can be made again, with a folder in it for each kind of them; or none at all.
///
/// `pipelines` has what a Vulkan driver made of the shaders, a file for each device and driver.
///
/// ```
/// use std::path::Path;
/// use densenet_wgpu::devices::Cache;
///
/// assert_eq!(Cache::at("kept").folder(), Some(Path::new("kept")));
/// assert_eq!(Cache::off().folder(), None);
/// println!("{:?}", Cache::from_env().folder());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// As the environment says: the folder that `DENSENET_CACHE_DIR` names, no cache where the variable is empty, and
    /// where it is not set, `densenet-wgpu` in the platform's folder for caches: `$XDG_CACHE_HOME`, else `~/.cache`; on
    /// macOS `~/Library/Caches`, on Windows `%LOCALAPPDATA%`. The folder is made when something is first kept in it.
    pub fn from_env() -> Self {
        Self::named(env::var_os("DENSENET_CACHE_DIR"), caches())
    }

    /// In this folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()) }
    }

    /// No cache: nothing is read, nothing is written.
    pub fn off() -> Self {
        Self { folder: None }
    }

    /// The folder, where there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    fn named(name: Option<OsString>, caches: Option<PathBuf>) -> Self {
        let folder = match name {
            Some(name) => Some(PathBuf::from(name)).filter(|folder| !folder.as_os_str().is_empty()),
            None => caches.map(|caches| caches.join("densenet-wgpu")),
        };
        Self { folder }
    }

    /// The file of this kind about what is called `name`, and is known from others of that name by `identity`.
    pub(crate) fn file(&self, kind: &str, name: &str, identity: &[&str]) -> Option<SealedFile> {
        let identity = identity.join("\n");
        let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let mut readable = words.join("-").to_lowercase();
        readable.truncate(64);
        let path = self.folder.as_ref()?.join(kind).join(format!("{readable}-{:016x}", checksum(identity.as_bytes())));
        // With the version inside and not in the name, a new one replaces what an old one kept.
        Some(SealedFile { path, label: format!("densenet-wgpu {} {kind}\n{identity}\n\n", env!("CARGO_PKG_VERSION")) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_where() {
        let [own, caches] = ["own", "caches"].map(PathBuf::from);
        assert_eq!(Cache::named(Some("own".into()), Some(caches.clone())), Cache::at(own));
        assert_eq!(Cache::named(Some("".into()), Some(caches.clone())), Cache::off());
        assert_eq!(Cache::named(None, Some(caches.clone())), Cache::at(caches.join("densenet-wgpu")));
        assert_eq!(Cache::named(None, None), Cache::off());
    }

    #[test]
    fn a_file_is_named_by_what_it_is_about() {
        let cache = Cache::at("folder");
        let name = |name: &str, identity: &[&str]| cache.file("pipelines", name, identity).unwrap().path;
        let path = name("llvmpipe (LLVM 15.0.6, 256 bits)", &["one"]);
        assert_eq!(path.parent().unwrap(), Path::new("folder/pipelines"));
        let file = path.file_name().unwrap().to_str().unwrap();
        assert!(file.starts_with("llvmpipe-llvm-15-0-6-256-bits-") && file.len() == 46, "{file}");
        assert_ne!(path, name("llvmpipe (LLVM 15.0.6, 256 bits)", &["two"]));
        assert_ne!(name("a", &["b", "c"]), name("a", &["bc"]));
        let hostile = name(&"../\u{1F980}/".repeat(99), &[]);
        assert_eq!(hostile.parent().unwrap(), Path::new("folder/pipelines"), "{hostile:?}");
        assert!(name(&"long ".repeat(99), &[]).file_name().unwrap().len() < 100);
        assert!(Cache::off().file("pipelines", "a", &[]).is_none());
    }
}
