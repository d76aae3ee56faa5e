//! PCI addresses: what tells equal cards apart, and stays the same whoever lists them.

use std::fmt::{Display, Formatter};

/// The place of a card: domain, bus, device and function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PciAddress([u32; 4]);

impl PciAddress {
    /// The address of an adapter, where its driver reports it. Only Vulkan's do: on DX12 wgpu looks it up by the card's model, which equal
    /// cards share.
    pub(super) fn of(info: &wgpu::AdapterInfo) -> Option<Self> {
        (info.backend == wgpu::Backend::Vulkan).then(|| Self::parse(&info.device_pci_bus_id))?
    }

    /// Reads `0000:01:00.0`, in upper case too, without the domain as `lspci` prints it, and with its eight digits as `nvidia-smi` does.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (place, function) = text.split_once('.')?;
        let (domain, bus, device) = match place.split(':').collect::<Vec<_>>()[..] {
            [bus, device] => ("0000", bus, device),
            [domain, bus, device] => (domain, bus, device),
            _ => return None,
        };
        let is_hexadecimal = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = |digits: &str, lengths: &[usize]| {
            (lengths.contains(&digits.len()) && is_hexadecimal(digits)).then(|| u32::from_str_radix(digits, 16).ok())?
        };
        Some(Self([number(domain, &[4, 8])?, number(bus, &[2])?, number(device, &[2])?, number(function, &[1])?]))
    }
}

impl Display for PciAddress {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let [domain, bus, device, function] = self.0;
        write!(f, "{domain:04x}:{bus:02x}:{device:02x}.{function:x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_tools_print_it() {
        for text in ["0000:c1:00.0", "0000:C1:00.0", "c1:00.0", "00000000:C1:00.0"] {
            assert_eq!(PciAddress::parse(text).unwrap().to_string(), "0000:c1:00.0", "{text}");
        }
        assert_eq!(PciAddress::parse("00010000:01:1f.7").unwrap().to_string(), "10000:01:1f.7");
        for text in ["", "0", "radeon", "0000:01:00", "01:00:0", "0000:1:00.0", "0000:01:00.00", "0000:+1:00.0", "0:0000:01:00.0", "01.0"] {
            assert_eq!(PciAddress::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_vulkan_says_where_a_card_is() {
        let adapter = |backend, address: &str| {
            let device_pci_bus_id = address.to_owned();
            wgpu::AdapterInfo { device_pci_bus_id, ..wgpu::AdapterInfo::new(wgpu::DeviceType::DiscreteGpu, backend) }
        };
        assert!(PciAddress::of(&adapter(wgpu::Backend::Vulkan, "0000:01:00.0")).is_some());
        assert_eq!(PciAddress::of(&adapter(wgpu::Backend::Vulkan, "")), None);
        assert_eq!(PciAddress::of(&adapter(wgpu::Backend::Dx12, "0000:01:00.0")), None);
    }
}
