//! `--preprocess FILE`: a preprocessing with the keys of the metadata.

use std::fs;

use densenet_wgpu::internal::suggestion;
use densenet_wgpu::preprocessing::{Preprocessing, Preset};

use crate::exit::Stop;

/// Names that resemble those of presets but are none: what they are.
const NOT_PRESETS: [(&str, &str); 4] = [
    ("chexpert", "CheXpert is a data set, whose pictures each of its networks prepares in its own way: that network's code says how"),
    ("imagenet", "ImageNet is a data set, whose pictures each framework prepares in its own way: torchvision, timm or keras"),
    ("pytorch", "torchvision prepares pictures for PyTorch's own networks"),
    ("svhn", "SVHN is a data set, whose pictures each of its networks prepares in its own way: that network's code says how"),
];

/// Reads the preprocessing in the file at `path`, without checking its numbers. Stops if it is none.
pub(crate) fn read(path: &str) -> Result<Preprocessing, Stop> {
    let wrong = |what: String| Stop::refused(format!("--preprocess {path}: {what}"));
    let text = fs::read_to_string(path).map_err(|error| {
        let known = Preset::names().collect::<Vec<_>>().join(", ");
        wrong(format!("expected {known} or a JSON file, found neither ({error}){}", meant(path)))
    })?;
    serde_json::from_str(&text).map_err(|error| {
        let expected = "expected a preprocessing, as `densenet inspect M --format json` shows it under the key preprocessing";
        wrong(format!("{expected}, found something else ({error})"))
    })
}

/// What was probably meant, for the end of a message.
fn meant(name: &str) -> String {
    match NOT_PRESETS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
        Some((_, what)) => format!("; {what}"),
        None => suggestion(name, Preset::names()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_set_is_not_taken_for_a_misspelt_preset() {
        assert!(meant("chexpert").contains("CheXpert is a data set") && !meant("chexpert").contains("did you mean"));
        assert_eq!(meant("chexnt"), "; did you mean chexnet?");
        assert_eq!(meant("torchvison"), "; did you mean torchvision?");
        for (name, _) in NOT_PRESETS {
            assert!(Preset::named(name).is_none(), "{name}");
        }
    }
}
