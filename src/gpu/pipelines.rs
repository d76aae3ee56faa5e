//! Pipelines, one per shader variant, created when a plan first needs them and shared by all engines of a device.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kernels::Variant;

#[derive(Debug)]
pub(crate) struct Pipelines {
    pub(super) bindings: wgpu::BindGroupLayout,
    pub(super) layout: wgpu::PipelineLayout,
    pub(super) shader_checks: bool,
    /// The source of a variant. Tests insert bugs into it.
    pub(super) source: fn(&Variant) -> String,
    pub(super) pipelines: Mutex<HashMap<Variant, Arc<wgpu::ComputePipeline>>>,
}

impl Pipelines {
    /// The same with other shader sources.
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

    /// A pipeline that [`Pipelines::build`] made.
    pub(crate) fn get(&self, variant: &Variant) -> Arc<wgpu::ComputePipeline> {
        Arc::clone(&self.made()[variant])
    }

    pub(super) fn made(&self) -> MutexGuard<'_, HashMap<Variant, Arc<wgpu::ComputePipeline>>> {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
