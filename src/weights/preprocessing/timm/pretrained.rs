//! What timm says of published weights.

use serde::Deserialize;

use crate::activation::Activation;
use crate::weights::preprocessing::{Filter, Preprocessing, Range, Resize, ResizeMode};

/// How pictures were prepared, and what the classes are called.
#[derive(Default, Deserialize)]
pub(super) struct Pretrained {
    pub(super) tag: Option<String>,
    pub(super) input_size: [usize; 3],
    pub(super) test_input_size: Option<[usize; 3]>,
    pub(super) interpolation: Option<String>,
    pub(super) crop_pct: Option<f64>,
    pub(super) test_crop_pct: Option<f64>,
    pub(super) crop_mode: Option<String>,
    pub(super) mean: Vec<f32>,
    pub(super) std: Vec<f32>,
    pub(super) label_names: Option<Vec<String>>,
}

impl Pretrained {
    /// How pictures are prepared for evaluation, unchecked; `None` where this library cannot do it.
    pub(super) fn preprocessing(&self) -> Option<Preprocessing> {
        // Evaluation takes the size of the test where there is one, as timm's own scripts do.
        let [channels, height, width] = self.test_input_size.unwrap_or(self.input_size);
        let crop_share = self.test_crop_pct.or(self.crop_pct).filter(|share| *share > 0.0 && *share <= 1.0).unwrap_or(0.875);
        let filter = match self.interpolation.as_deref() {
            Some("bilinear") => Filter::Bilinear,
            Some("lanczos") => Filter::Lanczos,
            Some("nearest") => Filter::Nearest,
            _ => Filter::Bicubic,
        };
        let scaled = |side: usize| (side as f64 / crop_share) as usize;
        let mode = match self.crop_mode.as_deref() {
            // Borders of another colour are not supported.
            Some("border") => return None,
            Some("squash") => ResizeMode::Squash([scaled(height), scaled(width)]),
            _ if scaled(height) == scaled(width) => ResizeMode::ShortSide(scaled(height)),
            _ => ResizeMode::Cover([scaled(height), scaled(width)]),
        };
        Some(Preprocessing {
            activation: Activation::Softmax,
            channels,
            crop: Some([height, width]),
            mean: self.mean.clone(),
            range: Range::ZeroOne,
            resize: Some(Resize { filter, mode }),
            std: self.std.clone(),
        })
    }
}
