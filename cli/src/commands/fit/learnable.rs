//! Pictures that can be learned from.

use densenet_wgpu::fit::{Example, Examples};

use super::data::Data;
use super::features::PictureFeatures;
use crate::exit::Stop;
use crate::message;

/// Pictures that can be learned from.
pub(super) struct Learnable {
    pub(super) examples: Examples,
    /// How many pictures have no features.
    pub(super) failed: usize,
}

impl Learnable {
    /// The pictures with their features. Reports those that have none; errors if that are all.
    pub(super) fn of(data: &Data, features: &PictureFeatures) -> Result<Self, Stop> {
        let mut examples = Examples::new(data.classes.clone(), features.columns);
        let mut failed = 0;
        for picture in &data.pictures {
            match features.of(&picture.path) {
                Ok((content, features)) => examples.push(Example {
                    path: picture.path.clone(),
                    known: picture.known.clone(),
                    group: picture.group.clone(),
                    content,
                    features,
                })?,
                Err(error) => {
                    failed += 1;
                    message::error(&format!("{}: {error}", picture.path.display()));
                }
            }
        }
        if examples.is_empty() {
            let remedy = "paths are relative to the folder of DATA, or to --pictures DIR";
            return Err(Stop::refused(format!("expected pictures that can be read, found none of {failed}; {remedy}")));
        }
        Ok(Self { examples, failed })
    }
}
