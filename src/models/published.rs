//! Models that others have published on the Hugging Face hub.

#[cfg(feature = "hub")]
use crate::hub::Remote;
use crate::weights::{AssumedField, Checkpoint, Dialect, Preset};

/// A trained model on the Hugging Face hub: the location of its file, and its preprocessing.
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
    /// Its name in [`published`].
    pub name: &'static str,
    /// Owner and repository.
    pub repository: &'static str,
    /// Branch, tag or commit.
    pub revision: &'static str,
    /// The checkpoint's path in the repository.
    pub file: &'static str,
    /// Its preprocessing, if the repository does not specify one; [`Preset::Torchvision`] takes precedence over the repository.
    pub preset: Preset,
}

impl Published {
    /// torchvision's weights in timm's repository, with torchvision's preprocessing.
    const fn torchvision(name: &'static str, repository: &'static str) -> Self {
        Self { name, repository, revision: "main", file: "model.safetensors", preset: Preset::Torchvision }
    }

    /// A timm model, with timm's preprocessing.
    const fn timm(name: &'static str, repository: &'static str) -> Self {
        Self { name, repository, revision: "main", file: "model.safetensors", preset: Preset::Timm }
    }

    /// A TorchXRayVision model: from chest X-rays to findings.
    const fn xrv(name: &'static str, repository: &'static str) -> Self {
        Self { name, repository, revision: "main", file: "model.pt", preset: Preset::Xrv }
    }
}

/// Some weights are listed twice: torchvision scales pictures bilinearly (top-1 of `densenet121` on ImageNet: 74.43 %), timm
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

/// The published model of that name; `None` if there is none. The feature `hub` fetches it.
pub fn published(name: &str) -> Option<&'static Published> {
    PUBLISHED.iter().find(|model| model.name == name)
}

/// Every name that [`published`] knows.
pub fn published_names() -> impl Iterator<Item = &'static str> {
    PUBLISHED.iter().map(|model| model.name)
}

/// The likely preprocessing of a model with the name of a published one; `None` if the model specifies its own, or if its file is from
/// another framework. A file may have any name, so this is a guess, unless the file was downloaded from the published repository
/// ([`Origin::repository`]).
///
/// [`Origin::repository`]: crate::checkpoint::Origin
///
/// ```
/// use densenet_wgpu::preprocessing::Preset;
/// use densenet_wgpu::{Checkpoint, Config, models};
///
/// let mut model = Checkpoint::init(Config::densenet121(), 1)?;
/// assert_eq!((model.name.as_str(), models::preset(&model)), ("densenet121", Some(Preset::Torchvision)));
/// model.preprocessing = Some(Preset::Chexnet.preprocessing(3)); // your own model with that name
/// assert_eq!(models::preset(&model), None);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
pub fn preset(model: &Checkpoint) -> Option<Preset> {
    let preset = published(&model.name)?.preset;
    let is_foreign =
        model.origin.as_ref().is_some_and(|origin| matches!(origin.dialect, Dialect::Chexnet | Dialect::Keras | Dialect::Monai));
    (model.preprocessing.is_none() && !is_foreign).then_some(preset)
}

/// The published model at an `hf://` address: with its repository, and its file if the address has one.
pub(super) fn published_at(address: &str) -> Option<&'static Published> {
    let place = address.strip_prefix("hf://")?;
    let (owner, rest) = place.split_once('/')?;
    let (name, file) = rest.split_once('/').unwrap_or((rest, ""));
    let name = name.split('@').next()?;
    // Two models may share a file; they also share labels and activation.
    PUBLISHED.iter().find(|model| model.repository == format!("{owner}/{name}") && (file.is_empty() || file == model.file))
}

/// Adds what is known about a published model, unless its file says otherwise: its repository, labels and activation.
pub(super) fn add_known(model: &mut Checkpoint, published: &Published) {
    let classes = model.config.num_classes.unwrap_or(0);
    if let Some(origin) = &mut model.origin {
        origin.repository = Some(published.repository.to_owned());
    }
    let Some(labels) = published.preset.published_labels(published.name, classes) else { return };
    model.mark_stated(AssumedField::Activation);
    if model.labels.is_none() {
        model.labels = Some(labels);
        model.mark_stated(AssumedField::Labels);
    }
}

#[cfg(feature = "hub")]
impl From<&Published> for Remote {
    fn from(model: &Published) -> Self {
        Self { repository: model.repository.to_owned(), revision: model.revision.to_owned(), file: Some(model.file.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Config;

    #[test]
    fn what_was_fetched_from_where_it_is_published_is_known() {
        let mut model = Checkpoint::init(Config::imagenet(4, &[1, 1], 4), 1).unwrap().with_name("densenet121");
        model.complete_description(None);
        add_known(&mut model, published("densenet121").unwrap());
        let fields: Vec<AssumedField> = model.assumed.iter().map(|assumed| assumed.field).collect();
        assert_eq!((fields, model.postprocessing().label(0)), (vec![AssumedField::Preprocessing], "tench".into()));
        // Trained further it has other classes.
        let mut other = Checkpoint::init(Config::imagenet(4, &[1, 1], 4).with_classes(Some(7)), 1).unwrap();
        add_known(&mut other, published("densenet121").unwrap());
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
