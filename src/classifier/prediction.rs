//! The prediction for one picture.

use std::sync::Arc;

use super::class_maps::ClassMaps;
use super::images::Images;
use super::picture_summary::PictureSummary;
use crate::error::{Error, Result};
use crate::image::Picture;
use crate::labels::{Postprocessing, RankedClass};

/// The prediction for one picture.
///
/// ```
/// use densenet_wgpu::{Classifier, ClassifierOptions};
///
/// let options = ClassifierOptions::default().with_features(true).with_class_maps(true);
/// let prediction = Classifier::open("digits", options)?.classify("examples/digits/7-1442-8.png")?;
/// let best = &prediction.top_k(1)?[0];
/// assert_eq!(best.label, "7");
/// assert_eq!(prediction.logits().map(|logits| logits[best.index]), Some(best.logit));
/// assert_eq!(best.probability, prediction.probabilities()?.map(|all| all[best.index]));
/// assert_eq!(prediction.features().map(<[f32]>::len), Some(50));
///
/// let maps = prediction.class_maps().expect("they were requested");
/// let sum = |class| maps.of(class).expect("there is such a class").iter().sum::<f32>();
/// assert!(sum(7) > sum(3)); // the mean is, but for the class's bias, its logit
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Prediction {
    pub(super) postprocessing: Arc<Postprocessing>,
    pub(super) crops: usize,
    pub(super) logits: Option<Vec<f32>>,
    pub(super) features: Option<Vec<f32>>,
    pub(super) class_maps: Option<ClassMaps>,
    pub(super) size: [usize; 2],
    pub(super) picture_summary: Option<PictureSummary>,
    pub(super) picture: Option<Picture>,
    pub(super) input: Option<Arc<Images>>,
}

impl Prediction {
    /// The `k` likeliest classes, likeliest first ([`Postprocessing::top_k_of_crops`]).
    ///
    /// Errors if the model has no classifier, or a logit is not finite.
    pub fn top_k(&self, k: usize) -> Result<Vec<RankedClass>> {
        self.postprocessing.top_k_of_crops(self.classified()?, self.crops, k)
    }

    /// The probability of every class ([`Postprocessing::probabilities_of_crops`]), `[classes]`; `None` if the model's activation
    /// gives none. Errors if the model has no classifier.
    pub fn probabilities(&self) -> Result<Option<Vec<f64>>> {
        self.postprocessing.probabilities_of_crops(self.classified()?, self.crops)
    }

    /// The logits, `[classes]`, or for several crops `[crops, classes]`; `None` if the model has no classifier.
    pub fn logits(&self) -> Option<&[f32]> {
        self.logits.as_deref()
    }

    /// The input of the classifier layer, `[features]`, or for several crops `[crops, features]`; `None` if features were not requested. A model
    /// without a classifier always has them.
    pub fn features(&self) -> Option<&[f32]> {
        self.features.as_deref()
    }

    /// Maps of where each class was seen; `None` if not requested.
    pub fn class_maps(&self) -> Option<&ClassMaps> {
        self.class_maps.as_ref()
    }

    /// The number of images of the picture: one, ten crops, or two, itself and its mirror image.
    pub fn crops(&self) -> usize {
        self.crops
    }

    /// Height and width of each image that the network saw.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Properties of the picture, and the part of it that the network saw; `None` if the source was values.
    pub fn picture_summary(&self) -> Option<PictureSummary> {
        self.picture_summary
    }

    /// The decoded picture, if it was kept ([`ClassifierOptions::kept_pixels`](super::ClassifierOptions)).
    pub fn picture(&self) -> Option<&Picture> {
        self.picture.as_ref()
    }

    /// The network's input, `[C, H, W]`, or for several crops `[crops, C, H, W]`, if it was kept
    /// ([`ClassifierOptions::keeps_inputs`](super::ClassifierOptions)).
    pub fn input(&self) -> Option<Vec<f32>> {
        self.input.as_ref().map(|images| images.values())
    }

    /// The logits. Errors if the model has no classifier.
    fn classified(&self) -> Result<&[f32]> {
        self.logits().ok_or_else(|| {
            let expected = "a model with a classifier".into();
            Error::Input { expected, found: "one that ends in features".into() }
        })
    }
}
