//! What a person should know about the pictures of a run.

use densenet_wgpu::image::{Dicom, Orientation, Wide};
use densenet_wgpu::predictions::Seen;

use crate::inputs::Subject;
use crate::message;

/// What a person should know about the pictures of a run, each said once: ten thousand of a kind are one line.
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
    /// Says what has not been said about a picture.
    pub(crate) fn look_at(&mut self, subject: &Subject, seen: &Seen) {
        if let Some(wide) = &seen.wide {
            self.look_at_wide(subject, seen, wide);
        }
        if seen.is_cut_off && !self.incomplete {
            self.incomplete = true;
            message::warning(&format!("{subject}: the file is cut off or damaged; what is missing of the picture is grey (said once)"));
        }
        if seen.orientation != Orientation::UPRIGHT && !self.lying {
            self.lying = true;
            let found = format!("EXIF orientation {} is not applied, as in torchvision", seen.orientation.exif());
            message::warning(&format!("{subject}: {found}; --exif turns pictures upright (said once)"));
        }
        let Some(Dicom { frames, lacks_voi_lut, .. }) = seen.dicom else { return };
        if !self.dicom {
            self.dicom = true;
            message::warning(&format!("{subject}: DICOM: this is no medical device, and what it finds no diagnosis (said once)"));
        }
        if frames > 1 && !self.frames {
            self.frames = true;
            message::note(&format!("{subject}: the first of its {frames} frames is read (said once)"));
        }
        if lacks_voi_lut && !self.voi_lut {
            self.voi_lut = true;
            message::warning(&format!("{subject}: has no VOI LUT and no window; all that its stored bits can be is scaled (said once)"));
        }
    }

    /// Says what has not been said about a picture of more than 8 bits.
    fn look_at_wide(&mut self, subject: &Subject, seen: &Seen, wide: &Wide) {
        // A slope of 0.1 makes 0.3 of a number only nearly: what is beyond 32 bits is no news.
        let [[least, most], [from, to]] = [wide.used, wide.range].map(|ends| ends.map(|end| end as f32));
        if wide.is_narrow() {
            if !self.narrow {
                self.narrow = true;
                // The fewest bits that hold them, where they may be those of a camera or a scanner and not a quantity's.
                let largest = |bits: i32| ((1 << bits) - 1) as f32;
                let is_guess = |bits: &i32| largest(*bits) != to && from >= 0.0 && seen.dicom.is_none();
                let bits = (8..=15).find(|&bits| most <= largest(bits)).filter(is_guess);
                let guess = bits.map(|bits| format!("--range 0:{} if they are of {bits} bits, ", (1 << bits) - 1)).unwrap_or_default();
                let found = format!("samples from {least} to {most} of {from} to {to} leave {} of 256 levels", wide.levels());
                message::warning(&format!(
                    "{subject}: {found}; {guess}--range auto for each picture's own darkest to brightest (said once)"
                ));
            }
        } else if seen.has_scaled_grey && !self.grey {
            self.grey = true;
            let by = if wide.range == [0.0, 65535.0] { "by its range".into() } else { format!("from {from} to {to}") };
            message::note(&format!("{subject}: 16-bit grey is scaled {by}, where Pillow would clip it to white (said once)"));
        }
        if wide.is_cut_off() && !self.cut_off {
            self.cut_off = true;
            let remedy = "a wider --range, or --range auto, keeps them";
            message::warning(&format!("{subject}: samples from {least} to {most} are cut off at {from} and {to}; {remedy} (said once)"));
        }
    }
}
