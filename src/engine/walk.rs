//! A run step by step, with what each step made.

use std::sync::Arc;

use half::f16;

use super::Engine;
use super::bound::BoundPlan;
use super::input::Input;
use super::purpose::Owner;
use crate::error::Result;
use crate::gpu::Gpu;
use crate::graph::Value;
use crate::kernels::{Precision, Region};
use crate::plan::{Plan, Step};

/// A run that stops after each step, made by [`Engine::walk`].
///
/// ```
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
/// let mut walk = engine.walk(Input::values(&[0.5; 3 * 64 * 64], [64, 64]))?;
/// let mut names = Vec::new();
/// while let Some(values) = walk.advance()? {
///     for (value, elements) in values {
///         assert_eq!(elements.len(), engine.graph().shape(value).elements()); // [N, C, H, W]
///         names.push(engine.graph().node(value).name.as_str());
///     }
/// }
/// assert_eq!((names[0], names[1], names.last()), ("input", "features.relu0", Some(&"classifier")));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug)]
pub struct Walk {
    gpu: Gpu,
    input: Value,
    bound: BoundPlan,
    /// Where it stops next: 0 is behind the input's arrival, n behind the n-th step.
    next: usize,
}

/// A value of the graph that a step completed, and its elements, `[N, C, H, W]`.
pub type ComputedValue = (Value, Vec<f32>);

/// Where a walk stops.
struct Stop<'a> {
    step: Option<&'a Step>,
    /// The values that are whole there, and where they lie.
    regions: Vec<(Value, Region)>,
}

impl Engine {
    /// Starts a run of `input` that stops after every step and shows what it made: to
    /// find the layer where a device goes wrong. It has buffers of its own, and each stop waits for the device.
    ///
    /// Errors as [`Engine::start`] does, and where the batch is too large for the device to run at once.
    pub fn walk(&self, input: Input<'_>) -> Result<Walk> {
        pollster::block_on(self.walk_async(input))
    }

    async fn walk_async(&self, input: Input<'_>) -> Result<Walk> {
        let shared = &self.shared;
        let purpose = shared.purpose(Owner::Engine, &input)?;
        shared.check_whole(purpose)?;
        let bound = shared.bind_alone(purpose, shared.tuning(), Arc::default()).await?;
        bound.arrive(&shared.gpu, input).await?;
        Ok(Walk { gpu: shared.gpu.clone(), input: shared.graph.input(), bound, next: 0 })
    }
}

impl Walk {
    /// What runs.
    pub fn plan(&self) -> &Plan {
        self.bound.plan()
    }

    /// The step that the next [`Walk::advance`] runs and the values that it will show; `None` behind the last step.
    pub fn coming(&self) -> Option<(Option<&Step>, Vec<Value>)> {
        let Stop { step, regions } = self.stop(self.next)?;
        Some((step, regions.iter().map(|(value, _)| *value).collect()))
    }

    /// Runs to the next stop and returns what is new there: the graph's values that it completed, each as `[N, C, H, W]`. The
    /// first stop is before the first step, where the input has arrived. A step that makes something which the graph has not
    /// (a pool that comes before its convolution) shows nothing. `None` behind the last step. Errors where the device fails.
    pub fn advance(&mut self) -> Result<Option<Vec<ComputedValue>>> {
        let Some(Stop { regions, .. }) = self.stop(self.next) else { return Ok(None) };
        if let Some(step) = self.next.checked_sub(1) {
            pollster::block_on(self.bound.run_step(&self.gpu, step, 1))?;
        }
        self.next += 1;
        let show =
            |(value, region): &(Value, Region)| Ok((*value, elements(*region, &pollster::block_on(self.bound.read(&self.gpu, *region))?)));
        regions.iter().map(show).collect::<Result<_>>().map(Some)
    }

    fn stop(&self, number: usize) -> Option<Stop<'_>> {
        let plan = self.bound.plan();
        match number.checked_sub(1) {
            None => Some(Stop { step: None, regions: vec![(self.input, plan.input())] }),
            Some(index) => plan.steps().get(index).map(|step| Stop { step: Some(step), regions: step.values.clone() }),
        }
    }
}

/// The elements `[N, C, H, W]` of a region in its memory, which begins with its first element.
fn elements(region: Region, memory: &[f32]) -> Vec<f32> {
    let Region { element_plane, element_image, shape, batch, precision, .. } = region;
    let element = |at: usize| match precision {
        Precision::F32 => memory[at],
        Precision::F16 => bytemuck::cast_slice::<f32, f16>(memory)[at].to_f32(),
    };
    let planes = (0..batch).flat_map(|image| (0..shape.channels).map(move |channel| image * element_image + channel * element_plane));
    planes.flat_map(|plane| (plane..plane + shape.pixels()).map(element)).collect()
}
