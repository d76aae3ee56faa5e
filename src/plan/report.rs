//! A plan as JSON, for programs.

use serde::Serialize;

use super::{Plan, Step};
use crate::kernels::Region;

/// A plan in the words of its JSON form.
#[derive(Debug, Serialize)]
struct Report<'a> {
    batch: usize,
    /// One image's `[C, H, W]`.
    input: [usize; 3],
    output: [usize; 3],
    fusion: bool,
    precision: &'static str,
    flops: u64,
    /// Bytes of each activation buffer.
    byte_buffers: Vec<u64>,
    byte_weight_buffers: Vec<u64>,
    byte_peak: u64,
    byte_total: u64,
    steps: Vec<StepReport<'a>>,
}

#[derive(Debug, Serialize)]
struct StepReport<'a> {
    name: &'a str,
    layers: &'a [String],
    kernel: String,
    workgroups: [u32; 3],
    reads: RegionReport,
    writes: RegionReport,
    flops: u64,
    bytes: u64,
}

/// Where a step's numbers lie.
#[derive(Debug, Serialize)]
struct RegionReport {
    buffer: usize,
    byte_offset: usize,
    /// Bytes from one channel to the next.
    byte_channel: usize,
    /// The first channel in the buffer, and the one behind the last.
    channels: [usize; 2],
    height: usize,
    width: usize,
}

impl Plan {
    /// The plan as one JSON object: sizes in bytes, buffers by index, and each step with what it reads and writes.
    pub fn json(&self) -> String {
        let shape = |region: Region| [region.shape.channels, region.shape.height, region.shape.width];
        let report = Report {
            batch: self.options.batch,
            input: shape(self.input),
            output: shape(self.output()),
            fusion: self.options.fusion,
            precision: self.options.tuning.precision().name(),
            flops: self.flops(),
            byte_buffers: self.byte_buffers().collect(),
            byte_weight_buffers: self.byte_weight_buffers().collect(),
            byte_peak: self.byte_peak(),
            byte_total: self.byte_total(),
            steps: self.steps.iter().map(StepReport::new).collect(),
        };
        // Numbers and names: nothing that JSON cannot hold.
        serde_json::to_string(&report).unwrap_or_default()
    }
}

impl<'a> StepReport<'a> {
    fn new(step: &'a Step) -> Self {
        Self {
            name: &step.name,
            layers: &step.layers,
            kernel: step.kernel.variant.to_string(),
            workgroups: step.kernel.workgroups,
            reads: RegionReport::new(step.source),
            writes: RegionReport::new(step.target),
            flops: step.flops,
            bytes: step.bytes,
        }
    }
}

impl RegionReport {
    fn new(region: Region) -> Self {
        let first = region.element_offset / region.element_plane;
        Self {
            buffer: region.buffer,
            byte_offset: region.element_offset * region.precision.bytes(),
            byte_channel: region.element_plane * region.precision.bytes(),
            channels: [first, first + region.shape.channels],
            height: region.shape.height,
            width: region.shape.width,
        }
    }
}
