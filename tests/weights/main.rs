//! Checkpoint files: what loads, what is refused and how it is said, what is written.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod assumed;
mod damaged;
mod described;
mod dtypes;
mod files;
mod folded;
mod heads;
mod initial;
mod kinds;
mod numbered;
mod saved;
mod tensors;
