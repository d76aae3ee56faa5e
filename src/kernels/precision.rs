//! Storage dtypes.

/// A storage dtype.
///
/// ```
/// use densenet_wgpu::Precision;
///
/// assert_eq!((Precision::F16.name(), Precision::F16.bytes()), ("f16", 2));
/// assert_eq!(Precision::default(), Precision::F32);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// 16-bit floats.
    F16,
}

impl Precision {
    /// The type's name in WGSL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }

    /// Every dtype to read, with every dtype to write.
    pub(super) fn pairs() -> impl Iterator<Item = [Self; 2]> {
        [Self::F32, Self::F16].into_iter().flat_map(|source| [[source, Self::F32], [source, Self::F16]])
    }

    /// Bytes of one element.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => size_of::<f32>(),
            Self::F16 => size_of::<half::f16>(),
        }
    }
}
