//! A picture, and the part of it that the network saw.

use crate::image::{Dicom, Orientation, Picture, SampleScaling, View};
use crate::weights::Preprocessing;

/// Properties of the picture, and the part of it that the network saw.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct PictureSummary {
    /// The picture's height in pixels, after turning it upright if requested.
    pub height: usize,
    /// Its width in pixels.
    pub width: usize,
    /// The part that the network saw, or from which ten crops were taken.
    pub view: View,
    /// The orientation that was not applied ([`Picture::orientation`]).
    pub orientation: Orientation,
    /// Whether it has 16-bit grey, which was scaled by its range ([`Picture::has_scaled_grey`]).
    pub has_scaled_grey: bool,
    /// How samples of more than 8 bits became 8 bits, if they did ([`Picture::sample_scaling`]).
    pub sample_scaling: Option<SampleScaling>,
    /// Whether a part of it is missing, and grey or coarse ([`Picture::is_cut_off`]).
    pub is_cut_off: bool,
    /// Properties from its file, if that is a DICOM file.
    pub dicom: Option<Dicom>,
}

impl PictureSummary {
    pub(super) fn new(picture: &Picture, preprocessing: &Preprocessing) -> Self {
        let (height, width) = (picture.height(), picture.width());
        Self {
            height,
            width,
            view: preprocessing.view(height, width),
            orientation: picture.orientation(),
            has_scaled_grey: picture.has_scaled_grey(),
            sample_scaling: picture.sample_scaling(),
            is_cut_off: picture.is_cut_off(),
            dicom: picture.dicom(),
        }
    }
}
