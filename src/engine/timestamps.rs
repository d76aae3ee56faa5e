//! The device's clock, read at the bounds of passes.

use super::granularity::Granularity;
use super::readback::{Readback, Waiter};
use crate::error::Result;
use crate::gpu::Gpu;

/// Passes whose bounds one query set holds.
const PASSES_A_SET: usize = wgpu::QUERY_SET_MAX_QUERIES as usize / 2;

const BYTE_PASS: u64 = 2 * wgpu::QUERY_SIZE as u64;

/// Timestamps of the passes of one run.
#[derive(Debug)]
pub(super) struct Timestamps {
    granularity: Granularity,
    most_flops: u64,
    sets: Vec<wgpu::QuerySet>,
    resolved: wgpu::Buffer,
    passes: usize,
    seconds_a_tick: f64,
}

impl Timestamps {
    /// Whether the device has a clock.
    pub(super) fn are_there(gpu: &Gpu) -> bool {
        gpu.device().features().contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    /// Room for the bounds of `passes` passes, of a run that is cut into submissions of at most `most_flops` floating point
    /// operations.
    pub(super) fn new(gpu: &Gpu, granularity: Granularity, most_flops: u64, passes: usize) -> Self {
        let device = gpu.device();
        let set = |count: usize| wgpu::QuerySetDescriptor { label: Some("clock"), ty: wgpu::QueryType::Timestamp, count: 2 * count as u32 };
        let counts = (0..passes).step_by(PASSES_A_SET).map(|first| PASSES_A_SET.min(passes - first));
        Self {
            granularity,
            most_flops,
            sets: counts.map(|count| device.create_query_set(&set(count))).collect(),
            resolved: device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("clock"),
                size: passes as u64 * BYTE_PASS,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
            passes: 0,
            seconds_a_tick: f64::from(gpu.queue().get_timestamp_period()) * 1e-9,
        }
    }

    pub(super) fn granularity(&self) -> Granularity {
        self.granularity
    }

    pub(super) fn most_flops(&self) -> u64 {
        self.most_flops
    }

    /// Where the clock's readings before and after the next pass go.
    pub(super) fn next_pass(&mut self) -> wgpu::ComputePassTimestampWrites<'_> {
        let (set, pass) = (self.passes / PASSES_A_SET, self.passes % PASSES_A_SET);
        self.passes += 1;
        wgpu::ComputePassTimestampWrites {
            query_set: &self.sets[set],
            beginning_of_pass_write_index: Some(2 * pass as u32),
            end_of_pass_write_index: Some(2 * pass as u32 + 1),
        }
    }

    /// Makes the readings data.
    fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        let mut rest = self.passes;
        for (set, byte_offset) in self.sets.iter().zip((0..).step_by(PASSES_A_SET * BYTE_PASS as usize)) {
            let count = rest.min(PASSES_A_SET);
            encoder.resolve_query_set(set, 0..2 * count as u32, &self.resolved, byte_offset);
            rest -= count;
        }
    }

    /// Begin and end of each pass in seconds, from the first one's beginning. To be called when the device is done.
    pub(super) async fn passes(&self, gpu: &Gpu) -> Result<Vec<[f64; 2]>> {
        let readback = gpu
            .caught(|| {
                let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("clock") });
                self.resolve(&mut encoder);
                let readback = Readback::buffer(gpu, self.resolved.size());
                encoder.copy_buffer_to_buffer(&self.resolved, 0, &readback, 0, self.resolved.size());
                let submission = gpu.queue().submit([encoder.finish()]);
                Readback::start(readback, Some(submission))
            })
            .await?;
        let ticks = gpu.ticks(bytemuck::pod_collect_to_vec(&readback.data(gpu, Waiter::Caller).await?));
        let first = ticks.first().map_or(0, |pass| pass[0]);
        let seconds = |tick: u64| tick.wrapping_sub(first) as i64 as f64 * self.seconds_a_tick;
        Ok(ticks.into_iter().map(|pass| pass.map(seconds)).collect())
    }
}

/// Whether such passes, begin and end of each in seconds, can have been: all in their order, in no more time than `finished`,
/// which passed on the host, but in some. There are drivers whose clocks stand, run backwards or are never read.
pub(super) fn tell_the_time(passes: &[[f64; 2]], finished: f64) -> bool {
    let are_in_order = passes.iter().all(|[begin, end]| (0.0..=*end).contains(begin)) && passes.is_sorted_by(|a, b| a[1] <= b[1]);
    let taken: f64 = passes.iter().map(|[begin, end]| end - begin).sum();
    // Two clocks: they need not agree to the last digit.
    are_in_order && taken > 0.0 && passes.last().is_some_and(|last| last[1] <= 1.1 * finished + 1e-3)
}

#[cfg(test)]
mod tests {
    use super::tell_the_time;

    #[test]
    fn a_clock_that_stands_or_runs_backwards_tells_nothing() {
        assert!(tell_the_time(&[[0.0, 1.0], [0.9, 2.0], [2.0, 2.0]], 2.0));
        for (passes, finished) in [
            (&[][..], 1.0),
            (&[[0.0, 0.0], [0.0, 0.0]], 1.0),
            (&[[0.0, 0.0], [1.0, 1.0]], 1.0),
            (&[[0.0, 1.0], [2.0, 1.5]], 2.0),
            (&[[0.0, 2.0], [0.5, 1.0]], 2.0),
            (&[[0.0, 1.0], [-1.0, 2.0]], 2.0),
            (&[[0.0, 9e3], [9e3, 9e3 + 1.0]], 2.0),
            (&[[0.0, f64::NAN]], 2.0),
        ] {
            assert!(!tell_the_time(passes, finished), "{passes:?}");
        }
    }
}
