//! How finely a run is timed.

/// What is timed on the device.
///
/// ```
/// use densenet_wgpu::profile::Granularity;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// let picture = [0.5; 3 * 64 * 64];
/// let [run, step] = [Granularity::Run, Granularity::Step].map(|granularity| engine.time(Input::values(&picture, [64, 64]), granularity));
/// assert!(run?.passes.len() < step?.passes.len());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// All of it, as it always runs: in one pass, or one for each submission.
    Run,
    /// Each step, in a pass of its own: the device finishes one before it begins the next.
    Step,
}
