//! How pictures are read: what the commands that read them share.

use clap::Args;
use densenet_wgpu::image::{Decoding, Dicom, Orientation, Wide};
use densenet_wgpu::predictions::Seen;
use densenet_wgpu::preprocessing::Preprocessing;
use densenet_wgpu::{ClassifierOptions, Prediction};

use super::count::Count;
use super::inputs::Subject;
use super::message;
use super::range::Range;
use super::size::Size;

/// How pictures are read.
#[derive(Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct PictureOptions {
    /// Height and width that the network sees; default: the model's own
    #[arg(long, value_name = "HxW")]
    pub(crate) size: Option<Size>,
    /// Turn pictures upright as their EXIF orientation says
    ///
    /// Without it they are read as they lie, as torchvision does.
    #[arg(long)]
    pub(crate) exif: bool,
    /// See grey of DICOM files through their own VOI LUT or window
    ///
    /// Without it all that their stored bits can be is scaled, as torchxrayvision does.
    #[cfg(feature = "dicom")]
    #[arg(long, conflicts_with = "range")]
    voi_lut: bool,
    /// Black and white of samples of more than 8 bits, as in 0:4095
    ///
    /// For 10, 12 or 14 bits in PNG or TIFF files of 16; auto is each picture's own darkest and brightest. Samples outside it are cut
    /// off; pictures of 8 bits stay as they are. Of DICOM files it is in the numbers that the Modality LUT makes, Hounsfield units
    /// say. Default: all that the samples can be, or what a PNG says of its significant bits.
    #[arg(long, value_name = "LEAST:MOST", allow_hyphen_values = true)]
    range: Option<Range>,
    /// Read JPEG files that end too early as far as they go
    ///
    /// As Pillow's LOAD_TRUNCATED_IMAGES: what is missing is grey, or coarse where the file is progressive. Without it such a file is an
    /// error in its row.
    #[arg(long)]
    truncated: bool,
    /// Pixels a picture may have, as in 500M
    ///
    /// Default: 178956970, as in Pillow.
    #[arg(long, value_name = "N")]
    max_pixels: Option<Count>,
    /// Bytes a picture may take to be decoded, as in 2G or 512Mi
    ///
    /// Those that a decoder may allocate, 1Gi by default, and those of a file that is read at once: a JPEG or DICOM file, or one
    /// from a pipe or a line of standard input, 256Mi by default.
    #[arg(long, value_name = "N")]
    max_bytes: Option<Count>,
}

impl PictureOptions {
    /// How the pictures' files are decoded.
    pub(crate) fn decoding(&self) -> Decoding {
        let mut decoding = Decoding::default().with_truncated(self.truncated);
        if let Some(Count(pixels)) = self.max_pixels {
            decoding = decoding.with_max_pixels(pixels);
        }
        if let Some(Count(bytes)) = self.max_bytes {
            decoding = decoding.with_max_file_bytes(bytes).with_max_decoder_bytes(bytes);
        }
        if let Some(Range(range)) = self.range {
            decoding = decoding.with_sample_range(range);
        }
        #[cfg(feature = "dicom")]
        let decoding = decoding.with_voi_lut(self.voi_lut);
        decoding
    }

    /// What was asked for, for a classifier.
    pub(crate) fn asked(&self, options: ClassifierOptions) -> ClassifierOptions {
        let options = options.with_decoding(self.decoding()).with_upright(self.exif);
        match self.size {
            Some(Size { height, width }) => options.with_size([height, width]),
            None => options,
        }
    }

    /// A model's `own` preprocessing, for the size that was asked for.
    pub(crate) fn sized(&self, own: Preprocessing) -> Preprocessing {
        match self.size {
            Some(Size { height, width }) => own.sized(height, width),
            None => own,
        }
    }
}

/// What a row says of its picture, a word each: what an answer should not be read without.
pub(crate) fn notes(prediction: &Prediction) -> &'static [&'static str] {
    if prediction.seen().is_some_and(|seen| seen.is_cut_off) { &["truncated"] } else { &[] }
}

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
