//! What a checkpoint's file does not say about its pictures and classes: completed from presets, or left open.

use super::preprocessing::{Activation, Preprocessing, Range};
use super::{Assumption, Checkpoint, Dialect, Field, Preset};
use crate::arch::Stem;
use crate::labels::Legend;

/// How a checkpoint's pictures are prepared, after [`Checkpoint::complete_description`].
///
/// ```
/// use densenet_wgpu::checkpoint::Field;
/// use densenet_wgpu::preprocessing::Preset;
/// use densenet_wgpu::{Checkpoint, Config};
///
/// // An untrained network says nothing about its pictures and classes.
/// let untrained = Checkpoint::init(Config::imagenet(4, &[2, 2], 8).with_classes(Some(14)), 1)?;
/// let fields = |model: &Checkpoint| model.assumed.iter().map(|assumed| assumed.field).collect::<Vec<_>>();
/// let mut model = untrained.clone();
/// assert_eq!(model.complete_description(None).preset, Some(Preset::Torchvision));
/// assert_eq!(fields(&model), [Field::Activation, Field::Labels, Field::Preprocessing]);
/// let mut model = untrained;
/// model.complete_description(Some(Preset::Chexnet)); // said; but no preset knows what a network's classes are
/// assert_eq!((fields(&model), model.legend().label(13)), (vec![Field::Labels], "13".into()));
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
const UNTOLD: &str = "weights alone do not tell it";

/// Why that of one output is open.
const ONE_OUTPUT: &str = "one output may be a sigmoid's or a number of its own, so logits are shown";

impl Checkpoint {
    /// Fills in, here in memory, what the file does not say; [`Checkpoint::assumed`] then has what was assumed and what is open.
    ///
    /// Pictures are prepared as `preset` says, whatever the file says of that; without one as the file says, else as the preset
    /// does that a model of this origin and architecture is likely to want. The activation is the file's, else the preset's; of
    /// one output a softmax is none. Labels are the file's alone. Thresholds are the file's, else those of torchxrayvision's
    /// weight set of the model's name.
    pub fn complete_description(&mut self, preset: Option<Preset>) -> Description {
        self.complete(preset, None)
    }

    /// [`Checkpoint::complete_description`], where without `said` the preset `likely` is assumed.
    pub(crate) fn complete(&mut self, said: Option<Preset>, likely: Option<Preset>) -> Description {
        let told = self.origin.as_ref().and_then(|origin| origin.activation);
        let own = self.preprocessing.take().filter(|_| said.is_none());
        let chosen = said.or(likely).unwrap_or_else(|| Preset::likely(self.origin.as_ref().map(|origin| origin.dialect), &self.config));
        let is_preset = own.is_none();
        let normalisation = self.origin.as_ref().and_then(|origin| origin.normalisation.clone());
        let mut preprocessing = own.unwrap_or_else(|| {
            let preset = chosen.preprocessing(self.config.in_channels);
            let activation = told.unwrap_or(preset.activation);
            let preset = preset.with_activation(activation);
            match normalisation {
                Some([mean, std]) if preset.range != Range::MinusPlus1024 => preset.with_normalisation(mean, std),
                _ => preset,
            }
        });
        if said.is_some() {
            self.settle(Field::Preprocessing);
            self.settle(Field::Activation);
        } else if is_preset {
            let why = "the file does not say how pictures are prepared";
            self.assume(Assumption::of(Field::Preprocessing, format!("the preset {}", chosen.name()), why));
            if told.is_none() && self.config.num_classes.is_some() {
                self.assume(Assumption::of(Field::Activation, preprocessing.activation.name(), UNTOLD));
            }
        }
        if self.config.num_classes == Some(1) && preprocessing.activation == Activation::Softmax {
            preprocessing.activation = Activation::None;
            self.assume(Assumption::open(Field::Activation, ONE_OUTPUT));
        }
        self.preprocessing = Some(preprocessing.clone());
        match (self.config.num_classes, &self.labels) {
            (Some(classes), None) if self.assumed.iter().all(|assumption| assumption.field != Field::Labels) => {
                let classes = if classes == 1 { "one output".to_owned() } else { format!("{classes} classes") };
                self.assume(Assumption::open(Field::Labels, format!("nothing names the model's {classes}")));
            }
            (None, _) => {
                self.settle(Field::Labels);
                self.settle(Field::Activation);
            }
            (Some(_), _) => {}
        }
        let is_xrv = said == Some(Preset::Xrv) || self.origin.as_ref().is_some_and(|origin| origin.dialect == Dialect::Torchxrayvision);
        if self.thresholds.is_none() && is_xrv {
            self.thresholds = chosen.thresholds(&self.name, self.config.num_classes.unwrap_or(0));
        }
        Description { preprocessing, preset: is_preset.then_some(chosen) }
    }

    /// Adds to what is assumed; in place of what was assumed of the same field.
    pub(crate) fn assume(&mut self, assumption: Assumption) {
        self.settle(assumption.field);
        let place = self.assumed.partition_point(|other| other.field < assumption.field);
        self.assumed.insert(place, assumption);
    }

    /// Assumes of `field` what a file of ours says that was assumed when it was written.
    pub(super) fn assume_as_written(&mut self, field: Field) {
        let preprocessing = self.preprocessing.as_ref();
        let value = match field {
            Field::Activation => match preprocessing.map(|preprocessing| preprocessing.activation) {
                Some(Activation::Softmax | Activation::None) if self.config.num_classes == Some(1) => {
                    return self.assume(Assumption::open(field, ONE_OUTPUT));
                }
                activation => activation.map(|activation| activation.name().to_owned()),
            },
            Field::Blur => match self.config.stem {
                Stem::Deep { blur, .. } => Some(blur.to_string()),
                Stem::ImageNet | Stem::Cifar | Stem::Single { .. } => None,
            },
            Field::Epsilon => Some(self.config.epsilon.to_string()),
            Field::FinalRelu => Some(self.config.final_relu.to_string()),
            Field::Preprocessing => preprocessing.map(Preset::nearest_words),
            Field::Labels => self.labels.as_ref().map(|_| "their order".to_owned()),
            Field::NewChannels => Some("last".into()),
            Field::Padding => Some("even".into()),
            Field::Pool => Some("mean".into()),
        };
        if let Some(value) = value {
            self.assume(Assumption::of(field, value, "it was when this file was written"));
        }
    }

    /// Takes what is there of `field` for said: it counts as assumed, or open, no longer.
    pub fn settle(&mut self, field: Field) {
        self.assumed.retain(|assumption| assumption.field != field);
    }

    /// What the outputs mean, as far as the checkpoint says: without a preprocessing, softmax.
    pub fn legend(&self) -> Legend {
        let activation = self.preprocessing.as_ref().map_or(Activation::Softmax, |preprocessing| preprocessing.activation);
        Legend { activation, labels: self.labels.clone(), thresholds: self.thresholds.clone() }
    }
}
