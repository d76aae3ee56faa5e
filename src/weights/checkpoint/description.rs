//! What a checkpoint's file does not say about its pictures and classes: completed from presets, or left open.

use super::Checkpoint;
use crate::activation::Activation;
use crate::arch::Stem;
use crate::labels::Postprocessing;
use crate::weights::preprocessing::merge::{CONFIG_JSON, Merged, Source, merge};
use crate::weights::preprocessing::{Preprocessing, Preset, Stated};
use crate::weights::{AssumedField, Assumption, Dialect};

/// How a checkpoint's pictures are prepared, after [`Checkpoint::complete_description`].
///
/// ```
/// use densenet_wgpu::checkpoint::AssumedField;
/// use densenet_wgpu::preprocessing::Preset;
/// use densenet_wgpu::{Checkpoint, Config};
///
/// // An untrained network says nothing about its pictures and classes.
/// let untrained = Checkpoint::init(Config::imagenet(4, &[2, 2], 8).with_classes(Some(14)), 1)?;
/// let fields = |model: &Checkpoint| model.assumed.iter().map(|assumed| assumed.field).collect::<Vec<_>>();
/// let mut model = untrained.clone();
/// assert_eq!(model.complete_description(None).preset, Some(Preset::Torchvision));
/// assert_eq!(fields(&model), [AssumedField::Activation, AssumedField::Labels, AssumedField::Preprocessing]);
/// let mut model = untrained;
/// model.complete_description(Some(Preset::Chexnet)); // stated; but no preset knows what a network's classes are
/// assert_eq!((fields(&model), model.postprocessing().label(13)), (vec![AssumedField::Labels], "13".into()));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Description {
    /// How a picture becomes the network's input.
    pub preprocessing: Preprocessing,
    /// The preset that it is from; `None` where it is the checkpoint's own.
    pub preset: Option<Preset>,
}

/// Why an activation is assumed.
const NOT_IN_WEIGHTS: &str = "weights alone do not tell it";

/// Why that of one output is open.
const ONE_OUTPUT: &str = "one output may be a sigmoid's or a number of its own, so logits are shown";

impl Checkpoint {
    /// Fills in what the file does not say, in memory alone; [`Checkpoint::assumed`] then has what was assumed and what is open.
    ///
    /// Pictures are prepared as `preset` says, whatever the file says; without one as the file says, else by the preset that is likely
    /// for a model of this origin and architecture. The activation is the file's, else the preset's; a softmax of one output becomes
    /// none. Labels are the file's alone. Thresholds are the file's, else those of torchxrayvision's
    /// weight set of the model's name.
    pub fn complete_description(&mut self, preset: Option<Preset>) -> Description {
        self.complete(&Stated { preset, ..Stated::default() })
    }

    /// [`Checkpoint::complete_description`] with all that the caller may state.
    pub(crate) fn complete(&mut self, stated: &Stated) -> Description {
        let of_file = self.preprocessing.take();
        let Merged { mut preprocessing, source, preset, family } = merge(stated, of_file, self.origin.as_ref(), &self.config);
        match source {
            Source::Stated => {
                self.mark_stated(AssumedField::Preprocessing);
                self.mark_stated(AssumedField::Activation);
            }
            Source::File => {}
            Source::Assumed => {
                let why = "the file does not say how pictures are prepared";
                self.assume(Assumption::of(AssumedField::Preprocessing, format!("the preset {}", family.name()), why));
                let is_activation_known = self.origin.as_ref().is_some_and(|origin| origin.activation.is_some());
                if !is_activation_known && self.config.num_classes.is_some() {
                    self.assume(Assumption::of(AssumedField::Activation, preprocessing.activation.name(), NOT_IN_WEIGHTS));
                }
            }
        }
        if self.config.num_classes == Some(1) && preprocessing.activation == Activation::Softmax {
            preprocessing.activation = Activation::None;
            self.assume(Assumption::open(AssumedField::Activation, ONE_OUTPUT));
        }
        if stated.activation.is_some() {
            self.mark_stated(AssumedField::Activation);
        }
        self.preprocessing = Some(preprocessing.clone());
        match (self.config.num_classes, &self.labels) {
            (Some(classes), None) if self.assumed.iter().all(|assumption| assumption.field != AssumedField::Labels) => {
                let classes = if classes == 1 { "one output".to_owned() } else { format!("{classes} classes") };
                self.assume(Assumption::open(AssumedField::Labels, format!("nothing names the model's {classes}")));
            }
            (None, _) => {
                self.mark_stated(AssumedField::Labels);
                self.mark_stated(AssumedField::Activation);
            }
            (Some(_), _) => {}
        }
        let is_xrv = self.origin.as_ref().is_some_and(|origin| origin.dialect == Dialect::Torchxrayvision);
        if self.thresholds.is_none() && (is_xrv || preset == Some(Preset::Xrv) && source == Source::Stated) {
            self.thresholds = family.thresholds(&self.name, self.config.num_classes.unwrap_or(0));
        }
        Description { preprocessing, preset }
    }

    /// Takes back how pictures are prepared where `config.json` beside the file says it: timm describes its own way there, also of
    /// weights that are not its own.
    pub(crate) fn forget_config(&mut self) {
        if let Some(origin) = self.origin.as_mut().filter(|origin| origin.described_by == Some(CONFIG_JSON)) {
            origin.described_by = None;
            self.preprocessing = None;
            self.mark_stated(AssumedField::Activation);
        }
    }

    /// Adds an assumption, in place of one of the same field.
    pub(crate) fn assume(&mut self, assumption: Assumption) {
        self.mark_stated(assumption.field);
        let place = self.assumed.partition_point(|other| other.field < assumption.field);
        self.assumed.insert(place, assumption);
    }

    /// Assumes `field` again, which was assumed when a file of this library was written.
    pub(super) fn assume_as_written(&mut self, field: AssumedField) {
        let preprocessing = self.preprocessing.as_ref();
        let value = match field {
            AssumedField::Activation => match preprocessing.map(|preprocessing| preprocessing.activation) {
                Some(Activation::Softmax | Activation::None) if self.config.num_classes == Some(1) => {
                    return self.assume(Assumption::open(field, ONE_OUTPUT));
                }
                activation => activation.map(|activation| activation.name().to_owned()),
            },
            AssumedField::Blur => match self.config.stem {
                Stem::Deep { blur, .. } => Some(blur.to_string()),
                Stem::ImageNet | Stem::Cifar | Stem::Single { .. } => None,
            },
            AssumedField::Epsilon => Some(self.config.epsilon.to_string()),
            AssumedField::FinalRelu => Some(self.config.final_relu.to_string()),
            AssumedField::Preprocessing => preprocessing.map(Preset::nearest_words),
            AssumedField::Labels => self.labels.as_ref().map(|_| "their order".to_owned()),
            AssumedField::NewChannels => Some("last".into()),
            AssumedField::Padding => Some("even".into()),
            AssumedField::Pool => Some("mean".into()),
        };
        if let Some(value) = value {
            self.assume(Assumption::of(field, value, "it was when this file was written"));
        }
    }

    /// Takes the value of `field` as stated: it no longer counts as assumed, or open.
    pub fn mark_stated(&mut self, field: AssumedField) {
        self.assumed.retain(|assumption| assumption.field != field);
    }

    /// What the outputs mean, as far as the checkpoint says: without a preprocessing, softmax.
    pub fn postprocessing(&self) -> Postprocessing {
        let activation = self.preprocessing.as_ref().map_or(Activation::Softmax, |preprocessing| preprocessing.activation);
        Postprocessing { labels: self.labels.clone(), thresholds: self.thresholds.clone(), ..Postprocessing::new(activation) }
    }
}
