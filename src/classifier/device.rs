//! The devices of a classifier.

use crate::environment;
use crate::error::{Error, Result};
use crate::gpu::{AdapterSummary, Gpu, Software};

/// A device to run a classifier on.
///
/// ```
/// use densenet_wgpu::devices::Device;
///
/// assert!(matches!(Device::list("cpu")[..], [Device::Reference]));
/// assert!(matches!(Device::list("0,cpu")[..], [Device::Named(_), Device::Reference]));
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Device {
    /// What the variable `DENSENET_DEVICE` says, as [`Device::list`] reads it; without it the best GPU, or a software adapter if there is
    /// none.
    #[default]
    Best,
    /// The GPU with this index, with this PCI address or with this in its name ([`Gpu::open`]).
    Named(String),
    /// A GPU that is already open. Several of these count as different devices, without a check.
    Gpu(Box<Gpu>),
    /// The CPU: the [`Reference`](crate::verify::Reference), simple and slow.
    Reference,
}

impl Device {
    /// Parses a list of devices: `cpu`, an index, a part of a name, a PCI address, several of these separated by commas, or `all` GPUs.
    ///
    /// `all` includes a GPU with several APIs once, and software adapters only if there is nothing else. A name may contain a comma.
    pub fn list(text: &str) -> Vec<Self> {
        let is_all = text.eq_ignore_ascii_case("all");
        let adapters = if is_all || text.contains(',') { Gpu::adapters() } else { Vec::new() };
        if is_all {
            return gpus(&adapters).into_iter().map(|index| Self::Named(index.to_string())).collect();
        }
        let is_a_name = adapters.iter().any(|adapter| adapter.name.to_lowercase().contains(&text.to_lowercase()));
        if is_a_name { vec![Self::named(text)] } else { text.split(',').map(|name| Self::named(name.trim())).collect() }
    }

    fn named(name: &str) -> Self {
        if name.eq_ignore_ascii_case("cpu") { Self::Reference } else { Self::Named(name.to_owned()) }
    }

    fn open(&self, software: Software) -> Result<Opened> {
        let (gpu, is_ours) = match self {
            Self::Best => (Gpu::open(None)?, true),
            Self::Named(name) => (Gpu::open(Some(name))?, true),
            Self::Gpu(gpu) => (Gpu::clone(gpu), false),
            Self::Reference => return Ok(Opened { gpu: None, is_ours: true }),
        };
        Ok(Opened { gpu: Some(gpu.with_software(software)?), is_ours })
    }
}

impl From<Gpu> for Device {
    fn from(gpu: Gpu) -> Self {
        Self::Gpu(Box::new(gpu))
    }
}

/// An open device.
pub(super) struct Opened {
    /// `None` for the CPU.
    pub(super) gpu: Option<Gpu>,
    /// Whether it was opened here. A program's own device has no index among the adapters.
    is_ours: bool,
}

impl Opened {
    /// Opens `devices`, and what the environment names where nothing else does. Errors if one does not exist, is software that is refused,
    /// or is given twice.
    pub(super) fn all(devices: &[Device], software: Software) -> Result<Vec<Self>> {
        match (devices, environment::device()) {
            ([Device::Best], Some(named)) => {
                Self::each(&Device::list(&named), software).map_err(|error| error.in_variable(environment::DEVICE, named))
            }
            _ => Self::each(devices, software),
        }
    }

    fn each(devices: &[Device], software: Software) -> Result<Vec<Self>> {
        let mut all: Vec<Self> = Vec::new();
        for device in devices {
            let opened = device.open(software)?;
            if all.iter().any(|other| other.is(&opened)) {
                return Err(Error::Options { expected: "each device once".into(), found: format!("{} again", opened.name()) });
            }
            all.push(opened);
        }
        if all.is_empty() {
            return Err(Error::Options { expected: "at least one device".into(), found: "none".into() });
        }
        Ok(all)
    }

    pub(super) fn name(&self) -> &str {
        self.gpu.as_ref().map_or("cpu", |gpu| &gpu.summary().name)
    }

    /// Whether both were opened here and are the same. A program's own devices count as different: wgpu compares different devices as equal
    /// if each is the first of its instance.
    fn is(&self, other: &Self) -> bool {
        let indices = [self, other].map(|device| device.gpu.as_ref().map(|gpu| gpu.summary().index));
        self.is_ours && other.is_ours && indices[0] == indices[1]
    }
}

/// Every GPU once: a GPU is listed once per API, so these are the GPUs with the API of the best one. Software adapters count only if there
/// is nothing else. Without any adapter it is the best one, and opening it reports the error.
fn gpus(adapters: &[AdapterSummary]) -> Vec<usize> {
    let Some(best) = adapters.first() else { return vec![0] };
    let is_like_best = |adapter: &&AdapterSummary| adapter.backend == best.backend && adapter.is_software() == best.is_software();
    adapters.iter().filter(is_like_best).map(|adapter| adapter.index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_gpus_are_there_once_and_software_only_alone() {
        let adapter = |index: usize, backend: &str, kind: &str| AdapterSummary {
            index,
            name: "a device".into(),
            backend: backend.into(),
            kind: kind.into(),
            driver: String::new(),
            pci_address: None,
            features: Vec::new(),
            limits: Vec::new(),
        };
        let [discrete, integrated, software] = ["discrete GPU", "integrated GPU", "software device"];
        for (adapters, expected) in [
            (&[][..], &[0][..]),
            (&[adapter(0, "vulkan", discrete), adapter(1, "vulkan", discrete), adapter(2, "dx12", discrete)], &[0, 1]),
            (&[adapter(0, "vulkan", discrete), adapter(1, "vulkan", integrated), adapter(2, "vulkan", software)], &[0, 1]),
            (&[adapter(0, "vulkan", software), adapter(1, "dx12", software)], &[0]),
        ] {
            assert_eq!(gpus(adapters), expected);
        }
    }
}
