//! `config.json` beside a model, as timm publishes it: how pictures are prepared, what the classes are called.
//!
//! Fields: timm's `timm/models/_hub.py` and `timm/data/config.py`.

use serde::Deserialize;

use super::metadata::{Activation, Filter, Preprocessing, Range, Resize, ResizeMode};
use crate::arch::Config;
use crate::error::{Error, Result};
use crate::labels::named;

/// What a `config.json` of timm says.
pub(super) struct HubConfig {
    /// Architecture and tag, such as `densenet121.ra_in1k`.
    pub(super) name: String,
    /// Whether the stem's pool blurs, where the architecture's name tells.
    pub(super) blur: bool,
    /// How pictures are prepared.
    pub(super) preprocessing: Preprocessing,
    /// Whether the model is one of ImageNet-1k, as its tag says: one class of a thousand.
    pub(super) is_imagenet: bool,
    /// One label for each class.
    pub(super) labels: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Written {
    architecture: String,
    pretrained_cfg: Pretrained,
    label_names: Option<Vec<String>>,
    global_pool: Option<String>,
    #[serde(default)]
    model_args: Arguments,
}

/// What a model was made with, where that is not its architecture's.
#[derive(Default, Deserialize)]
pub(super) struct Arguments {
    #[serde(default)]
    act_layer: Option<String>,
    #[serde(default)]
    aa_layer: Option<String>,
    #[serde(default)]
    global_pool: Option<String>,
}

impl Arguments {
    /// Errors where a network is made with what no weights would tell: `pool` is the one it has, `whose` says so.
    pub(super) fn check(&self, pool: Option<&str>, whose: &str) -> Result<()> {
        let pool = pool.or(self.global_pool.as_deref()).unwrap_or("avg");
        // Both side by side are twice as many features, which weights do tell.
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
    /// How pictures are prepared for evaluation, which may make no sense; `None` where that is not done here.
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
            // A picture in a border of another colour is none that is prepared here.
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

impl HubConfig {
    /// Reads the text of a file for a network of that configuration; `None` where it describes another one, or is not
    /// timm's. Errors where its numbers make no sense.
    pub(super) fn read(text: &str, config: &Config) -> Result<Option<Self>> {
        let Ok(Written { architecture, pretrained_cfg: own, label_names, global_pool, model_args }) = serde_json::from_str(text) else {
            return Ok(None);
        };
        let Some(preprocessing) = own.preprocessing() else { return Ok(None) };
        if !architecture.contains("densenet") || preprocessing.channels != config.in_channels {
            return Ok(None);
        }
        preprocessing.check().map_err(|error| Error::checkpoint(format!("config.json beside it: {error}; mend it or take it away")))?;
        model_args.check(global_pool.as_deref(), "config.json beside it (take it away where it is another network's)")?;
        let blur = model_args.aa_layer.as_ref().map_or(architecture.contains("blur"), |layer| layer.contains("blur"));
        // As timm's own `infer_imagenet_subset` does.
        let is_imagenet = config.num_classes == Some(1000) && own.tag.as_deref().is_some_and(|tag| tag.contains("in1k"));
        let labels = label_names.or(own.label_names).filter(|labels| Some(labels.len()) == config.num_classes);
        let labels = labels.or_else(|| named("imagenet").filter(|_| is_imagenet));
        let name = own.tag.filter(|tag| !tag.is_empty()).map_or(architecture.clone(), |tag| format!("{architecture}.{tag}"));
        Ok(Some(Self { name, blur, preprocessing, is_imagenet, labels }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RA: &str = r#"{"architecture": "densenet121", "num_classes": 1000, "pretrained_cfg": {"tag": "ra_in1k",
        "input_size": [3, 224, 224], "test_input_size": [3, 288, 288], "interpolation": "bicubic", "crop_pct": 0.875,
        "test_crop_pct": 0.95, "crop_mode": "center", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}"#;

    #[test]
    fn the_size_of_the_test_counts() {
        let config = HubConfig::read(RA, &Config::densenet121()).unwrap().unwrap();
        assert_eq!(config.name, "densenet121.ra_in1k");
        assert!(!config.blur && config.is_imagenet && config.labels.unwrap()[999] == "toilet tissue");
        let of_seven = Config::densenet121().with_classes(Some(7));
        let config = HubConfig::read(RA, &of_seven).unwrap().unwrap();
        assert!(!config.is_imagenet && config.labels.is_none(), "trained further");
        assert_eq!(config.preprocessing.crop, Some([288, 288]));
        let resize = Resize { filter: Filter::Bicubic, mode: ResizeMode::ShortSide(303) };
        assert_eq!(config.preprocessing.resize, Some(resize), "floor(288 / 0.95), as timm computes it");
    }

    #[test]
    fn a_size_that_is_no_square_is_covered_or_squashed() {
        let mode = |text: &str| HubConfig::read(text, &Config::densenet121()).unwrap().unwrap().preprocessing.resize.unwrap().mode;
        let oblong = RA.replace("288, 288", "288, 160");
        assert_eq!(mode(&oblong), ResizeMode::Cover([303, 168]));
        assert_eq!(mode(&oblong.replace("center", "squash")), ResizeMode::Squash([303, 168]));
        assert!(HubConfig::read(&oblong.replace("center", "border"), &Config::densenet121()).unwrap().is_none());
    }

    #[test]
    fn another_models_file_is_none() {
        assert!(HubConfig::read(RA, &Config { in_channels: 1, ..Config::densenet121() }).unwrap().is_none());
        assert!(HubConfig::read(&RA.replace("densenet121", "resnet50"), &Config::densenet121()).unwrap().is_none());
        assert!(HubConfig::read(r#"{"model_type": "bert"}"#, &Config::densenet121()).unwrap().is_none());
        assert!(HubConfig::read("[", &Config::densenet121()).unwrap().is_none());
    }

    #[test]
    fn what_weights_do_not_tell_is_refused_or_believed() {
        let read = |more: &str| HubConfig::read(&RA.replacen('{', &format!("{{{more},"), 1), &Config::densenet121());
        for (more, found) in [
            ("\"global_pool\": \"max\"", "the pool \"max\""),
            ("\"model_args\": {\"global_pool\": \"avgmax\"}", "the pool \"avgmax\""),
            ("\"model_args\": {\"act_layer\": \"silu\"}", "the activation \"silu\""),
        ] {
            let message = read(more).err().unwrap().to_string();
            assert!(message.contains(found) && message.contains("take it away"), "{message}");
        }
        for more in ["\"global_pool\": \"avg\"", "\"global_pool\": \"catavgmax\"", "\"model_args\": {\"act_layer\": \"relu\"}"] {
            assert!(!read(more).unwrap().unwrap().blur, "{more}");
        }
        assert!(read("\"model_args\": {\"aa_layer\": \"blurpool\"}").unwrap().unwrap().blur);
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        let of_255 = RA.replace("[0.485, 0.456, 0.406]", "[123.675, 116.28, 103.53]");
        let message = HubConfig::read(&of_255, &Config::densenet121()).err().unwrap().to_string();
        assert!(message.contains("config.json beside it: preprocessing mean: expected numbers in the range, 0 to 1"), "{message}");
    }
}
