//! Where a classifier runs.

use crate::error::{Error, Result};
use crate::gpu::{AdapterSummary, Gpu};

/// Where a classifier runs.
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
    /// The best GPU; where there is none a software device, which plays one on the processor.
    #[default]
    Best,
    /// The GPU with this index or with this in its name ([`Gpu::open`]).
    Named(String),
    /// A GPU that is open already. Several of these are as many devices: nobody looks whether they are one.
    Gpu(Box<Gpu>),
    /// The processor: the [`Reference`](crate::verify::Reference), slow and obvious.
    Reference,
}

impl Device {
    /// The devices that a person means by `text`: `cpu`, an index, a part of a name, several of these with commas between, or
    /// `all` GPUs.
    ///
    /// A GPU that several APIs reach is one of `all` once, and software devices are only where there is nothing else. A name
    /// may have a comma of its own.
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

    fn open(&self) -> Result<Opened> {
        let name = match self {
            Self::Best => None,
            Self::Named(name) => Some(name.as_str()),
            Self::Gpu(gpu) => return Ok(Opened { gpu: Some(Gpu::clone(gpu)), is_ours: false }),
            Self::Reference => return Ok(Opened { gpu: None, is_ours: true }),
        };
        Ok(Opened { gpu: Some(Gpu::open(name)?), is_ours: true })
    }
}

impl From<Gpu> for Device {
    fn from(gpu: Gpu) -> Self {
        Self::Gpu(Box::new(gpu))
    }
}

/// A device that is open.
pub(super) struct Opened {
    /// None where it is the processor.
    pub(super) gpu: Option<Gpu>,
    /// Whether it was opened here: a program's own has no index among the adapters.
    is_ours: bool,
}

impl Opened {
    /// Opens `devices`. Errors where one is not there, or the same is to be opened twice.
    pub(super) fn all(devices: &[Device]) -> Result<Vec<Self>> {
        let mut all: Vec<Self> = Vec::new();
        for device in devices {
            let opened = device.open()?;
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

    /// Whether both were opened here and are the same. A program's own are taken for different ones: wgpu takes even those for
    /// equal that are not, if each is the first of an instance of its own.
    fn is(&self, other: &Self) -> bool {
        let indices = [self, other].map(|device| device.gpu.as_ref().map(|gpu| gpu.summary().index));
        self.is_ours && other.is_ours && indices[0] == indices[1]
    }
}

/// Every GPU once: a GPU that several APIs reach is there for each of them, so it is those that the best one's API reaches. A
/// software device is none, unless there is nothing else; where there is nothing at all, the best one, which opening tells.
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
