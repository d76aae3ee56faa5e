//! What a network runs on.

use crate::error::{Error, Result};
use crate::samples::Samples;
use crate::shape::Shape;

/// A batch of images of one size.
///
/// ```
/// use densenet_wgpu::engine::Input;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Samples, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// // The same grey, once as a number and once as a sample with the table that makes the number of it.
/// let values = Input::Values(&[0.5; 3 * 64 * 64]);
/// let table = [[0.5; 256]; 3];
/// let picture = [Samples { bytes: &[0; 64 * 64 * 3], tables: &table }];
/// let pictures = Input::Pictures(&picture);
/// assert_eq!(engine.start(values, 64, 64)?.wait()?, engine.start(pictures, 64, 64)?.wait()?);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// Numbers `[N, C, H, W]`, all of them finite.
    Values(&'a [f32]),
    /// N pictures of 8-bit samples, which the device looks up in their tables.
    Pictures(&'a [Samples<'a>]),
}

impl<'a> Input<'a> {
    /// How many images of `shape` these are. Errors where they are no whole images, or where one has a number that is
    /// not finite.
    pub(super) fn images(self, shape: Shape) -> Result<usize> {
        match self {
            Self::Values(values) => images(values, shape),
            Self::Pictures([]) => Err(Error::Input { expected: "at least one picture".into(), found: "none".into() }),
            Self::Pictures(pictures) => {
                pictures.iter().enumerate().try_for_each(|(index, picture)| check(index, picture, shape))?;
                Ok(pictures.len())
            }
        }
    }

    /// The first `count` images of `shape`, and the others.
    pub(super) fn split_at(self, count: usize, shape: Shape) -> (Self, Self) {
        match self {
            Self::Values(values) => {
                let (first, rest) = values.split_at(count * shape.elements());
                (Self::Values(first), Self::Values(rest))
            }
            Self::Pictures(pictures) => {
                let (first, rest) = pictures.split_at(count);
                (Self::Pictures(first), Self::Pictures(rest))
            }
        }
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
