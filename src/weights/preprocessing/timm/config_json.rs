//! `config.json` beside a model, as timm publishes it: how pictures are prepared, what the classes are called.
//!
//! Fields: timm's `timm/models/_hub.py` and `timm/data/config.py`.

use serde::Deserialize;

use super::model_arguments::ModelArguments;
use super::pretrained::Pretrained;
use crate::arch::Config;
use crate::error::{Error, Result};
use crate::labels::named;
use crate::weights::preprocessing::Preprocessing;

/// What a `config.json` of timm says.
pub(in crate::weights) struct ConfigJson {
    /// Architecture and tag, such as `densenet121.ra_in1k`.
    pub(in crate::weights) name: String,
    /// Whether the stem's pool blurs, where the architecture's name states it.
    pub(in crate::weights) blur: bool,
    /// How pictures are prepared.
    pub(in crate::weights) preprocessing: Preprocessing,
    /// Whether the model is one of ImageNet-1k, as its tag says: one class of a thousand.
    pub(in crate::weights) is_imagenet: bool,
    /// One label for each class.
    pub(in crate::weights) labels: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Written {
    architecture: String,
    pretrained_cfg: Pretrained,
    label_names: Option<Vec<String>>,
    global_pool: Option<String>,
    #[serde(default)]
    model_args: ModelArguments,
}

impl ConfigJson {
    /// Reads the text of a file for a network of that configuration; `None` where it describes another one, or is not
    /// timm's. Errors where its numbers make no sense.
    pub(in crate::weights) fn read(text: &str, config: &Config) -> Result<Option<Self>> {
        let Ok(Written { architecture, pretrained_cfg: own, label_names, global_pool, model_args }) = serde_json::from_str(text) else {
            return Ok(None);
        };
        let Some(preprocessing) = own.preprocessing() else { return Ok(None) };
        if !architecture.contains("densenet") || preprocessing.channels != config.in_channels {
            return Ok(None);
        }
        preprocessing.check().map_err(|error| Error::checkpoint(format!("config.json beside it: {error}; correct or remove it")))?;
        model_args.check(global_pool.as_deref(), "config.json beside it (remove it if it is another network's)")?;
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
    use crate::weights::{Filter, Resize, ResizeMode};

    const RA: &str = r#"{"architecture": "densenet121", "num_classes": 1000, "pretrained_cfg": {"tag": "ra_in1k",
        "input_size": [3, 224, 224], "test_input_size": [3, 288, 288], "interpolation": "bicubic", "crop_pct": 0.875,
        "test_crop_pct": 0.95, "crop_mode": "center", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}"#;

    #[test]
    fn the_size_of_the_test_counts() {
        let config = ConfigJson::read(RA, &Config::densenet121()).unwrap().unwrap();
        assert_eq!(config.name, "densenet121.ra_in1k");
        assert!(!config.blur && config.is_imagenet && config.labels.unwrap()[999] == "toilet tissue");
        let of_seven = Config::densenet121().with_classes(Some(7));
        let config = ConfigJson::read(RA, &of_seven).unwrap().unwrap();
        assert!(!config.is_imagenet && config.labels.is_none(), "trained further");
        assert_eq!(config.preprocessing.crop, Some([288, 288]));
        let resize = Resize { filter: Filter::Bicubic, mode: ResizeMode::ShortSide(303) };
        assert_eq!(config.preprocessing.resize, Some(resize), "floor(288 / 0.95), as timm computes it");
    }

    #[test]
    fn a_size_that_is_no_square_is_covered_or_squashed() {
        let mode = |text: &str| ConfigJson::read(text, &Config::densenet121()).unwrap().unwrap().preprocessing.resize.unwrap().mode;
        let oblong = RA.replace("288, 288", "288, 160");
        assert_eq!(mode(&oblong), ResizeMode::Cover([303, 168]));
        assert_eq!(mode(&oblong.replace("center", "squash")), ResizeMode::Squash([303, 168]));
        assert!(ConfigJson::read(&oblong.replace("center", "border"), &Config::densenet121()).unwrap().is_none());
    }

    #[test]
    fn another_models_file_is_none() {
        assert!(ConfigJson::read(RA, &Config { in_channels: 1, ..Config::densenet121() }).unwrap().is_none());
        assert!(ConfigJson::read(&RA.replace("densenet121", "resnet50"), &Config::densenet121()).unwrap().is_none());
        assert!(ConfigJson::read(r#"{"model_type": "bert"}"#, &Config::densenet121()).unwrap().is_none());
        assert!(ConfigJson::read("[", &Config::densenet121()).unwrap().is_none());
    }

    #[test]
    fn what_weights_do_not_tell_is_refused_or_believed() {
        let read = |more: &str| ConfigJson::read(&RA.replacen('{', &format!("{{{more},"), 1), &Config::densenet121());
        for (more, found) in [
            ("\"global_pool\": \"max\"", "the pool \"max\""),
            ("\"model_args\": {\"global_pool\": \"avgmax\"}", "the pool \"avgmax\""),
            ("\"model_args\": {\"act_layer\": \"silu\"}", "the activation \"silu\""),
        ] {
            let message = read(more).err().unwrap().to_string();
            assert!(message.contains(found) && message.contains("remove it"), "{message}");
        }
        for more in ["\"global_pool\": \"avg\"", "\"global_pool\": \"catavgmax\"", "\"model_args\": {\"act_layer\": \"relu\"}"] {
            assert!(!read(more).unwrap().unwrap().blur, "{more}");
        }
        assert!(read("\"model_args\": {\"aa_layer\": \"blurpool\"}").unwrap().unwrap().blur);
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        let of_255 = RA.replace("[0.485, 0.456, 0.406]", "[123.675, 116.28, 103.53]");
        let message = ConfigJson::read(&of_255, &Config::densenet121()).err().unwrap().to_string();
        assert!(message.contains("config.json beside it: preprocessing mean: expected numbers in the range, 0 to 1"), "{message}");
    }
}
