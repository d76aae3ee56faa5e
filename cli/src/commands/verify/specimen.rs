//! The input that a device and the reference are compared on.

use std::path::Path;

use densenet_wgpu::checkpoint::Weights;
use densenet_wgpu::image::{Picture, Prepared};
use densenet_wgpu::internal::images_at_once;
use densenet_wgpu::network::Shape;
use densenet_wgpu::preprocessing::Samples;
use densenet_wgpu::verify::Verification;
use densenet_wgpu::{Checkpoint, Engine, Input};

use crate::arguments::Size;
use crate::exit::Stop;
use crate::npy::Images;

/// A batch of images of one size.
pub(crate) struct Specimen {
    /// Height in pixels.
    pub(crate) height: usize,
    /// Width in pixels.
    pub(crate) width: usize,
    /// A description for the report.
    pub(crate) words: String,
    content: Content,
}

enum Content {
    Values(Vec<f32>),
    Pictures(Vec<Prepared>),
}

impl Specimen {
    /// All images of a .npy file.
    pub(crate) fn read(path: &Path, model: &Checkpoint) -> Result<Self, Stop> {
        let in_input = |error: String| Stop::refused(format!("{}: {error}", path.display()));
        let mut images = Images::open(path).map_err(in_input)?;
        let [count, channels, height, width] = images.shape;
        if channels != model.config.in_channels || count == 0 {
            let expected = format!("images of {} channels, as {} takes", model.config.in_channels, model.name);
            return Err(in_input(format!("expected {expected}, found {:?}", images.shape)));
        }
        let words = format!("{}, {:?}", path.display(), images.shape);
        Ok(Self { height, width, words, content: Content::Values(images.next(count).map_err(in_input)?) })
    }

    /// Noise: as preprocessed pictures or, for a model that takes no pictures, as numbers.
    pub(crate) fn noise(model: &mut Checkpoint, batch: u32, size: Option<Size>) -> Result<Self, Stop> {
        let channels = model.config.in_channels;
        let preprocessing = model.complete_description(None).preprocessing;
        let Size { height, width } = size.unwrap_or_else(|| Size::of(Some(&preprocessing)));
        let preprocessing = preprocessing.sized(height, width);
        let shape = Shape::new(channels, height, width);
        let batch = batch as usize;
        let most = images_at_once(batch, shape);
        if batch > most {
            return Err(Stop::refused(format!(
                "--batch {batch}: expected at most {most} images of {shape}, which fill 1 GiB; use a smaller one, or a smaller --size"
            )));
        }
        let image = |index: usize| index * shape.elements()..(index + 1) * shape.elements();
        let picture = |index: usize| {
            let samples = image(index).map(|at| (noise(at) * 256.0) as u8).collect();
            preprocessing.prepare(&Picture::new(height, width, channels, samples)?)
        };
        let content = match channels {
            1 | 3 => Content::Pictures((0..batch).map(picture).collect::<densenet_wgpu::Result<_>>()?),
            _ => Content::Values((0..batch).flat_map(image).map(|at| 4.0 * noise(at) - 2.0).collect()),
        };
        Ok(Self { height, width, words: format!("noise, {:?}", [batch, channels, height, width]), content })
    }

    /// Runs it on an engine and on the reference, and compares them.
    pub(crate) fn verify(&self, engine: &Engine, weights: &Weights) -> densenet_wgpu::Result<Verification> {
        let (run, size) = (|input| Verification::run(engine, weights, input), [self.height, self.width]);
        match &self.content {
            Content::Values(values) => run(Input::values(values, size)),
            Content::Pictures(pictures) => run(Input::pictures(&pictures.iter().map(Prepared::samples).collect::<Vec<Samples>>(), size)),
        }
    }
}

/// A number from 0 to 1 for each index: the fractional part of a multiple of the golden ratio.
fn noise(index: usize) -> f32 {
    ((index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32 / (1 << 24) as f32
}
