//! A limit on a process's memory under which drivers and threads end in a crash, and what to say of it before.

use std::thread::available_parallelism;

use crate::exit::Stop;

/// What opening a device takes, in bytes of address space. Mesa's software device needs one gibibyte and crashes below;
/// drivers of GPUs reserve more.
const DEVICE: u64 = 2 << 30;

/// What the program takes beside its threads.
const PROGRAM: u64 = 512 << 20;

/// What threads take for each core, one that computes and one that decodes: their stacks, and a heap of 64 MiB for each from glibc.
const CORE: u64 = 2 * (64 << 20) + 2 * (4 << 20);

/// Errors where this process may not have the address space that opening a device takes.
pub(crate) fn check_for_a_device() -> Result<(), Stop> {
    check(DEVICE, "to open a device with", "raise it (`ulimit -v unlimited`), or use --device cpu")
}

/// Errors where it may not have what threads on every core take.
pub(crate) fn check_for_threads() -> Result<(), Stop> {
    let cores = available_parallelism().map_or(1, usize::from);
    check(PROGRAM + CORE * cores as u64, &format!("for threads on {cores} cores"), "raise it (`ulimit -v unlimited`)")
}

fn check(needed: u64, purpose: &str, remedy: &str) -> Result<(), Stop> {
    match limit() {
        Some(limit) if limit < needed => Err(Stop::refused(format!(
            "expected at least {} MiB of address space {purpose}, found a limit of {} MiB (ulimit -v); {remedy}",
            needed >> 20,
            limit >> 20
        ))),
        _ => Ok(()),
    }
}

/// The limit on address space, in bytes, where there is one. Linux tells it in a file.
fn limit() -> Option<u64> {
    of_limits(&std::fs::read_to_string("/proc/self/limits").ok()?)
}

/// The soft limit on address space in what Linux says of a process's limits.
fn of_limits(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_found_where_there_is_one() {
        let limits = |soft: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units     \nMax cpu time              unlimited            unlimited            seconds   \nMax address space         {soft:<20} unlimited            bytes     \n"
            )
        };
        assert_eq!(of_limits(&limits("524288000")), Some(524_288_000));
        assert_eq!(of_limits(&limits("unlimited")), None);
        assert_eq!(of_limits(""), None);
    }
}
