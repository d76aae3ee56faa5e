//! Flags for several views of a picture.

use clap::{Args, ValueEnum};
use densenet_wgpu::ClassifierOptions;
use densenet_wgpu::labels::Averaging;
use densenet_wgpu::preprocessing::Preprocessing;

use crate::exit::Stop;

/// Which views of a picture are averaged.
#[derive(Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct ViewOptions {
    /// Average ten crops
    ///
    /// The four corners and the centre, and the same five of the mirror image. A batch counts crops, so it has at least ten.
    #[arg(long)]
    ten_crop: bool,
    /// Average each picture and its mirror image
    #[arg(long, conflicts_with = "ten_crop")]
    flip: bool,
    /// What is averaged: probabilities or logits
    #[arg(long, value_name = "WHAT", value_enum, hide_possible_values = true, default_value_t = Average::Probabilities)]
    average: Average,
}

/// What is averaged.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Average {
    /// Probabilities, of which each view has the same share.
    Probabilities,
    /// Logits, before they become probabilities.
    Logits,
}

impl ViewOptions {
    /// Whether a picture has more than one view.
    pub(crate) fn are_several(&self) -> bool {
        self.ten_crop || self.flip
    }

    /// A classifier's options with these flags applied.
    pub(crate) fn applied_to(&self, options: ClassifierOptions) -> ClassifierOptions {
        let averaging = match self.average {
            Average::Probabilities => Averaging::Probabilities,
            Average::Logits => Averaging::Logits,
        };
        options.with_ten_crops(self.ten_crop).with_mirror_images(self.flip).with_averaging(averaging)
    }

    /// Stops if there cannot be ten crops.
    pub(crate) fn check(&self, preprocessing: &Preprocessing) -> Result<(), Stop> {
        if self.ten_crop && preprocessing.crop.is_none() {
            let remedy = "--preprocess torchvision has one";
            return Err(Stop::refused(format!("--ten-crop: expected a preprocessing with a crop, found: {preprocessing}; {remedy}")));
        }
        Ok(())
    }
}
