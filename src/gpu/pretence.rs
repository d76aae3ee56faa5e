//! What tests say that a device is, in place of what it says itself.

/// What [`Gpu::pretending`](crate::Gpu::pretending) changes of what a device says it is: `None` leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pretence {
    /// What kind of device it is: kernels are chosen by it, the precision, and how much is submitted at once.
    pub device_type: Option<wgpu::DeviceType>,
}

impl Pretence {
    /// A GPU with memory and cores of its own.
    pub fn discrete() -> Self {
        Self { device_type: Some(wgpu::DeviceType::DiscreteGpu) }
    }
}
