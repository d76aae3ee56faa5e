//! The flags of `evaluate`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use densenet_wgpu::ClassifierOptions;
use densenet_wgpu::evaluate::EvaluationOptions;

use super::truth::TruthOptions;
use crate::arguments::MODELS;
use crate::device::DeviceOptions;
use crate::inputs::ShardOptions;
use crate::model::{DescriptionOptions, ModelOptions};
use crate::output::ReportFormat;
use crate::pictures::{PictureOptions, ViewOptions};
use crate::stream::BatchOptions;

/// Measure how good a model is on pictures of which the truth is known
///
/// Compares the model's answers with a folder for each class, a table, lines of JSON or file names. Where each picture has one class:
/// accuracy, confusion, precision and recall; where it may have any number: areas under the curves and operating points; for both log
/// loss, Brier score and calibration. The numbers are scikit-learn's. A picture that cannot be read is counted apart and named; the exit
/// status is then 1.
#[derive(Args)]
#[command(after_help = "\
Examples:
  # a folder for each class, as for torchvision's ImageFolder
  densenet evaluate val --model best.pth

  # a table; findings of which any number may be there
  densenet evaluate truth.csv --model best.pth --pictures scans --format json

  # the class is in the file name
  densenet evaluate examples/digits --pattern '{label}-*.png' --model digits

  # what was predicted for each picture
  densenet evaluate val --model best.pth --predictions predictions.csv

  # a page with curves, the confusion matrix and the worst mistakes; is another model better?
  densenet evaluate val --model best.pth --report report
  densenet evaluate val --model best.pth --compare other.pth

  # many pictures: repeat the command to continue; in parts, as an array job, and together at the end
  densenet evaluate val --model best.pth --resume predictions.csv
  densenet evaluate val --model best.pth --shard $SLURM_ARRAY_TASK_ID/8 --resume part-$SLURM_ARRAY_TASK_ID.csv
  densenet evaluate --merge part-*.csv")]
pub(crate) struct Options {
    /// What is true: a folder of folders, a CSV or JSONL file
    ///
    /// With --pattern a folder of pictures. A folder holds a folder for each class, as for torchvision's ImageFolder. A CSV file has a header, a column of paths, and a column of
    /// classes or one for each finding: 1, 0, and nothing, -1 or U where nobody knows. Each line of JSONL is {"path":...,"label":...}, or
    /// has "labels":[...] or "labels":{...}.
    #[arg(value_name = "TRUTH", required_unless_present = "merge", value_hint = ValueHint::AnyPath)]
    pub(super) truth_path: Option<PathBuf>,
    #[command(flatten)]
    pub(super) truth: TruthOptions,
    #[command(flatten)]
    pub(super) shard: ShardOptions,
    #[command(flatten)]
    pub(super) model: ModelOptions,
    #[command(flatten)]
    pub(super) description: DescriptionOptions,
    #[command(flatten)]
    pub(super) pictures: PictureOptions,
    #[command(flatten)]
    pub(super) views: ViewOptions,
    #[command(flatten)]
    pub(super) device: DeviceOptions,
    #[command(flatten)]
    pub(super) batch: BatchOptions,
    /// Another number of likeliest classes, beside 1 and 5
    ///
    /// Also gives the share of pictures of whose K likeliest classes one is the truth.
    #[arg(long, short = 'k', value_name = "K", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Output")]
    pub(super) top_k: Option<u32>,
    /// Least sensitivity of an operating point, from 0 to 1
    ///
    /// Can be given more than once. Operating points are those of findings, and of two classes; one is always Youden's.
    #[arg(long, value_name = "S", default_value = "0.9", value_parser = sensitivity, help_heading = "Output")]
    pub(super) sensitivity: Vec<f64>,
    /// Resamples of the pictures for 95 % intervals, 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "Output")]
    pub(super) bootstrap: u32,
    /// Seed of the resamples
    #[arg(long, value_name = "SEED", default_value_t = 0, help_heading = "Output")]
    pub(super) seed: u64,
    /// Output format
    #[arg(long, short, value_enum, default_value_t = ReportFormat::Text, help_heading = "Output")]
    pub(super) format: ReportFormat,
    /// Also write what was predicted to a CSV file
    ///
    /// A row for each picture, and a column for each class.
    #[arg(long, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub(super) predictions: Option<PathBuf>,
    /// Also write a report to this folder
    ///
    /// One HTML page, and every plot as SVG. The page has the confusion matrix, ROC and precision-recall curves, the reliability diagram,
    /// and the worst mistakes with their pictures and heatmaps. It needs no other file and no network.
    #[arg(long, value_name = "DIR", help_heading = "Output", value_hint = ValueHint::DirPath)]
    pub(super) report: Option<PathBuf>,
    /// Also evaluate this model, and test whether it is better
    ///
    /// By McNemar's test where each picture has one class, and by the difference of the areas under the ROC curves with its 95 % interval
    /// where it may have any number, or there are two. All other flags are those of both models.
    #[arg(long, value_name = "M", conflicts_with_all = ["shard", "resume"], value_parser = MODELS, hide_possible_values = true, help_heading = "Model")]
    pub(super) compare: Option<String>,
    /// Append predictions to a file, continuing where it ends
    ///
    /// A file as --predictions writes it. Pictures that have a row already are not run again, so an interrupted run continues when its
    /// command is repeated. The file is created if it does not exist.
    #[arg(long, value_name = "FILE", conflicts_with = "predictions", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub(super) resume: Option<PathBuf>,
    /// Evaluate predictions in files, without running anything
    ///
    /// Files that --predictions or --resume wrote: the parts of one run.
    #[arg(long, value_name = "PART", num_args = 1.., conflicts_with_all = ["truth_path", "shard", "resume", "model", "compare"], help_heading = "Input", value_hint = ValueHint::FilePath)]
    pub(super) merge: Vec<PathBuf>,
}

/// A share that is asked for.
fn sensitivity(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "expected a number from 0 to 1, as in 0.95".into())
}

impl Options {
    /// Where the truth is.
    pub(super) fn truth_path(&self) -> &Path {
        self.truth_path.as_deref().unwrap_or(Path::new(""))
    }

    /// The options of the evaluation.
    pub(super) fn evaluation(&self) -> EvaluationOptions {
        let options = EvaluationOptions::default().with_resamples(self.bootstrap as usize).with_seed(self.seed);
        let options = options.with_sensitivities(self.sensitivity.clone());
        self.top_k.into_iter().fold(options, |options, k| options.with_top_k(k as usize))
    }

    /// A classifier's options with all flags applied.
    pub(super) fn applied_to(&self, described: ClassifierOptions) -> ClassifierOptions {
        self.views.applied_to(self.batch.applied_to(self.pictures.applied_to(described)))
    }
}
