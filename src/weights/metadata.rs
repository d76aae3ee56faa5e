//! What a checkpoint says about itself: name, labels, and how a picture becomes its input.
//!
//! One JSON object under the key `densenet` of a safetensors file's `__metadata__`:
//!
//! ```
//! use densenet_wgpu::checkpoint::Metadata;
//! use densenet_wgpu::preprocessing::Preprocessing;
//!
//! let mut metadata = Metadata::default();
//! (metadata.name, metadata.preprocessing) = (Some("pets".into()), Some(Preprocessing::torchvision(3)));
//! assert_eq!(
//!     serde_json::to_string(&metadata).unwrap(),
//!     concat!(
//!         r#"{"name":"pets","preprocessing":{"activation":"softmax","channels":3,"crop":[224,224],"mean":[0.485,0.456,0.406],"#,
//!         r#""range":"zero_one","resize":{"filter":"bilinear","mode":"short_side","size":256},"std":[0.229,0.224,0.225]}}"#,
//!     )
//! );
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Field;
use super::reading::Entry;
use crate::error::{Error, Result};

/// Largest height or width of a picture, in pixels.
const LARGEST_SIDE: usize = 65536;

// Fields in alphabetical order: the JSON is sorted, so that the same checkpoint is the same bytes.

/// The `densenet` metadata of a checkpoint. Fields that a file lacks are `None`.
///
/// ```
/// use densenet_wgpu::checkpoint::Metadata;
///
/// let metadata: Metadata = serde_json::from_str(r#"{"labels":["cat","dog"],"epsilon":1e-3}"#)?;
/// assert_eq!((metadata.labels.expect("it has some")[1].as_str(), metadata.epsilon), ("dog", Some(1e-3)));
/// assert!(serde_json::from_str::<Metadata>(r#"{"lables":[]}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Metadata {
    /// What was assumed when the file was written: of the fields below, or of the preprocessing's activation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<Field>,
    /// Whether a deep stem's pool blurs; timm's `densenetblur121d` does, and is assumed where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blur: Option<bool>,
    /// Batch norm's epsilon; PyTorch's `1e-5` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f32>,
    /// Whether a ReLU follows the last batch norm; it does where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_relu: Option<bool>,
    /// The classifier's layers, in the words of `--head-layers`, where it is more than one linear layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Vec<String>>,
    /// One label for each class, in the order of the logits; `""` for an output that was not trained and is not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// The model's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How a picture becomes the network's input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Preprocessing>,
    /// How the picture enters, where the stem is neither the paper's for ImageNet nor that for CIFAR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem: Option<Entry>,
    /// For each class the probability from which on it counts as found; `null` for an output that was not trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Vec<Option<f32>>>,
    /// Whether transitions have a ReLU; they do where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_relu: Option<bool>,
}

/// How a picture becomes the network's input, and what its logits mean.
///
/// In this order: resize, crop from the centre, scale to [`Range`], subtract `mean`, divide by `std`.
///
/// ```
/// # #[cfg(feature = "image")]
/// # fn main() -> densenet_wgpu::Result<()> {
/// use densenet_wgpu::image::Picture;
/// use densenet_wgpu::preprocessing::Preprocessing;
///
/// let preprocessing = Preprocessing::torchvision(3);
/// assert_eq!(preprocessing.size(), Some([224, 224]));
/// assert!(preprocessing.to_string().starts_with("short side to 256 (bilinear), crop 224x224"));
///
/// let input = preprocessing.apply(&Picture::new(300, 400, 3, vec![127; 300 * 400 * 3])?)?;
/// assert_eq!((input.height, input.width, input.values.len()), (224, 224, 3 * 224 * 224));
/// let wrong = preprocessing.with_normalisation(vec![0.5; 3], vec![0.0; 3]);
/// let error = wrong.check().unwrap_err().to_string();
/// assert!(error.starts_with("preprocessing std: expected numbers above 0 and up to 1"), "{error}");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "image"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Preprocessing {
    /// What turns logits into probabilities.
    pub activation: Activation,
    /// Channels of the input: 1 is grey, 3 is red, green, blue.
    pub channels: usize,
    /// Height and width cut from the centre, in pixels.
    pub crop: Option<[usize; 2]>,
    /// Subtracted from each channel.
    pub mean: Vec<f32>,
    /// What pixel values are before `mean` and `std`.
    pub range: Range,
    /// How the picture is scaled first.
    pub resize: Option<Resize>,
    /// Divides each channel.
    pub std: Vec<f32>,
}

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

/// What turns logits into probabilities.
///
/// ```
/// use densenet_wgpu::labels::probabilities;
/// use densenet_wgpu::preprocessing::Activation;
///
/// assert_eq!(probabilities(&[0.0, 0.0], Activation::Sigmoid), Some(vec![0.5; 2]));
/// assert_eq!(probabilities(&[0.0, 0.0, 0.0, 0.0], Activation::Softmax), Some(vec![0.25; 4]));
/// assert_eq!(probabilities(&[1.5], Activation::None), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// One class of many: probabilities sum to 1.
    Softmax,
    /// Each class on its own.
    Sigmoid,
    /// The logits are the result.
    None,
}

impl Activation {
    /// Its name, as metadata has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Sigmoid => "sigmoid",
            Self::None => "none",
        }
    }
}

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
    /// What a file calls it, and its `antialias` where that is not what Pillow does.
    fn written(self) -> (Self, Option<bool>) {
        match self {
            Self::Linear => (Self::Bilinear, Some(false)),
            Self::Cubic => (Self::Bicubic, Some(false)),
            other => (other, None),
        }
    }

    /// The filter that a file calls so.
    fn read(self, antialias: Option<bool>) -> Result<Self, &'static str> {
        match (self, antialias) {
            (Self::Bilinear, Some(false)) => Ok(Self::Linear),
            (Self::Bicubic, Some(false)) => Ok(Self::Cubic),
            (Self::Lanczos, Some(false)) => Err("resize antialias false takes bilinear, bicubic or nearest as its filter, not lanczos"),
            (Self::Bilinear | Self::Bicubic | Self::Lanczos, _) | (_, None | Some(false)) => Ok(self),
            (_, Some(true)) => Err("resize antialias true takes bilinear, bicubic or lanczos as its filter"),
        }
    }
}

/// As a person says it.
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

impl Preprocessing {
    /// torchvision's evaluation transform: shorter side to 256 (bilinear), 224x224 from the centre, ImageNet's mean
    /// and standard deviation (`torchvision.transforms.ImageClassification`).
    ///
    /// ImageNet's numbers exist for three channels only: any other number of channels is scaled to -1..1 (mean and
    /// standard deviation 0.5).
    pub fn torchvision(channels: usize) -> Self {
        let (mean, std) = imagenet(channels);
        Self {
            activation: Activation::Softmax,
            channels,
            crop: Some([224, 224]),
            mean,
            range: Range::ZeroOne,
            resize: Some(Resize { filter: Filter::Bilinear, mode: ResizeMode::ShortSide(256) }),
            std,
        }
    }

    /// Scales pictures so first, or not at all.
    #[must_use]
    pub fn with_resize(self, resize: Option<Resize>) -> Self {
        Self { resize, ..self }
    }

    /// Cuts this height and width from the centre, or nothing.
    #[must_use]
    pub fn with_crop(self, crop: Option<[usize; 2]>) -> Self {
        Self { crop, ..self }
    }

    /// Scales pixel values to this.
    #[must_use]
    pub fn with_range(self, range: Range) -> Self {
        Self { range, ..self }
    }

    /// Subtracts `mean` from each channel and divides by `std`: one number of each for each channel.
    #[must_use]
    pub fn with_normalisation(self, mean: Vec<f32>, std: Vec<f32>) -> Self {
        Self { mean, std, ..self }
    }

    /// Turns logits into probabilities so.
    #[must_use]
    pub fn with_activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// Height and width that the network sees, where they are the same for every picture.
    pub fn size(&self) -> Option<[usize; 2]> {
        let whole = match self.resize.map(|resize| resize.mode) {
            Some(ResizeMode::Squash(size)) => Some(size),
            Some(ResizeMode::LongSide(side) | ResizeMode::Square(side)) => Some([side, side]),
            Some(ResizeMode::ShortSide(_) | ResizeMode::Cover(_)) | None => None,
        };
        self.crop.or(whole)
    }

    /// Errors where the numbers contradict each other or make no sense: lengths of `mean` and `std` that differ from
    /// `channels`, a `mean` outside the range, a `std` that is not above 0 or wider than the range, sizes outside 1..=65536, a
    /// crop that is larger than what `resize` leaves of any picture. An error is [`Error::Preprocessing`].
    pub fn check(&self) -> Result<()> {
        expect(self.channels > 0, "channels", "at least 1", &self.channels)?;
        for (name, values) in [("mean", &self.mean), ("std", &self.std)] {
            let expected = format!("{} numbers, one for each channel", self.channels);
            expect(values.len() == self.channels, name, &expected, &values.len())?;
            expect(values.iter().all(|v| v.is_finite()), name, "finite numbers", values)?;
        }
        let [least, most] = self.range.ends();
        let widest = most - least;
        let remedy = if widest == 1.0 { "; numbers meant for 0 to 255 are divided by 255" } else { "" };
        let is_within = self.mean.iter().all(|mean| (least..=most).contains(mean));
        expect(is_within, "mean", &format!("numbers in the range, {least} to {most}{remedy}"), &self.mean)?;
        let is_scale = self.std.iter().all(|&std| std > 0.0 && std <= widest);
        expect(is_scale, "std", &format!("numbers above 0 and up to {widest}, as wide as the range{remedy}"), &self.std)?;
        let sides = match self.resize.map(|resize| resize.mode) {
            Some(ResizeMode::ShortSide(side) | ResizeMode::LongSide(side) | ResizeMode::Square(side)) => vec![side],
            Some(ResizeMode::Cover(sides) | ResizeMode::Squash(sides)) => sides.to_vec(),
            None => Vec::new(),
        };
        for (name, sides) in [("resize", sides), ("crop", self.crop.map(Vec::from).unwrap_or_default())] {
            let sensible = sides.iter().all(|side| (1..=LARGEST_SIDE).contains(side));
            expect(sensible, name, &format!("sizes from 1 to {LARGEST_SIDE}"), &sides)?;
        }
        match (self.crop, self.resize) {
            (Some(crop), Some(resize)) if resize.mode.is_smaller_than(crop) => {
                let expected = format!("at most what resize leaves ({})", resize.mode);
                expect(false, "crop", &expected, &crop)
            }
            _ => Ok(()),
        }
    }
}

impl Range {
    /// What black and the brightest white become.
    fn ends(self) -> [f32; 2] {
        match self {
            Self::ZeroOne | Self::MinMax => [0.0, 1.0],
            Self::MinusPlus1024 => [-1024.0, 1024.0],
        }
    }
}

impl ResizeMode {
    /// Whether no picture that is resized so has that height and width; where one side is the picture's own, some may have.
    fn is_smaller_than(self, [height, width]: [usize; 2]) -> bool {
        match self {
            Self::ShortSide(side) => height > side && width > side,
            Self::Cover(sides) => height > sides[0] && width > sides[1],
            Self::LongSide(side) | Self::Square(side) => height > side || width > side,
            Self::Squash(sides) => height > sides[0] || width > sides[1],
        }
    }
}

/// As a person says it: `short side to 256`.
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

/// Mean and standard deviation of ImageNet's pictures; of other numbers of channels those that scale to -1..1.
pub(super) fn imagenet(channels: usize) -> (Vec<f32>, Vec<f32>) {
    match channels {
        3 => (vec![0.485, 0.456, 0.406], vec![0.229, 0.224, 0.225]),
        _ => (vec![0.5; channels], vec![0.5; channels]),
    }
}

/// One line for a person: `short side to 256 (bilinear), crop 224x224, [0, 1], …`.
impl fmt::Display for Preprocessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(resize) = self.resize {
            let filter = resize.filter;
            match resize.mode {
                // The filter is of the size, what pads it comes after.
                ResizeMode::LongSide(side) => write!(f, "long side to {side} ({filter}), padded to {side}x{side}, ")?,
                mode => write!(f, "{mode} ({filter}), ")?,
            }
        }
        if let Some([height, width]) = self.crop {
            write!(f, "crop {height}x{width}, ")?;
        }
        f.write_str(match self.range {
            Range::ZeroOne => "0 to 1",
            Range::MinusPlus1024 => "-1024 to 1024",
            Range::MinMax => "darkest to brightest as 0 to 1",
        })?;
        if self.mean.iter().any(|&mean| mean != 0.0) || self.std.iter().any(|&std| std != 1.0) {
            write!(f, ", mean {:?}, std {:?}", self.mean, self.std)?;
        }
        match self.activation {
            Activation::Softmax => f.write_str(", softmax"),
            Activation::Sigmoid => f.write_str(", sigmoid"),
            Activation::None => f.write_str(", plain logits"),
        }
    }
}

fn expect(holds: bool, field: &str, expected: &str, found: &dyn std::fmt::Debug) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Preprocessing { field: field.into(), expected: expected.into(), found: format!("{found:?}") }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_models_description_is_read_and_written_back() {
        let text = concat!(
            r#"{"labels":["0","1"],"name":"digits","preprocessing":{"activation":"softmax","channels":3,"crop":null,"#,
            r#""mean":[0.3,0.3,0.3],"range":"zero_one","resize":{"filter":"bicubic","mode":"squash","size":[64,48]},"#,
            r#""std":[0.4,0.4,0.4]}}"#,
        );
        let metadata: Metadata = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&metadata).unwrap(), text);
        let preprocessing = metadata.preprocessing.unwrap();
        preprocessing.check().unwrap();
        assert_eq!(preprocessing.size(), Some([64, 48]));
    }

    #[test]
    fn the_size_is_known_only_where_it_is_fixed() {
        let torchvision = Preprocessing::torchvision(3);
        assert_eq!(torchvision.size(), Some([224, 224]));
        assert_eq!(Preprocessing { crop: None, ..torchvision.clone() }.size(), None);
        assert_eq!(Preprocessing { resize: None, ..torchvision.clone() }.size(), Some([224, 224]));
        assert_eq!(Preprocessing { crop: None, resize: None, ..torchvision.clone() }.size(), None);
        let padded = Some(Resize { filter: Filter::Bicubic, mode: ResizeMode::LongSide(160) });
        let padded = Preprocessing { crop: None, resize: padded, ..torchvision };
        assert_eq!(padded.size(), Some([160, 160]));
        assert!(padded.to_string().starts_with("long side to 160 (bicubic), padded to 160x160, 0 to 1"), "{padded}");
        let written = serde_json::to_string(&padded).unwrap();
        assert!(written.contains(r#""resize":{"filter":"bicubic","mode":"long_side","size":160}"#), "{written}");
        assert_eq!(serde_json::from_str::<Preprocessing>(&written).unwrap(), padded);
        let square = Some(Resize { filter: Filter::Bilinear, mode: ResizeMode::Square(224) });
        let square = Preprocessing { resize: square, ..padded };
        assert_eq!(square.size(), Some([224, 224]));
        assert!(square.to_string().starts_with("square from the centre to 224x224 (bilinear), 0 to 1"), "{square}");
        let written = serde_json::to_string(&square).unwrap();
        assert_eq!(serde_json::from_str::<Preprocessing>(&written).unwrap(), square);
    }

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

    #[test]
    fn nonsense_is_refused_by_field() {
        let good = Preprocessing::torchvision(1);
        good.check().unwrap();
        let to = |mode| Some(Resize { filter: Filter::Nearest, mode });
        let squash = |size| to(ResizeMode::Squash(size));
        for (field, bad) in [
            ("channels", Preprocessing { channels: 0, ..good.clone() }),
            ("mean", Preprocessing { mean: vec![0.0; 2], ..good.clone() }),
            ("mean", Preprocessing { mean: vec![f32::NAN], ..good.clone() }),
            ("std", Preprocessing { std: vec![], ..good.clone() }),
            ("std", Preprocessing { std: vec![-0.0], ..good.clone() }),
            ("std", Preprocessing { std: vec![-0.5], ..good.clone() }),
            ("std", Preprocessing { std: vec![58.395], ..good.clone() }),
            ("mean", Preprocessing { mean: vec![123.675], ..good.clone() }),
            ("mean", Preprocessing { mean: vec![-0.1], range: Range::MinMax, ..good.clone() }),
            ("mean", Preprocessing { mean: vec![1025.0], range: Range::MinusPlus1024, ..good.clone() }),
            ("crop", Preprocessing { crop: Some([0, 224]), ..good.clone() }),
            ("crop", Preprocessing { crop: Some([224, 65537]), ..good.clone() }),
            ("crop", Preprocessing { crop: Some([257, 257]), ..good.clone() }),
            ("crop", Preprocessing { crop: Some([64, 65]), resize: squash([64, 64]), ..good.clone() }),
            ("crop", Preprocessing { crop: Some([64, 65]), resize: to(ResizeMode::LongSide(64)), ..good.clone() }),
            ("crop", Preprocessing { crop: Some([65, 64]), resize: to(ResizeMode::Square(64)), ..good.clone() }),
            ("crop", Preprocessing { crop: Some([65, 33]), resize: to(ResizeMode::Cover([64, 32])), ..good.clone() }),
            ("resize", Preprocessing { resize: squash([64, 0]), ..good.clone() }),
        ] {
            let message = bad.check().unwrap_err().to_string();
            assert!(message.contains(&format!("preprocessing {field}: expected")), "{message}");
        }
        // What is as wide as it may be, and crops that some pictures have.
        for well in [
            Preprocessing { mean: vec![1.0], std: vec![1.0], ..good.clone() },
            Preprocessing { mean: vec![-1024.0], std: vec![2048.0], range: Range::MinusPlus1024, ..good.clone() },
            Preprocessing { crop: Some([256, 300]), ..good.clone() },
            Preprocessing { crop: Some([65, 32]), resize: to(ResizeMode::Cover([64, 32])), ..good.clone() },
            Preprocessing { crop: Some([64, 64]), resize: to(ResizeMode::Square(64)), ..good.clone() },
            Preprocessing { crop: Some([640, 640]), resize: None, ..good.clone() },
        ] {
            well.check().unwrap();
        }
    }

    #[test]
    fn what_is_unknown_or_contradicts_itself_is_refused() {
        let good = serde_json::to_string(&Metadata { preprocessing: Some(Preprocessing::torchvision(3)), ..Metadata::default() }).unwrap();
        for (from, to, complaint) in [
            ("\"mode\":\"short_side\"", "\"mode\":\"squash\"", "squash takes [height, width]"),
            ("\"size\":256", "\"size\":[256,256]", "short_side takes one number"),
            ("\"mode\":\"short_side\",\"size\":256", "\"mode\":\"long_side\",\"size\":[256,256]", "long_side takes one number"),
            ("\"mode\":\"short_side\"", "\"mode\":\"cover\"", "cover takes [height, width]"),
            ("\"mode\":\"short_side\",\"size\":256", "\"mode\":\"square\",\"size\":[256,256]", "square takes one number"),
            ("\"size\":256", "\"size\":\"256\"", "a whole number or [height, width]"),
            ("\"bilinear\"", "\"box\"", "unknown variant `box`"),
            ("\"filter\":\"bilinear\"", "\"antialias\":0,\"filter\":\"bilinear\"", "invalid type: integer `0`"),
            ("\"filter\":\"bilinear\"", "\"antialias\":false,\"filter\":\"lanczos\"", "not lanczos"),
            ("\"filter\":\"bilinear\"", "\"antialias\":true,\"filter\":\"area\"", "antialias true takes bilinear"),
            ("\"zero_one\"", "\"raw\"", "unknown variant `raw`"),
            ("\"channels\":3,", "\"channels\":3,\"gamma\":2,", "unknown field `gamma`"),
            ("\"channels\":3,", "", "missing field `channels`"),
            ("{\"pre", "{\"colour\":1,\"pre", "unknown field `colour`"),
        ] {
            assert!(good.contains(from), "{good} lacks {from}");
            let message = serde_json::from_str::<Metadata>(&good.replace(from, to)).unwrap_err().to_string();
            assert!(message.contains(complaint), "{message}");
        }
    }
}
