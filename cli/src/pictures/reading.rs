//! The flags that say how pictures are read.

use clap::Args;
use densenet_wgpu::ClassifierOptions;
use densenet_wgpu::image::Decoding;
use densenet_wgpu::preprocessing::Preprocessing;

use crate::arguments::{Count, Range, Size};

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
