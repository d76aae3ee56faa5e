//! A trained network: architecture, weights, labels and preprocessing, read from a file or written to one.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use super::Weights;
use super::container::{self, Container, Element};
use super::dialect::{self, Dialect, Names};
use super::infer::infer_told;
use super::metadata::Metadata;
use super::own_labels::OwnLabels;
use super::preprocessing::timm::{ConfigJson, TrainArguments};
use super::preprocessing::{Activation, Preprocessing, Preset, torchxrayvision};
use super::reading::{Entry, Reading};
use super::{Assumption, Field, known_file};
use crate::arch::{Config, Stem};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::labels::named;
use crate::whole_file::WholeFile;

/// A network as a file holds it.
///
/// ```
/// use densenet_wgpu::{Checkpoint, Config};
///
/// let folder = tempfile::tempdir().expect("a folder");
/// let path = folder.path().join("mine.safetensors");
/// let model = Checkpoint::init(Config::imagenet(4, &[2, 2], 8).with_classes(Some(2)), 1)?;
/// let model = model.with_labels(vec!["cat".into(), "dog".into()]);
/// model.save(&path)?;
///
/// let read = Checkpoint::open(&path)?; // or `from_bytes` of what `to_bytes` made
/// assert_eq!((&read.weights, &read.labels), (&model.weights, &model.labels));
/// assert_eq!(read.config.to_string(), "DenseNet-11 · k=4 · [2,2] · 3 channels · 2 classes");
/// let error = Checkpoint::open("Cargo.toml").unwrap_err().to_string();
/// assert!(error.starts_with("checkpoint: Cargo.toml: is a text file, not a checkpoint"));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The model's name: what the file says, else the file's own name without its extension.
    pub name: String,
    /// The architecture.
    pub config: Config,
    /// The tensors, exactly those that the architecture needs, under torchvision's names.
    pub weights: Weights,
    /// One label for each class, where the file has them; `""` for an output that was not trained.
    pub labels: Option<Vec<String>>,
    /// For each class the probability from which on it counts as found, where the file has them; `None` for an output
    /// that was not trained.
    pub thresholds: Option<Vec<Option<f32>>>,
    /// How a picture becomes the network's input, where the file says so.
    pub preprocessing: Option<Preprocessing>,
    /// What nothing said and was assumed, or stays open, sorted by field: of the network while it was read, of its pictures
    /// and classes by [`Checkpoint::complete_description`].
    pub assumed: Vec<Assumption>,
    /// What the file was; `None` for a network that was made here.
    pub origin: Option<Origin>,
}

/// What a checkpoint's file was, and what was found out about it.
///
/// ```
/// use densenet_wgpu::models;
///
/// let origin = models::bundled("digits").expect("it is bundled")?.origin.expect("it was a file");
/// assert_eq!((origin.container.to_string(), origin.dialect.to_string()), ("safetensors".into(), "torchvision".into()));
/// assert_eq!(origin.described_by, Some("the file itself"));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Origin {
    /// The kind of file.
    pub container: Container,
    /// Whose names the tensors had.
    pub dialect: Dialect,
    /// What stood before the network's own names: keys of a nested file, wrappers such as `module.`.
    pub wrapper: String,
    /// Types of the network's tensors in the file.
    pub elements: BTreeSet<Element>,
    /// Where the description of preprocessing was, if anywhere: the file itself, the arguments that it was trained with,
    /// `config.json` beside it, or, of what torchvision publishes, the file's SHA-256.
    pub described_by: Option<&'static str>,
    /// What turns logits into probabilities, where the file tells without saying how pictures are prepared.
    pub activation: Option<Activation>,
    /// The repository that the file was fetched from, where it was: owner and name.
    pub repository: Option<String>,
    /// Where in the file the labels were, if anywhere.
    pub labelled_by: Option<String>,
    /// Mean and standard deviation of each channel of a picture from 0 to 1, where a module around the network normalises pictures
    /// itself.
    pub normalisation: Option<[Vec<f32>; 2]>,
    /// What was chosen while reading, a sentence each, which begins with the model's name: that is left out here, as it may
    /// change.
    pub notes: Vec<String>,
}

/// [`Origin::described_by`] where a file of timm's says it.
const BESIDE: &str = "config.json beside it";

/// [`Origin::described_by`] where the arguments of timm's `train.py` say it.
const ARGUMENTS: &str = "the arguments it was trained with";

/// [`Origin::described_by`] of a file that torchvision downloads.
const TORCHVISIONS: &str = "its SHA-256, which is torchvision's";

/// What a folder is that TensorFlow wrote, and the way round it.
const SAVED_MODEL: &str = "is a TensorFlow SavedModel, a program and not a checkpoint. Save it as one in Python, with a TensorFlow that \
                           has Keras 2 (2.15, or with TF_USE_LEGACY_KERAS=1): import tensorflow as tf; \
                           tf.keras.models.load_model('IN').save('OUT.h5')";

/// As much of a file as tells what kind it is.
const BYTES_TO_RECOGNISE: u64 = 512;

/// As much of a `config.json` as is read; timm's have less than a kilobyte, or labels too.
const LARGEST_CONFIG: u64 = 1 << 20;

impl Checkpoint {
    /// A network that was made here, without labels and without a word of its pictures. [`Checkpoint::check`] tells whether the
    /// weights are those of the architecture.
    pub fn new(name: impl Into<String>, config: Config, weights: Weights) -> Self {
        Self { name: name.into(), config, weights, labels: None, thresholds: None, preprocessing: None, assumed: Vec::new(), origin: None }
    }

    /// Calls the model so.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Calls the classes so, in their order; `""` is an output that was not trained.
    #[must_use]
    pub fn with_labels(self, labels: Vec<String>) -> Self {
        let mut named = Self { labels: Some(labels), ..self };
        named.settle(Field::Labels);
        named
    }

    /// Counts each class as found from this probability on; `None` is an output that was not trained.
    #[must_use]
    pub fn with_thresholds(self, thresholds: Vec<Option<f32>>) -> Self {
        Self { thresholds: Some(thresholds), ..self }
    }

    /// Prepares pictures so.
    #[must_use]
    pub fn with_preprocessing(self, preprocessing: Preprocessing) -> Self {
        let mut described = Self { preprocessing: Some(preprocessing), ..self };
        described.settle(Field::Preprocessing);
        described.settle(Field::Activation);
        described
    }

    /// Reads a checkpoint file; where a file of timm's called `config.json` lies beside it, that says what it does not.
    /// Errors where it cannot be read, or as [`Checkpoint::from_bytes`] does.
    #[tracing::instrument(name = "read checkpoint", skip_all, fields(path = %path.as_ref().display()))]
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_as(path.as_ref(), &Reading::default())
    }

    /// [`Checkpoint::open`], read as was said.
    pub(super) fn open_as(path: &Path, reading: &Reading) -> Result<Self> {
        let bytes = read_file(path)?;
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        // Endings that come in twos: model.pth.tar, model.weights.h5.
        let name = [".pth", ".weights"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
        let beside = || {
            let mut text = String::new();
            let path = path.with_file_name("config.json");
            // A pipe of that name would never end.
            std::fs::metadata(&path).ok().filter(|file| file.is_file())?;
            File::open(path).ok()?.take(LARGEST_CONFIG).read_to_string(&mut text).ok()?;
            Some(text)
        };
        Self::read(&bytes, name, &path.display().to_string(), beside, reading)
    }

    /// Reads a checkpoint from the content of a file, which `name` stands for in errors; it is also the model's name
    /// where the file has none.
    ///
    /// Files are told by their content: safetensors, PyTorch's (zip archive or the older stream; a dictionary of tensors,
    /// nested in others or not, or a whole module), Keras's HDF5 and `.keras`; with the tensor names of any [`Dialect`],
    /// in 16, 32 or 64-bit floats, which become 32-bit ones. No code in a file is ever run.
    ///
    /// Errors say what other content looks like, which tensors are missing, left over, mis-shaped, of another type or
    /// not finite, or what in the metadata contradicts the network.
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self> {
        Self::from_bytes_as(bytes, name, &Reading::default())
    }

    /// [`Checkpoint::from_bytes`], read as was said.
    pub(super) fn from_bytes_as(bytes: &[u8], name: &str, reading: &Reading) -> Result<Self> {
        Self::read(bytes, name, name, || None, reading)
    }

    fn read(bytes: &[u8], name: &str, source: &str, beside: impl FnOnce() -> Option<String>, reading: &Reading) -> Result<Self> {
        let file = Some(source.to_owned());
        Self::from_contents(bytes, name, beside, reading).map_err(|e| match e {
            Error::Checkpoint { reason, .. } => Error::Checkpoint { file, reason: one_line(&reason) },
            Error::Tensor { tensor, expected, found, .. } => {
                Error::Tensor { file, tensor: one_line(&tensor), expected, found: one_line(&found) }
            }
            // Numbers from the file that make no network.
            other => Error::Checkpoint { file, reason: one_line(&other.to_string()) },
        })
    }

    fn from_contents(bytes: &[u8], name: &str, beside: impl FnOnce() -> Option<String>, reading: &Reading) -> Result<Self> {
        let mut contents = container::read(bytes)?;
        let metadata: Option<Metadata> = match &contents.description {
            Some(text) => Some(serde_json::from_str(text).map_err(|e| {
                // A later version may say more; what is damaged nobody can tell.
                Error::checkpoint(format!("metadata `densenet`: {e}; convert its source again, or get the file again"))
            })?),
            None => None,
        };
        let is_described = metadata.as_ref().is_some_and(|metadata| metadata.preprocessing.is_some());
        let metadata = metadata.unwrap_or_default();
        let mut reading = reading.clone();
        if let (None, Some(words)) = (&reading.head_layers, &metadata.head) {
            reading.head_layers = Some(words.iter().map(|word| word.parse()).collect::<Result<_>>()?);
        }
        reading.entry = reading.entry.or(metadata.stem.unwrap_or_default());
        let mut network = dialect::resolve(&mut contents, &reading)?;
        network.check_size(contents.byte_count)?;
        let names = Names::of(&network);
        let is_in_head = |name: &str| name.starts_with("classifier.") && !network.head.is_empty();
        let shapes = network.tensors.iter().filter(|(name, _)| !is_in_head(name));
        let entry = reading.entry.or(network.entry);
        let shapes = shapes.map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice()));
        let mut config = infer_told(shapes, entry).map_err(|error| names.told(error))?;
        if !network.head.is_empty() {
            config = config.with_head(std::mem::take(&mut network.head));
        }
        let beside = if is_described { None } else { beside() };
        let hub = beside.as_ref().map(|text| ConfigJson::read(text, &config)).transpose()?.flatten();

        config.epsilon = metadata.epsilon.or(network.epsilon).unwrap_or(config.epsilon);
        config.final_relu = metadata.final_relu.or(network.final_relu).unwrap_or(true);
        config.transition_relu = metadata.transition_relu.or(network.transition_relu).unwrap_or(true);
        if let Stem::Deep { widths, .. } = config.stem {
            let told = metadata.blur.or(network.blur).or(hub.as_ref().map(|hub| hub.blur));
            // timm has one architecture of each kind.
            let sharp = Config { stem: Stem::Deep { widths, blur: false }, ..config.clone() };
            let blur = told.unwrap_or(sharp.features_name().is_none());
            config.stem = Stem::Deep { widths, blur };
            if told.is_none() {
                let like = if blur { "densenetblur121d" } else { "densenet264d" };
                let why = format!("weights do not tell whether the stem's pool blurs, and {like} has this");
                network.assumed.push(Assumption::of(Field::Blur, blur.to_string(), why));
            }
        }
        let weights = network.weights(&config)?;
        let thresholds = network.thresholds()?;
        let mut origin = Origin {
            container: contents.container,
            dialect: network.dialect,
            wrapper: network.wrapper,
            elements: network.tensors.values().map(|tensor| tensor.element).collect(),
            described_by: if is_described { Some("the file itself") } else { hub.as_ref().map(|_| BESIDE) },
            activation: network.activation,
            repository: None,
            labelled_by: None,
            normalisation: network.normalisation,
            notes: network.notes,
        };
        let arguments = contents.arguments.as_ref().filter(|_| !is_described);
        let trained = arguments.map(|arguments| TrainArguments::read(arguments, &config)).transpose()?.flatten();
        let is_pool_told = contents.description.is_some() || hub.is_some() || trained.is_some() || reading.head_layers.is_some();
        if let Some(pooling) = network.pooling.filter(|_| !is_pool_told) {
            network.assumed.push(Assumption::of(Field::Pool, "mean", format!("weights do not tell it, and {pooling} is avg by default")));
        }
        if let Some(trained) = &trained {
            origin.described_by.get_or_insert(ARGUMENTS);
            origin.activation = origin.activation.or(Some(trained.preprocessing.activation));
        }
        if hub.as_ref().is_some_and(|hub| !hub.is_imagenet) && origin.activation.is_none() {
            network.assumed.push(Assumption::of(Field::Activation, Activation::Softmax.name(), "config.json does not tell it"));
        }
        let classes = config.num_classes.unwrap_or(0);
        let mut own = OwnLabels::of(&contents, classes);
        if let (OwnLabels { found: None, assumed: None }, None, Some(text)) = (&own, &hub, &beside) {
            own = OwnLabels::beside(text, classes);
            own.found = own.found.map(|(labels, place)| (labels, format!("{place} in {BESIDE}")));
        }
        let OwnLabels { found, assumed: of_labels } = own;
        let (hub_name, hub_labels, hub_preprocessing) = match hub {
            Some(ConfigJson { name, labels, preprocessing, .. }) => (Some(name), labels, Some(preprocessing)),
            None => (None, None, None),
        };
        let is_torchvisions = known_file::is_torchvisions(name, bytes);
        if is_torchvisions {
            (origin.described_by, origin.activation) = (Some(TORCHVISIONS), Some(Activation::Softmax));
        }
        let torchvisions = is_torchvisions.then(|| Preset::Torchvision.preprocessing(config.in_channels));
        let its_own = torchvisions.or(trained.map(|trained| trained.preprocessing));
        let outside = hub_preprocessing.or(its_own).map(|preprocessing| {
            let activation = origin.activation.unwrap_or(preprocessing.activation);
            let preprocessing = preprocessing.with_activation(activation);
            // The network does itself what the rest of its description leaves to whoever prepares pictures.
            match origin.normalisation.clone() {
                Some([mean, std]) => preprocessing.with_normalisation(mean, std),
                None => preprocessing,
            }
        });
        let written = metadata.labels.map(|labels| (labels, "the file itself".to_owned()));
        let thresholds = metadata.thresholds.or(thresholds);
        let points = thresholds.as_ref().and_then(|thresholds| torchxrayvision::labels_of(thresholds));
        let labelled = written
            .or(found)
            .or(hub_labels.map(|labels| (labels, BESIDE.to_owned())))
            .or(points.map(|labels| (labels, "its thresholds, which are torchxrayvision's".to_owned())))
            .or(named("imagenet").filter(|_| is_torchvisions).map(|labels| (labels, TORCHVISIONS.to_owned())));
        let (labels, labelled_by) = labelled.unzip();
        origin.labelled_by = labelled_by;
        if of_labels.as_ref().is_some_and(|assumption| labels.is_some() == assumption.value.is_some()) {
            network.assumed.extend(of_labels);
        }
        let mut checkpoint = Self {
            name: metadata.name.or(hub_name).unwrap_or_else(|| name.to_owned()),
            config,
            weights,
            labels,
            thresholds,
            preprocessing: metadata.preprocessing.or(outside),
            assumed: Vec::new(),
            origin: Some(origin),
        };
        network.assumed.into_iter().for_each(|assumption| checkpoint.assume(assumption));
        metadata.assumed.iter().for_each(|&field| checkpoint.assume_as_written(field));
        if reading.new_channels.is_some() {
            checkpoint.settle(Field::NewChannels);
        }
        checkpoint.check().map_err(|error| names.told(error))?;
        Ok(checkpoint)
    }

    /// Takes back how pictures are prepared where `config.json` beside the file says it: timm describes its own way there, also of
    /// weights that are not its own.
    pub(crate) fn forget_config(&mut self) {
        if let Some(origin) = self.origin.as_mut().filter(|origin| origin.described_by == Some(BESIDE)) {
            origin.described_by = None;
            self.preprocessing = None;
            self.settle(Field::Activation);
        }
    }

    /// The network for pictures of `height` x `width` pixels. Errors where they are too small for it.
    ///
    /// Its output is the logits. Any layer can be the output instead; `global_pool` makes the features that the classifier
    /// reads, PyTorch's `adaptive_avg_pool2d(relu(model.features(x)), 1).flatten(1)`, for searching and comparing pictures:
    ///
    /// ```
    /// use densenet_wgpu::verify::Reference;
    /// use densenet_wgpu::models;
    ///
    /// # fn main() -> densenet_wgpu::Result<()> {
    /// let model = models::bundled("digits").expect("it is bundled")?;
    /// let mut graph = model.graph(64, 64)?;
    /// graph.set_output(graph.find("global_pool")?)?;
    /// let two_pictures = vec![0.5; 2 * graph.input_shape().elements()];
    /// // The same with `Engine::new(&gpu, &graph, &model.weights, options)?.run(&two_pictures)?`.
    /// let features = Reference::new(graph, model.weights)?.run(&two_pictures, 64, 64)?; // [2, 50]
    /// assert_eq!(features.len(), 2 * 50);
    /// # Ok(())
    /// # }
    /// ```
    pub fn graph(&self, height: usize, width: usize) -> Result<Graph> {
        self.config.graph(height, width)
    }

    /// Errors where weights, labels, thresholds or preprocessing do not belong to the architecture.
    pub fn check(&self) -> Result<()> {
        let epsilon = self.config.epsilon;
        expect(epsilon.is_finite() && epsilon >= 0.0, "an epsilon of at least 0", epsilon)?;
        self.weights.check(&self.config.any_graph()?)?;
        let classes = self.config.num_classes.unwrap_or(0);
        if let Some(labels) = &self.labels {
            expect(labels.len() == classes, &format!("{classes} labels, one for each class"), labels.len())?;
        }
        if let Some(thresholds) = &self.thresholds {
            expect(thresholds.len() == classes, &format!("{classes} thresholds, one for each class"), thresholds.len())?;
            let outside = thresholds.iter().flatten().find(|&&threshold| !(threshold > 0.0 && threshold < 1.0));
            expect(outside.is_none(), "thresholds between 0 and 1", outside.copied().unwrap_or_default())?;
        }
        if let Some(preprocessing) = &self.preprocessing {
            preprocessing.check()?;
            let expected = self.config.in_channels;
            if preprocessing.channels != expected {
                let (expected, found) = (format!("{expected}, as the first layer has"), preprocessing.channels.to_string());
                return Err(Error::Preprocessing { field: "channels".into(), expected, found });
            }
        }
        Ok(())
    }

    /// What a file of it says beside its tensors: all that is known of it, what was assumed too.
    ///
    /// ```
    /// use densenet_wgpu::{Checkpoint, Config};
    ///
    /// let config = Config::imagenet(4, &[2, 2], 8).with_classes(Some(2)).with_epsilon(1e-3);
    /// let metadata = Checkpoint::init(config, 1)?.with_labels(vec!["cat".into(), "dog".into()]).metadata();
    /// assert_eq!((metadata.epsilon, metadata.labels.map(|labels| labels.len()), metadata.blur), (Some(1e-3), Some(2), None));
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    pub fn metadata(&self) -> Metadata {
        let default = Config::densenet121();
        Metadata {
            // Of labels that are not there nothing need be said.
            assumed: self.assumed.iter().filter(|it| it.field != Field::Labels || it.value.is_some()).map(|it| it.field).collect(),
            blur: match self.config.stem {
                Stem::Deep { blur, .. } => Some(blur),
                Stem::ImageNet | Stem::Cifar | Stem::Single { .. } => None,
            },
            epsilon: Some(self.config.epsilon).filter(|&epsilon| epsilon != default.epsilon),
            final_relu: Some(self.config.final_relu).filter(|&relu| relu != default.final_relu),
            head: Some(self.config.head.iter().map(|layer| layer.word()).collect()).filter(|words: &Vec<_>| !words.is_empty()),
            labels: self.labels.clone(),
            name: Some(self.name.clone()),
            preprocessing: self.preprocessing.clone(),
            stem: match self.config.stem {
                Stem::Single { stride, pool, .. } => Some(Entry { stride: Some(stride), pool: Some(pool) }),
                Stem::Deep { .. } | Stem::ImageNet | Stem::Cifar => None,
            },
            thresholds: self.thresholds.clone(),
            transition_relu: Some(self.config.transition_relu).filter(|&relu| relu != default.transition_relu),
        }
    }

    /// The content of a safetensors file with everything in it: the same checkpoint gives the same bytes.
    /// Errors where [`Checkpoint::check`] does.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.check()?;
        let metadata = serde_json::to_string(&self.metadata()).map_err(|e| Error::checkpoint(format!("metadata: {e}")))?;
        container::safetensors::write(&self.weights, metadata)
    }

    /// Whether the file at `path` is one that [`Checkpoint::save`] wrote, by its metadata. Errors where it cannot be read.
    ///
    /// ```
    /// use densenet_wgpu::Checkpoint;
    ///
    /// assert!(Checkpoint::wrote("models/digits.safetensors")?);
    /// assert!(!Checkpoint::wrote("Cargo.toml")?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wrote(path: impl AsRef<Path>) -> io::Result<bool> {
        container::safetensors::is_ours(path.as_ref())
    }

    /// Writes a safetensors file: whoever opens `path` finds what was there before, or all of the new file.
    /// Errors where [`Checkpoint::to_bytes`] does, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.to_bytes()?;
        let written = WholeFile::create(path).and_then(|mut file| file.write_all(&bytes).and_then(|()| file.finish()));
        written.map_err(|source| Error::File { path: path.into(), source })
    }
}

impl Config {
    /// The network for some input size that is large enough: for what does not depend on it.
    pub(super) fn any_graph(&self) -> Result<Graph> {
        let halvings = self.block_config.len().saturating_sub(1) + if self.stem.keeps_size() { 0 } else { 3 };
        let side = 1 << halvings.min(24);
        self.graph(side, side)
    }
}

/// The content of a file. One that is no checkpoint by its first bytes is not read further: a device has no end.
fn read_file(path: &Path) -> Result<Vec<u8>> {
    let in_file = |source: io::Error| Error::File { path: path.into(), source };
    if path.is_dir() {
        return Err(match path.join("saved_model.pb").is_file() {
            true => Error::Checkpoint { file: Some(path.display().to_string()), reason: SAVED_MODEL.into() },
            false => in_file(io::Error::other("expected a checkpoint file, found a folder; give the path of the file in it")),
        });
    }
    let file = File::open(path).map_err(|error| {
        in_file(match error.kind() {
            io::ErrorKind::NotFound => io::Error::new(error.kind(), "expected a checkpoint file, found nothing of that name"),
            _ => error,
        })
    })?;
    let mut bytes = Vec::new();
    (&file).take(BYTES_TO_RECOGNISE).read_to_end(&mut bytes).map_err(in_file)?;
    container::recognise(&bytes).map_err(|error| match error {
        Error::Checkpoint { reason, .. } => Error::Checkpoint { file: Some(path.display().to_string()), reason },
        other => other,
    })?;
    (&file).read_to_end(&mut bytes).map_err(in_file)?;
    Ok(bytes)
}

/// What is said of a file's content, names of any length and any characters in it, as one line of a person's length.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 1000;
    let mut line: String =
        text.chars().take(LONGEST).flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

fn expect(holds: bool, expected: &str, found: impl Display) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::checkpoint(format!("expected {expected}, found {found}"))) }
}
