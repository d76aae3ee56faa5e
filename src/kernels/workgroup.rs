//! How large workgroups may be.

/// The size of a workgroup: the largest that a device runs, or the largest that a kernel asks for. The default is what
/// every WebGPU device runs.
///
/// ```
/// use densenet_wgpu::tuning::Workgroup;
///
/// let large = Workgroup { invocations: 1024, bytes: 49152 };
/// assert!(Workgroup::default().fits(large) && !large.fits(Workgroup::default()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workgroup {
    /// Invocations.
    pub invocations: u32,
    /// Bytes of the memory that they share.
    pub bytes: u32,
}

impl Workgroup {
    /// What every WebGPU device runs.
    pub(super) const ANYWHERE: Self = Self { invocations: 256, bytes: 16384 };

    /// Whether a device whose largest is `largest` runs it.
    pub const fn fits(self, largest: Self) -> bool {
        self.invocations <= largest.invocations && self.bytes <= largest.bytes
    }
}

impl Default for Workgroup {
    fn default() -> Self {
        Self::ANYWHERE
    }
}
