//! What a step dispatches.

use super::Variant;

/// Workgroups per dimension that every WebGPU device can dispatch.
pub(super) const WORKGROUPS_PER_DIMENSION: usize = 65535;

/// A kernel ready to dispatch: which pipeline, with which parameters, how many workgroups.
///
/// ```
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
/// let kernel = &plan.steps()[0].kernel;
/// assert!(kernel.is_dispatchable());
/// println!("{}: {:?} workgroups, {} bytes of parameters", kernel.variant, kernel.workgroups, kernel.params.len());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Kernel {
    /// The shader and its constants.
    pub variant: Variant,
    /// The shader's `Params`, as bytes.
    pub params: Vec<u8>,
    /// Workgroups in x, y and z.
    pub workgroups: [u32; 3],
}

impl Kernel {
    /// A kernel over `pixel_groups` workgroups of pixels and `channel_groups` of channels.
    ///
    /// Workgroups of pixels go on in z where they exceed what x can hold on every device.
    pub(super) fn new(variant: Variant, params: &impl bytemuck::Pod, pixel_groups: usize, channel_groups: usize) -> Self {
        let z = pixel_groups.div_ceil(WORKGROUPS_PER_DIMENSION);
        let x = pixel_groups.div_ceil(z);
        Self { variant, params: bytemuck::bytes_of(params).to_vec(), workgroups: [x as u32, channel_groups as u32, z as u32] }
    }

    /// The same with neighbouring workgroups for other channels of the same pixels.
    pub(super) fn channels_first(mut self) -> Self {
        self.workgroups.swap(0, 1);
        self
    }

    /// Workgroups along pixels, of kernels that count these first.
    pub(crate) fn pixel_groups(&self) -> u32 {
        let [x, _, z] = self.workgroups;
        x * z
    }

    /// Whether any WebGPU device can dispatch this many workgroups.
    pub fn is_dispatchable(&self) -> bool {
        self.workgroups.iter().all(|&n| (1..=WORKGROUPS_PER_DIMENSION as u32).contains(&n))
    }
}
