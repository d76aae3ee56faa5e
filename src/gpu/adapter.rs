//! Adapters: their order, and selection by index or name.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::summary::called;
use crate::error::{Error, Result};
use crate::nearest::nearest;

/// A lock to hold while listing adapters and opening devices: some drivers crash if two threads do so at once.
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

/// The rank of an adapter. Sorting is stable, so adapters of equal rank stay in the driver's order.
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

/// The adapter with this index or with this in its name; the best one without a selector.
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

/// What a user may have meant by a device: a name, or a word of one.
fn words(names: &[String]) -> impl Iterator<Item = &str> {
    let words = names.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric()));
    names.iter().map(String::as_str).chain(words.filter(|word| word.len() > 2))
}
