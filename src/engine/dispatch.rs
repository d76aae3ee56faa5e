//! Kernels with all they need, and the loop that encodes them.

use std::sync::Arc;

use super::granularity::Granularity;
use super::timestamps::Timestamps;

/// A kernel bound to the buffers it works on, ready to encode.
#[derive(Debug)]
pub(super) struct Dispatch {
    /// The plan's step that it is, or is a part of; none for what comes before the first.
    pub(super) step: Option<usize>,
    /// The step's.
    pub(super) name: String,
    pub(super) pipeline: Arc<wgpu::ComputePipeline>,
    pub(super) bindings: wgpu::BindGroup,
    pub(super) workgroups: [u32; 3],
    pub(super) flops: u64,
}

/// The one loop that runs a network: one pass, everything bound once. Under a clock, its granularity decides the passes, and it is
/// read before and after each.
pub(super) fn encode<'a>(
    encoder: &mut wgpu::CommandEncoder,
    dispatches: impl IntoIterator<Item = &'a Dispatch>,
    mut clock: Option<&mut Timestamps>,
) {
    let most = if clock.as_ref().is_some_and(|clock| clock.granularity() == Granularity::Step) { 1 } else { usize::MAX };
    let mut dispatches = dispatches.into_iter().peekable();
    while let Some(first) = dispatches.peek() {
        let label = if most == 1 { first.name.as_str() } else { "densenet" };
        let timestamp_writes = clock.as_mut().map(|clock| clock.next_pass());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some(label), timestamp_writes });
        for dispatch in dispatches.by_ref().take(most) {
            let [x, y, z] = dispatch.workgroups;
            pass.set_pipeline(&dispatch.pipeline);
            pass.set_bind_group(0, &dispatch.bindings, &[]);
            pass.dispatch_workgroups(x, y, z);
        }
    }
}
