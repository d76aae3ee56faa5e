//! Adapters: their order, and selection by index, name or PCI address.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::pci::PciAddress;
use super::summary::called_with_address;
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

/// The index of the adapter with this index, with this PCI address or with this in its name; the best one without a selector.
pub(super) fn select(adapters: &[wgpu::AdapterInfo], selector: Option<&str>) -> Result<usize> {
    if adapters.is_empty() {
        return Err(Error::NoAdapter);
    }
    let Some(selector) = selector else { return Ok(0) };
    let listed = || adapters.iter().map(called_with_address).collect();
    if let Some(address) = PciAddress::parse(selector) {
        let found = adapters.iter().position(|adapter| PciAddress::of(adapter) == Some(address));
        return found.ok_or_else(|| Error::NoAdapterAt { address: address.to_string(), adapters: listed() });
    }
    if let Some(index) = selector.parse().ok().filter(|index| *index < adapters.len()) {
        return Ok(index);
    }
    let wanted = selector.to_lowercase();
    let found = adapters.iter().position(|a| !wanted.is_empty() && a.name.to_lowercase().contains(&wanted));
    found.ok_or_else(|| {
        let names: Vec<&str> = adapters.iter().map(|adapter| adapter.name.as_str()).collect();
        Error::NoSuchAdapter {
            name: selector.to_owned(),
            suggestion: nearest(selector, words(&names)).map(str::to_owned),
            adapters: listed(),
        }
    })
}

/// What a user may have meant by a device: a name, or a word of one.
fn words<'a>(names: &[&'a str]) -> impl Iterator<Item = &'a str> {
    let words = names.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric()));
    names.iter().copied().chain(words.filter(|word| word.len() > 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(name: &str, address: &str) -> wgpu::AdapterInfo {
        let info = wgpu::AdapterInfo::new(wgpu::DeviceType::DiscreteGpu, wgpu::Backend::Vulkan);
        wgpu::AdapterInfo { name: name.into(), device_pci_bus_id: address.into(), ..info }
    }

    fn llvmpipe() -> wgpu::AdapterInfo {
        let info = wgpu::AdapterInfo::new(wgpu::DeviceType::Cpu, wgpu::Backend::Vulkan);
        wgpu::AdapterInfo { name: "llvmpipe".into(), ..info }
    }

    const ADDRESSES: [&str; 3] = ["0000:01:00.0", "0000:41:00.0", "0001:01:00.0"];

    /// Every order in which a driver may list three equal cards.
    fn tables() -> Vec<Vec<wgpu::AdapterInfo>> {
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let table = |order: [usize; 3]| order.map(|at| card("Equal GPU", ADDRESSES[at])).into_iter().chain([llvmpipe()]).collect();
        orders.map(table).into()
    }

    #[test]
    fn equal_cards_are_told_apart_by_their_addresses_alone() {
        for table in tables() {
            for address in ADDRESSES {
                assert_eq!(table[select(&table, Some(address)).unwrap()].device_pci_bus_id, address);
                assert_eq!(select(&table, Some(&address.to_uppercase())).unwrap(), select(&table, Some(address)).unwrap());
            }
            assert_eq!(select(&table, Some("equal")).unwrap(), 0, "a name does not tell them apart");
        }
    }

    /// Processes may see the cards in different orders: an index is then another card, an address is not.
    #[test]
    fn two_processes_that_are_told_two_gpus_never_share_one() {
        let mut by_index_shared = 0;
        for one in tables() {
            for other in tables() {
                let chosen = |selectors: [&str; 2]| {
                    let [one, other] = [(&one, selectors[0]), (&other, selectors[1])]
                        .map(|(table, selector)| table[select(table, Some(selector)).unwrap()].device_pci_bus_id.clone());
                    one == other
                };
                by_index_shared += usize::from(chosen(["0", "1"]));
                for (mine, its) in ADDRESSES.iter().flat_map(|mine| ADDRESSES.map(|its| (*mine, its))) {
                    assert_eq!(chosen([mine, its]), mine == its, "{mine} and {its}");
                }
            }
        }
        assert!(by_index_shared > 0, "the tables are in different orders");
    }

    #[test]
    fn an_address_that_is_not_there_is_refused_with_what_is() {
        let table = &tables()[0];
        let message = select(table, Some("81:00.0")).unwrap_err().to_string();
        let expected = "no adapter is at the PCI address 0000:81:00.0. There are: 0 = Equal GPU (vulkan, 0000:01:00.0), \
                        1 = Equal GPU (vulkan, 0000:41:00.0), 2 = Equal GPU (vulkan, 0001:01:00.0), 3 = llvmpipe (vulkan)";
        assert_eq!(message, expected);
        // The same card by another API, whose address is that of its model.
        let by_dx12 = wgpu::AdapterInfo { backend: wgpu::Backend::Dx12, ..card("Equal GPU", ADDRESSES[0]) };
        assert!(matches!(select(&[by_dx12], Some(ADDRESSES[0])), Err(Error::NoAdapterAt { .. })));
        assert!(matches!(select(&[], Some(ADDRESSES[0])), Err(Error::NoAdapter)));
    }

    #[test]
    fn indices_and_names_choose_as_before() {
        let table = [card("Radeon 9", ADDRESSES[0]), card("GeForce 7", ADDRESSES[1]), llvmpipe()];
        for (selector, expected) in [(None, 0), (Some("1"), 1), (Some("geforce"), 1), (Some("7"), 1), (Some("llvm"), 2)] {
            assert_eq!(select(&table, selector).unwrap(), expected, "{selector:?}");
        }
        let message = select(&table, Some("gefroce")).unwrap_err().to_string();
        let expected = "no adapter is called \"gefroce\"; did you mean GeForce? There are: 0 = Radeon 9 (vulkan, 0000:01:00.0), ";
        assert!(message.starts_with(expected), "{message}");
    }
}
