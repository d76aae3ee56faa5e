//! The flags of `fit`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use densenet_wgpu::fit::{ClassWeight, FitOptions};
use densenet_wgpu::internal::WholeFile;

use crate::device::DeviceOptions;
use crate::exit::Stop;
use crate::model::{ModelOptions, PreprocessingOptions};
use crate::output::ReportFormat;
use crate::pictures::PictureOptions;
use crate::replace::ReplaceOptions;
use crate::stream::BatchOptions;
use crate::truth::TruthSource;

/// Teach a network new classes: train a head on its frozen features
///
/// Computes the features of every picture, holds a part of them out, finds the regularisation by cross-validation on the others, fits a
/// logistic regression to these, and measures it on those that were held out. OUT is a checkpoint like any other, with labels,
/// preprocessing and a model card, which inspect shows. Where each picture has one class its head is a softmax's, where it may have any
/// number of findings a sigmoid's.
///
/// Copies of a picture, and pictures of one group, stay on one side of every split. Features are kept in a file beside OUT, with the ending
/// .features, so that an interrupted run continues when its command is repeated. The same seed gives the same file. The default model is
/// densenet121, trained on ImageNet: 32 MB, downloaded once.
#[derive(Args)]
#[command(after_help = "\
Examples:
  # a folder for each class, as for torchvision's ImageFolder
  densenet fit flowers --model densenet121 --output flowers.safetensors
  densenet classify garden --model flowers.safetensors

  # a table; the pictures of a patient are held out together
  densenet fit scans.csv --model best.pth --group-column patient --output scans.safetensors

  # findings, of which any number may be there
  densenet fit scans.csv --label-column Edema --label-column Effusion --output scans.safetensors")]
pub(crate) struct Options {
    /// Pictures and their classes: a folder of folders, or a CSV or JSONL file
    ///
    /// With --pattern it may be any folder. Otherwise it holds a folder for each class, as for torchvision's ImageFolder. A CSV file has a header, a column of paths, and a column of
    /// classes, or with several --label-column one for each finding: 1, 0, and nothing, -1 or U where nobody knows. Each line of JSONL is
    /// {"path":...,"label":...}, or has "labels":[...] or "labels":{...}.
    #[arg(value_name = "DATA", value_hint = ValueHint::AnyPath)]
    pub(super) data: PathBuf,
    #[command(flatten)]
    pub(super) truth: TruthSource,
    /// The CSV column of groups, such as patients
    ///
    /// A group's pictures are all held out, or none of them.
    #[arg(long, value_name = "NAME", help_heading = "Truth")]
    pub(super) group_column: Option<String>,
    /// The checkpoint to write, .safetensors
    #[arg(long, short, value_name = "OUT", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub(super) output: PathBuf,
    #[command(flatten)]
    replace: ReplaceOptions,
    /// Output format
    #[arg(long, short, value_enum, default_value_t = ReportFormat::Text, help_heading = "Output")]
    pub(super) format: ReportFormat,
    /// The share of the pictures to hold out
    ///
    /// From 0 to less than 1. Nothing is learned from them; they serve for the figures.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, help_heading = "Fit")]
    holdout: f64,
    /// Seed of the splits
    #[arg(long, value_name = "SEED", default_value_t = 0, help_heading = "Fit")]
    seed: u64,
    /// Folds of the cross-validation
    ///
    /// At least 2; fewer if a class has fewer pictures.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..), help_heading = "Fit")]
    folds: u32,
    /// How much classes count: equal or balanced
    ///
    /// equal: each picture as much as any other; balanced: all pictures of a class together as much as those of any other.
    #[arg(long, value_name = "HOW", value_enum, hide_possible_values = true, default_value_t = Weight::Equal, help_heading = "Fit")]
    class_weight: Weight,
    /// How much to regularise: scikit-learn's C
    ///
    /// A smaller one regularises more. Default: the best one by cross-validation.
    #[arg(long, value_name = "C", help_heading = "Fit")]
    regularisation: Option<f64>,
    #[command(flatten)]
    pub(super) model: ModelOptions,
    #[command(flatten)]
    pub(super) device: DeviceOptions,
    #[command(flatten)]
    pub(super) batch: BatchOptions,
    #[command(flatten)]
    pub(super) pictures: PictureOptions,
    #[command(flatten)]
    pub(super) preprocessing: PreprocessingOptions,
}

/// How much the pictures of a class count.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Weight {
    /// Each picture as much as any other.
    Equal,
    /// All pictures of a class together as much as those of any other.
    Balanced,
}

impl Options {
    /// Errors if OUT cannot be written, or is a file that may not be replaced.
    pub(super) fn check_output(&self) -> Result<(), Stop> {
        if !self.output.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors")) {
            let found = self.output.display();
            return Err(Stop::refused(format!("{found}: expected a name that ends in .safetensors, which is what fit writes")));
        }
        self.replace.check(&self.output)?;
        // Begun, and dropped unfinished: slow work is not for nothing.
        WholeFile::create(&self.output).map(drop).map_err(|error| Stop::in_file(&self.output, error))
    }

    /// How to fit.
    pub(super) fn fit(&self) -> FitOptions {
        let class_weight = match self.class_weight {
            Weight::Equal => ClassWeight::Equal,
            Weight::Balanced => ClassWeight::Balanced,
        };
        let options = FitOptions::default().with_holdout(self.holdout).with_seed(self.seed).with_folds(self.folds as usize);
        let options = options.with_class_weight(class_weight);
        self.regularisation.into_iter().fold(options, FitOptions::with_regularisation)
    }
}
