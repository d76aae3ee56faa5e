//! Creation of pipelines, during which drivers compile shaders.

use std::sync::{Arc, Mutex};

#[cfg(not(target_family = "wasm"))]
use rayon::prelude::*;
use tracing::{Span, debug_span};

use super::device::Gpu;
use super::pipeline_cache::PipelineCache;
use super::pipelines::Pipelines;
#[cfg(not(target_family = "wasm"))]
use crate::cores::on_every_core;
use crate::error::Result;
use crate::kernels::Variant;

impl Gpu {
    /// The pipelines of this device, whose shaders are compiled with or without bounds checks. Engines share them, and they live as long as
    /// the device. Engines that are made at the same time may compile the same shader twice.
    pub(crate) async fn pipelines(&self, shader_checks: bool) -> Result<Arc<Pipelines>> {
        let place = &self.pipelines[usize::from(shader_checks)];
        if let Some(pipelines) = place.get() {
            return Ok(Arc::clone(pipelines));
        }
        let made = Arc::new(Pipelines::new(self, shader_checks).await?);
        Ok(Arc::clone(place.get_or_init(|| made)))
    }

    /// The cache to create pipelines with, if the device has one and compiled shaders are kept.
    pub(crate) fn pipeline_cache(&self) -> Option<&PipelineCache> {
        let open = || {
            let create = |data: Option<&[u8]>| {
                let descriptor = wgpu::PipelineCacheDescriptor { label: Some("kernels"), data, fallback: true };
                // SAFETY: `get_data` returned this data before it was sealed: the seal shows that it was on the same adapter,
                // with the same driver, and that nothing has changed since. Who would forge one could as well replace the
                // programs of the user whose cache it is.
                pollster::block_on(self.caught(|| unsafe { self.device().create_pipeline_cache(&descriptor) })).ok()
            };
            PipelineCache::open(self.pipeline_file()?, create)
        };
        self.pipeline_cache.get_or_init(open).as_ref()
    }
}

impl Pipelines {
    /// An empty collection, for shaders compiled with or without bounds checks.
    pub(crate) async fn new(gpu: &Gpu, shader_checks: bool) -> Result<Self> {
        gpu.caught(|| {
            let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
                count: None,
            };
            let entries = [
                entry(0, wgpu::BufferBindingType::Uniform),
                entry(1, wgpu::BufferBindingType::Storage { read_only: true }),
                entry(2, wgpu::BufferBindingType::Storage { read_only: true }),
                entry(3, wgpu::BufferBindingType::Storage { read_only: false }),
            ];
            let device = gpu.device();
            let bindings = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some("kernel"), entries: &entries });
            let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("kernel"),
                bind_group_layouts: &[Some(&bindings)],
                immediate_size: 0,
            });
            Self { bindings, layout, shader_checks, source: Variant::source, pipelines: Mutex::default() }
        })
        .await
    }

    /// Builds missing pipelines on all cores: drivers compile shaders when a pipeline is created. Returns the first error; pipelines
    /// without errors are kept.
    #[tracing::instrument(level = "debug", name = "pipelines", skip_all)]
    pub(crate) async fn build<'a>(&self, gpu: &Gpu, variants: impl Iterator<Item = &'a Variant>) -> Result<()> {
        let mut missing: Vec<&Variant> = Vec::new();
        {
            let made = self.made();
            for variant in variants {
                if !made.contains_key(variant) && !missing.contains(&variant) {
                    missing.push(variant);
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let cache = gpu.pipeline_cache();
        let compiled = cache.map(PipelineCache::compiled);
        let stage = Span::current();
        let build = async |variant: &Variant| {
            let _span = debug_span!(parent: &stage, "pipeline", %variant).entered();
            Ok((variant.clone(), gpu.caught(|| self.pipeline(gpu, compiled, variant)).await?))
        };
        // Error scopes and spans belong to a thread, so each pipeline has its own.
        #[cfg(not(target_family = "wasm"))]
        let built: Vec<_> = on_every_core(|| missing.par_iter().map(|variant| pollster::block_on(build(variant))).collect());
        // A browser has no threads, and must not block.
        #[cfg(target_family = "wasm")]
        let built = {
            let mut built = Vec::new();
            for variant in missing {
                built.push(build(variant).await);
            }
            built
        };
        let (mut failure, mut pipelines) = (None, self.made());
        for built in built {
            match built {
                Ok((variant, pipeline)) => drop(pipelines.insert(variant, pipeline)),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        drop(pipelines);
        if let Some(cache) = cache {
            cache.keep();
        }
        failure.map_or(Ok(()), Err)
    }

    fn pipeline(&self, gpu: &Gpu, cache: Option<&wgpu::PipelineCache>, variant: &Variant) -> Arc<wgpu::ComputePipeline> {
        let label = variant.to_string();
        let shader = wgpu::ShaderModuleDescriptor {
            label: Some(&label),
            source: wgpu::ShaderSource::Wgsl(gpu.shader_text((self.source)(variant)).into()),
        };
        let module = debug_span!("translate").in_scope(|| {
            if self.shader_checks {
                gpu.device().create_shader_module(shader)
            } else {
                // SAFETY: these are this crate's own shaders. Every index they compute is bounded by the plan's sizes, which
                // the engine checked against the buffers it bound, a peak's by those of its own (or is a byte, in a table of 256),
                // and every loop by a size in the parameters. Workgroup memory holds any tile there can be: its sizes were
                // checked as they were made, and the shader asserts them. The tests run all of them with checks as well.
                unsafe { gpu.device().create_shader_module_trusted(shader, wgpu::ShaderRuntimeChecks::unchecked()) }
            }
        });
        let compilation_options = wgpu::PipelineCompilationOptions { zero_initialize_workgroup_memory: false, ..Default::default() };
        let _span = debug_span!("create").entered();
        Arc::new(gpu.device().create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(&self.layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options,
            cache,
        }))
    }
}
