//! What is known about the pictures and classes of well-known models, for files that do not state it themselves.

use super::{Filter, Preprocessing, Range, Resize, ResizeMode, imagenet};
use crate::activation::Activation;
use crate::labels::{named, torchxrayvision};

/// How pictures are prepared for a family of models.
///
/// ```
/// use densenet_wgpu::preprocessing::Preset;
///
/// let preset = Preset::named("xrv").expect("it is one");
/// assert_eq!(preset.preprocessing(1).size(), Some([224, 224]));
/// assert!(preset.thresholds("densenet121-res224-all", 18).is_some());
/// assert!(Preset::names().all(|name| Preset::named(name).map(Preset::name) == Some(name)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// torchvision's transform of its ImageNet weights: shorter side to 256 (bilinear), 224x224 from the centre.
    Torchvision,
    /// timm's: the same with a bicubic filter.
    Timm,
    /// Keras's `load_img(target_size=(224, 224))`: the nearest pixels, whatever the aspect ratio; ImageNet's mean and
    /// standard deviation.
    Keras,
    /// torchxrayvision's: one channel from -1024 to 1024, the square in the centre to 224x224 (bilinear), a sigmoid with
    /// operating points.
    Xrv,
    /// The CheXNet reimplementations': torchvision's transform, a sigmoid for each of 14 findings.
    Chexnet,
    /// MONAI's `ScaleIntensity` and `Resize`: from the picture's darkest to its brightest, 224x224 (bilinear).
    Monai,
    /// CIFAR's 32x32 pictures, their mean and standard deviation.
    Cifar,
    /// OpenCV's `resize(picture, (224, 224))`, not antialiased, of red, green and blue; ImageNet's mean and standard deviation.
    OpenCv,
    /// TensorFlow's `image.resize(picture, (224, 224))`, not antialiased, as Keras's `image_dataset_from_directory` and `Resizing`
    /// call it; ImageNet's mean and standard deviation.
    TensorFlow,
    /// MONAI's `Resize` of tensors, not antialiased, and `ScaleIntensity`: 224x224 (bilinear), from the picture's darkest to its
    /// brightest.
    MonaiTensor,
}

impl Preset {
    /// Every preset with its name.
    const ALL: [(&str, Self); 10] = [
        ("torchvision", Self::Torchvision),
        ("timm", Self::Timm),
        ("keras", Self::Keras),
        ("xrv", Self::Xrv),
        ("chexnet", Self::Chexnet),
        ("monai", Self::Monai),
        ("cifar", Self::Cifar),
        ("opencv", Self::OpenCv),
        ("tensorflow", Self::TensorFlow),
        ("monai-tensor", Self::MonaiTensor),
    ];

    /// The preset of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, preset)| *preset)
    }

    /// Every name that [`Preset::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(name, _)| *name)
    }

    /// The preset's name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, preset)| *preset == self).map_or("", |(name, _)| name)
    }

    /// How pictures are prepared for a model of that many input channels.
    pub fn preprocessing(self, channels: usize) -> Preprocessing {
        let torchvision = Preprocessing::torchvision(channels);
        let squash = |filter, side| Some(Resize { filter, mode: ResizeMode::Squash([side, side]) });
        match self {
            Self::Torchvision => torchvision,
            Self::Timm => {
                Preprocessing { resize: Some(Resize { filter: Filter::Bicubic, mode: ResizeMode::ShortSide(256) }), ..torchvision }
            }
            Self::Keras => {
                let (mean, std) = imagenet(channels);
                Preprocessing { crop: None, mean, std, resize: squash(Filter::Nearest, 224), ..torchvision }
            }
            Self::OpenCv | Self::TensorFlow => Preprocessing { crop: None, resize: squash(Filter::Linear, 224), ..torchvision },
            Self::Xrv => Preprocessing {
                activation: Activation::Sigmoid,
                crop: None,
                mean: vec![0.0; channels],
                range: Range::MinusPlus1024,
                resize: Some(Resize { filter: Filter::Bilinear, mode: ResizeMode::Square(224) }),
                std: vec![1.0; channels],
                ..torchvision
            },
            Self::Chexnet => Preprocessing { activation: Activation::Sigmoid, ..torchvision },
            Self::Monai | Self::MonaiTensor => Preprocessing {
                crop: None,
                mean: vec![0.0; channels],
                range: Range::MinMax,
                resize: squash(if self == Self::Monai { Filter::Bilinear } else { Filter::Linear }, 224),
                std: vec![1.0; channels],
                ..torchvision
            },
            Self::Cifar => {
                // Of the training set; Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
                let (mean, std) = match channels {
                    3 => (vec![0.4914, 0.4822, 0.4465], vec![0.247, 0.2435, 0.2616]),
                    _ => imagenet(channels),
                };
                Preprocessing { crop: None, mean, std, resize: squash(Filter::Bilinear, 32), ..torchvision }
            }
        }
    }

    /// What the outputs of the published model of that name are called, of which there are `classes`; `""` for one that was not trained.
    pub(crate) fn published_labels(self, model: &str, classes: usize) -> Option<Vec<String>> {
        let labels = match self {
            Self::Torchvision | Self::Timm | Self::Keras | Self::TensorFlow => named("imagenet")?,
            Self::Xrv => torchxrayvision::labels(model),
            Self::Chexnet | Self::Monai | Self::MonaiTensor | Self::Cifar | Self::OpenCv => return None,
        };
        (labels.len() == classes).then_some(labels)
    }

    /// Describes a preprocessing: as a preset that does the same, if need be with another activation, else in full.
    pub(in crate::weights) fn nearest_words(preprocessing: &Preprocessing) -> String {
        let of = |preset: Self| preset.preprocessing(preprocessing.channels);
        let same = Self::ALL.iter().find(|(_, preset)| of(*preset) == *preprocessing);
        let alike = || Self::ALL.iter().find(|(_, preset)| of(*preset).with_activation(preprocessing.activation) == *preprocessing);
        same.or_else(alike).map_or_else(|| preprocessing.to_string(), |(name, _)| format!("the preset {name}"))
    }

    /// The operating points of a model of that name, `None` for an output that was not trained.
    pub fn thresholds(self, model: &str, classes: usize) -> Option<Vec<Option<f32>>> {
        let thresholds = torchxrayvision::operating_points(model).filter(|_| self == Self::Xrv)?;
        (thresholds.len() == classes).then_some(thresholds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_has_a_name_and_makes_sense() {
        for (name, preset) in Preset::ALL {
            assert_eq!(Preset::named(name), Some(preset));
            assert_eq!(preset.name(), name);
            for channels in [1, 3, 4] {
                preset.preprocessing(channels).check().unwrap();
            }
        }
        assert_eq!(Preset::named("none"), None);
    }

    #[test]
    fn published_models_have_labels_where_their_number_fits() {
        let imagenet = Preset::Torchvision.published_labels("any", 1000).unwrap();
        assert_eq!((imagenet[0].as_str(), imagenet[999].as_str()), ("tench", "toilet tissue"));
        assert_eq!(Preset::Torchvision.published_labels("any", 999), None);
        assert_eq!(Preset::Chexnet.published_labels("any", 14), None);
    }

    #[test]
    fn a_preset_is_known_by_what_it_does() {
        let monai = Preset::Monai.preprocessing(1).with_activation(Activation::Sigmoid);
        assert_eq!(Preset::nearest_words(&monai), "the preset monai");
        assert_eq!(Preset::nearest_words(&Preset::Chexnet.preprocessing(3)), "the preset chexnet");
        assert!(Preset::nearest_words(&monai.with_crop(Some([9, 9]))).starts_with("squashed to 224x224"));
    }

    #[test]
    fn operating_points_are_torchxrayvisions_alone() {
        assert!(Preset::Xrv.thresholds("densenet121-res224-all", 18).is_some());
        assert_eq!(Preset::Xrv.thresholds("densenet121-res224-all", 17), None);
        assert_eq!(Preset::Chexnet.thresholds("densenet121-res224-all", 18), None);
    }
}
