//! How many images run at once, and how a larger batch is split.

use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::kernels::{Region, normalise};
use crate::plan::Plan;

/// Bytes up to which the largest activation buffer of a part stays in the caches of the processor that a software device runs
/// on: a step finds there what the step before it wrote.
const BYTE_CACHED_BUFFER: u64 = 16 << 20;

/// How many images of one size run at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchLimits {
    /// The most that the device can hold.
    pub(super) largest: usize,
    /// Those of them that run together: all that a GPU can hold, on a software device no more than its caches do.
    pub(super) fastest: usize,
}

impl BatchLimits {
    /// Of images of this size with the plans that `plan` makes for a number of them.
    pub(super) fn find(gpu: &Gpu, size: [usize; 2], plan: impl Fn(usize) -> Result<Plan>) -> Result<Self> {
        // Kernels count in 32 bits, however large a device says its buffers may be.
        let limit = gpu.byte_buffer_limit().min(u32::MAX.into());
        let single = plan(1)?;
        let needed = byte_largest_buffer(&single).max(1);
        let fits = |plan: &Plan| byte_largest_buffer(plan) <= limit && plan.steps().iter().all(|s| s.kernel.is_dispatchable());
        if !fits(&single) {
            let [height, width] = size;
            let what = format!("one {height}x{width} image's largest activation buffer");
            return Err(Error::TooLarge { what, needed, limit, adapter: gpu.called() });
        }
        let most = (limit / needed).max(1) as usize;
        let largest = largest_that(most, |batch| plan(batch).is_ok_and(|plan| fits(&plan)));
        let cached = if gpu.is_software() { (BYTE_CACHED_BUFFER / needed).max(1) as usize } else { usize::MAX };
        Ok(Self { largest, fastest: largest.min(cached) })
    }
}

/// Tiny pictures have tables that are larger than they are; all outputs are read back in one buffer.
fn byte_largest_buffer(plan: &Plan) -> u64 {
    let others = [normalise::byte_tables(plan.input()), plan.outputs().iter().map(Region::bytes).sum()];
    plan.byte_buffers().chain(others).max().unwrap_or(0)
}

/// Images of each part of a batch, of at most `largest`: as few parts and as equal as can be.
pub(super) fn shares(batch: usize, largest: usize) -> impl Iterator<Item = usize> {
    let each = batch.div_ceil(batch.div_ceil(largest));
    (0..batch).step_by(each).map(move |first| each.min(batch - first))
}

/// The largest number from 1 to `most` for which `holds`, which holds for 1 and for all below one for which it does.
fn largest_that(most: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut holding, mut failing) = (1, most + 1);
    // Most often all of them do.
    let mut middle = most;
    while holding + 1 < failing {
        if holds(middle) {
            holding = middle;
        } else {
            failing = middle;
        }
        middle = holding + (failing - holding) / 2;
    }
    holding
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::device::open_gpu;
    use crate::gpu::Pretence;
    use crate::models;
    use crate::plan::PlanOptions;

    #[test]
    fn a_software_device_runs_as_many_images_at_once_as_caches_hold() {
        let graph = models::bundled("digits").unwrap().unwrap().graph(64, 64).unwrap();
        let limits = |device_type, size: [usize; 2]| {
            let gpu = open_gpu().pretending(Pretence { device_type: Some(device_type), ..Pretence::default() });
            let plan = |batch| Plan::new(&graph.resized(size[0], size[1])?, PlanOptions { batch, ..PlanOptions::default() });
            (BatchLimits::find(&gpu, size, plan).unwrap(), byte_largest_buffer(&plan(1).unwrap()))
        };
        for (size, most) in [([64, 64], 1000), ([224, 224], 100), ([1500, 1500], 1)] {
            let (software, single) = limits(wgpu::DeviceType::Cpu, size);
            let held = (BYTE_CACHED_BUFFER / single).max(1) as usize;
            assert_eq!(software.fastest, held, "{size:?}, {single} bytes an image");
            assert!((1..=most).contains(&held), "{size:?}: {held} images");
            let (gpu, _) = limits(wgpu::DeviceType::DiscreteGpu, size);
            assert!(gpu.fastest == gpu.largest && gpu.largest > held, "{size:?}: {gpu:?}");
        }
    }

    #[test]
    fn the_largest_batch_is_found_in_few_plans() {
        for (most, limit) in [(1, 1), (2, 1), (2, 2), (1000, 1), (1000, 999), (1000, 1000), (4_000_000, 7), (4_000_000, 3_999_999)] {
            let asked = Cell::new(0);
            let holds = |batch: usize| {
                asked.set(asked.get() + 1);
                assert!((2..=most).contains(&batch), "{batch} of {most}");
                batch <= limit
            };
            assert_eq!(largest_that(most, holds), limit, "of {most}");
            assert!(asked.get() <= 24, "{} plans for {limit} of {most}", asked.get());
        }
    }

    #[test]
    fn batches_are_shared_out_evenly() {
        let shares = |batch, largest| super::shares(batch, largest).collect::<Vec<_>>();
        assert_eq!(shares(5, 8), [5]);
        assert_eq!(shares(8, 8), [8]);
        assert_eq!(shares(9, 8), [5, 4]);
        assert_eq!(shares(7, 3), [3, 3, 1]);
        assert_eq!(shares(3, 1), [1, 1, 1]);
    }
}
