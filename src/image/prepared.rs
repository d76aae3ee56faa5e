//! A picture as a model's [`Preprocessing`] prepares it.

use super::crop::window;
use super::resize::{Part, resize_part};
use super::{MAX_PIXELS, Orientation, Picture};
use crate::error::{Error, Result};
use crate::samples::Samples;
use crate::weights::{Preprocessing, Range};

/// The input of a network for one picture.
///
/// ```
/// use densenet_wgpu::image::Picture;
/// use densenet_wgpu::preprocessing::Preprocessing;
///
/// let white = Picture::new(300, 400, 3, vec![255; 300 * 400 * 3])?;
/// let input = Preprocessing::torchvision(3).apply(&white)?;
/// assert_eq!((input.height, input.width), (224, 224));
/// assert_eq!(input.values[0], (1.0 - 0.485) / 0.229); // red of the upper left pixel
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PictureTensor {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// The values, `[C, H, W]`.
    pub values: Vec<f32>,
}

/// One picture ready to be normalised, here or on a device.
///
/// ```
/// use densenet_wgpu::image::Picture;
/// use densenet_wgpu::preprocessing::Preprocessing;
///
/// let white = Picture::new(300, 400, 3, vec![255; 300 * 400 * 3])?;
/// let prepared = Preprocessing::torchvision(3).prepare(&white)?;
/// assert_eq!((prepared.picture.height(), prepared.picture.samples()[0]), (224, 255));
/// assert_eq!(prepared.tables[0][255], (1.0 - 0.485) / 0.229);
/// assert_eq!(prepared.samples().values(), Preprocessing::torchvision(3).apply(&white)?.values);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Prepared {
    /// The picture, resized and cropped, with the model's channels.
    pub picture: Picture,
    /// For each channel, the value of each sample from 0 to 255.
    pub tables: Vec<[f32; 256]>,
}

impl Prepared {
    /// The same with left and right exchanged.
    pub fn mirrored(&self) -> Self {
        Self { picture: self.picture.seen(Orientation::MIRRORED), tables: self.tables.clone() }
    }

    /// The samples and their values, as an [`Engine`](crate::engine::Input::pictures) takes them.
    pub fn samples(&self) -> Samples<'_> {
        Samples { bytes: self.picture.samples(), tables: &self.tables }
    }
}

impl Preprocessing {
    /// The network's input from a picture, as torchvision computes it from a Pillow image: resize, centre crop,
    /// scale, normalise. A model of one channel sees Pillow's luma, taken before the picture is resized.
    ///
    /// Errors if the model has other than 1 or 3 channels, or the picture would grow beyond [`MAX_PIXELS`].
    pub fn apply(&self, picture: &Picture) -> Result<PictureTensor> {
        let prepared = self.prepare(picture)?;
        let (height, width) = (prepared.picture.height(), prepared.picture.width());
        Ok(PictureTensor { height, width, values: prepared.samples().values() })
    }

    /// Everything of [`Preprocessing::apply`] but the final normalisation. Errors as it does.
    #[tracing::instrument(level = "debug", name = "prepare picture", skip_all)]
    pub fn prepare(&self, picture: &Picture) -> Result<Prepared> {
        let picture = self.resize_and_crop(picture)?;
        Ok(Prepared { tables: self.tables(&picture), picture })
    }

    /// The input of a model that averages ten crops: torchvision's `TenCrop`, each [prepared](Self::prepare). First the corners (upper
    /// left, upper right, lower left, lower right) and the centre of the resized picture, then those of its mirror image.
    ///
    /// ```
    /// use densenet_wgpu::image::Picture;
    /// use densenet_wgpu::preprocessing::Preprocessing;
    ///
    /// let picture = Picture::new(300, 400, 3, vec![127; 300 * 400 * 3])?;
    /// let crops = Preprocessing::torchvision(3).ten_crops(&picture)?;
    /// assert_eq!(crops.len(), 10);
    /// assert!(crops.iter().all(|crop| (crop.picture.height(), crop.picture.width()) == (224, 224)));
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    ///
    /// Errors as [`Preprocessing::apply`] does, if there is no crop, and if the resized picture is smaller than the crop.
    pub fn ten_crops(&self, picture: &Picture) -> Result<Vec<Prepared>> {
        let refused = |found: String| Error::Input { expected: "a picture to take ten crops from".into(), found };
        let [height, width] = self.crop.ok_or_else(|| refused(format!("a preprocessing without a crop: {self}")))?;
        let whole = Self { crop: None, ..self.clone() }.resize_and_crop(picture)?;
        let found = || refused(format!("one of {}x{} pixels for crops of {height}x{width}", whole.height(), whole.width()));
        let crops = whole.ten_crops(height, width).ok_or_else(found)?;
        Ok(crops.into_iter().map(|picture| Prepared { tables: self.tables(&picture), picture }).collect())
    }

    fn resize_and_crop(&self, picture: &Picture) -> Result<Picture> {
        let grey;
        let picture = match (self.channels, picture.channels()) {
            (wanted, found) if wanted == found => picture,
            (1, _) => {
                grey = picture.grey();
                &grey
            }
            (3, 1) => return self.resize_and_crop(&picture.repeated()),
            (channels, _) => return Err(Error::Channels { channels }),
        };
        let source = self.source([picture.height(), picture.width()]);
        let square;
        let picture = if [source.rows.len(), source.columns.len()] == [picture.height(), picture.width()] {
            picture
        } else {
            square = picture.part(&source);
            &square
        };
        let (filter, [height, width]) = self.resized([picture.height(), picture.width()]);
        let [canvas_height, canvas_width] = self.canvas([height, width]);
        let [crop_height, crop_width] = self.crop.unwrap_or([canvas_height, canvas_width]);
        if crop_height as u64 * crop_width as u64 > MAX_PIXELS {
            let found = format!("a {}x{} picture", picture.width(), picture.height());
            return Err(Error::picture(format!("{found} would become {crop_width}x{crop_height}; expected at most {MAX_PIXELS} pixels")));
        }
        let (rows, above) = window(height, canvas_height, crop_height);
        let (columns, left) = window(width, canvas_width, crop_width);
        let part = resize_part(picture, height, width, &Part { rows, columns }, filter);
        Ok(part.padded(above, left, crop_height, crop_width))
    }

    /// The value of each sample of `picture`, for each channel.
    fn tables(&self, picture: &Picture) -> Vec<[f32; 256]> {
        let (least, most) = picture.samples().iter().fold((u8::MAX, u8::MIN), |(least, most), &s| (least.min(s), most.max(s)));
        let table = |channel: usize| {
            std::array::from_fn(|sample| {
                let value = match self.range {
                    Range::ZeroOne => sample as f32 / 255.0,
                    Range::MinusPlus1024 => (2.0 * (sample as f32 / 255.0) - 1.0) * 1024.0,
                    Range::MinMax if least == most => 0.0,
                    Range::MinMax => (sample as f32 - f32::from(least)) / (f32::from(most) - f32::from(least)),
                };
                (value - self.mean[channel]) / self.std[channel]
            })
        };
        (0..picture.channels()).map(table).collect()
    }
}
