//! A mistake with its pictures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::Result;
use crate::image::{Picture, resize};
use crate::weights::Filter;

/// A mistake with its pictures, as `data:` addresses.
#[derive(Debug)]
pub(super) struct ShownMistake {
    /// What is wrong.
    pub(super) caption: String,
    /// Where the picture is.
    pub(super) path: String,
    pub(super) pictures: Vec<String>,
}

/// The longest side of a picture, in pixels.
const SIDE: usize = 192;

impl ShownMistake {
    /// Errors if a picture cannot be written as PNG.
    pub(super) fn new(caption: String, path: String, pictures: &[Picture]) -> Result<Self> {
        Ok(Self { caption, path, pictures: pictures.iter().map(address).collect::<Result<_>>()? })
    }
}

/// A picture that is no larger than [`SIDE`], as a `data:` address.
fn address(picture: &Picture) -> Result<String> {
    let longest = picture.height().max(picture.width());
    let side = |side: usize| if longest > SIDE { (side * SIDE / longest).max(1) } else { side };
    let small = resize(picture, side(picture.height()), side(picture.width()), Filter::Bilinear);
    let mut png = Vec::new();
    small.write_png(&mut png)?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}
