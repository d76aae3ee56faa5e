//! What a checkpoint's file does not say about its pictures and classes, completed from presets.

use super::metadata::{Activation, Preprocessing};
use super::{Checkpoint, Preset};
use crate::labels::Legend;

/// How a checkpoint's pictures are prepared, after [`Checkpoint::complete_description`].
///
/// ```
/// use densenet_wgpu::preprocessing::Preset;
/// use densenet_wgpu::{Checkpoint, Config};
///
/// // An untrained network says nothing about its pictures.
/// let mut model = Checkpoint::init(Config::imagenet(4, &[2, 2], 8).with_classes(Some(14)), 1)?;
/// let description = model.clone().complete_description(None);
/// assert_eq!((description.preset, description.assumed.len()), (Some(Preset::Torchvision), 1));
/// let description = model.complete_description(Some(Preset::Chexnet)); // said, so nothing is assumed
/// assert!(description.assumed.is_empty());
/// assert_eq!(model.legend().label(13), "Hernia");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Description {
    /// How a picture becomes the network's input.
    pub preprocessing: Preprocessing,
    /// The preset that it is from; `None` where it is the checkpoint's own.
    pub preset: Option<Preset>,
    /// What the file did not say and was assumed, a sentence each.
    pub assumed: Vec<String>,
}

impl Checkpoint {
    /// Fills in, here in memory, what the file does not say, and tells what was assumed.
    ///
    /// Pictures are prepared as `preset` says, whatever the file says of that; without one as the file says, else as the preset
    /// does that a model of this origin and architecture is likely to want. Labels and thresholds are the file's, where it has
    /// some, else those of the same preset, where it has as many as the model has classes.
    pub fn complete_description(&mut self, preset: Option<Preset>) -> Description {
        let mut assumed = Vec::new();
        let chosen = preset.unwrap_or_else(|| Preset::likely(self.origin.as_ref(), &self.config));
        let own = self.preprocessing.take().filter(|_| preset.is_none());
        let is_preset = own.is_none();
        let preprocessing = own.unwrap_or_else(|| {
            let mut preprocessing = chosen.preprocessing(self.config.in_channels);
            let told = self.origin.as_ref().and_then(|origin| origin.activation);
            preprocessing.activation = told.unwrap_or(preprocessing.activation);
            if preset.is_none() {
                let assuming = format!("assuming the preset {}: {preprocessing}", chosen.name());
                assumed.push(format!("{} does not say how pictures are prepared: {assuming}", self.name));
            }
            preprocessing
        });
        self.preprocessing = Some(preprocessing.clone());
        let classes = self.config.num_classes.unwrap_or(0);
        if self.labels.is_none() {
            self.labels = chosen.labels(&self.name, classes);
            let first = self.labels.iter().flatten().find(|label| !label.is_empty());
            if let (Some(first), None) = (first, preset) {
                assumed.push(format!(
                    "{} does not say what its {classes} classes are called: assuming those of the preset {} ({first}, …)",
                    self.name,
                    chosen.name()
                ));
            }
        }
        if self.thresholds.is_none() {
            self.thresholds = chosen.thresholds(&self.name, classes);
        }
        Description { preprocessing, preset: is_preset.then_some(chosen), assumed }
    }

    /// What the outputs mean, as far as the checkpoint says: without a preprocessing, softmax.
    pub fn legend(&self) -> Legend {
        let activation = self.preprocessing.as_ref().map_or(Activation::Softmax, |preprocessing| preprocessing.activation);
        Legend { activation, labels: self.labels.clone(), thresholds: self.thresholds.clone() }
    }
}
