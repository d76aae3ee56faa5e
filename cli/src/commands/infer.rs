//! `densenet infer`: raw tensors through a network.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use densenet_wgpu::internal::images_at_once;
use densenet_wgpu::network::Op;
use densenet_wgpu::{Error, Graph};

use crate::device::DeviceOptions;
use crate::exit::{SUCCESS, Stop};
use crate::message;
use crate::model::ModelOptions;
use crate::npy::{Array, Images};
use crate::remedy::explained;

/// Run a network on raw tensors, without preprocessing
///
/// Reads float32 [N, C, H, W] and writes logits [N, classes]. Any height and width that the network accepts will do.
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet infer images.npy --model digits --output logits.npy

  # the output of a layer, as PyTorch's module of that name returns it
  densenet infer images.npy --model digits --layer features.denseblock1 --output features.npy")]
pub(crate) struct Options {
    /// A .npy file of float32 [N, C, H, W]
    #[arg(value_name = "INPUT", value_hint = ValueHint::FilePath)]
    input: PathBuf,
    #[command(flatten)]
    model: ModelOptions,
    /// The .npy file to write: logits [N, classes], or with --layer [N, C, H, W]
    #[arg(long, short, value_name = "OUT", help_heading = "Output", value_hint = ValueHint::FilePath)]
    output: PathBuf,
    /// Write the output of this layer, as PyTorch's module returns it
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    layer: Option<String>,
    #[command(flatten)]
    device: DeviceOptions,
    /// Images per batch
    #[arg(long, short, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Device")]
    batch: u32,
    /// Run one kernel per operation of the network
    #[arg(long, help_heading = "Device")]
    no_fusion: bool,
}

/// Runs the tensor in batches and writes the result.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let model = options.model.open()?;
    let in_input = |error: &dyn std::fmt::Display| Stop::failed(format!("{}: {error}", options.input.display()));
    let mut images = Images::open(&options.input).map_err(|error| in_input(&error))?;
    let [count, channels, height, width] = images.shape;
    if channels != model.config.in_channels {
        let expected = model.config.in_channels;
        return Err(in_input(&format!("expected {expected} channels, which {} takes, found {channels} in {:?}", model.name, images.shape)));
    }
    let mut graph = model.graph(height, width).map_err(|error| match error {
        Error::TooSmall { .. } => in_input(&explained(&error)),
        other => other.into(),
    })?;
    if let Some(layer) = &options.layer {
        let value = graph.find(layer)?;
        graph.set_output(value)?;
    }
    let fusion = !options.no_fusion && options.layer.is_none();
    let runner = options.device.runner(&graph, &model.weights, fusion)?;

    let shape = output_shape(&graph, count, options.layer.is_some());
    let mut output = Array::create(&options.output, &shape).map_err(|error| Stop::in_file(&options.output, error))?;
    let batch = images_at_once(options.batch as usize, graph.input_shape());
    let mut is_finite = true;
    for first in (0..count).step_by(batch) {
        let values = images.next(batch.min(count - first)).map_err(|error| in_input(&error))?;
        let result = runner.run(&values, height, width).map_err(|error| in_input(&explained(&error)))?;
        is_finite &= result.iter().all(|value| value.is_finite());
        output.extend(result).map_err(|error| Stop::unwritten(&options.output, error))?;
    }
    output.finish().map_err(|error| Stop::unwritten(&options.output, error))?;
    if !is_finite {
        message::warning(&format!("{}: some values are infinite or NaN", options.output.display()));
    }
    message::note(&format!("{}: {:?}", options.output.display(), shape));
    Ok(SUCCESS)
}

/// `[N, classes]` for the whole network, and what PyTorch returns for a layer: `[N, features]` or `[N, C, H, W]`.
fn output_shape(graph: &Graph, count: usize, is_layer: bool) -> Vec<u64> {
    let (shape, node) = (graph.shape(graph.output()), graph.node(graph.output()));
    let flat = !is_layer || matches!(node.op, Op::Linear { .. });
    let shape = if flat { vec![count, shape.channels] } else { vec![count, shape.channels, shape.height, shape.width] };
    shape.into_iter().map(|n| n as u64).collect()
}
