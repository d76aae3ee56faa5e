//! What there is to open: adapters, the order in which they are offered, and the device that each opens as.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::nearest::nearest;

/// The kind of a processor that plays a GPU.
const SOFTWARE: &str = "software device";

/// An adapter as wgpu sees it.
///
/// ```
/// use densenet_wgpu::Gpu;
///
/// let has_f16 = Gpu::adapters().into_iter().filter(|adapter| adapter.features.iter().any(|feature| feature == "f16"));
/// for adapter in has_f16 {
///     println!("{}{}", adapter.name, if adapter.is_software() { ", which is slow" } else { "" });
///     assert!(!adapter.limits.is_empty());
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AdapterSummary {
    /// Its place in [`Gpu::adapters`](crate::Gpu::adapters): 0 is what is taken by default.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// The graphics API it is reached by.
    pub backend: String,
    /// What it is: a discrete GPU, an integrated one, a software device, …
    pub kind: String,
    /// Its driver and the driver's version.
    pub driver: String,
    /// The features that matter here.
    pub features: Vec<String>,
    /// The limits that matter here, in bytes or counts.
    pub limits: Vec<(String, u64)>,
}

impl AdapterSummary {
    pub(super) fn new(index: usize, info: &wgpu::AdapterInfo, features: wgpu::Features, limits: &wgpu::Limits) -> Self {
        let named = [
            ("f16", wgpu::Features::SHADER_F16),
            ("subgroups", wgpu::Features::SUBGROUP),
            ("timestamps", wgpu::Features::TIMESTAMP_QUERY),
            ("pipeline cache", wgpu::Features::PIPELINE_CACHE),
            ("cooperative matrices", wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX),
        ];
        let limits = [
            ("max_buffer_size", limits.max_buffer_size),
            ("max_storage_buffer_binding_size", limits.max_storage_buffer_binding_size),
            ("max_compute_workgroup_storage_size", limits.max_compute_workgroup_storage_size.into()),
            ("max_compute_invocations_per_workgroup", limits.max_compute_invocations_per_workgroup.into()),
            ("max_compute_workgroups_per_dimension", limits.max_compute_workgroups_per_dimension.into()),
            ("max_storage_buffers_per_shader_stage", limits.max_storage_buffers_per_shader_stage.into()),
        ];
        Self {
            index,
            name: info.name.clone(),
            backend: info.backend.to_string(),
            kind: kind(info.device_type).into(),
            driver: [info.driver.as_str(), info.driver_info.as_str()].join(" ").trim().to_owned(),
            features: named.iter().filter(|(_, feature)| features.contains(*feature)).map(|(name, _)| (*name).into()).collect(),
            limits: limits.map(|(name, limit)| (name.into(), limit)).into(),
        }
    }

    /// Whether this is a processor that plays a GPU.
    pub fn is_software(&self) -> bool {
        self.kind == SOFTWARE
    }
}

pub(super) fn kind(device_type: wgpu::DeviceType) -> &'static str {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete GPU",
        wgpu::DeviceType::IntegratedGpu => "integrated GPU",
        wgpu::DeviceType::VirtualGpu => "virtual GPU",
        wgpu::DeviceType::Cpu => SOFTWARE,
        wgpu::DeviceType::Other => "other",
    }
}

/// Held while adapters are listed and devices opened: some drivers crash where two threads do that at a time.
pub fn opening() -> MutexGuard<'static, ()> {
    static OPENING: Mutex<()> = Mutex::new(());
    OPENING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every adapter, the best first.
pub(super) async fn adapters() -> Vec<wgpu::Adapter> {
    let descriptor = wgpu::InstanceDescriptor {
        backends: wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12,
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    };
    let instance = wgpu::Instance::new(descriptor.with_env());
    let mut adapters = instance.enumerate_adapters(wgpu::Backends::all()).await;
    adapters.sort_by_key(|adapter| rank(&adapter.get_info()));
    adapters
}

/// The order of adapters: a stable sort keeps the driver's own order beyond it.
fn rank(info: &wgpu::AdapterInfo) -> (u8, u8) {
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    };
    let backend = match info.backend {
        wgpu::Backend::Vulkan => 0,
        wgpu::Backend::Metal => 1,
        wgpu::Backend::Dx12 => 2,
        _ => 3,
    };
    (kind, backend)
}

/// The adapter that is meant: by its index or a part of its name; the best one without a selector.
pub(super) fn select(adapters: &[wgpu::Adapter], selector: Option<&str>) -> Result<usize> {
    if adapters.is_empty() {
        return Err(Error::NoAdapter);
    }
    let Some(selector) = selector else { return Ok(0) };
    if let Some(index) = selector.parse().ok().filter(|index| *index < adapters.len()) {
        return Ok(index);
    }
    let wanted = selector.to_lowercase();
    let found = adapters.iter().position(|a| !wanted.is_empty() && a.get_info().name.to_lowercase().contains(&wanted));
    found.ok_or_else(|| {
        let names: Vec<String> = adapters.iter().map(|adapter| adapter.get_info().name).collect();
        Error::NoSuchAdapter {
            name: selector.to_owned(),
            suggestion: nearest(selector, words(&names)).map(str::to_owned),
            adapters: adapters.iter().map(|adapter| called(&adapter.get_info())).collect(),
        }
    })
}

/// What one may have meant by a device: a name, or a word of one.
fn words(names: &[String]) -> impl Iterator<Item = &str> {
    let words = names.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric()));
    names.iter().map(String::as_str).chain(words.filter(|word| word.len() > 2))
}

/// Features that are requested where the adapter has them.
fn wanted_features() -> wgpu::Features {
    wgpu::Features::SHADER_F16 | wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::PIPELINE_CACHE
}

/// Opens the adapter, and tells the side of the matrices that shaders may multiply on it.
pub(super) async fn request(
    adapter: &wgpu::Adapter,
) -> std::result::Result<(wgpu::Device, wgpu::Queue, Option<u32>), wgpu::RequestDeviceError> {
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("densenet"),
        required_features: adapter.features() & wanted_features(),
        required_limits: adapter.limits(),
        ..Default::default()
    };
    if let Some(matrix) = matrix(adapter) {
        let with_matrices = wgpu::DeviceDescriptor {
            required_features: descriptor.required_features | wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX,
            // SAFETY: bugs of wgpu's may be met by what uses the feature. That is one shader, whose matrices are whole and in
            // bounds, and which the tests compare with the reference wherever a device runs it.
            experimental_features: unsafe { wgpu::ExperimentalFeatures::enabled() },
            ..descriptor.clone()
        };
        if let Ok((device, queue)) = adapter.request_device(&with_matrices).await {
            return Ok((device, queue, Some(matrix)));
        }
    }
    let (device, queue) = adapter.request_device(&descriptor).await?;
    Ok((device, queue, None))
}

/// The major version of LLVM in an adapter's name, such as `llvmpipe (LLVM 22.1.8, 256 bits)`.
pub(super) fn llvm(name: &str) -> Option<u32> {
    let (_, version) = name.split_once("LLVM ")?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The side of the largest matrices of 16-bit floats that the adapter says it multiplies, with sums of 32 bits.
fn matrix(adapter: &wgpu::Adapter) -> Option<u32> {
    use wgpu::CooperativeScalarType::{F16, F32};
    let properties = adapter.cooperative_matrix_properties();
    let multiplies =
        |side: &u32| properties.iter().any(|p| [p.m_size, p.n_size, p.k_size] == [*side; 3] && (p.ab_type, p.cr_type) == (F16, F32));
    [16, 8].into_iter().find(multiplies)
}

/// An adapter's name and graphics API, as errors have them.
pub(super) fn called(info: &wgpu::AdapterInfo) -> String {
    format!("{} ({})", info.name, info.backend)
}

/// What a person should know about an adapter, a sentence each.
pub(super) fn warnings(info: &wgpu::AdapterInfo, features: wgpu::Features) -> Vec<String> {
    let mut warnings = Vec::new();
    if info.device_type == wgpu::DeviceType::Cpu {
        warnings.push(format!("no GPU in use: {} is a software device, many times slower than a GPU", info.name));
    }
    if shader_compiler(info, features) == "FXC" {
        let slower = "shaders are compiled by FXC, which knows neither 16-bit floats nor subgroups";
        warnings.push(format!("{slower}: put DXC's dxcompiler.dll on the PATH, for kernels that are faster"));
    }
    warnings
}

/// What makes machine code of shaders there.
pub(super) fn shader_compiler(info: &wgpu::AdapterInfo, features: wgpu::Features) -> &'static str {
    match info.backend {
        // wgpu offers subgroups on DX12 wherever DXC compiles the shaders: without them it fell back to FXC.
        wgpu::Backend::Dx12 if features.contains(wgpu::Features::SUBGROUP) => "DXC",
        wgpu::Backend::Dx12 => "FXC",
        _ => "the driver",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llvm_is_read_from_the_name() {
        assert_eq!(llvm("llvmpipe (LLVM 22.1.8, 256 bits)"), Some(22));
        assert_eq!(llvm("llvmpipe (LLVM 15.0.6, 128 bits)"), Some(15));
        assert_eq!(llvm("AMD Radeon RX 7900 XTX (RADV NAVI31)"), None);
        assert_eq!(llvm("llvmpipe (LLVM , 256 bits)"), None);
    }
}
