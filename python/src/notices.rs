//! What the user should know about pictures that were read well.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use densenet_wgpu::image::{Dicom, Orientation, SampleScaling};
use densenet_wgpu::predictions::PictureSummary;

/// What a classifier has told about its pictures: each kind of notice once, for its first picture.
#[derive(Default)]
pub(crate) struct Notices(Mutex<BTreeSet<Kind>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    CutOff,
    Lying,
    Narrow,
    Clipped,
    Scaled,
    Dicom,
    Frames,
    NoVoiLut,
}

impl Notices {
    /// What is new about a picture, one sentence each.
    pub(crate) fn new_of(&self, picture: &PictureSummary) -> Vec<String> {
        let found = of(picture);
        if found.is_empty() {
            return Vec::new();
        }
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.into_iter().filter(|(kind, _)| told.insert(*kind)).map(|(_, text)| text).collect()
    }
}

fn of(picture: &PictureSummary) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    if picture.is_cut_off {
        found.push((Kind::CutOff, "the file is truncated or damaged; the missing part of the picture is grey".into()));
    }
    if picture.orientation != Orientation::UPRIGHT {
        let orientation = picture.orientation.exif();
        found.push((
            Kind::Lying,
            format!("EXIF orientation {orientation} is not applied, as in torchvision; upright=True turns pictures upright"),
        ));
    }
    if let Some(scaling) = &picture.sample_scaling {
        found.extend(of_scaling(picture, scaling));
    }
    if let Some(Dicom { frames, lacks_voi_lut, .. }) = picture.dicom {
        found.push((Kind::Dicom, "DICOM: this is not a medical device, and its results are not a diagnosis".into()));
        if frames > 1 {
            found.push((Kind::Frames, format!("only the first of its {frames} frames is read")));
        }
        if lacks_voi_lut {
            found.push((Kind::NoVoiLut, "it has no VOI LUT and no window; the whole range of its stored bits is scaled".into()));
        }
    }
    found
}

/// Of a picture of more than 8 bits.
fn of_scaling(picture: &PictureSummary, scaling: &SampleScaling) -> Vec<(Kind, String)> {
    // Rounded to 32 bits, because a slope such as 0.1 is not exact in binary.
    let [[least, most], [from, to]] = [scaling.used, scaling.range].map(|ends| ends.map(|end| end as f32));
    let mut found = Vec::new();
    if scaling.is_narrow() {
        let levels = scaling.levels();
        let remedy = "sample_range=(least, most) says what is black and white, \"auto\" takes each picture's own";
        let text = format!("samples from {least} to {most} in a range of {from} to {to} leave {levels} of 256 levels; {remedy}");
        found.push((Kind::Narrow, text));
    } else if picture.has_scaled_grey {
        found.push((Kind::Scaled, format!("16-bit grey is scaled from {from} to {to}, where Pillow would clip it to white")));
    }
    if scaling.is_cut_off() {
        let remedy = "a wider sample_range, or \"auto\", keeps them";
        found.push((Kind::Clipped, format!("samples from {least} to {most} are clipped to {from} and {to}; {remedy}")));
    }
    found
}
