//! `--preprocess FILE`: a preprocessing in the words of the metadata.

use std::fs;

use densenet_wgpu::internal::suggestion;
use densenet_wgpu::preprocessing::{Preprocessing, Preset, ResizeMode};
use densenet_wgpu::{Config, Error};

use super::exit::Stop;

/// Names that people give and that are no preset's, although one of a preset is near: what they are.
const NO_PRESETS: [(&str, &str); 4] = [
    ("chexpert", "CheXpert is a data set, whose pictures each of its networks prepares in its own way: that network's code says how"),
    ("imagenet", "ImageNet is a data set, whose pictures each framework prepares in its own way: torchvision, timm or keras"),
    ("pytorch", "torchvision prepares pictures for PyTorch's own networks"),
    ("svhn", "SVHN is a data set, whose pictures each of its networks prepares in its own way: that network's code says how"),
];

/// Reads the preprocessing in the file at `path` for a network of this architecture. Stops where it is none, or where its numbers
/// contradict each other or the network: the message names the file and the field.
pub(crate) fn read(path: &str, config: &Config) -> Result<Preprocessing, Stop> {
    let wrong = |what: String| Stop::refused(format!("--preprocess {path}: {what}"));
    let text = fs::read_to_string(path).map_err(|error| {
        let known = Preset::names().collect::<Vec<_>>().join(", ");
        wrong(format!("expected {known} or a JSON file, found neither ({error}){}", meant(path)))
    })?;
    let preprocessing: Preprocessing = serde_json::from_str(&text).map_err(|error| {
        wrong(format!("expected a preprocessing, as `densenet inspect M --format json` shows one, found something else ({error})"))
    })?;
    preprocessing.check().map_err(|error| match error {
        Error::Checkpoint { reason, .. } => wrong(reason),
        error => wrong(error.to_string()),
    })?;
    let (channels, expected) = (preprocessing.channels, config.in_channels);
    if channels != expected {
        return Err(wrong(format!("preprocessing channels: expected {expected}, which the model's first layer takes, found {channels}")));
    }
    match beyond(&preprocessing) {
        Some(what) => Err(wrong(format!("preprocessing crop: {what}; make the crop smaller, or the resize larger"))),
        None => Ok(preprocessing),
    }
}

/// What was probably meant, for the end of a message.
fn meant(name: &str) -> String {
    match NO_PRESETS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
        Some((_, what)) => format!("; {what}"),
        None => suggestion(name, Preset::names()),
    }
}

/// What is wrong where a crop has more pixels than any picture that was resized so: they would all be zeros.
fn beyond(preprocessing: &Preprocessing) -> Option<String> {
    let [height, width] = preprocessing.crop?;
    let (sides, is_larger) = match preprocessing.resize?.mode {
        ResizeMode::ShortSide(side) => ([side; 2], height.min(width) > side),
        ResizeMode::LongSide(side) | ResizeMode::Square(side) => ([side; 2], height.max(width) > side),
        ResizeMode::Cover(sides) => (sides, height > sides[0] && width > sides[1]),
        ResizeMode::Squash(sides) => (sides, height > sides[0] || width > sides[1]),
        _ => return None,
    };
    let [most_height, most_width] = sides;
    is_larger.then(|| format!("expected a part of the picture, which is resized to {most_height}x{most_width}, found {height}x{width}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use densenet_wgpu::preprocessing::{Filter, Resize};

    #[test]
    fn a_crop_is_a_part_of_what_was_resized() {
        let with = |mode, crop| {
            let resize = Some(Resize { filter: Filter::Bilinear, mode });
            beyond(&Preprocessing::torchvision(3).with_resize(resize).with_crop(Some(crop)))
        };
        for (mode, crop, is_well) in [
            (ResizeMode::ShortSide(256), [256, 256], true),
            (ResizeMode::ShortSide(256), [320, 256], true),
            (ResizeMode::ShortSide(200), [224, 224], false),
            (ResizeMode::LongSide(224), [224, 224], true),
            (ResizeMode::LongSide(224), [225, 224], false),
            (ResizeMode::Square(224), [224, 225], false),
            (ResizeMode::Cover([224, 224]), [224, 224], true),
            (ResizeMode::Cover([224, 224]), [256, 256], false),
            (ResizeMode::Squash([64, 48]), [64, 48], true),
            (ResizeMode::Squash([64, 48]), [64, 49], false),
        ] {
            assert_eq!(with(mode, crop).is_none(), is_well, "{mode:?} {crop:?}");
        }
        assert_eq!(beyond(&Preprocessing::torchvision(3).with_resize(None)), None);
        assert_eq!(beyond(&Preprocessing::torchvision(3).with_crop(None)), None);
    }

    #[test]
    fn a_data_set_is_not_taken_for_a_misspelt_preset() {
        assert!(meant("chexpert").contains("CheXpert is a data set") && !meant("chexpert").contains("did you mean"));
        assert_eq!(meant("chexnt"), "; did you mean chexnet?");
        assert_eq!(meant("torchvison"), "; did you mean torchvision?");
        for (name, _) in NO_PRESETS {
            assert!(Preset::named(name).is_none(), "{name}");
        }
    }
}
