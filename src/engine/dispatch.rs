//! Kernels with all they need, and the loop that encodes them.

use std::sync::Arc;

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

/// What is timed on the device.
///
/// ```
/// use densenet_wgpu::profile::Grain;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// let picture = [0.5; 3 * 64 * 64];
/// let [run, step] = [Grain::Run, Grain::Step].map(|grain| engine.time(Input::values(&picture, [64, 64]), grain));
/// assert!(run?.passes.len() < step?.passes.len());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// All of it, as it always runs: in one pass, or one for each submission.
    Run,
    /// Each step, in a pass of its own: the device finishes one before it begins the next.
    Step,
}

/// The one loop that runs a network: one pass, everything bound once. Under a clock, passes are as its grain says, and it is
/// read before and after each.
pub(super) fn encode<'a>(
    encoder: &mut wgpu::CommandEncoder,
    dispatches: impl IntoIterator<Item = &'a Dispatch>,
    mut clock: Option<&mut Timestamps>,
) {
    let most = if clock.as_ref().is_some_and(|clock| clock.grain() == Grain::Step) { 1 } else { usize::MAX };
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
