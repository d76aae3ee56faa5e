//! How an engine is made.

use crate::kernels::{Precision, Tuning};

/// How an engine is made.
///
/// ```
/// use densenet_wgpu::verify::best_precision;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, models, Precision};
///
/// let (gpu, model) = (Gpu::open(None)?, models::bundled("digits").expect("it is bundled")?);
///
/// let options = EngineOptions::default().with_precision(best_precision(&gpu)?).with_batch_invariant(true);
/// let engine = Engine::new(&gpu, &model.graph(64, 64)?, &model.weights, options)?;
/// assert!(engine.tuning().is_batch_invariant());
/// assert!(engine.tuning().precision() == Precision::F32 || gpu.capabilities().f16);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EngineOptions {
    /// Whether operations share kernels ([`PlanOptions::fusion`](crate::planning::PlanOptions::fusion)).
    pub fusion: bool,
    /// Whether shaders are compiled with bounds checks. They are slower, and needless: the kernels compute no index from
    /// data, but for a byte in a table of 256. Tests run both.
    pub shader_checks: bool,
    /// The numbers that weights and activations are stored in. Inputs, outputs and sums are 32-bit floats in any case.
    pub precision: Precision,
    /// Whether an image's result has the same bits in any batch ([`Tuning::is_batch_invariant`]); slower on GPUs.
    pub batch_invariant: bool,
    /// Which kernels compute convolutions, in place of those that suit the device; then its precision and its batch
    /// invariance count.
    pub tuning: Option<Tuning>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { fusion: true, shader_checks: false, precision: Precision::F32, batch_invariant: false, tuning: None }
    }
}

impl EngineOptions {
    /// The same with this [`EngineOptions::fusion`].
    pub fn with_fusion(self, fusion: bool) -> Self {
        Self { fusion, ..self }
    }

    /// The same with these [`EngineOptions::shader_checks`].
    pub fn with_shader_checks(self, shader_checks: bool) -> Self {
        Self { shader_checks, ..self }
    }

    /// The same with this [`EngineOptions::precision`].
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The same with this [`EngineOptions::batch_invariant`].
    pub fn with_batch_invariant(self, batch_invariant: bool) -> Self {
        Self { batch_invariant, ..self }
    }

    /// The same with a [`EngineOptions::tuning`] of the program's own.
    pub fn with_tuning(self, tuning: Tuning) -> Self {
        Self { tuning: Some(tuning), ..self }
    }
}
