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

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::arch::Config;
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::weights::{Checkpoint, Dialect, Field, Preset, Reading};

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
/// # #[cfg(feature = "hub")]
/// # fn main() -> densenet_wgpu::Result<()> {
/// use densenet_wgpu::Checkpoint;
/// use densenet_wgpu::hub::Hub;
/// use densenet_wgpu::models;
///
/// let published = models::published("densenet121-res224-all").expect("it is published");
/// let path = Hub::from_env()?.fetch(&published.into(), &mut |_, _| {})?;
/// let mut model = Checkpoint::open(path)?;
/// let preprocessing = model.complete_description(Some(published.preset)).preprocessing;
/// assert_eq!(preprocessing.channels, 1);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "hub"))]
/// # fn main() {}
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

/// How pictures are prepared for a model that has a published one's name, as far as the name alone tells: `None` where the model
/// says it itself, and where its file is of another framework than the published one's. A file may have any name, so that this is
/// no more than likely, unless the file was fetched from where the model is published ([`Origin::repository`]).
///
/// [`Origin::repository`]: crate::checkpoint::Origin
///
/// ```
/// use densenet_wgpu::preprocessing::Preset;
/// use densenet_wgpu::{Checkpoint, Config, models};
///
/// let mut model = Checkpoint::init(Config::densenet121(), 1)?;
/// assert_eq!((model.name.as_str(), models::preset(&model)), ("densenet121", Some(Preset::Torchvision)));
/// model.preprocessing = Some(Preset::Chexnet.preprocessing(3)); // a model of one's own that has the name
/// assert_eq!(models::preset(&model), None);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
pub fn preset(model: &Checkpoint) -> Option<Preset> {
    let preset = published(&model.name)?.preset;
    let is_foreign =
        model.origin.as_ref().is_some_and(|origin| matches!(origin.dialect, Dialect::Chexnet | Dialect::Keras | Dialect::Monai));
    (model.preprocessing.is_none() && !is_foreign).then_some(preset)
}

/// The model of that name: a bundled one, else a published one or that of an `hf://` address, which the feature `hub` fetches
/// once, else the checkpoint in the file of that path. A file that has the name of a model needs `./` before it.
///
/// Errors where there is none, it cannot be fetched, or as [`Checkpoint::open`] does; [`Error::MissingFeature`] where it would be
/// fetched and the feature is not there.
///
/// ```
/// use std::path::Path;
/// use densenet_wgpu::{Error, models};
///
/// assert_eq!(models::open("digits")?, models::open(Path::new("models").join("digits.safetensors"))?);
/// let error = models::open("digit").unwrap_err();
/// assert!(matches!(&error, Error::NoSuchModel { suggestion: Some(near), .. } if near == "digits"));
/// # Ok::<(), Error>(())
/// ```
pub fn open(model: impl AsRef<OsStr>) -> Result<Checkpoint> {
    open_with(model, &mut |_, _| {})
}

/// [`open`], which tells `progress` of the bytes that have come and those that will, where the model is fetched.
pub fn open_with(model: impl AsRef<OsStr>, progress: &mut dyn FnMut(u64, u64)) -> Result<Checkpoint> {
    open_as(model, &Reading::default(), progress)
}

/// [`open_with`], the file read as `reading` says, a bundled model's too.
pub fn open_as(model: impl AsRef<OsStr>, reading: &Reading, progress: &mut dyn FnMut(u64, u64)) -> Result<Checkpoint> {
    // No model has a name that is not Unicode.
    let Some(name) = model.as_ref().to_str() else { return reading.open(Path::new(model.as_ref())) };
    if let Some((_, bytes)) = BUNDLED.iter().find(|(known, _)| *known == name) {
        return reading.from_bytes(bytes, name);
    }
    if published(name).is_some() || name.starts_with("hf://") {
        let mut model = reading.open(fetch(name, progress)?)?;
        if published(name).is_some_and(|published| published.preset == Preset::Torchvision) {
            model.forget_config();
        }
        model.name = name.to_owned();
        if let Some(published) = published(name).or_else(|| published_at(name)) {
            is_known(&mut model, published);
        }
        return Ok(model);
    }
    let path = Path::new(name);
    let spelled_as_path = path.extension().is_some() || path.components().count() > 1;
    match reading.open(path) {
        Err(Error::File { path, source }) if source.kind() == io::ErrorKind::NotFound && spelled_as_path => {
            let near = near_file(&path).map_or(String::new(), |near| format!("; did you mean {}?", near.display()));
            Err(Error::File { path, source: io::Error::new(source.kind(), format!("{source}{near}")) })
        }
        Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            if Config::named(name).is_some() {
                return Err(Error::NoWeights { name: name.to_owned() });
            }
            let known = names().chain(published_names());
            let near = nearest(name, known).map(str::to_owned).or_else(|| Some(near_file(path)?.display().to_string()));
            Err(Error::NoSuchModel { name: name.to_owned(), suggestion: near })
        }
        opened => opened,
    }
}

/// The published model that an `hf://` address is of: its repository, and its file where the address has one.
fn published_at(address: &str) -> Option<&'static Published> {
    let place = address.strip_prefix("hf://")?;
    let (owner, rest) = place.split_once('/')?;
    let (name, file) = rest.split_once('/').unwrap_or((rest, ""));
    let name = name.split('@').next()?;
    // Of two that share a file either will do: they have labels and activation in common.
    PUBLISHED.iter().find(|model| model.repository == format!("{owner}/{name}") && (file.is_empty() || file == model.file))
}

/// What is known of a model for it was published where it is from, unless its file says otherwise: its classes, and what turns its
/// logits into probabilities.
fn is_known(model: &mut Checkpoint, published: &Published) {
    let classes = model.config.num_classes.unwrap_or(0);
    if let Some(origin) = &mut model.origin {
        origin.repository = Some(published.repository.to_owned());
    }
    let Some(labels) = published.preset.published_labels(published.name, classes) else { return };
    model.settle(Field::Activation);
    if model.labels.is_none() {
        model.labels = Some(labels);
        model.settle(Field::Labels);
    }
}

#[cfg(feature = "hub")]
fn fetch(name: &str, progress: &mut dyn FnMut(u64, u64)) -> Result<PathBuf> {
    use crate::hub::{Hub, Remote};
    let remote = published(name).map_or_else(|| name.parse(), |model| Ok(Remote::from(model)))?;
    Hub::from_env()?.fetch(&remote, progress)
}

#[cfg(not(feature = "hub"))]
fn fetch(name: &str, _: &mut dyn FnMut(u64, u64)) -> Result<PathBuf> {
    let file = published(name).map_or(String::new(), |model| format!(", {} of {}", model.file, model.repository));
    Err(Error::MissingFeature { path: None, what: format!("{name} is on the Hugging Face hub{file}"), feature: "hub" })
}

/// Which file beside `path`, which does not exist, was probably meant.
fn near_file(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let entries = fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }).ok()?;
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    let name = path.file_name()?.to_string_lossy();
    nearest(&name, names.iter().map(String::as_str)).map(|near| folder.join(near))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundled_model_is_read_as_is_said() {
        let open = |root: &str| open_as("digits", &Reading::default().with_root(root), &mut |_, _| {});
        assert_eq!(open(".").unwrap().name, "digits");
        assert!(open("encoder").unwrap_err().to_string().contains("`root` encoder: expected a DenseNet there"));
    }

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

    #[cfg(not(feature = "hub"))]
    #[test]
    fn what_would_be_fetched_takes_a_feature() {
        for name in ["densenet121", "hf://owner/name"] {
            let error = open(name).unwrap_err();
            assert!(matches!(error, Error::MissingFeature { feature: "hub", .. }) && error.to_string().starts_with(name), "{error}");
        }
    }

    #[test]
    fn what_was_fetched_from_where_it_is_published_is_known() {
        let mut model = Checkpoint::init(Config::imagenet(4, &[1, 1], 4), 1).unwrap().with_name("densenet121");
        model.complete_description(None);
        is_known(&mut model, published("densenet121").unwrap());
        let fields: Vec<Field> = model.assumed.iter().map(|assumed| assumed.field).collect();
        assert_eq!((fields, model.legend().label(0)), (vec![Field::Preprocessing], "tench".into()));
        // Trained further it has other classes.
        let mut other = Checkpoint::init(Config::imagenet(4, &[1, 1], 4).with_classes(Some(7)), 1).unwrap();
        is_known(&mut other, published("densenet121").unwrap());
        assert_eq!(other.labels, None);
    }

    #[test]
    fn an_address_of_a_published_model_is_known() {
        let of = |address: &str| published_at(address).map(|model| model.repository);
        let repository = "timm/densenet121.ra_in1k";
        for address in [repository.to_owned(), format!("{repository}@main"), format!("{repository}@main/model.safetensors")] {
            assert_eq!(of(&format!("hf://{address}")), Some(repository), "{address}");
        }
        for other in ["hf://timm/densenet121", "hf://mine/densenet121.ra_in1k", "hf://timm/densenet121.ra_in1k/other.bin", repository] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn one_file_is_published_under_two_names() {
        let (torchvision, timm) = (published("densenet121").unwrap(), published("densenet121.tv_in1k").unwrap());
        assert_eq!((torchvision.repository, torchvision.file), (timm.repository, timm.file));
        assert_eq!((torchvision.preset, timm.preset), (Preset::Torchvision, Preset::Timm));
    }
}
