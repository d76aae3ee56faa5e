//! The arguments of timm's `train.py`, which its checkpoints hold: how pictures are prepared, and what loss was minimised.
//!
//! Fields: timm's `train.py` and `resolve_data_config` in `timm/data/config.py`.

use serde::Deserialize;
use serde_json::Value;

use super::model_arguments::ModelArguments;
use super::pretrained::Pretrained;
use crate::activation::Activation;
use crate::arch::Config;
use crate::error::Result;
use crate::weights::preprocessing::{Preprocessing, imagenet};

/// What the arguments say.
pub(in crate::weights) struct TrainArguments {
    /// How pictures are prepared for evaluation.
    pub(in crate::weights) preprocessing: Preprocessing,
}

/// What every `train.py` of timm's writes; `None` is the default.
#[derive(Deserialize)]
struct Written {
    model: String,
    #[serde(deserialize_with = "Option::deserialize")]
    img_size: Option<usize>,
    input_size: Option<[usize; 3]>,
    #[serde(deserialize_with = "Option::deserialize")]
    crop_pct: Option<f64>,
    crop_mode: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    interpolation: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    mean: Option<Vec<f32>>,
    #[serde(deserialize_with = "Option::deserialize")]
    std: Option<Vec<f32>>,
    #[serde(default)]
    bce_loss: bool,
    gp: Option<String>,
    #[serde(default)]
    model_kwargs: ModelArguments,
}

impl TrainArguments {
    /// Reads arguments for a network of that configuration; `None` where they are another program's, or another network's. Errors
    /// where they are those of a network that is not run.
    pub(in crate::weights) fn read(arguments: &Value, config: &Config) -> Result<Option<Self>> {
        let Ok(own) = Written::deserialize(arguments) else { return Ok(None) };
        let side = own.img_size.unwrap_or(224);
        let input_size = own.input_size.unwrap_or([config.in_channels, side, side]);
        if !own.model.contains("densenet") || input_size[0] != config.in_channels {
            return Ok(None);
        }
        own.model_kwargs.check(own.gp.as_deref(), "the arguments it was trained with")?;
        // One number stands for all channels.
        let spread = |numbers: Vec<f32>| if numbers.len() == 1 { numbers.repeat(config.in_channels) } else { numbers };
        let (mean, std) = imagenet(config.in_channels);
        let as_published = Pretrained {
            input_size,
            interpolation: own.interpolation,
            crop_pct: own.crop_pct,
            crop_mode: own.crop_mode,
            mean: own.mean.map_or(mean, spread),
            std: own.std.map_or(std, spread),
            ..Pretrained::default()
        };
        // All other losses of timm's compare with one class.
        let activation = if own.bce_loss { Activation::Sigmoid } else { Activation::Softmax };
        let preprocessing = as_published.preprocessing().filter(|preprocessing| preprocessing.check().is_ok());
        Ok(preprocessing.map(|preprocessing| Self { preprocessing: preprocessing.with_activation(activation) }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::weights::{Filter, Resize, ResizeMode};

    #[test]
    fn what_was_not_given_is_timms_default() {
        let plain = json!({"model": "densenet121", "img_size": null, "input_size": null, "crop_pct": null, "interpolation": "",
            "mean": null, "std": null, "lr": 0.1});
        let config = Config::densenet121().with_classes(Some(5));
        let read = |arguments: &Value| TrainArguments::read(arguments, &config).unwrap().map(|read| read.preprocessing);
        let preprocessing = read(&plain).unwrap();
        assert_eq!((preprocessing.crop, preprocessing.activation), (Some([224, 224]), Activation::Softmax));
        assert_eq!(preprocessing.resize, Some(Resize { filter: Filter::Bicubic, mode: ResizeMode::ShortSide(256) }));

        let mut own = plain.clone();
        for (key, value) in [
            ("img_size", json!(160)),
            ("crop_pct", json!(0.8)),
            ("interpolation", json!("bilinear")),
            ("mean", json!([0.5])),
            ("bce_loss", json!(true)),
        ] {
            own[key] = value;
        }
        let preprocessing = read(&own).unwrap();
        assert_eq!((preprocessing.crop, preprocessing.activation), (Some([160, 160]), Activation::Sigmoid));
        assert_eq!((preprocessing.mean.as_slice(), preprocessing.std[0]), (&[0.5; 3][..], 0.229));
        assert_eq!(preprocessing.resize, Some(Resize { filter: Filter::Bilinear, mode: ResizeMode::ShortSide(200) }));

        for (key, value) in [("gp", json!("max")), ("model_kwargs", json!({"act_layer": "silu"}))] {
            let mut other = own.clone();
            other[key] = value;
            let message = TrainArguments::read(&other, &config).err().unwrap().to_string();
            assert!(message.contains("the arguments it was trained with: expected a network with ReLUs"), "{message}");
        }

        own["model"] = json!("resnet50");
        assert!(read(&own).is_none());
        assert!(read(&json!({"model": "densenet121", "mean": null})).is_none(), "another program's");
    }
}
