//! What is done where there is only a software adapter.

use super::device::Gpu;
use super::summary::software_warning;
use crate::error::{Error, Result};

/// What is done with a software adapter, which runs shaders on the CPU: the best there is where a machine has no GPU, or its driver does
/// not find it.
///
/// ```
/// use densenet_wgpu::Gpu;
/// use densenet_wgpu::devices::Software;
///
/// let gpu = Gpu::open(None)?;
/// let is_software = gpu.is_software();
/// match gpu.with_software(Software::Refuse) {
///     Ok(gpu) => assert!(!gpu.is_software()),
///     Err(error) => assert!(is_software && error.to_string().starts_with("expected a GPU, found ")),
/// }
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Software {
    /// It is used, with a warning ([`Gpu::warnings`]).
    #[default]
    Warn,
    /// It is an error: for a machine that is meant to have a GPU.
    Refuse,
    /// It is used without a warning.
    Allow,
}

impl Gpu {
    /// The same device, unless it is a software adapter and these are refused.
    pub fn with_software(mut self, software: Software) -> Result<Self> {
        match software {
            Software::Refuse if self.is_software() => return Err(Error::Software { adapter: self.called() }),
            Software::Allow => {
                let warning = software_warning(&self.summary().name);
                self.warnings.retain(|kept| *kept != warning);
            }
            Software::Warn | Software::Refuse => {}
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::open_gpu;
    use crate::gpu::Pretence;

    #[test]
    fn software_is_used_with_a_warning_refused_or_allowed() {
        let taken_for = |device_type| open_gpu().pretending(Pretence { device_type: Some(device_type), ..Pretence::default() });
        let warns = |gpu: &Gpu| gpu.warnings().iter().any(|warning| warning.starts_with("no GPU in use: "));
        let software = || taken_for(wgpu::DeviceType::Cpu);
        assert!(warns(&software().with_software(Software::Warn).unwrap()));
        assert!(!warns(&software().with_software(Software::Allow).unwrap()));
        let error = software().with_software(Software::Refuse).unwrap_err();
        assert_eq!(error.place().unwrap(), software().called());
        let message = error.to_string();
        for part in ["expected a GPU, found ", &software().summary().name, "a software device", "install", "allow software devices"] {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
        for asked in [Software::Warn, Software::Refuse, Software::Allow] {
            let gpu = taken_for(wgpu::DeviceType::DiscreteGpu).with_software(asked).unwrap();
            assert!(!warns(&gpu), "{asked:?}");
        }
    }
}
