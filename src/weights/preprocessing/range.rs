//! What pixel values are scaled to.

use serde::{Deserialize, Serialize};

/// What pixel values are scaled to.
///
/// ```
/// use densenet_wgpu::preprocessing::{Preset, Range};
///
/// assert_eq!(Preset::Xrv.preprocessing(1).range, Range::MinusPlus1024);
/// assert_eq!(serde_json::to_string(&Range::MinusPlus1024)?, "\"minus_plus_1024\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Range {
    /// 0 is black and 1 the brightest: 8-bit values divided by 255.
    ZeroOne,
    /// -1024 is black and 1024 the brightest, as torchxrayvision wants its radiographs.
    #[serde(rename = "minus_plus_1024")]
    MinusPlus1024,
    /// 0 is the darkest value of the picture itself and 1 its brightest (MONAI's `ScaleIntensity`); a picture of one
    /// value is all 0.
    MinMax,
}

impl Range {
    /// What black and the brightest white become.
    pub(super) fn ends(self) -> [f32; 2] {
        match self {
            Self::ZeroOne | Self::MinMax => [0.0, 1.0],
            Self::MinusPlus1024 => [-1024.0, 1024.0],
        }
    }
}
