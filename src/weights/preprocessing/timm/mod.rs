//! How timm describes a model: `config.json` beside its published weights, and the arguments of its `train.py` in a checkpoint.

mod arguments;
mod config_json;

use serde::Deserialize;

use super::{Filter, Preprocessing, Range, Resize, ResizeMode};
use crate::activation::Activation;
use crate::error::{Error, Result};
pub(in crate::weights) use arguments::TrainArguments;
pub(in crate::weights) use config_json::ConfigJson;

/// What a model was made with, where that is not its architecture's.
#[derive(Default, Deserialize)]
struct ModelArguments {
    #[serde(default)]
    act_layer: Option<String>,
    #[serde(default)]
    aa_layer: Option<String>,
    #[serde(default)]
    global_pool: Option<String>,
}

impl ModelArguments {
    /// Errors where a network is made with what no weights would show. `pool` is its pool where that is stated elsewhere, and `whose`
    /// is where all this is stated.
    fn check(&self, pool: Option<&str>, whose: &str) -> Result<()> {
        let pool = pool.or(self.global_pool.as_deref()).unwrap_or("avg");
        // Both side by side are twice as many features, which weights do show.
        let is_other_pool = pool.contains("max") && !pool.contains("catavgmax");
        let activation = self.act_layer.as_deref().filter(|activation| !activation.eq_ignore_ascii_case("relu"));
        let found = match activation {
            Some(activation) => format!("the activation {activation:?}"),
            None if is_other_pool => format!("the pool {pool:?}"),
            None => return Ok(()),
        };
        Err(Error::checkpoint(format!(
            "{whose}: expected a network with ReLUs and a pool of means, found {found}: such networks are not run"
        )))
    }
}

#[derive(Default, Deserialize)]
struct Pretrained {
    tag: Option<String>,
    input_size: [usize; 3],
    test_input_size: Option<[usize; 3]>,
    interpolation: Option<String>,
    crop_pct: Option<f64>,
    test_crop_pct: Option<f64>,
    crop_mode: Option<String>,
    mean: Vec<f32>,
    std: Vec<f32>,
    label_names: Option<Vec<String>>,
}

impl Pretrained {
    /// How pictures are prepared for evaluation, unchecked; `None` where this library cannot do it.
    fn preprocessing(&self) -> Option<Preprocessing> {
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
