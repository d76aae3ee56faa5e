//! `densenet inspect`: describes a checkpoint.

use clap::Args;
use densenet_wgpu::checkpoint::ModelCard;
use densenet_wgpu::labels::Postprocessing;
use densenet_wgpu::network::Stem;
use densenet_wgpu::planning::PlanOptions;
use densenet_wgpu::preprocessing::{Activation, Preprocessing};
use densenet_wgpu::{Checkpoint, Config, Plan};
use serde::Serialize;

use crate::arguments::{MODELS, Size};
use crate::exit::{SUCCESS, Stop};
use crate::message::printable;
use crate::model::assumed::Assumed;
use crate::model::{Described, DescriptionOptions, VariantOptions};
use crate::output::{Output, ReportFormat};
use crate::remedy::with_flags;
use crate::terminal::paint::{HEADING, paint};

/// Describe a checkpoint: container, dialect, architecture, preprocessing, cost
///
/// Opens no GPU, and runs nothing in the file.
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet inspect m-25012018-123527.pth.tar

  # the cost of a model at another size
  densenet inspect densenet121 --size 512x512

  # machine-readable
  densenet inspect digits --format json")]
pub(crate) struct Options {
    /// A checkpoint file, a model's name, or an `hf://` address
    #[arg(value_name = "M", value_parser = MODELS, hide_possible_values = true)]
    model: String,
    /// Output format
    #[arg(long, short, value_enum, default_value_t = ReportFormat::Text, help_heading = "Output")]
    format: ReportFormat,
    /// Height and width of the input; default: its own, or 224x224
    #[arg(long, value_name = "HxW", help_heading = "Input")]
    size: Option<Size>,
    #[command(flatten)]
    variant: VariantOptions,
    #[command(flatten)]
    description: DescriptionOptions,
}

/// The description, with the keys of the JSON output.
#[derive(Serialize)]
struct Report<'a> {
    name: &'a str,
    identity: String,
    container: String,
    dialect: String,
    wrapper: &'a str,
    architecture: String,
    config: ReportedConfig<'a>,
    tensors: Tensors,
    dtype: String,
    parameters: usize,
    preprocessing: &'a Preprocessing,
    preprocessing_source: &'a str,
    labels: Option<&'a [String]>,
    labels_source: Option<&'a str>,
    thresholds: Option<&'a [Option<f32>]>,
    model_card: Option<&'a ModelCard>,
    size: [usize; 2],
    gpu_memory_bytes: u64,
    flops: u64,
    notes: Vec<String>,
    assumed: Vec<Assumed<'a>>,
}

#[derive(Serialize)]
struct Tensors {
    matched: usize,
    total: usize,
}

/// The numbers of an architecture, under the names of [`Config`].
#[derive(Serialize)]
struct ReportedConfig<'a> {
    growth_rate: usize,
    block_config: &'a [usize],
    num_init_features: usize,
    bn_size: Option<usize>,
    num_classes: Option<usize>,
    in_channels: usize,
    compression: f64,
    stem: &'static str,
    final_relu: bool,
    transition_relu: bool,
    epsilon: f32,
    head: Vec<String>,
}

impl<'a> From<&'a Config> for ReportedConfig<'a> {
    fn from(config: &'a Config) -> Self {
        let stem = match config.stem {
            Stem::ImageNet => "imagenet",
            Stem::Cifar => "cifar",
            Stem::Deep { blur: false, .. } => "deep",
            Stem::Deep { blur: true, .. } => "deep_blur",
            Stem::Single { .. } => "single",
            _ => "another",
        };
        Self {
            growth_rate: config.growth_rate,
            block_config: &config.block_config,
            num_init_features: config.num_init_features,
            bn_size: config.bottleneck.then_some(config.bn_size),
            num_classes: config.num_classes,
            in_channels: config.in_channels,
            compression: config.compression,
            stem,
            final_relu: config.final_relu,
            transition_relu: config.transition_relu,
            epsilon: config.epsilon,
            head: config.head.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Prints the report.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let mut model = options.variant.read(&options.model)?;
    let Described { preprocessing, source, labels_source, .. } = options.description.complete(&mut model)?;
    let Size { height, width } = options.size.unwrap_or_else(|| Size::of(Some(&preprocessing)));
    let plan = Plan::new(&model.graph(height, width)?, PlanOptions::default())?;
    let sources = Sources { preprocessing: &source, labels: labels_source.as_deref() };
    let report = report(&model, &preprocessing, &sources, [height, width], &plan);
    let mut output = Output::new();
    match options.format {
        ReportFormat::Json => output.json(&report)?,
        ReportFormat::Text => output.text(&text(&report, &model.postprocessing()))?,
    }
    Ok(SUCCESS)
}

/// Where preprocessing and labels come from.
struct Sources<'a> {
    preprocessing: &'a str,
    labels: Option<&'a str>,
}

fn report<'a>(model: &'a Checkpoint, preprocessing: &'a Preprocessing, sources: &Sources<'a>, size: [usize; 2], plan: &Plan) -> Report<'a> {
    let origin = model.origin.as_ref();
    let activation = match (model.config.num_classes, preprocessing.activation) {
        (None, _) | (_, Activation::None) => "",
        (_, Activation::Softmax) => " · softmax",
        (_, Activation::Sigmoid) => " · sigmoid",
    };
    let dtypes = origin.iter().flat_map(|origin| &origin.dtypes).map(ToString::to_string);
    let tensors = model.weights.len();
    Report {
        name: &model.name,
        identity: model.weights.identity(),
        container: origin.map(|origin| origin.container.to_string()).unwrap_or_default(),
        dialect: origin.map(|origin| origin.dialect.to_string()).unwrap_or_default(),
        wrapper: origin.map_or("", |origin| &origin.wrapper),
        architecture: format!("{}{activation}", model.config),
        config: ReportedConfig::from(&model.config),
        // Opening fails if a tensor is missing or left over.
        tensors: Tensors { matched: tensors, total: tensors },
        dtype: dtypes.collect::<Vec<_>>().join(", "),
        parameters: model.weights.parameters(),
        preprocessing,
        preprocessing_source: sources.preprocessing,
        labels: model.labels.as_deref(),
        labels_source: sources.labels.filter(|_| model.labels.is_some()),
        thresholds: model.thresholds.as_deref(),
        model_card: model.card.as_ref(),
        size,
        gpu_memory_bytes: plan.byte_total(),
        flops: plan.flops(),
        notes: origin.iter().flat_map(|origin| &origin.notes).map(|note| with_flags(note)).collect(),
        assumed: Assumed::of(model),
    }
}

fn text(report: &Report, postprocessing: &Postprocessing) -> String {
    let [height, width] = report.size;
    let wrapper = if report.wrapper.is_empty() { String::new() } else { format!(", under {}", report.wrapper) };
    let mebibytes = report.gpu_memory_bytes as f64 / f64::from(1 << 20);
    let Tensors { matched, total } = report.tensors;
    let mut lines = vec![
        ("container", report.container.clone()),
        ("dialect", format!("{}{wrapper}", report.dialect)),
        ("architecture", report.architecture.clone()),
        ("tensors", format!("{matched}/{total} matched, {}", report.dtype)),
        ("parameters", report.parameters.to_string()),
        ("identity", report.identity.clone()),
        ("preprocessing", format!("{} ({})", report.preprocessing, report.preprocessing_source)),
        ("GPU memory", format!("{mebibytes:.2} MiB for one picture of {height}x{width}")),
        ("work", format!("{:.3} GFLOP", report.flops as f64 / 1e9)),
    ];
    if let Some(labels) = report.labels {
        let trained = labels.iter().filter(|label| !label.is_empty()).count();
        let some: Vec<&str> = labels.iter().map(String::as_str).filter(|label| !label.is_empty()).take(4).collect();
        let more = if trained > some.len() { ", …" } else { "" };
        let source = report.labels_source.map_or(String::new(), |source| format!(" ({source})"));
        lines.push(("labels", format!("{trained} of {}: {}{more}{source}", labels.len(), some.join(", "))));
    }
    if let Some(thresholds) = &postprocessing.thresholds {
        lines.push(("thresholds", format!("{} of {}", thresholds.iter().flatten().count(), thresholds.len())));
    }
    if let Some(card) = report.model_card {
        lines.extend(fitted(card));
    }
    for (position, assumed) in report.assumed.iter().enumerate() {
        lines.push((if position == 0 { "assumed" } else { "" }, assumed.to_string()));
    }
    let lines: Vec<String> = lines.iter().map(|(key, value)| format!("  {key:<14}{}\n", printable(value))).collect();
    format!("{}\n{}", paint(HEADING, &printable(report.name)), lines.concat())
}

/// The lines of a model card.
fn fitted(card: &ModelCard) -> Vec<(&'static str, String)> {
    let ModelCard { base, base_identity, data, date, train, holdout, .. } = card;
    let percent = |share: Option<f64>, how: &str| share.map(|share| format!("{:.2} % right {how}", 100.0 * share));
    let figures = [
        percent(card.holdout_top1, "of those held out"),
        percent(card.cross_validated_top1, "by cross-validation"),
        card.holdout_log_loss.map(|loss| format!("log loss {loss:.4}")),
    ];
    const SHOWN: usize = 10;
    let mut classes: Vec<String> =
        card.classes.iter().map(|class| format!("{} {} + {}", class.label, class.train, class.holdout)).collect();
    if classes.len() > SHOWN {
        classes.splice(SHOWN.., ["…".to_owned()]);
    }
    vec![
        ("fitted", format!("{date} to {data}, on the features of {base} ({base_identity})")),
        ("", format!("{train} pictures learned from, {holdout} held out (seed {}), C = {}", card.seed, card.regularisation)),
        ("", figures.into_iter().flatten().collect::<Vec<_>>().join(", ")),
        ("", format!("learned from + held out: {}", classes.join(", "))),
    ]
}
