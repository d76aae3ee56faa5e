//! A run's dispatches as submissions, none of which nears a driver's watchdog.

use std::borrow::Borrow;

use super::dispatch::Dispatch;

/// The dispatches, cut where a submission would have more floating point operations than these.
pub(super) fn cut<D: Borrow<Dispatch>>(dispatches: &[D], most_flops: u64) -> Vec<&[D]> {
    let mut submissions = Vec::new();
    let (mut first, mut sum) = (0, 0_u64);
    for (index, dispatch) in dispatches.iter().map(Borrow::borrow).enumerate() {
        if index > first && sum + dispatch.flops > most_flops {
            submissions.push(&dispatches[first..index]);
            (first, sum) = (index, 0);
        }
        sum += dispatch.flops;
    }
    submissions.push(&dispatches[first..]);
    submissions
}
