//! Models from a hub, which is a server on the loopback: each test has its own cache, and nothing leaves the machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod addresses;
mod answers;
mod cache;
mod server;
mod transfer;

use std::fs;
use std::path::PathBuf;

use densenet_wgpu::Result;
use densenet_wgpu::hub::{Hub, Remote};
use tempfile::TempDir;

use server::{CONFIG, Server, files_in};

/// A hub's client with an empty cache, and its folder.
fn client(server: &Server) -> (Hub, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::new(folder.path());
    hub.endpoint = server.endpoint.clone();
    (hub, folder)
}

/// Bytes unlike those of every other file.
fn weights() -> Vec<u8> {
    (0..200_000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn remote(text: &str) -> Remote {
    text.parse().unwrap()
}

fn fetch(hub: &Hub, text: &str) -> Result<PathBuf> {
    hub.fetch(&remote(text), &mut |_, _| {})
}

/// Fails with a message that has these parts, and leaves nothing in the cache that could be taken for a file.
#[track_caller]
fn assert_fails(hub: &Hub, text: &str, parts: &[&str]) {
    let message = fetch(hub, text).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
    let left = files_in(&hub.cache);
    assert!(left.iter().all(|path| path.ends_with(CONFIG.0) || fs::read(path).unwrap() == CONFIG.1), "{left:?}");
    let offline = hub.clone().with_offline(true);
    assert!(fetch(&offline, text).is_err());
}
