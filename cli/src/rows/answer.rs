//! The answer for one picture.

use densenet_wgpu::Prediction;
use densenet_wgpu::labels::RankedClass;
use serde::Serialize;

/// The outcome for one input: an answer, or why there is none.
pub(crate) type Outcome = Result<Answer, String>;

/// The answer for one picture.
pub(crate) struct Answer {
    /// Its best classes.
    pub(crate) top: Vec<RankedClass>,
    /// Words about the picture that qualify the answer.
    pub(crate) notes: &'static [&'static str],
}

/// The files of a class's heatmap.
#[derive(Debug, Serialize)]
pub(crate) struct HeatmapFiles {
    /// The class.
    pub(crate) index: usize,
    /// The map's numbers.
    pub(crate) npy: String,
    /// The map over the picture.
    pub(crate) png: String,
}

/// Words about a picture that qualify its answer.
pub(crate) fn notes(prediction: &Prediction) -> &'static [&'static str] {
    if prediction.picture_summary().is_some_and(|picture| picture.is_cut_off) { &["truncated"] } else { &[] }
}
