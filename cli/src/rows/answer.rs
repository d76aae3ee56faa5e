//! What is said of one picture.

use densenet_wgpu::Prediction;
use densenet_wgpu::labels::RankedClass;
use serde::Serialize;

/// What became of one input: an answer, or why there is none.
pub(crate) type Outcome = Result<Answer, String>;

/// What is said of one picture.
pub(crate) struct Answer {
    /// Its best classes.
    pub(crate) top: Vec<RankedClass>,
    /// What whoever reads the answer should know of the picture, a word each.
    pub(crate) notes: &'static [&'static str],
}

/// The files that a class's heatmap is in.
#[derive(Debug, Serialize)]
pub(crate) struct HeatmapFiles {
    /// The class.
    pub(crate) index: usize,
    /// The map's numbers.
    pub(crate) npy: String,
    /// The map over the picture.
    pub(crate) png: String,
}

/// What a row says of its picture, a word each: what an answer should not be read without.
pub(crate) fn notes(prediction: &Prediction) -> &'static [&'static str] {
    if prediction.seen().is_some_and(|seen| seen.is_cut_off) { &["truncated"] } else { &[] }
}
