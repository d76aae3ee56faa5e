//! What a checkpoint says about itself: name, labels, and how a picture becomes its input.
//!
//! One JSON object under the key `densenet` of a safetensors file's `__metadata__`:
//!
//! ```
//! use densenet_wgpu::checkpoint::Metadata;
//! use densenet_wgpu::preprocessing::Preprocessing;
//!
//! let mut metadata = Metadata::default();
//! (metadata.name, metadata.preprocessing) = (Some("pets".into()), Some(Preprocessing::torchvision(3)));
//! assert_eq!(
//!     serde_json::to_string(&metadata).unwrap(),
//!     concat!(
//!         r#"{"name":"pets","preprocessing":{"activation":"softmax","channels":3,"crop":[224,224],"mean":[0.485,0.456,0.406],"#,
//!         r#""range":"zero_one","resize":{"filter":"bilinear","mode":"short_side","size":256},"std":[0.229,0.224,0.225]}}"#,
//!     )
//! );
//! ```

use serde::{Deserialize, Serialize};

use super::ModelCard;
use crate::error::{Error, Result};
use crate::weights::AssumedField;
use crate::weights::container::Contents;
use crate::weights::preprocessing::Preprocessing;
use crate::weights::read_options::StemDownsampling;

// Fields in alphabetical order: the JSON is sorted, so that the same checkpoint is the same bytes.

/// The `densenet` metadata of a checkpoint. Fields that a file lacks are `None`.
///
/// ```
/// use densenet_wgpu::checkpoint::Metadata;
///
/// let metadata: Metadata = serde_json::from_str(r#"{"labels":["cat","dog"],"epsilon":1e-3}"#)?;
/// assert_eq!((metadata.labels.expect("it has some")[1].as_str(), metadata.epsilon), ("dog", Some(1e-3)));
/// assert!(serde_json::from_str::<Metadata>(r#"{"lables":[]}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Metadata {
    /// What was assumed when the file was written: of the fields below, or of the preprocessing's activation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<AssumedField>,
    /// Whether a deep stem's pool blurs; timm's `densenetblur121d` does, and is assumed where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blur: Option<bool>,
    /// What the head was fitted to, and how good it was, where `fit` made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<ModelCard>,
    /// Batch norm's epsilon; PyTorch's `1e-5` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f32>,
    /// Whether a ReLU follows the last batch norm; it does where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_relu: Option<bool>,
    /// The classifier's layers, in the words of `--head-layers`, where it is more than one linear layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Vec<String>>,
    /// One label for each class, in the order of the logits; `""` for an output that was not trained and is not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// The model's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How a picture becomes the network's input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Preprocessing>,
    /// How the picture enters, where the stem is neither the paper's for ImageNet nor that for CIFAR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem: Option<StemDownsampling>,
    /// For each class the probability from which on it counts as found; `null` for an output that was not trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Vec<Option<f32>>>,
    /// Whether transitions have a ReLU; they do where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_relu: Option<bool>,
}

impl Metadata {
    /// What a file says about itself; nothing where it is not one of ours. Errors where that cannot be read.
    pub(super) fn of(contents: &Contents) -> Result<Self> {
        let Some(text) = &contents.description else { return Ok(Self::default()) };
        // A later version may have more keys, or the file is damaged.
        let damaged = |e| Error::checkpoint(format!("metadata `densenet`: {e}; convert its source again, or get the file again"));
        serde_json::from_str(text).map_err(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_models_description_is_read_and_written_back() {
        let text = concat!(
            r#"{"labels":["0","1"],"name":"digits","preprocessing":{"activation":"softmax","channels":3,"crop":null,"#,
            r#""mean":[0.3,0.3,0.3],"range":"zero_one","resize":{"filter":"bicubic","mode":"squash","size":[64,48]},"#,
            r#""std":[0.4,0.4,0.4]}}"#,
        );
        let metadata: Metadata = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&metadata).unwrap(), text);
        let preprocessing = metadata.preprocessing.unwrap();
        preprocessing.check().unwrap();
        assert_eq!(preprocessing.size(), Some([64, 48]));
    }

    #[test]
    fn what_is_unknown_or_contradicts_itself_is_refused() {
        let good = serde_json::to_string(&Metadata { preprocessing: Some(Preprocessing::torchvision(3)), ..Metadata::default() }).unwrap();
        for (from, to, complaint) in [
            ("\"mode\":\"short_side\"", "\"mode\":\"squash\"", "squash takes [height, width]"),
            ("\"size\":256", "\"size\":[256,256]", "short_side takes one number"),
            ("\"mode\":\"short_side\",\"size\":256", "\"mode\":\"long_side\",\"size\":[256,256]", "long_side takes one number"),
            ("\"mode\":\"short_side\"", "\"mode\":\"cover\"", "cover takes [height, width]"),
            ("\"mode\":\"short_side\",\"size\":256", "\"mode\":\"square\",\"size\":[256,256]", "square takes one number"),
            ("\"size\":256", "\"size\":\"256\"", "a whole number or [height, width]"),
            ("\"bilinear\"", "\"box\"", "unknown variant `box`"),
            ("\"filter\":\"bilinear\"", "\"antialias\":0,\"filter\":\"bilinear\"", "invalid type: integer `0`"),
            ("\"filter\":\"bilinear\"", "\"antialias\":false,\"filter\":\"lanczos\"", "not lanczos"),
            ("\"filter\":\"bilinear\"", "\"antialias\":true,\"filter\":\"area\"", "antialias true takes bilinear"),
            ("\"zero_one\"", "\"raw\"", "unknown variant `raw`"),
            ("\"channels\":3,", "\"channels\":3,\"gamma\":2,", "unknown field `gamma`"),
            ("\"channels\":3,", "", "missing field `channels`"),
            ("{\"pre", "{\"colour\":1,\"pre", "unknown field `colour`"),
        ] {
            assert!(good.contains(from), "{good} lacks {from}");
            let message = serde_json::from_str::<Metadata>(&good.replace(from, to)).unwrap_err().to_string();
            assert!(message.contains(complaint), "{message}");
        }
    }
}
