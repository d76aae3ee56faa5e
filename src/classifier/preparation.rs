//! From a source to the input of the network.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::images::Images;
use super::options::ClassifierOptions;
use super::picture_summary::PictureSummary;
use super::source::{Kind, Source};
use super::threads::panicked;
use crate::error::{Error, Result};
use crate::image::{Decoding, Picture, Prepared};
use crate::weights::Preprocessing;

/// How sources are prepared.
#[derive(Debug)]
pub(super) struct Preparation {
    preprocessing: Preprocessing,
    decoding: Decoding,
    upright: bool,
    ten_crops: bool,
    mirror_images: bool,
    kept_pixels: Option<usize>,
}

/// A prepared source.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) images: Images,
    /// `None` for values.
    pub(super) picture_summary: Option<PictureSummary>,
    /// The decoded picture, if it is kept.
    pub(super) picture: Option<Picture>,
}

impl Preparation {
    pub(super) fn new(preprocessing: Preprocessing, options: &ClassifierOptions) -> Self {
        let ClassifierOptions { upright, ten_crops, mirror_images, kept_pixels, .. } = *options;
        Self { preprocessing, decoding: options.decoding.clone(), upright, ten_crops, mirror_images, kept_pixels }
    }

    pub(super) fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// Reads and prepares a source. A panic becomes an error of this source, after the program's panic hook has run.
    pub(super) fn read(&self, source: Source) -> Result<Ready> {
        let read = catch_unwind(AssertUnwindSafe(|| self.read_or_panic(source)));
        read.unwrap_or_else(|_| Err(panicked()))
    }

    fn read_or_panic(&self, source: Source) -> Result<Ready> {
        let is_there_again = source.path().is_some_and(Path::is_file);
        if let Source(Kind::Values { values, size }) = source {
            self.check(&values, size)?;
            return Ok(Ready { images: Images::Values { values, size }, picture_summary: None, picture: None });
        }
        let picture = self.picture(source)?;
        let prepared = self.images(&picture)?;
        let pixels = picture.height() * picture.width();
        let is_kept = self.kept_pixels.is_some_and(|most| pixels <= most || !is_there_again);
        let picture_summary = Some(PictureSummary::new(&picture, &self.preprocessing));
        Ok(Ready { images: Images::Pictures(prepared), picture_summary, picture: is_kept.then_some(picture) })
    }

    /// The picture as the network sees it, in all views of it.
    fn images(&self, picture: &Picture) -> Result<Vec<Prepared>> {
        if self.ten_crops {
            return self.preprocessing.ten_crops(picture);
        }
        let prepared = self.preprocessing.prepare(picture)?;
        Ok(if self.mirror_images { vec![prepared.clone(), prepared.mirrored()] } else { vec![prepared] })
    }

    /// The picture of a source, upright if requested.
    pub(super) fn picture(&self, source: Source) -> Result<Picture> {
        let picture = match source.0 {
            Kind::File(path) if path.is_dir() => {
                return Err(Error::picture("expected a picture, found a folder").in_picture(&path));
            }
            Kind::File(path) => self.decoding.open(path)?,
            Kind::Bytes(bytes) => self.decoding.decode(&bytes)?,
            Kind::Picture(picture) => picture,
            Kind::Values { .. } => {
                return Err(Error::Input { expected: "a source with a picture".into(), found: "values that the network reads".into() });
            }
            Kind::Refused(why) => return Err(Error::picture(why)),
        };
        Ok(if self.upright { picture.upright() } else { picture })
    }

    /// Errors if the values do not fit the network.
    fn check(&self, values: &[f32], [height, width]: [usize; 2]) -> Result<()> {
        let channels = self.preprocessing.channels;
        let elements = channels.checked_mul(height).and_then(|n| n.checked_mul(width)).filter(|&n| n > 0);
        if elements != Some(values.len()) {
            let expected = format!("[{channels}, {height}, {width}], one image");
            return Err(Error::Input { expected, found: format!("{} elements", values.len()) });
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(Error::Input { expected: "finite numbers".into(), found: format!("{} at element {index}", values[index]) }),
            None => Ok(()),
        }
    }
}
