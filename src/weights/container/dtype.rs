//! The dtype of a tensor's elements.

use std::fmt;

use half::{bf16, f16};

/// What a tensor's elements are stored as.
///
/// ```
/// use densenet_wgpu::checkpoint::Dtype;
/// use densenet_wgpu::models;
///
/// let origin = models::bundled("digits").expect("it is bundled")?.origin.expect("it was a file");
/// assert_eq!(origin.dtypes.into_iter().collect::<Vec<_>>(), [Dtype::F32]);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Dtype {
    /// IEEE 754 half precision.
    F16,
    /// The upper half of a 32-bit float.
    BF16,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
    /// Not a floating-point type: no layer's parameter.
    Other {
        /// Its name in the file.
        name: &'static str,
        /// Bytes of one element.
        bytes: usize,
    },
}

impl Dtype {
    /// Bytes of one element.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Other { bytes, .. } => bytes,
        }
    }

    /// Appends the elements in `bytes`, a whole number of them; `None` where they are no floats.
    pub(super) fn read(self, bytes: &[u8], floats: &mut Vec<f32>) -> Option<()> {
        match self {
            Self::F16 => floats.extend(bytes.as_chunks().0.iter().map(|&element| f16::from_le_bytes(element).to_f32())),
            Self::BF16 => floats.extend(bytes.as_chunks().0.iter().map(|&element| bf16::from_le_bytes(element).to_f32())),
            Self::F32 => floats.extend(bytes.as_chunks().0.iter().map(|&element| f32::from_le_bytes(element))),
            Self::F64 => floats.extend(bytes.as_chunks().0.iter().map(|&element| f64::from_le_bytes(element) as f32)),
            Self::Other { .. } => return None,
        }
        Some(())
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Other { name, .. } => name,
        })
    }
}
