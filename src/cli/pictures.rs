//! How pictures are read: what the commands that read them share.

use clap::Args;
use densenet_wgpu::image::{Orientation, Picture};
use densenet_wgpu::weights::Preprocessing;

use super::message;
use super::size::Size;
use super::subject::Subject;

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
}

impl PictureOptions {
    /// A model's `own` preprocessing, for the size that was asked for.
    pub(crate) fn sized(&self, own: Preprocessing) -> Preprocessing {
        match self.size {
            Some(Size { height, width }) => own.sized(height, width),
            None => own,
        }
    }
}

/// What a person should know about the pictures of a run, each said once: ten thousand of a kind are one line.
#[derive(Default)]
pub(crate) struct Notices {
    grey: bool,
    lying: bool,
}

impl Notices {
    /// Says what has not been said about a picture.
    pub(crate) fn look_at(&mut self, subject: &Subject, picture: &Picture) {
        if picture.has_scaled_grey() && !self.grey {
            self.grey = true;
            message::note(&format!("{subject}: 16-bit grey is scaled by its range, where Pillow would clip it to white (said once)"));
        }
        let orientation = picture.orientation();
        if orientation != Orientation::UPRIGHT && !self.lying {
            self.lying = true;
            let found = format!("EXIF orientation {} is not applied, as in torchvision", orientation.exif());
            message::warning(&format!("{subject}: {found}; --exif turns pictures upright (said once)"));
        }
    }
}
