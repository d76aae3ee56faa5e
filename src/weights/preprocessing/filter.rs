//! Resampling filters.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A resampling filter: the first four as in Pillow, antialiased when they make a picture smaller, `nearest` excepted; the others
/// as in what does not antialias, within a level.
///
/// ```
/// # #[cfg(feature = "image")]
/// # fn main() -> densenet_wgpu::Result<()> {
/// use densenet_wgpu::image::{Picture, resize};
/// use densenet_wgpu::preprocessing::Filter;
///
/// let edge = Picture::new(1, 4, 1, vec![0, 0, 200, 200])?;
/// assert_eq!(resize(&edge, 1, 2, Filter::Nearest).samples(), [0, 200]);
/// assert_eq!(resize(&edge, 1, 2, Filter::Bilinear).samples(), [29, 171]);
/// assert_eq!(resize(&edge, 1, 2, Filter::Linear).samples(), [0, 200]);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "image"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Filter {
    /// Triangle filter.
    Bilinear,
    /// Cubic filter with a = -0.5.
    Bicubic,
    /// Lanczos filter with three lobes.
    Lanczos,
    /// The nearest pixel.
    Nearest,
    /// The four pixels around a point, not antialiased: OpenCV's `INTER_LINEAR`, the `bilinear` of `tf.image.resize` and of
    /// PyTorch's `interpolate`, on which torchvision's and MONAI's transforms of tensors call. A file spells it as `bilinear`
    /// with `antialias` `false`.
    Linear,
    /// The sixteen pixels around a point, not antialiased, with a = -0.75: OpenCV's `INTER_CUBIC`, PyTorch's `bicubic`. A file
    /// spells it as `bicubic` with `antialias` `false`.
    Cubic,
    /// The mean of what a pixel covers: OpenCV's `INTER_AREA`.
    Area,
    /// The mean of all pixels that a pixel touches: PyTorch's `area`, MONAI's default.
    AdaptiveArea,
}

impl Filter {
    /// Its name in a file, and its `antialias` where that is not what Pillow does.
    pub(super) fn written(self) -> (Self, Option<bool>) {
        match self {
            Self::Linear => (Self::Bilinear, Some(false)),
            Self::Cubic => (Self::Bicubic, Some(false)),
            other => (other, None),
        }
    }

    /// The filter of that name and `antialias` in a file.
    pub(super) fn read(self, antialias: Option<bool>) -> Result<Self, &'static str> {
        match (self, antialias) {
            (Self::Bilinear, Some(false)) => Ok(Self::Linear),
            (Self::Bicubic, Some(false)) => Ok(Self::Cubic),
            (Self::Lanczos, Some(false)) => Err("resize antialias false takes bilinear, bicubic or nearest as its filter, not lanczos"),
            (Self::Bilinear | Self::Bicubic | Self::Lanczos, _) | (_, None | Some(false)) => Ok(self),
            (_, Some(true)) => Err("resize antialias true takes bilinear, bicubic or lanczos as its filter"),
        }
    }
}

/// For messages and reports.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bilinear => "bilinear",
            Self::Bicubic => "bicubic",
            Self::Lanczos => "Lanczos",
            Self::Nearest => "nearest",
            Self::Linear => "bilinear, not antialiased",
            Self::Cubic => "bicubic, not antialiased",
            Self::Area => "area",
            Self::AdaptiveArea => "adaptive area",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::{Resize, ResizeMode};

    #[test]
    fn a_file_says_whether_a_filter_antialiases() {
        let written = |filter| serde_json::to_string(&Resize { filter, mode: ResizeMode::Square(64) }).unwrap();
        let read = |antialias: &str, filter: &str| {
            let text = format!(r#"{{{antialias}"filter":"{filter}","mode":"square","size":64}}"#);
            serde_json::from_str::<Resize>(&text).unwrap().filter
        };
        assert_eq!(written(Filter::Linear), r#"{"antialias":false,"filter":"bilinear","mode":"square","size":64}"#);
        assert_eq!(written(Filter::Bilinear), r#"{"filter":"bilinear","mode":"square","size":64}"#);
        let (yes, no) = ("\"antialias\":true,", "\"antialias\":false,");
        for (antialias, name, filter) in [
            ("", "bilinear", Filter::Bilinear),
            (yes, "bilinear", Filter::Bilinear),
            (no, "bilinear", Filter::Linear),
            ("", "bicubic", Filter::Bicubic),
            (no, "bicubic", Filter::Cubic),
            (no, "nearest", Filter::Nearest),
            (no, "linear", Filter::Linear),
            ("", "area", Filter::Area),
            (no, "adaptive_area", Filter::AdaptiveArea),
        ] {
            assert_eq!(read(antialias, name), filter, "{antialias} {name}");
            let again: Resize = serde_json::from_str(&written(filter)).unwrap();
            assert_eq!(again.filter, filter);
        }
    }
}
