//! The size that a picture is scaled to, and how a file spells it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Filter;

/// How a picture is scaled.
///
/// ```
/// use densenet_wgpu::preprocessing::{Filter, Resize, ResizeMode};
///
/// let resize: Resize = serde_json::from_str(r#"{"filter":"bicubic","mode":"short_side","size":256}"#)?;
/// assert_eq!(resize, Resize { filter: Filter::Bicubic, mode: ResizeMode::ShortSide(256) });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenResize", into = "WrittenResize")]
pub struct Resize {
    /// The resampling filter.
    pub filter: Filter,
    /// To what size.
    pub mode: ResizeMode,
}

/// The size a picture is scaled to, in pixels.
///
/// ```
/// use densenet_wgpu::preprocessing::{Filter, Preprocessing, Resize, ResizeMode};
///
/// let to = |mode| {
///     let resize = Some(Resize { filter: Filter::Bilinear, mode });
///     Preprocessing::torchvision(3).with_crop(None).with_resize(resize)
/// };
/// assert_eq!(to(ResizeMode::Squash([60, 80])).size(), Some([60, 80]));
/// assert_eq!(to(ResizeMode::Square(64)).size(), Some([64, 64]));
/// assert_eq!(to(ResizeMode::ShortSide(64)).size(), None); // the other side is the picture's
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResizeMode {
    /// The shorter side becomes this long, the aspect ratio stays (torchvision's `Resize(size)`).
    ShortSide(usize),
    /// The longer side becomes this long, the aspect ratio stays, and a border of zeros around the centre makes a square of
    /// it (Pillow's `ImageOps.pad(picture, (size, size), filter)`).
    LongSide(usize),
    /// The picture becomes as small as it can be while it covers this height and width, the aspect ratio stays (timm's
    /// `ResizeKeepRatio`). Of a square it is nearly [`ResizeMode::ShortSide`], which truncates where this rounds.
    Cover([usize; 2]),
    /// Of the picture only the largest square in the centre is taken, whose sides become this long (torchxrayvision's
    /// `XRayCenterCrop` and `XRayResizer`).
    Square(usize),
    /// Height and width become these, whatever the aspect ratio.
    Squash([usize; 2]),
}

impl ResizeMode {
    /// Whether no picture that is resized so has that height and width; where one side is the picture's own, some may have.
    pub(super) fn is_smaller_than(self, [height, width]: [usize; 2]) -> bool {
        match self {
            Self::ShortSide(side) => height > side && width > side,
            Self::Cover(sides) => height > sides[0] && width > sides[1],
            Self::LongSide(side) | Self::Square(side) => height > side || width > side,
            Self::Squash(sides) => height > sides[0] || width > sides[1],
        }
    }
}

/// For messages and reports: `short side to 256`.
impl fmt::Display for ResizeMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortSide(side) => write!(f, "short side to {side}"),
            Self::LongSide(side) => write!(f, "long side to {side}, padded to {side}x{side}"),
            Self::Cover([height, width]) => write!(f, "resized to cover {height}x{width}"),
            Self::Square(side) => write!(f, "square from the centre to {side}x{side}"),
            Self::Squash([height, width]) => write!(f, "squashed to {height}x{width}"),
        }
    }
}

/// [`Resize`] as the file spells it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenResize {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    antialias: Option<bool>,
    filter: Filter,
    mode: WrittenMode,
    size: WrittenSize,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenMode {
    ShortSide,
    LongSide,
    Cover,
    Square,
    Squash,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged, expecting = "a size that is a whole number or [height, width]")]
enum WrittenSize {
    Side(usize),
    Sides([usize; 2]),
}

impl TryFrom<WrittenResize> for Resize {
    type Error = &'static str;

    fn try_from(written: WrittenResize) -> Result<Self, Self::Error> {
        let mode = match (written.mode, written.size) {
            (WrittenMode::ShortSide, WrittenSize::Side(side)) => ResizeMode::ShortSide(side),
            (WrittenMode::LongSide, WrittenSize::Side(side)) => ResizeMode::LongSide(side),
            (WrittenMode::Cover, WrittenSize::Sides(sides)) => ResizeMode::Cover(sides),
            (WrittenMode::Square, WrittenSize::Side(side)) => ResizeMode::Square(side),
            (WrittenMode::Squash, WrittenSize::Sides(sides)) => ResizeMode::Squash(sides),
            (WrittenMode::ShortSide, WrittenSize::Sides(_)) => return Err("resize mode short_side takes one number as its size"),
            (WrittenMode::LongSide, WrittenSize::Sides(_)) => return Err("resize mode long_side takes one number as its size"),
            (WrittenMode::Cover, WrittenSize::Side(_)) => return Err("resize mode cover takes [height, width] as its size"),
            (WrittenMode::Square, WrittenSize::Sides(_)) => return Err("resize mode square takes one number as its size"),
            (WrittenMode::Squash, WrittenSize::Side(_)) => return Err("resize mode squash takes [height, width] as its size"),
        };
        Ok(Self { filter: written.filter.read(written.antialias)?, mode })
    }
}

impl From<Resize> for WrittenResize {
    fn from(resize: Resize) -> Self {
        let (mode, size) = match resize.mode {
            ResizeMode::ShortSide(side) => (WrittenMode::ShortSide, WrittenSize::Side(side)),
            ResizeMode::LongSide(side) => (WrittenMode::LongSide, WrittenSize::Side(side)),
            ResizeMode::Cover(sides) => (WrittenMode::Cover, WrittenSize::Sides(sides)),
            ResizeMode::Square(side) => (WrittenMode::Square, WrittenSize::Side(side)),
            ResizeMode::Squash(sides) => (WrittenMode::Squash, WrittenSize::Sides(sides)),
        };
        let (filter, antialias) = resize.filter.written();
        Self { antialias, filter, mode, size }
    }
}
