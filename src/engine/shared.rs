//! What all clones of an engine share: the plans that are bound, and what they are bound to.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard};

use super::batch::{BatchLimits, shares};
use super::bound::{BoundPlan, consecutive};
use super::check::is_trusted;
use super::input::Input;
use super::pool::Pool;
use super::purpose::{Owner, Purpose};
use super::readback::Waiter;
use super::run::Run;
use super::tune::device_tuning;
use super::weights::WeightBuffers;
use super::{EngineOptions, lock};
#[cfg(not(target_family = "wasm"))]
use crate::cores::on_every_core;
use crate::error::{Error, Result};
use crate::gpu::{Fault, Gpu, Pipelines};
use crate::graph::Graph;
use crate::kernels::{Precision, Tile, Tuning, Variant};
use crate::plan::{Plan, PlanOptions};
use crate::shape::Shape;
use crate::weights::Weights;

/// What the bound plans that an engine keeps may cost, in bytes: some hundred plans of runs, or a program's own with their
/// buffers. The last one used is kept whatever it costs.
const BYTE_BOUND_PLANS: u64 = 256 << 20;

/// What all clones of an engine share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) gpu: Gpu,
    pub(super) graph: Graph,
    pub(super) fusion: bool,
    pub(super) tuning: Mutex<Tuning>,
    /// What was found wrong with tiles here.
    pub(super) faults: Mutex<BTreeMap<Tile, Fault>>,
    pub(super) weights: WeightBuffers,
    pub(super) pipelines: Arc<Pipelines>,
    /// What runs work in.
    pub(super) pool: Arc<Pool>,
    /// The most recently used first.
    pub(super) bound: Mutex<VecDeque<Arc<BoundPlan>>>,
    /// What was timed last, with buffers of its own.
    pub(super) timed: Mutex<Option<BoundPlan>>,
    /// Of each picture size that was run.
    pub(super) batch_limits: Mutex<HashMap<[usize; 2], BatchLimits>>,
}

impl Shared {
    pub(super) async fn new(
        gpu: &Gpu,
        graph: &Graph,
        weights: &Weights,
        options: EngineOptions,
        source: fn(&Variant) -> String,
    ) -> Result<Self> {
        weights.check(graph)?;
        let EngineOptions { fusion, shader_checks, precision, batch_invariant, tuning } = options;
        let tuning = tuning.unwrap_or_else(|| device_tuning(gpu, precision).with_batch_invariant(batch_invariant));
        if let Some(beyond) = tuning.capabilities().beyond(&gpu.capabilities()) {
            return Err(gpu.error(format!("expected a tuning for what this device can do, found one for a device with {beyond}")));
        }
        if tuning.precision() == Precision::F16 && !gpu.capabilities().f16 {
            return Err(gpu.error("expected a device with 16-bit floats, found one without; use 32-bit floats"));
        }
        let plan = Plan::new(graph, plan_options(gpu, fusion, &tuning, 1))?;
        let pipelines = if ptr::fn_addr_eq(source, Variant::source as fn(&Variant) -> String) {
            gpu.pipelines(shader_checks).await?
        } else {
            Arc::new(Pipelines::new(gpu, shader_checks).await?.with_sources(source))
        };
        let trusted: Vec<&Variant> = {
            let verdicts = gpu.verdicts();
            plan.steps().iter().filter(|step| is_trusted(step, &pipelines, &verdicts)).map(|step| &step.kernel.variant).collect()
        };
        // What fails to compile fails again below.
        let (weights, _) = beside(WeightBuffers::upload(gpu, &plan, weights), pipelines.build(gpu, trusted.into_iter())).await;
        let weights = weights?;
        let shared = Self {
            gpu: gpu.clone(),
            graph: graph.clone(),
            fusion,
            tuning: Mutex::new(tuning.clone()),
            faults: Mutex::default(),
            weights,
            pipelines,
            pool: Arc::default(),
            bound: Mutex::default(),
            timed: Mutex::default(),
            batch_limits: Mutex::default(),
        };
        let Shape { height, width, .. } = graph.input_shape();
        let plan = shared.checked_plan(tuning, 1, [height, width]).await?;
        shared.pipelines.build(gpu, plan.steps().iter().map(|step| &step.kernel.variant)).await?;
        Ok(shared)
    }

    pub(super) fn tuning(&self) -> Tuning {
        lock(&self.tuning).clone()
    }

    pub(super) fn plan(&self, tuning: &Tuning, batch: usize, [height, width]: [usize; 2]) -> Result<Plan> {
        Plan::new(&self.graph.resized(height, width)?, plan_options(&self.gpu, self.fusion, tuning, batch))
    }

    /// What a run of `input` is. Errors where the input is none for this network.
    pub(super) fn purpose(&self, owner: Owner, input: &Input<'_>) -> Result<Purpose> {
        self.gpu.check()?;
        let batch = input.images(self.graph.input_shape().channels)?;
        Ok(Purpose { owner, pictures: input.is_pictures(), batch, size: input.size() })
    }

    /// Starts a batch part by part; `waiter` waits for the parts that went first.
    pub(super) async fn submit(&self, parts: Vec<Arc<BoundPlan>>, input: Input<'_>, waiter: Waiter) -> Result<Run> {
        let channels = self.graph.input_shape().channels;
        let precision = lock(&self.tuning).precision();
        let mut run = Run::new(&self.gpu, precision, self.graph.outputs().len());
        let mut rest = input;
        for part in parts {
            run.make_room(waiter).await?;
            let (images, after) = rest.split_at(part.images(), channels);
            rest = after;
            run.push(part.submit(&self.gpu, images, None).await?);
        }
        Ok(run)
    }

    pub(super) async fn encode(
        &self,
        parts: Vec<Arc<BoundPlan>>,
        encoder: &mut wgpu::CommandEncoder,
        input: Input<'_>,
        output: &wgpu::Buffer,
    ) -> Result<()> {
        let byte_output = |index: usize| parts.iter().map(|part| part.byte_outputs().nth(index).unwrap_or(0)).sum::<u64>();
        let byte_outputs: Vec<u64> = (0..self.graph.outputs().len()).map(byte_output).collect();
        let needed: u64 = byte_outputs.iter().sum();
        if output.size() < needed {
            let images: usize = parts.iter().map(|part| part.images()).sum();
            let expected = format!("an output buffer of at least {needed} bytes for {images} images");
            return Err(Error::Input { expected, found: format!("{} bytes", output.size()) });
        }
        let mut rest = input;
        let mut byte_offsets: Vec<u64> = consecutive(byte_outputs.into_iter()).collect();
        for part in &parts {
            let (images, after) = rest.split_at(part.images(), self.graph.input_shape().channels);
            rest = after;
            self.gpu.caught(|| part.encode(&self.gpu, encoder, images, (output, &byte_offsets))).await?;
            byte_offsets.iter_mut().zip(part.byte_outputs()).for_each(|(offset, bytes)| *offset += bytes);
        }
        Ok(())
    }

    /// The bound plans that together run a batch: as few and as equal as the device's limits, memory and caches allow.
    pub(super) async fn parts(&self, purpose: Purpose) -> Result<Vec<Arc<BoundPlan>>> {
        let mut largest = self.batch_limits(purpose.size)?.fastest;
        loop {
            let mut parts: Vec<Arc<BoundPlan>> = Vec::new();
            let mut failure = None;
            for batch in shares(purpose.batch, largest) {
                match parts.last().filter(|last| last.images() == batch) {
                    Some(last) => parts.push(Arc::clone(last)),
                    None => match self.bound_plan(Purpose { batch, ..purpose }).await {
                        Ok(part) => parts.push(part),
                        Err(error) => {
                            failure = Some((batch, error));
                            break;
                        }
                    },
                }
            }
            match failure {
                None => return Ok(parts),
                // What was timed has buffers of its own, which runs need more.
                Some((_, Error::OutOfMemory { .. })) if lock(&self.timed).take().is_some() => self.forget_bound(),
                Some((batch, Error::OutOfMemory { .. })) if batch > 1 => {
                    self.forget_bound();
                    largest = batch / 2;
                    lock(&self.batch_limits).insert(purpose.size, BatchLimits { largest, fastest: largest });
                }
                Some((_, error)) => return Err(error),
            }
        }
    }

    /// [`Shared::parts`] where all of them are bound already.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn parts_there(&self, purpose: Purpose) -> Option<Vec<Arc<BoundPlan>>> {
        let limits = lock(&self.batch_limits).get(&purpose.size).copied()?;
        shares(purpose.batch, limits.fastest).map(|batch| self.found(Purpose { batch, ..purpose })).collect()
    }

    /// How many images of this size run at once.
    pub(super) fn batch_limits(&self, size: [usize; 2]) -> Result<BatchLimits> {
        if let Some(&limits) = lock(&self.batch_limits).get(&size) {
            return Ok(limits);
        }
        let tuning = self.tuning();
        let limits = BatchLimits::find(&self.gpu, size, |batch| self.plan(&tuning, batch, size))?;
        lock(&self.batch_limits).insert(size, limits);
        Ok(limits)
    }

    /// A bound plan that is there already, and of the tuning as it is now.
    fn found(&self, purpose: Purpose) -> Option<Arc<BoundPlan>> {
        let tuning = lock(&self.tuning);
        let mut bound = self.bound();
        let position = bound.iter().position(|b| b.purpose() == purpose && b.is_of(&tuning) && !b.is_cut_too_small(&self.gpu))?;
        let found = bound.remove(position)?;
        bound.push_front(Arc::clone(&found));
        Some(found)
    }

    pub(super) async fn bound_plan(&self, purpose: Purpose) -> Result<Arc<BoundPlan>> {
        if let Some(found) = self.found(purpose) {
            return Ok(found);
        }
        let plan = self.checked_plan(self.tuning(), purpose.batch, purpose.size).await?;
        let pool = match purpose.owner {
            Owner::Engine => Arc::clone(&self.pool),
            Owner::Program => Arc::default(),
        };
        if purpose.owner == Owner::Engine && !pool.holds(&BoundPlan::byte_slots(&plan, purpose)) {
            // Those that hold on to what is too small are bound again when they are needed.
            self.bound().retain(|bound| bound.purpose().owner == Owner::Program);
        }
        let made = Arc::new(BoundPlan::new(&self.gpu, purpose, plan, pool, &self.weights, &self.pipelines).await?);
        let mut bound = self.bound();
        if !made.is_in_its_pool() {
            // Somebody else needed a larger one meanwhile: this run may use what was there, the next shall not.
            return Ok(made);
        }
        bound.push_front(Arc::clone(&made));
        let mut cost = 0;
        let mut last = true;
        bound.retain(|bound| {
            let is_kept = std::mem::take(&mut last) || cost + bound.byte_cost() <= BYTE_BOUND_PLANS;
            cost += if is_kept { bound.byte_cost() } else { 0 };
            is_kept
        });
        Ok(made)
    }

    /// Drops every bound plan and the memory that they share.
    pub(super) fn forget_bound(&self) {
        self.bound().clear();
        self.pool.clear();
    }

    /// Bytes of the pool that a plan of a program has alone.
    pub(super) fn byte_own_pool(&self, bound: &BoundPlan) -> u64 {
        if bound.purpose().owner == Owner::Program { bound.pool().bytes() } else { 0 }
    }

    pub(super) fn bound(&self) -> MutexGuard<'_, VecDeque<Arc<BoundPlan>>> {
        lock(&self.bound)
    }
}

/// Both at the same time, on a thread each where there are threads.
#[cfg(not(target_family = "wasm"))]
async fn beside<A: Send, B: Send>(a: impl Future<Output = A> + Send, b: impl Future<Output = B> + Send) -> (A, B) {
    let stage = tracing::Span::current();
    on_every_core(|| rayon::join(|| stage.in_scope(|| pollster::block_on(a)), || stage.in_scope(|| pollster::block_on(b))))
}

/// One after the other: in a browser nothing may block, and there are no threads.
#[cfg(target_family = "wasm")]
async fn beside<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    (a.await, b.await)
}

fn plan_options(gpu: &Gpu, fusion: bool, tuning: &Tuning, batch: usize) -> PlanOptions {
    PlanOptions { batch, fusion, byte_weight_buffer: gpu.byte_buffer_limit(), tuning: tuning.clone() }
}
