//! Properties of an adapter.

use serde::Serialize;

use super::pci::PciAddress;

/// The kind of a software adapter, which runs shaders on the CPU.
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
    /// Its index in [`Gpu::adapters`](crate::Gpu::adapters): 0 is the default.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// The graphics API.
    pub backend: String,
    /// What it is: a discrete GPU, an integrated one, a software device, …
    pub kind: String,
    /// Its driver and the driver's version.
    pub driver: String,
    /// Where the card is, such as `0000:01:00.0`, which tells equal cards apart; `None` for software, and where the driver does not say.
    pub pci_address: Option<String>,
    /// The features that this library can use.
    pub features: Vec<String>,
    /// The limits that this library depends on, in bytes or counts.
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
            pci_address: PciAddress::of(info).map(|address| address.to_string()),
            features: named.iter().filter(|(_, feature)| features.contains(*feature)).map(|(name, _)| (*name).into()).collect(),
            limits: limits.map(|(name, limit)| (name.into(), limit)).into(),
        }
    }

    /// Whether this is a software adapter, which runs shaders on the CPU.
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

/// An adapter's name and graphics API, as errors have them.
pub(super) fn called(info: &wgpu::AdapterInfo) -> String {
    format!("{} ({})", info.name, info.backend)
}

/// The same with its PCI address, where it has one, for lists of adapters.
pub(super) fn called_with_address(info: &wgpu::AdapterInfo) -> String {
    match PciAddress::of(info) {
        Some(address) => format!("{} ({}, {address})", info.name, info.backend),
        None => called(info),
    }
}

/// The warning of a software adapter with this name.
pub(super) fn software_warning(name: &str) -> String {
    format!("no GPU in use: {name} is a software device, many times slower than a GPU")
}

/// What the user should know about an adapter, one sentence each.
pub(super) fn warnings(info: &wgpu::AdapterInfo, features: wgpu::Features) -> Vec<String> {
    let mut warnings = Vec::new();
    if info.device_type == wgpu::DeviceType::Cpu {
        warnings.push(software_warning(&info.name));
    }
    if shader_compiler(info, features) == "FXC" {
        let slower = "shaders are compiled by FXC, which supports neither 16-bit floats nor subgroups";
        warnings.push(format!("{slower}: put DXC's dxcompiler.dll on the PATH for faster kernels"));
    }
    warnings
}

/// The compiler that translates shaders to machine code.
pub(super) fn shader_compiler(info: &wgpu::AdapterInfo, features: wgpu::Features) -> &'static str {
    match info.backend {
        // On DX12 wgpu offers subgroups if DXC compiles the shaders. Without them it fell back to FXC.
        wgpu::Backend::Dx12 if features.contains(wgpu::Features::SUBGROUP) => "DXC",
        wgpu::Backend::Dx12 => "FXC",
        _ => "the driver",
    }
}

/// The major version of LLVM in an adapter's name, such as `llvmpipe (LLVM 22.1.8, 256 bits)`.
pub(super) fn llvm(name: &str) -> Option<u32> {
    let (_, version) = name.split_once("LLVM ")?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
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
