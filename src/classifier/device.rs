//! The devices of a classifier.

use crate::error::{Error, Result};
use crate::gpu::{AdapterSummary, Gpu};

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
    /// The best GPU, or a software adapter if there is none.
    #[default]
    Best,
    /// The GPU with this index or with this in its name ([`Gpu::open`]).
    Named(String),
    /// A GPU that is already open. Several of these count as different devices, without a check.
    Gpu(Box<Gpu>),
    /// The CPU: the [`Reference`](crate::verify::Reference), simple and slow.
    Reference,
}

impl Device {
    /// Parses a list of devices: `cpu`, an index, a part of a name, several of these separated by commas, or `all` GPUs.
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

/// An open device.
pub(super) struct Opened {
    /// `None` for the CPU.
    pub(super) gpu: Option<Gpu>,
    /// Whether it was opened here. A program's own device has no index among the adapters.
    is_ours: bool,
}

impl Opened {
    /// Opens `devices`. Errors if one does not exist, or is given twice.
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
