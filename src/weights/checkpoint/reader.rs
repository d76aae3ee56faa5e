//! From a file's content to a checkpoint.

use std::path::Path;

use super::labels::Labels;
use super::{Checkpoint, Metadata, architecture, file, known_file};
use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::weights::container::Contents;
use crate::weights::dialect::{Names, Network};
use crate::weights::preprocessing::timm::{ConfigJson, TrainArguments};
use crate::weights::preprocessing::{OfFile, Preset};
use crate::weights::read_options::ReadOptions;
use crate::weights::{AssumedField, Assumption, Origin, container, dialect};

impl Checkpoint {
    /// Reads a checkpoint file; where a file of timm's called `config.json` lies beside it, that says what it does not.
    /// Errors where it cannot be read, or as [`Checkpoint::from_bytes`] does.
    #[tracing::instrument(name = "read checkpoint", skip_all, fields(path = %path.as_ref().display()))]
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        ReadOptions::default().open(path)
    }

    /// Reads a checkpoint from the content of a file, which `name` stands for in errors; it is also the model's name
    /// where the file has none.
    ///
    /// Files are recognised by their content: safetensors, PyTorch's (zip archive or the older stream; a dictionary of tensors,
    /// nested in others or not, or a whole module), Keras's HDF5 and `.keras`; with the tensor names of any
    /// [`Dialect`](crate::checkpoint::Dialect), in 16, 32 or 64-bit floats, which become 32-bit ones. No code in a file is ever run.
    ///
    /// Errors say what other content looks like, which tensors are missing, left over, mis-shaped, of another type or
    /// not finite, or what in the metadata contradicts the network.
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self> {
        ReadOptions::default().from_bytes(bytes, name)
    }
}

impl ReadOptions {
    /// [`Checkpoint::open`] with these options.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Checkpoint> {
        let path = path.as_ref();
        let bytes = file::read(path)?;
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        // Endings that come in twos: model.pth.tar, model.weights.h5.
        let name = [".pth", ".weights"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
        read(&bytes, name, &path.display().to_string(), || file::config_json(path), self)
    }

    /// [`Checkpoint::from_bytes`] with these options.
    pub fn from_bytes(&self, bytes: &[u8], name: &str) -> Result<Checkpoint> {
        read(bytes, name, name, || None, self)
    }
}

/// Reads the content of a file that errors call `source`; `beside` is the text of a `config.json` there.
fn read(bytes: &[u8], name: &str, source: &str, beside: impl FnOnce() -> Option<String>, options: &ReadOptions) -> Result<Checkpoint> {
    let file = Some(source.to_owned());
    from_content(bytes, name, beside, options).map_err(|e| match e {
        Error::Checkpoint { reason, .. } => Error::Checkpoint { file, reason: one_line(&reason) },
        Error::Tensor { tensor, expected, found, .. } => {
            Error::Tensor { file, tensor: one_line(&tensor), expected, found: one_line(&found) }
        }
        // The file's numbers make no network.
        other => Error::Checkpoint { file, reason: one_line(&other.to_string()) },
    })
}

fn from_content(bytes: &[u8], name: &str, beside: impl FnOnce() -> Option<String>, options: &ReadOptions) -> Result<Checkpoint> {
    let mut contents = container::read(bytes)?;
    let metadata = Metadata::of(&contents)?;
    let is_described = metadata.preprocessing.is_some();
    let options = completed(options, &metadata)?;
    let mut network = dialect::resolve(&mut contents, &options)?;
    network.check_size(contents.byte_count)?;
    let names = Names::of(&network);
    let mut config = architecture::infer(&mut network, options.stem).map_err(|error| names.in_error(error))?;
    let beside = if is_described { None } else { beside() };
    let config_json = beside.as_ref().map(|text| ConfigJson::read(text, &config)).transpose()?.flatten();
    architecture::complete(&mut config, &metadata, &mut network, config_json.as_ref());
    let weights = network.weights(&config)?;
    let thresholds = network.thresholds()?;
    let arguments = contents.arguments.as_ref().filter(|_| !is_described);
    let arguments = arguments.map(|arguments| TrainArguments::read(arguments, &config)).transpose()?.flatten();

    let is_pool_known = contents.description.is_some() || config_json.is_some() || arguments.is_some() || options.head_layers.is_some();
    if let Some(pooling) = network.pooling.filter(|_| !is_pool_known) {
        network.assumed.push(Assumption::of(
            AssumedField::Pool,
            "mean",
            format!("weights do not tell it, and {pooling} is avg by default"),
        ));
    }
    network.activation = network.activation.or(arguments.as_ref().map(|arguments| arguments.preprocessing.activation));
    if config_json.as_ref().is_some_and(|config_json| !config_json.is_imagenet) && network.activation.is_none() {
        network.assumed.push(Assumption::of(AssumedField::Activation, Activation::Softmax.name(), "config.json does not tell it"));
    }
    let is_torchvisions = known_file::is_torchvisions(name, bytes);
    if is_torchvisions {
        network.activation = Some(Activation::Softmax);
    }

    let thresholds = metadata.thresholds.or(thresholds);
    let labels = Labels {
        metadata: metadata.labels,
        contents: &contents,
        beside: beside.as_deref(),
        config_json: config_json.as_ref(),
        thresholds: thresholds.as_deref(),
        is_torchvisions,
    };
    let labelled = labels.merge(config.num_classes.unwrap_or(0));
    network.assumed.extend(labelled.assumed);
    let assumed = std::mem::take(&mut network.assumed);
    let mut origin = origin(&contents, network);
    let (labels, labelled_by) = labelled.labels.unzip();
    origin.labelled_by = labelled_by;
    let (config_name, of_config_json) = config_json.map(|config_json| (config_json.name, config_json.preprocessing)).unzip();
    let of_file = OfFile {
        metadata: metadata.preprocessing,
        config_json: of_config_json,
        torchvision: is_torchvisions.then(|| Preset::Torchvision.preprocessing(config.in_channels)),
        arguments: arguments.map(|arguments| arguments.preprocessing),
    };
    let (preprocessing, described_by) = of_file.merge(&origin).unzip();
    origin.described_by = described_by;
    let mut checkpoint = Checkpoint {
        name: metadata.name.or(config_name).unwrap_or_else(|| name.to_owned()),
        config,
        weights,
        labels,
        thresholds,
        preprocessing,
        card: metadata.card,
        assumed: Vec::new(),
        origin: Some(origin),
    };
    assumed.into_iter().for_each(|assumption| checkpoint.assume(assumption));
    metadata.assumed.iter().for_each(|&field| checkpoint.assume_as_written(field));
    if options.new_channels.is_some() {
        checkpoint.mark_stated(AssumedField::NewChannels);
    }
    checkpoint.check().map_err(|error| names.in_error(error))?;
    Ok(checkpoint)
}

/// Those options with what the file's own metadata says of head and stem, where the caller says nothing.
fn completed(options: &ReadOptions, metadata: &Metadata) -> Result<ReadOptions> {
    let mut options = options.clone();
    if let (None, Some(words)) = (&options.head_layers, &metadata.head) {
        options.head_layers = Some(words.iter().map(|word| word.parse()).collect::<Result<_>>()?);
    }
    options.stem = options.stem.or(metadata.stem.unwrap_or_default());
    Ok(options)
}

fn origin(contents: &Contents, network: Network) -> Origin {
    Origin {
        container: contents.container,
        dialect: network.dialect,
        wrapper: network.wrapper,
        dtypes: network.tensors.values().map(|tensor| tensor.dtype).collect(),
        described_by: None,
        activation: network.activation,
        repository: None,
        labelled_by: None,
        normalisation: network.normalisation,
        notes: network.notes,
    }
}

/// A message with names from a file, of any length and with any characters, as one line of readable length.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 1000;
    let mut line: String =
        text.chars().take(LONGEST).flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}
