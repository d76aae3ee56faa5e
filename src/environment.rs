//! What the environment says: variables, and where programs keep what they can make again.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// An environment variable that says something.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The variable that says which device is used where none is named.
pub const DEVICE: &str = "DENSENET_DEVICE";

/// What [`DEVICE`] says.
pub fn device() -> Option<String> {
    variable(DEVICE).map(|value| value.to_string_lossy().into_owned())
}

/// The platform's folder for caches.
pub(crate) fn caches() -> Option<PathBuf> {
    if cfg!(windows) {
        variable("LOCALAPPDATA").map(PathBuf::from)
    } else if cfg!(target_os = "macos") {
        Some(env::home_dir()?.join("Library/Caches"))
    } else {
        xdg_caches()
    }
}

/// Linux's folder for caches, which some programs use on every platform.
pub(crate) fn xdg_caches() -> Option<PathBuf> {
    variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cache")))
}
