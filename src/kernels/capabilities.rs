//! What a device can do.

use super::Workgroup;
use super::lanes::LANES;

/// The capabilities of a device on which the choice of kernels depends. The default is what every WebGPU device has.
///
/// ```
/// use densenet_wgpu::tuning::{Capabilities, Tuning};
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// // What DenseNet-121 would run on a discrete GPU that is not in this machine.
/// let capabilities = Capabilities { discrete: true, subgroup: Some([32, 32]), f16: true, ..Capabilities::default() };
/// let options = PlanOptions::default().with_tuning(Tuning::new(capabilities));
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, options)?;
/// assert!(plan.steps().iter().filter_map(|step| step.tile).all(|(tile, _)| tile.runs_on(&capabilities, Default::default())));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Whether it is a software adapter: shaders run on the CPU.
    pub software: bool,
    /// The major version of LLVM that compiles its shaders, where the adapter's name says it, as llvmpipe's does.
    pub llvm: Option<u32>,
    /// The smallest and the largest subgroup, where shaders may use subgroups.
    pub subgroup: Option<[u32; 2]>,
    /// Whether shaders may use 16-bit floats.
    pub f16: bool,
    /// Whether it has memory and cores of its own: a discrete GPU.
    pub discrete: bool,
    /// The side of the square matrices of 16-bit floats that a subgroup can multiply, with sums of 32 bits.
    pub matrix: Option<u32>,
    /// The largest workgroup.
    pub workgroup: Workgroup,
}

impl Capabilities {
    /// Whether its subgroups are made of groups of [`LANES`].
    pub(crate) fn has_lanes(&self) -> bool {
        self.subgroup.is_some_and(|[least, _]| least.is_multiple_of(LANES as u32) && least > 0)
    }

    /// The first of these capabilities that `device` lacks.
    pub(crate) fn beyond(&self, device: &Self) -> Option<String> {
        let Workgroup { invocations, bytes } = self.workgroup;
        [
            (self.f16 && !device.f16).then(|| "16-bit floats".to_owned()),
            self.subgroup.filter(|_| self.subgroup != device.subgroup).map(|[least, most]| format!("subgroups of {least} to {most}")),
            self.matrix.filter(|_| self.matrix != device.matrix).map(|side| format!("matrices of {side}x{side}")),
            (!self.workgroup.fits(device.workgroup)).then(|| format!("workgroups of {invocations} invocations and {bytes} bytes")),
        ]
        .into_iter()
        .find_map(|beyond| beyond)
    }

    /// Whether an invocation has room for 32 sums and no more: Intel's GPUs, which are known by subgroups of 8 or 16 lanes up to
    /// 32. Their compiler keeps 64 sums in memory, and moves a part of them there and back in every turn of the loop.
    pub(super) fn has_few_registers(&self) -> bool {
        matches!(self.subgroup, Some([8 | 16, 32]))
    }

    /// Whether its compiler keeps what a deep tile holds at once in registers, and loads it by few instructions: Mesa's
    /// llvmpipe 26.2 with LLVM 22 does, 25.0 with LLVM 15 does not (benches/LOG.md).
    pub(super) fn takes_deep_tiles(&self) -> bool {
        self.llvm.is_some_and(|version| version >= 20)
    }

    /// Invocations that keep it busy: two or three waves of 64 for each SIMD of a large GPU, or of a large integrated one. More
    /// of them hide no waiting that is worth a smaller tile: so says the model of benches/results/isa.md.
    pub(super) fn invocations(&self) -> f64 {
        if self.discrete { 32_768.0 } else { 8_192.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_asked_for_no_more_than_it_can() {
        let device = Capabilities {
            software: true,
            llvm: Some(22),
            subgroup: Some([8, 8]),
            f16: true,
            discrete: false,
            matrix: Some(8),
            workgroup: Workgroup { invocations: 1024, bytes: 32768 },
        };
        let asked = |change: fn(&mut Capabilities)| {
            let mut capabilities = device;
            change(&mut capabilities);
            capabilities.beyond(&device)
        };
        assert_eq!(asked(|_| ()), None);
        // What it is says nothing about what it can do, nor does what is not asked for.
        assert_eq!(asked(|asked| (asked.software, asked.discrete) = (false, true)), None);
        assert_eq!(asked(|asked| *asked = Capabilities::default()), None);
        assert_eq!(asked(|asked| asked.subgroup = Some([32, 32])).unwrap(), "subgroups of 32 to 32");
        assert_eq!(asked(|asked| asked.matrix = Some(16)).unwrap(), "matrices of 16x16");
        assert_eq!(asked(|asked| asked.workgroup.bytes += 1).unwrap(), "workgroups of 1024 invocations and 32769 bytes");
        assert_eq!(asked(|asked| asked.workgroup.invocations = 2048).unwrap(), "workgroups of 2048 invocations and 32768 bytes");
        let poor = Capabilities::default();
        assert_eq!(Capabilities { f16: true, ..poor }.beyond(&poor).unwrap(), "16-bit floats");
        assert_eq!(Capabilities { subgroup: Some([8, 32]), ..poor }.beyond(&poor).unwrap(), "subgroups of 8 to 32");
    }
}
