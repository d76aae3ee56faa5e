//! Models with names: those inside the library, so that something runs before anything is downloaded, and those that
//! others have published on the Hugging Face hub.
//!
//! ```
//! use densenet_wgpu::models;
//!
//! let model = models::bundled("digits").expect("it is bundled")?;
//! assert_eq!(model.config.num_classes, Some(10));
//! let published = models::published("densenet121").expect("it is published");
//! assert_eq!(published.repository, "timm/densenet121.tv_in1k");
//! assert!(models::names().chain(models::published_names()).all(|name| !name.contains('/')));
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

use crate::error::Result;
use crate::weights::{Checkpoint, Preset};

/// Names and safetensors files of the bundled models. `models/digits.md` is the card of `digits`.
const BUNDLED: [(&str, &[u8]); 1] = [("digits", include_bytes!("../models/digits.safetensors"))];

/// The bundled model of that name; `None` where there is none.
pub fn bundled(name: &str) -> Option<Result<Checkpoint>> {
    let (name, bytes) = BUNDLED.iter().find(|(known, _)| *known == name)?;
    Some(Checkpoint::from_bytes(bytes, name))
}

/// Every name that [`bundled`] knows.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUNDLED.iter().map(|(name, _)| *name)
}

/// A trained model on the Hugging Face hub: where its file lies, and how its pictures are prepared.
///
/// ```no_run
/// use densenet_wgpu::Checkpoint;
/// use densenet_wgpu::hub::Hub;
/// use densenet_wgpu::models;
///
/// let published = models::published("densenet121-res224-all").expect("it is published");
/// let path = Hub::from_env()?.fetch(&published.into(), &mut |_, _| {})?;
/// let mut model = Checkpoint::open(path)?;
/// let preprocessing = model.complete_description(Some(published.preset)).preprocessing;
/// assert_eq!(preprocessing.channels, 1);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// What [`published`] knows it by.
    pub name: &'static str,
    /// Owner and repository.
    pub repository: &'static str,
    /// Branch, tag or commit.
    pub revision: &'static str,
    /// The checkpoint's path inside the repository.
    pub file: &'static str,
    /// How its pictures are prepared, where the repository does not say it; torchvision's way even where it does.
    pub preset: Preset,
}

impl Published {
    /// torchvision's weights in timm's repository, with torchvision's preprocessing.
    const fn torchvision(name: &'static str, repository: &'static str) -> Self {
        Self { name, repository, revision: "main", file: "model.safetensors", preset: Preset::Torchvision }
    }

    /// A model of timm, with timm's preprocessing.
    const fn timm(name: &'static str, repository: &'static str) -> Self {
        Self { name, repository, revision: "main", file: "model.safetensors", preset: Preset::Timm }
    }

    /// A model of TorchXRayVision: pictures of a chest to findings.
    const fn xrv(name: &'static str, repository: &'static str) -> Self {
        Self { name, repository, revision: "main", file: "model.pt", preset: Preset::Xrv }
    }
}

/// The same weights twice: torchvision scales pictures bilinearly (top-1 of `densenet121` on ImageNet: 74.43 %), timm
/// bicubically (74.75 %).
const PUBLISHED: [Published; 17] = [
    Published::torchvision("densenet121", "timm/densenet121.tv_in1k"),
    Published::torchvision("densenet161", "timm/densenet161.tv_in1k"),
    Published::torchvision("densenet169", "timm/densenet169.tv_in1k"),
    Published::torchvision("densenet201", "timm/densenet201.tv_in1k"),
    Published::timm("densenet121.tv_in1k", "timm/densenet121.tv_in1k"),
    Published::timm("densenet161.tv_in1k", "timm/densenet161.tv_in1k"),
    Published::timm("densenet169.tv_in1k", "timm/densenet169.tv_in1k"),
    Published::timm("densenet201.tv_in1k", "timm/densenet201.tv_in1k"),
    Published::timm("densenet121.ra_in1k", "timm/densenet121.ra_in1k"),
    Published::timm("densenetblur121d.ra_in1k", "timm/densenetblur121d.ra_in1k"),
    Published::xrv("densenet121-res224-all", "torchxrayvision/densenet121-res224-all"),
    Published::xrv("densenet121-res224-nih", "torchxrayvision/densenet121-res224-nih"),
    Published::xrv("densenet121-res224-pc", "torchxrayvision/densenet121-res224-pc"),
    Published::xrv("densenet121-res224-chex", "torchxrayvision/densenet121-res224-chex"),
    Published::xrv("densenet121-res224-rsna", "torchxrayvision/densenet121-res224-rsna"),
    Published::xrv("densenet121-res224-mimic_nb", "torchxrayvision/densenet121-res224-mimic_nb"),
    Published::xrv("densenet121-res224-mimic_ch", "torchxrayvision/densenet121-res224-mimic_ch"),
];

/// The published model of that name; `None` where there is none. The feature `hub` fetches it.
pub fn published(name: &str) -> Option<&'static Published> {
    PUBLISHED.iter().find(|model| model.name == name)
}

/// Every name that [`published`] knows.
pub fn published_names() -> impl Iterator<Item = &'static str> {
    PUBLISHED.iter().map(|model| model.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_model_describes_itself() {
        for name in names() {
            let model = bundled(name).unwrap().unwrap();
            assert_eq!(model.name, name);
            assert!(model.labels.is_some() && model.preprocessing.is_some());
        }
        assert!(bundled("no such model").is_none());
    }

    #[test]
    fn a_name_means_one_model() {
        let all: Vec<&str> = names().chain(published_names()).collect();
        for name in &all {
            assert_eq!(all.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
        for name in published_names() {
            assert_eq!(published(name).unwrap().name, name);
        }
        assert!(published("no such model").is_none());
        assert!(published("digits").is_none());
    }

    #[test]
    fn one_file_is_published_under_two_names() {
        let (torchvision, timm) = (published("densenet121").unwrap(), published("densenet121.tv_in1k").unwrap());
        assert_eq!((torchvision.repository, torchvision.file), (timm.repository, timm.file));
        assert_eq!((torchvision.preset, timm.preset), (Preset::Torchvision, Preset::Timm));
    }
}
