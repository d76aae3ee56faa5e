//! Pipelines, one for each shader variant, made as plans first need them. All engines of a device share them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(not(target_family = "wasm"))]
use rayon::prelude::*;
use tracing::{Span, debug_span};

use super::{Gpu, PipelineCache};
use crate::error::Result;
use crate::kernels::Variant;

#[derive(Debug)]
pub(crate) struct Pipelines {
    bindings: wgpu::BindGroupLayout,
    layout: wgpu::PipelineLayout,
    shader_checks: bool,
    /// A variant's text; tests put mistakes into it.
    source: fn(&Variant) -> String,
    pipelines: Mutex<HashMap<Variant, Arc<wgpu::ComputePipeline>>>,
}

impl Pipelines {
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

    /// The same with other texts for the shaders.
    pub(crate) fn with_sources(self, source: fn(&Variant) -> String) -> Self {
        Self { source, ..self }
    }

    /// Whether shaders are compiled with bounds checks.
    pub(crate) fn has_checks(&self) -> bool {
        self.shader_checks
    }

    /// The bindings of every kernel: parameters, source, weights, target.
    pub(crate) fn bindings(&self) -> &wgpu::BindGroupLayout {
        &self.bindings
    }

    /// The bind group of a kernel on whole buffers: parameters, source, weights, target.
    pub(crate) fn bind(&self, device: &wgpu::Device, label: &str, buffers: [&wgpu::Buffer; 4]) -> wgpu::BindGroup {
        let entry = |(binding, buffer)| wgpu::BindGroupEntry { binding, resource: wgpu::Buffer::as_entire_binding(buffer) };
        let entries: Vec<_> = (0..).zip(buffers).map(entry).collect();
        device.create_bind_group(&wgpu::BindGroupDescriptor { label: Some(label), layout: &self.bindings, entries: &entries })
    }

    /// Builds the pipelines that are not there yet, on every core: drivers compile shaders when a pipeline is made. Errors with the
    /// first that failed; the others are there then.
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
        // Error scopes belong to a thread, so each pipeline has its own. So have spans.
        #[cfg(not(target_family = "wasm"))]
        let built: Vec<_> = missing.par_iter().map(|variant| pollster::block_on(build(variant))).collect();
        // In a browser nothing may block, and there are no threads.
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

    /// A pipeline that [`Pipelines::build`] made.
    pub(crate) fn get(&self, variant: &Variant) -> Arc<wgpu::ComputePipeline> {
        Arc::clone(&self.made()[variant])
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

    fn made(&self) -> MutexGuard<'_, HashMap<Variant, Arc<wgpu::ComputePipeline>>> {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
