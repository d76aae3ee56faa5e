//! Checks the limit on address space, because drivers and threads crash if it is too low.

use std::thread::available_parallelism;

use crate::exit::Stop;

/// Address space for opening a device, in bytes. Mesa's software adapter needs one gibibyte and crashes below; drivers of GPUs
/// reserve more.
const DEVICE: u64 = 2 << 30;

/// Address space for the program without its threads.
const PROGRAM: u64 = 512 << 20;

/// Address space for the threads of a core, one that computes and one that decodes: a stack and a 64 MiB heap from glibc each.
const CORE: u64 = 2 * (64 << 20) + 2 * (4 << 20);

/// Errors if the limit is too low to open a device.
pub(crate) fn check_for_a_device() -> Result<(), Stop> {
    check(DEVICE, "to open a device with", "raise it (`ulimit -v unlimited`), or use --device cpu")
}

/// Errors if the limit is too low for threads on every core.
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

/// The limit on address space in bytes, if there is one. Read from a file, so only known on Linux.
fn limit() -> Option<u64> {
    of_limits(&std::fs::read_to_string("/proc/self/limits").ok()?)
}

/// The soft limit on address space in the text of `/proc/self/limits`.
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
