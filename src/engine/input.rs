//! What a network runs on.

use crate::error::{Error, Result};
use crate::samples::Samples;
use crate::shape::Shape;

/// A batch of images of one size: what [`Engine::run`](crate::Engine::run) and all its siblings take.
///
/// ```
/// use densenet_wgpu::preprocessing::Samples;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// // The same grey, once as a number and once as a sample with the table that makes the number of it.
/// let values = Input::values(&[0.5; 3 * 64 * 64], [64, 64]);
/// let table = [[0.5; 256]; 3];
/// let picture = [Samples { bytes: &[0; 64 * 64 * 3], tables: &table }];
/// let pictures = Input::pictures(&picture, [64, 64]);
/// assert_eq!(engine.run(values)?, engine.run(pictures)?);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    content: Content<'a>,
    size: [usize; 2],
}

/// What the images are made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    /// Numbers `[N, C, H, W]`.
    Values(&'a [f32]),
    /// 8-bit samples.
    Pictures(&'a [Samples<'a>]),
    /// Numbers `[N, C, H, W]` that are on the device.
    Buffer(Numbers<'a>),
}

/// Images in a buffer on the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers<'a> {
    pub(super) buffer: &'a wgpu::Buffer,
    pub(super) byte_offset: u64,
    images: usize,
}

impl<'a> Input<'a> {
    /// Numbers `[N, C, H, W]`, all of them finite, of images of `[height, width]` pixels; N follows from their count.
    pub const fn values(values: &'a [f32], size: [usize; 2]) -> Self {
        Self { content: Content::Values(values), size }
    }

    /// N pictures of 8-bit samples, `[height, width]` pixels each, which the device looks up in their tables.
    ///
    /// Results are those of [`Input::values`] on what [`Samples::values`] makes of them, bit for bit, and a quarter as many
    /// bytes go to the device.
    pub const fn pictures(pictures: &'a [Samples<'a>], size: [usize; 2]) -> Self {
        Self { content: Content::Pictures(pictures), size }
    }

    /// The first `images` images of `[height, width]` pixels in a buffer of the engine's device, `[N, C, H, W]` in 32-bit
    /// floats. The buffer needs `COPY_SRC`. That its numbers are finite is the program's business.
    pub const fn buffer(buffer: &'a wgpu::Buffer, images: usize, size: [usize; 2]) -> Self {
        Self { content: Content::Buffer(Numbers { buffer, byte_offset: 0, images }), size }
    }

    /// Height and width of each image, in pixels.
    pub const fn size(&self) -> [usize; 2] {
        self.size
    }

    pub(super) const fn content(&self) -> Content<'a> {
        self.content
    }

    /// Whether the device normalises them.
    pub(crate) const fn is_pictures(&self) -> bool {
        matches!(self.content, Content::Pictures(_))
    }

    /// The numbers `[N, C, H, W]`; `None` where they are on the device.
    pub(crate) fn to_values(self) -> Option<Vec<f32>> {
        match self.content {
            Content::Values(values) => Some(values.to_vec()),
            Content::Pictures(pictures) => Some(pictures.iter().flat_map(Samples::values).collect()),
            Content::Buffer(_) => None,
        }
    }

    /// How many images these are, for a network that takes `channels`. Errors where they are no whole images, or where
    /// one has a number that is not finite.
    pub(crate) fn images(&self, channels: usize) -> Result<usize> {
        let shape = self.shape(channels);
        match self.content {
            Content::Values(values) => images(values, shape),
            Content::Pictures([]) => Err(Error::Input { expected: "at least one picture".into(), found: "none".into() }),
            Content::Pictures(pictures) => {
                pictures.iter().enumerate().try_for_each(|(index, picture)| check(index, picture, shape))?;
                Ok(pictures.len())
            }
            Content::Buffer(Numbers { buffer, images, .. }) => {
                let needed = elements(shape).and_then(|elements| elements.checked_mul(images)?.checked_mul(size_of::<f32>()));
                if images == 0 {
                    return Err(Error::Input { expected: "a batch of at least 1".into(), found: "0".into() });
                }
                match needed {
                    Some(needed) if needed as u64 <= buffer.size() => Ok(images),
                    _ => Err(Error::Input {
                        expected: format!("an input buffer of at least {} bytes for {images} images", needed.unwrap_or(usize::MAX)),
                        found: format!("{} bytes", buffer.size()),
                    }),
                }
            }
        }
    }

    /// The first `count` images, of a network that takes `channels`, and the others.
    pub(super) fn split_at(self, count: usize, channels: usize) -> (Self, Self) {
        let elements = count * self.shape(channels).elements();
        let (first, rest) = match self.content {
            Content::Values(values) => {
                let (first, rest) = values.split_at(elements);
                (Content::Values(first), Content::Values(rest))
            }
            Content::Pictures(pictures) => {
                let (first, rest) = pictures.split_at(count);
                (Content::Pictures(first), Content::Pictures(rest))
            }
            Content::Buffer(numbers) => {
                let byte_offset = numbers.byte_offset + (elements * size_of::<f32>()) as u64;
                let rest = Numbers { byte_offset, images: numbers.images - count, ..numbers };
                (Content::Buffer(Numbers { images: count, ..numbers }), Content::Buffer(rest))
            }
        };
        (Self { content: first, ..self }, Self { content: rest, ..self })
    }

    fn shape(&self, channels: usize) -> Shape {
        let [height, width] = self.size;
        Shape { channels, height, width }
    }
}

fn images(values: &[f32], shape: Shape) -> Result<usize> {
    let Shape { channels, height, width } = shape;
    let Some(elements) = elements(shape).filter(|&n| !values.is_empty() && values.len().is_multiple_of(n)) else {
        return Err(Error::Input {
            expected: format!("[N, {channels}, {height}, {width}], whole pictures"),
            found: format!("{} elements", values.len()),
        });
    };
    if let Some(index) = values.iter().position(|x| !x.is_finite()) {
        return Err(Error::Input { expected: "finite numbers".into(), found: format!("{} at element {index}", values[index]) });
    }
    Ok(values.len() / elements)
}

fn check(index: usize, picture: &Samples, shape: Shape) -> Result<()> {
    let Shape { channels, height, width } = shape;
    let Samples { bytes, tables } = picture;
    if elements(shape) != Some(bytes.len()) || tables.len() != channels {
        return Err(Error::Input {
            expected: format!("pictures [{height}, {width}, {channels}], with a table for each channel"),
            found: format!("{} samples and {} tables in picture {index}", bytes.len(), tables.len()),
        });
    }
    if tables.as_flattened().iter().all(|number| number.is_finite()) {
        return Ok(());
    }
    // A number that no sample stands for does no harm.
    let mut numbers = bytes.iter().zip(tables.iter().cycle()).map(|(&sample, table)| table[usize::from(sample)]);
    match numbers.position(|number| !number.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let found = format!("{} for sample {at} of picture {index}", tables[at % channels][usize::from(bytes[at])]);
            Err(Error::Input { expected: "finite numbers".into(), found })
        }
    }
}

/// Elements of an image; none where there are none or too many to count.
fn elements(shape: Shape) -> Option<usize> {
    shape.channels.checked_mul(shape.height)?.checked_mul(shape.width).filter(|&n| n > 0)
}
