//! Which description of how pictures are prepared wins: the first of these that there is.
//!
//! 1. The caller's own preprocessing.
//! 2. The caller's preset.
//! 3. The preset of the published model, where the file was fetched from where that is published.
//! 4. The file's own metadata.
//! 5. timm's `config.json` beside the file.
//! 6. torchvision's transform, where the file's SHA-256 proves that torchvision publishes it.
//! 7. The arguments of timm's `train.py` in the file.
//! 8. The preset of the published model that has this one's name: assumed.
//! 9. The preset that is likely for the dialect and the architecture: assumed.
//!
//! The caller's activation replaces that of any. What the network itself does, its last activation and a module that normalises
//! pictures, replaces that of 2 and 3 and of 5 to 9.

use super::{Preprocessing, Preset, Range};
use crate::activation::Activation;
use crate::arch::Config;
use crate::weights::{Dialect, Origin};

/// [`Origin::described_by`] of the file's own metadata.
const METADATA: &str = "the file itself";

/// [`Origin::described_by`] where a file of timm's says it.
pub(in crate::weights) const CONFIG_JSON: &str = "config.json beside it";

/// [`Origin::described_by`] where the arguments of timm's `train.py` say it.
const ARGUMENTS: &str = "the arguments it was trained with";

/// [`Origin::described_by`] of a file that torchvision downloads.
pub(in crate::weights) const TORCHVISION: &str = "its SHA-256, which is torchvision's";

/// What the caller says, and what is known of a published model of that name: 1 to 3, and 8.
#[derive(Default)]
pub(crate) struct Stated<'a> {
    /// How pictures are prepared.
    pub(crate) preprocessing: Option<&'a Preprocessing>,
    /// The same by a preset.
    pub(crate) preset: Option<Preset>,
    /// What turns logits into probabilities.
    pub(crate) activation: Option<Activation>,
    /// The preset of the published model that has this one's name.
    pub(crate) published: Option<Preset>,
}

/// What a file, and what lies beside it, says: 4 to 7.
pub(in crate::weights) struct OfFile {
    pub(in crate::weights) metadata: Option<Preprocessing>,
    pub(in crate::weights) config_json: Option<Preprocessing>,
    pub(in crate::weights) torchvision: Option<Preprocessing>,
    pub(in crate::weights) arguments: Option<Preprocessing>,
}

impl OfFile {
    /// The one that wins, and [`Origin::described_by`].
    pub(in crate::weights) fn merge(self, origin: &Origin) -> Option<(Preprocessing, &'static str)> {
        let outside = [(self.config_json, CONFIG_JSON), (self.torchvision, TORCHVISION), (self.arguments, ARGUMENTS)];
        let outside = outside.into_iter().find_map(|(found, by)| Some((as_network_does(found?, Some(origin)), by)));
        self.metadata.map(|found| (found, METADATA)).or(outside)
    }
}

/// Who describes how pictures are prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::weights) enum Source {
    /// The caller, or where the file was fetched from: 1 to 3.
    Stated,
    /// The file, or what lies beside it: 4 to 7.
    File,
    /// Nobody: 8 and 9.
    Assumed,
}

/// The description that won.
pub(in crate::weights) struct Merged {
    pub(in crate::weights) preprocessing: Preprocessing,
    pub(in crate::weights) source: Source,
    /// The preset that it is of, where it is one's.
    pub(in crate::weights) preset: Option<Preset>,
    /// The preset of the model's family, also where another description won.
    pub(in crate::weights) family: Preset,
}

/// How pictures are prepared for a network of that origin and architecture, of which its file says `of_file`.
pub(in crate::weights) fn merge(stated: &Stated, of_file: Option<Preprocessing>, origin: Option<&Origin>, config: &Config) -> Merged {
    let likely = likely(origin.map(|origin| origin.dialect), config);
    let is_fetched = origin.is_some_and(|origin| origin.repository.is_some());
    let preset = stated.preset.or(stated.published.filter(|_| is_fetched));
    let of_preset = |preset: Preset| as_network_does(preset.preprocessing(config.in_channels), origin);
    let assumed = stated.published.unwrap_or(likely);
    let merged = match (stated.preprocessing, preset, of_file) {
        (Some(own), _, _) => Merged { preprocessing: own.clone(), source: Source::Stated, preset: None, family: likely },
        (None, Some(preset), _) => {
            Merged { preprocessing: of_preset(preset), source: Source::Stated, preset: Some(preset), family: preset }
        }
        (None, None, Some(of_file)) => Merged { preprocessing: of_file, source: Source::File, preset: None, family: assumed },
        (None, None, None) => Merged { preprocessing: of_preset(assumed), source: Source::Assumed, preset: Some(assumed), family: assumed },
    };
    let activation = stated.activation.unwrap_or(merged.preprocessing.activation);
    Merged { preprocessing: merged.preprocessing.with_activation(activation), ..merged }
}

/// The same with what the network does itself: its last activation, and mean and standard deviation of a module that normalises pictures.
fn as_network_does(preprocessing: Preprocessing, origin: Option<&Origin>) -> Preprocessing {
    let Some(origin) = origin else { return preprocessing };
    let activation = origin.activation.unwrap_or(preprocessing.activation);
    let preprocessing = preprocessing.with_activation(activation);
    match origin.normalisation.clone() {
        // It is of pictures from 0 to 1.
        Some([mean, std]) if preprocessing.range != Range::MinusPlus1024 => preprocessing.with_normalisation(mean, std),
        _ => preprocessing,
    }
}

/// The preset that is likely for a network of that dialect and architecture.
fn likely(dialect: Option<Dialect>, config: &Config) -> Preset {
    match dialect {
        Some(Dialect::Keras) => Preset::Keras,
        Some(Dialect::Torchxrayvision) => Preset::Xrv,
        Some(Dialect::Chexnet) => Preset::Chexnet,
        Some(Dialect::Monai) => Preset::Monai,
        Some(Dialect::Timm) => Preset::Timm,
        _ if config.stem.keeps_size() => Preset::Cifar,
        _ if config.in_channels == 1 && config.num_classes == Some(18) => Preset::Xrv,
        _ => Preset::Torchvision,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        crate::models::bundled("digits").unwrap().unwrap().origin.unwrap()
    }

    /// What names the source of a description: its crop.
    fn of(side: usize) -> Option<Preprocessing> {
        Some(Preprocessing::torchvision(3).with_crop(Some([side, side])))
    }

    #[test]
    fn the_first_description_of_a_file_wins() {
        let by = |metadata, config_json, torchvision, arguments| {
            let merged = OfFile { metadata, config_json, torchvision, arguments }.merge(&origin());
            merged.map(|(preprocessing, by)| (preprocessing.crop.unwrap()[0], by))
        };
        assert_eq!(by(of(1), of(2), of(3), of(4)), Some((1, METADATA)));
        assert_eq!(by(None, of(2), of(3), of(4)), Some((2, CONFIG_JSON)));
        assert_eq!(by(None, None, of(3), of(4)), Some((3, TORCHVISION)));
        assert_eq!(by(None, None, None, of(4)), Some((4, ARGUMENTS)));
        assert_eq!(by(None, None, None, None), None);
    }

    #[test]
    fn the_caller_comes_before_the_model_and_the_model_before_what_is_likely() {
        let config = Config::densenet121();
        let mut fetched = origin();
        fetched.repository = Some("owner/name".into());
        let own = of(1).unwrap();
        let stated = |preprocessing, preset, published| Stated { preprocessing, preset, activation: None, published };
        let (caller, preset, published) = (Some(&own), Some(Preset::Cifar), Some(Preset::Timm));
        for (stated, of_file, origin, source, expected) in [
            (stated(caller, preset, published), of(2), &fetched, Source::Stated, own.clone()),
            (stated(None, preset, published), of(2), &fetched, Source::Stated, Preset::Cifar.preprocessing(3)),
            (stated(None, None, published), of(2), &fetched, Source::Stated, Preset::Timm.preprocessing(3)),
            (stated(None, None, published), of(2), &origin(), Source::File, of(2).unwrap()),
            (stated(None, None, published), None, &origin(), Source::Assumed, Preset::Timm.preprocessing(3)),
            (stated(None, None, None), None, &origin(), Source::Assumed, Preset::Torchvision.preprocessing(3)),
        ] {
            let merged = merge(&stated, of_file, Some(origin), &config);
            assert!(merged.source == source && merged.preprocessing == expected, "{}", merged.preprocessing);
        }
    }

    #[test]
    fn what_the_network_does_itself_replaces_what_others_say() {
        let mut origin = origin();
        (origin.activation, origin.normalisation) = (Some(Activation::Sigmoid), Some([vec![0.4; 3], vec![0.2; 3]]));
        let config = Config::densenet121();
        let of_preset = merge(&Stated::default(), None, Some(&origin), &config).preprocessing;
        assert_eq!((of_preset.activation, of_preset.mean[0], of_preset.std[0]), (Activation::Sigmoid, 0.4, 0.2));
        let of_file = merge(&Stated::default(), of(2), Some(&origin), &config).preprocessing;
        assert_eq!(of_file, of(2).unwrap());
        let stated = Stated { activation: Some(Activation::None), ..Stated::default() };
        assert_eq!(merge(&stated, of(2), Some(&origin), &config).preprocessing.activation, Activation::None);
    }
}
