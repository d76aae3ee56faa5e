//! What the network made of one picture.

use std::slice::ChunksExact;
use std::sync::Arc;

use super::preparation::Images;
use crate::error::{Error, Result};
use crate::image::{Dicom, Heatmap, Orientation, Picture, View, Wide};
use crate::labels::{Legend, RankedClass};
use crate::weights::Preprocessing;

/// What the network made of one picture.
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
/// let maps = prediction.class_maps().expect("they were asked for");
/// let sum = |class| maps.of(class).expect("there is such a class").iter().sum::<f32>();
/// assert!(sum(7) > sum(3)); // the mean is, but for the class's bias, its logit
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Prediction {
    pub(super) legend: Arc<Legend>,
    pub(super) crops: usize,
    pub(super) logits: Option<Vec<f32>>,
    pub(super) features: Option<Vec<f32>>,
    pub(super) class_maps: Option<ClassMaps>,
    pub(super) size: [usize; 2],
    pub(super) seen: Option<Seen>,
    pub(super) picture: Option<Picture>,
    pub(super) input: Option<Arc<Images>>,
}

/// The picture that the network saw, and which part of it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Seen {
    /// The picture's height in pixels, upright where that was asked for.
    pub height: usize,
    /// Its width in pixels.
    pub width: usize,
    /// The part of it that the network saw, or of which it saw ten crops.
    pub view: View,
    /// How the picture still lies, as its metadata says ([`Picture::orientation`]).
    pub orientation: Orientation,
    /// Whether it has 16-bit grey, which was scaled by its range ([`Picture::has_scaled_grey`]).
    pub has_scaled_grey: bool,
    /// What its samples were where they had more than 8 bits ([`Picture::wide`]).
    pub wide: Option<Wide>,
    /// Whether a part of it is missing, which is then grey or coarse ([`Picture::is_cut_off`]).
    pub is_cut_off: bool,
    /// What its file said where that is a DICOM file.
    pub dicom: Option<Dicom>,
}

impl Seen {
    pub(super) fn new(picture: &Picture, preprocessing: &Preprocessing) -> Self {
        let (height, width) = (picture.height(), picture.width());
        Self {
            height,
            width,
            view: preprocessing.view(height, width),
            orientation: picture.orientation(),
            has_scaled_grey: picture.has_scaled_grey(),
            wide: picture.wide(),
            is_cut_off: picture.is_cut_off(),
            dicom: picture.dicom(),
        }
    }
}

/// For each class a map of how much every place of a picture speaks for it, in units of its logit
/// ([`Checkpoint::with_class_maps`](crate::Checkpoint::with_class_maps)).
#[derive(Debug, Clone, PartialEq)]
pub struct ClassMaps {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) values: Vec<f32>,
}

impl ClassMaps {
    /// Places from top to bottom.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Places from left to right.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All maps, `[classes, height, width]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The map of a class, `[height, width]`; `None` where there is no such class.
    pub fn of(&self, class: usize) -> Option<&[f32]> {
        self.maps().nth(class)
    }

    /// The map of a class, to be drawn over the picture. Errors where there is no such class.
    pub fn heatmap(&self, class: usize) -> Result<Heatmap> {
        let map = self.of(class).ok_or_else(|| {
            let expected = format!("one of {} classes, counted from 0", self.maps().len());
            Error::Input { expected, found: format!("class {class}") }
        })?;
        Heatmap::new(self.height, self.width, map.to_vec())
    }

    fn maps(&self) -> ChunksExact<'_, f32> {
        self.values.chunks_exact((self.height * self.width).max(1))
    }
}

impl Prediction {
    /// The `k` likeliest classes, the likeliest first ([`Legend::top_k_of_crops`]).
    ///
    /// Errors where the model has no classifier, and where a logit is not finite.
    pub fn top_k(&self, k: usize) -> Result<Vec<RankedClass>> {
        self.legend.top_k_of_crops(self.classified()?, self.crops, k)
    }

    /// The probability of every class ([`Legend::probabilities_of_crops`]), `[classes]`; `None` where the model's activation
    /// makes none. Errors where the model has no classifier.
    pub fn probabilities(&self) -> Result<Option<Vec<f64>>> {
        self.legend.probabilities_of_crops(self.classified()?, self.crops)
    }

    /// What the network computed, `[classes]`, or of ten crops `[10, classes]`; `None` where the model has no classifier.
    pub fn logits(&self) -> Option<&[f32]> {
        self.logits.as_deref()
    }

    /// What the classifier layer reads, `[features]`, or of ten crops `[10, features]`; `None` where features were not asked
    /// for. A model without a classifier has them always.
    pub fn features(&self) -> Option<&[f32]> {
        self.features.as_deref()
    }

    /// Where each class was seen; `None` where class maps were not asked for.
    pub fn class_maps(&self) -> Option<&ClassMaps> {
        self.class_maps.as_ref()
    }

    /// How many images the network saw: one, or ten crops.
    pub fn crops(&self) -> usize {
        self.crops
    }

    /// Height and width of each image that the network saw.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// The picture that the network saw, and which part of it; `None` where the source was values.
    pub fn seen(&self) -> Option<Seen> {
        self.seen
    }

    /// The picture as it was decoded, where it was kept ([`ClassifierOptions::kept_pixels`](super::ClassifierOptions)).
    pub fn picture(&self) -> Option<&Picture> {
        self.picture.as_ref()
    }

    /// What went into the network, `[C, H, W]`, or of ten crops `[10, C, H, W]`, where it was kept
    /// ([`ClassifierOptions::keeps_inputs`](super::ClassifierOptions)).
    pub fn input(&self) -> Option<Vec<f32>> {
        self.input.as_ref().map(|images| images.values())
    }

    /// The logits. Errors where the model has no classifier.
    fn classified(&self) -> Result<&[f32]> {
        self.logits().ok_or_else(|| {
            let expected = "a model with a classifier, which tells classes apart".into();
            Error::Input { expected, found: "one that ends in features".into() }
        })
    }
}
