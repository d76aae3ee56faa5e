//! How a picture becomes a network's input, and its output an answer.

mod filter;
pub(super) mod merge;
mod preset;
mod range;
mod resize;
pub(super) mod timm;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::error::{Error, Result};
pub use filter::Filter;
pub(super) use merge::OfFile;
pub(crate) use merge::Stated;
pub use preset::Preset;
pub use range::Range;
pub use resize::{Resize, ResizeMode};

/// Largest height or width of a picture, in pixels.
const LARGEST_SIDE: usize = 65536;

// Fields in alphabetical order: the JSON is sorted, so that the same checkpoint is the same bytes.

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

    /// Sets how pictures are scaled first, `None` for not at all.
    #[must_use]
    pub fn with_resize(self, resize: Option<Resize>) -> Self {
        Self { resize, ..self }
    }

    /// Sets the height and width that are cut from the centre, `None` for nothing.
    #[must_use]
    pub fn with_crop(self, crop: Option<[usize; 2]>) -> Self {
        Self { crop, ..self }
    }

    /// Sets what pixel values are scaled to.
    #[must_use]
    pub fn with_range(self, range: Range) -> Self {
        Self { range, ..self }
    }

    /// Subtracts `mean` from each channel and divides by `std`: one number of each for each channel.
    #[must_use]
    pub fn with_normalisation(self, mean: Vec<f32>, std: Vec<f32>) -> Self {
        Self { mean, std, ..self }
    }

    /// Sets what turns logits into probabilities.
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

/// Mean and standard deviation of ImageNet's pictures; of other numbers of channels those that scale to -1..1.
fn imagenet(channels: usize) -> (Vec<f32>, Vec<f32>) {
    match channels {
        3 => (vec![0.485, 0.456, 0.406], vec![0.229, 0.224, 0.225]),
        _ => (vec![0.5; channels], vec![0.5; channels]),
    }
}

/// One line: `short side to 256 (bilinear), crop 224x224, [0, 1], …`.
impl fmt::Display for Preprocessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(resize) = self.resize {
            let filter = resize.filter;
            match resize.mode {
                // The filter belongs to the size, the padding comes after.
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
}
