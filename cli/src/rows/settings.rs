//! A fingerprint of what determines an answer besides the tensors and the picture, to distinguish rows of different commands.

use std::fmt;

use densenet_wgpu::image::SampleRange;
use densenet_wgpu::internal::sha256;
use densenet_wgpu::labels::Averaging;
use densenet_wgpu::preprocessing::Preprocessing;
use densenet_wgpu::{Checkpoint, ClassifierOptions};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::exit::Stop;

/// Hexadecimal digits of a part: 32 bits, enough to avoid accidental collisions.
const DIGITS: usize = 8;

/// Fingerprints of how the network computes besides its tensors, how pictures are prepared, and what the outputs mean: three, so that
/// a message can say what differs. They depend on values, not on their source: a flag that repeats what the file says changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings(pub(super) [String; 3]);

/// What each part covers, and the flags that determine it.
const PARTS: [(&str, &str); 3] = [
    ("the network", "--epsilon, --no-final-relu, --no-blur, --stem, --head-layers"),
    ("how pictures are prepared", "--preprocess, --resize, --size, --range, --voi-lut, --exif, --ten-crop, --flip, --average"),
    ("what its outputs mean", "--activation, --labels, --preprocess"),
];

impl Settings {
    /// The settings of a model with a complete description, this preprocessing and these options.
    pub(crate) fn of(model: &Checkpoint, preprocessing: &Preprocessing, options: &ClassifierOptions) -> Result<Self, Stop> {
        let mut network = object(model.metadata())?;
        let mut pictures = object(preprocessing)?;
        let mut outputs = Map::new();
        outputs.extend(pictures.remove_entry("activation"));
        outputs.extend(["labels", "thresholds"].into_iter().filter_map(|key| network.remove_entry(key)));
        network.retain(|key, _| !["assumed", "name", "preprocessing"].contains(&key.as_str()));
        // Flags that are not given have no key, so that a flag of a later version does not change old fingerprints.
        let decoding = &options.decoding;
        let range = match decoding.sample_range {
            SampleRange::Whole => None,
            SampleRange::Between { least, most } => Some(json!([least, most])),
            _ => Some(json!("auto")),
        };
        pictures.extend(range.map(|range| ("samples".to_owned(), range)));
        let is_mean_logit = options.averaging == Averaging::Logits && (options.ten_crops || options.mirror_images);
        for (key, is_asked) in [
            ("upright", options.upright),
            ("ten_crops", options.ten_crops),
            ("mirror_images", options.mirror_images),
            ("mean_logits", is_mean_logit),
            ("voi_lut", decoding.voi_lut),
        ] {
            pictures.extend(is_asked.then(|| (key.to_owned(), Value::Bool(true))));
        }
        Ok(Self([network, pictures, outputs].map(|part| {
            let mut digits = sha256(Value::Object(part).to_string().as_bytes());
            digits.truncate(DIGITS);
            digits
        })))
    }

    /// What differs in rows with these `written` settings, and the flags that determine it; `None` if nothing does.
    pub(crate) fn differ_from(&self, written: &str) -> Option<String> {
        if *written == self.to_string() {
            return None;
        }
        let others: Vec<&str> = written.split('-').collect();
        let differing = (0..PARTS.len()).filter(|&part| others.get(part) != Some(&self.0[part].as_str()));
        Some(differing.map(|part| format!("{} ({})", PARTS[part].0, PARTS[part].1)).collect::<Vec<_>>().join(", "))
    }
}

/// As written in rows.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("-"))
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The keys of `value`, sorted.
fn object(value: impl Serialize) -> Result<Map<String, Value>, Stop> {
    match serde_json::to_value(value).map_err(Stop::failed)? {
        Value::Object(keys) => Ok(keys),
        other => Err(Stop::failed(format!("expected a description with keys, found {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use densenet_wgpu::image::Decoding;
    use densenet_wgpu::models;
    use densenet_wgpu::preprocessing::Activation;

    fn digits() -> Checkpoint {
        models::bundled("digits").unwrap().unwrap()
    }

    fn of(model: &Checkpoint, options: ClassifierOptions) -> Settings {
        Settings::of(model, model.preprocessing.as_ref().unwrap(), &options).unwrap()
    }

    #[test]
    fn each_part_is_what_its_flags_decide() {
        let own = of(&digits(), ClassifierOptions::default());
        assert_eq!(own, of(&digits().with_name("another"), ClassifierOptions::default().with_batch(2)));
        assert_eq!(own.differ_from(&own.to_string()), None);
        let range = |least, most| Decoding::default().with_sample_range(SampleRange::Between { least, most });
        let preprocessing = digits().preprocessing.unwrap();
        let mut without = digits();
        without.config.final_relu = false;
        let mut epsilon = digits();
        epsilon.config.epsilon = 1e-3;
        let labels = vec![String::new(); 10];
        let all = [
            (0, of(&without, ClassifierOptions::default())),
            (0, of(&epsilon, ClassifierOptions::default())),
            (1, of(&digits().with_preprocessing(preprocessing.clone().with_crop(Some([9, 9]))), ClassifierOptions::default())),
            (1, of(&digits(), ClassifierOptions::default().with_ten_crops(true))),
            (1, of(&digits(), ClassifierOptions::default().with_mirror_images(true))),
            (1, of(&digits(), ClassifierOptions::default().with_mirror_images(true).with_averaging(Averaging::Logits))),
            (1, of(&digits(), ClassifierOptions::default().with_upright(true))),
            (1, of(&digits(), ClassifierOptions::default().with_decoding(Decoding::default().with_voi_lut(true)))),
            (1, of(&digits(), ClassifierOptions::default().with_decoding(Decoding::default().with_sample_range(SampleRange::Own)))),
            (1, of(&digits(), ClassifierOptions::default().with_decoding(range(0, 4095)))),
            (1, of(&digits(), ClassifierOptions::default().with_decoding(range(0, 1023)))),
            (2, of(&digits().with_preprocessing(preprocessing.with_activation(Activation::Sigmoid)), ClassifierOptions::default())),
            (2, of(&digits().with_labels(labels), ClassifierOptions::default())),
        ];
        for (index, (part, other)) in all.iter().enumerate() {
            assert_eq!(own.differ_from(&other.to_string()), Some(format!("{} ({})", PARTS[*part].0, PARTS[*part].1)));
            assert!(all[..index].iter().all(|(_, before)| before != other));
        }
        assert!(own.differ_from("").is_some_and(|all| PARTS.iter().all(|(part, _)| all.contains(part))));
    }
}
