//! Files of every container and dialect, written by the frameworks themselves (`scripts/make_checkpoint_fixtures.py`):
//! what loads computes what the framework computed, what must not load is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod case;
mod changed;
#[path = "../common/checkpoint_files.rs"]
mod checkpoint_files;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../common/mod.rs"]
mod common;
mod frameworks;
mod refused;
mod wild;
