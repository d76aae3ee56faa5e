//! Notices about the pictures of a run.

use densenet_wgpu::image::{Dicom, Orientation, SampleScaling};
use densenet_wgpu::predictions::PictureSummary;

use crate::inputs::Subject;
use crate::message;

/// What the user should know about the pictures of a run. Each kind of notice is reported once, for its first picture.
#[derive(Default)]
pub(crate) struct Notices {
    grey: bool,
    narrow: bool,
    cut_off: bool,
    incomplete: bool,
    lying: bool,
    dicom: bool,
    frames: bool,
    voi_lut: bool,
}

impl Notices {
    /// Reports what is new about a picture.
    pub(crate) fn look_at(&mut self, subject: &Subject, picture: &PictureSummary) {
        if let Some(scaling) = &picture.sample_scaling {
            self.look_at_scaling(subject, picture, scaling);
        }
        if picture.is_cut_off && !self.incomplete {
            self.incomplete = true;
            message::warning(&format!(
                "{subject}: the file is truncated or damaged; the missing part of the picture is grey (reported once)"
            ));
        }
        if picture.orientation != Orientation::UPRIGHT && !self.lying {
            self.lying = true;
            let found = format!("EXIF orientation {} is not applied, as in torchvision", picture.orientation.exif());
            message::warning(&format!("{subject}: {found}; --exif turns pictures upright (reported once)"));
        }
        let Some(Dicom { frames, lacks_voi_lut, .. }) = picture.dicom else { return };
        if !self.dicom {
            self.dicom = true;
            message::warning(&format!(
                "{subject}: DICOM: this is not a medical device, and its results are not a diagnosis (reported once)"
            ));
        }
        if frames > 1 && !self.frames {
            self.frames = true;
            message::note(&format!("{subject}: only the first of its {frames} frames is read (reported once)"));
        }
        if lacks_voi_lut && !self.voi_lut {
            self.voi_lut = true;
            message::warning(&format!(
                "{subject}: has no VOI LUT and no window; the whole range of its stored bits is scaled (reported once)"
            ));
        }
    }

    /// Reports what is new about a picture of more than 8 bits.
    fn look_at_scaling(&mut self, subject: &Subject, picture: &PictureSummary, scaling: &SampleScaling) {
        // Rounded to 32 bits, because a slope such as 0.1 is not exact in binary.
        let [[least, most], [from, to]] = [scaling.used, scaling.range].map(|ends| ends.map(|end| end as f32));
        if scaling.is_narrow() {
            if !self.narrow {
                self.narrow = true;
                // The fewest bits that hold them, if they may come from a camera or a scanner.
                let largest = |bits: i32| ((1 << bits) - 1) as f32;
                let is_guess = |bits: &i32| largest(*bits) != to && from >= 0.0 && picture.dicom.is_none();
                let bits = (8..=15).find(|&bits| most <= largest(bits)).filter(is_guess);
                let guess = bits.map(|bits| format!("--range 0:{} if they are of {bits} bits, ", (1 << bits) - 1)).unwrap_or_default();
                let found = format!("samples from {least} to {most} in a range of {from} to {to} leave {} of 256 levels", scaling.levels());
                message::warning(&format!(
                    "{subject}: {found}; {guess}--range auto for each picture's own minimum and maximum (reported once)"
                ));
            }
        } else if picture.has_scaled_grey && !self.grey {
            self.grey = true;
            let by = if scaling.range == [0.0, 65535.0] { "by its range".into() } else { format!("from {from} to {to}") };
            message::note(&format!("{subject}: 16-bit grey is scaled {by}, where Pillow would clip it to white (reported once)"));
        }
        if scaling.is_cut_off() && !self.cut_off {
            self.cut_off = true;
            let remedy = "a wider --range, or --range auto, keeps them";
            message::warning(&format!(
                "{subject}: samples from {least} to {most} are clipped to {from} and {to}; {remedy} (reported once)"
            ));
        }
    }
}
