//! Flags for how pictures are read.

use clap::Args;
use densenet_wgpu::ClassifierOptions;
use densenet_wgpu::image::Decoding;
use densenet_wgpu::preprocessing::Preprocessing;

use crate::arguments::{Count, Range, Size};

/// How pictures are read.
#[derive(Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct PictureOptions {
    /// Height and width of the network's input; default: the model's own
    #[arg(long, value_name = "HxW")]
    pub(crate) size: Option<Size>,
    /// Turn pictures upright according to their EXIF orientation
    ///
    /// Without it the orientation is ignored, as in torchvision.
    #[arg(long)]
    pub(crate) exif: bool,
    /// Apply the VOI LUT or window of greyscale DICOM files
    ///
    /// Without it the whole range of the stored bits is scaled, as in torchxrayvision.
    #[cfg(feature = "dicom")]
    #[arg(long, conflicts_with = "range")]
    voi_lut: bool,
    /// Black and white of samples of more than 8 bits, as in 0:4095
    ///
    /// For 10, 12 or 14 bits in 16-bit PNG or TIFF files; auto takes each picture's own minimum and maximum. Samples outside the range are
    /// clipped; 8-bit pictures are not affected. In DICOM files the values are those after the Modality LUT, such as Hounsfield units.
    /// Default: the whole range of the samples, or the significant bits that a PNG declares.
    #[arg(long, value_name = "LEAST:MOST", allow_hyphen_values = true)]
    range: Option<Range>,
    /// Decode truncated JPEG files as far as they go
    ///
    /// Like Pillow's LOAD_TRUNCATED_IMAGES: the missing part is grey, or coarse in a progressive file. Without it such a file gets an error
    /// in its row.
    #[arg(long)]
    truncated: bool,
    /// Maximum number of pixels in a picture, as in 500M
    ///
    /// Default: 178956970, as in Pillow.
    #[arg(long, value_name = "N")]
    max_pixels: Option<Count>,
    /// Maximum number of bytes for decoding a picture, as in 2G or 512Mi
    ///
    /// Limits what a decoder may allocate, 1Gi by default, and the size of files that are read as a whole, 256Mi by default: JPEG and DICOM
    /// files, and pictures from a pipe or from a line of standard input.
    #[arg(long, value_name = "N")]
    max_bytes: Option<Count>,
}

impl PictureOptions {
    /// How picture files are decoded.
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

    /// A classifier's options with these flags applied.
    pub(crate) fn applied_to(&self, options: ClassifierOptions) -> ClassifierOptions {
        let options = options.with_decoding(self.decoding()).with_upright(self.exif);
        match self.size {
            Some(Size { height, width }) => options.with_size([height, width]),
            None => options,
        }
    }

    /// The model's `own` preprocessing, for the size of `--size` if given.
    pub(crate) fn sized(&self, own: Preprocessing) -> Preprocessing {
        match self.size {
            Some(Size { height, width }) => own.sized(height, width),
            None => own,
        }
    }
}
