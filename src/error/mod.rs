//! All errors, in one enum: every message says where, what was expected, what was found, and the remedy.
//!
//! Messages stand on their own, for the user of a program. A program distinguishes kinds by their variants, and [`Error::place`] says
//! where something is wrong.
//!
//! ```
//! use densenet_wgpu::{Config, Error};
//!
//! let error = Config::densenet121().graph(16, 16).unwrap_err();
//! assert!(matches!(error, Error::TooSmall { height: 1, width: 1, .. }));
//! assert_eq!(error.place().as_deref(), Some("features.transition3.pool"));
//! assert_eq!(
//!     error.to_string(),
//!     "features.transition3.pool: an input of 3x16x16 is too small for this network (it has shrunk to 1x1 here); use a larger one"
//! );
//! ```

mod place;
mod wording;

use std::path::PathBuf;

use crate::shape::Shape;
use wording::{and_others, before, numbered};

/// The result type of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that this library refuses, with the reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A graph verb was called with shapes or arguments that do not fit.
    #[error("{layer}: expected {expected}, found {found}")]
    #[non_exhaustive]
    Graph {
        /// The layer being added.
        layer: String,
        /// What the verb needs.
        expected: String,
        /// What it was given.
        found: String,
    },
    /// The input picture or tensor is smaller than the network can take.
    #[error("{layer}: an input of {input} is too small for this network (it has shrunk to {height}x{width} here); use a larger one")]
    #[non_exhaustive]
    TooSmall {
        /// The layer whose window no longer fits.
        layer: String,
        /// The network's input.
        input: Shape,
        /// Height that reaches the layer, in pixels.
        height: usize,
        /// Width that reaches the layer, in pixels.
        width: usize,
    },
    /// A checkpoint that cannot be used.
    #[error("checkpoint: {}{reason}", before(file.as_ref()))]
    #[non_exhaustive]
    Checkpoint {
        /// Its path, or what it was called; `None` if it is in memory only.
        file: Option<String>,
        /// What was expected, what was found, and the remedy.
        reason: String,
    },
    /// A tensor in a checkpoint that is missing, left over, mis-shaped or not finite.
    #[error("checkpoint tensor {}{tensor}: expected {expected}, found {found}", before(file.as_ref()))]
    #[non_exhaustive]
    Tensor {
        /// The checkpoint's path, or what it was called; `None` if it is in memory only.
        file: Option<String>,
        /// The tensor's name in the checkpoint.
        tensor: String,
        /// What the architecture needs.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// A preprocessing whose numbers make no sense, or do not belong to the network.
    #[error("preprocessing {field}: expected {expected}, found {found}")]
    #[non_exhaustive]
    Preprocessing {
        /// The key that is wrong, as a file spells it.
        field: String,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// An input tensor of the wrong length, rank or content.
    #[error("input: expected {expected}, found {found}")]
    #[non_exhaustive]
    Input {
        /// What the network needs.
        expected: String,
        /// What it was given.
        found: String,
    },
    /// A model whose input no picture can become.
    #[error("input: expected a model of 1 or 3 channels, found a model of {channels} channels; run it on raw tensors")]
    #[non_exhaustive]
    Channels {
        /// The channels that the model takes.
        channels: usize,
    },
    /// A layer name that the graph does not have.
    #[error("no layer is called {name:?}{}", suggestion.as_ref().map(|s| format!("; did you mean {s:?}?")).unwrap_or_default())]
    #[non_exhaustive]
    NoSuchLayer {
        /// The requested name.
        name: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// There is neither a GPU nor a software adapter.
    #[error("{}", crate::vulkan_loader::no_adapter())]
    NoAdapter,
    /// An adapter that is not there.
    #[error("no adapter is called {name:?}{} There are: {}", suggestion.as_ref().map_or(".".into(), |s| format!("; did you mean {s}?")), numbered(adapters))]
    #[non_exhaustive]
    NoSuchAdapter {
        /// The request: an index or a part of a name.
        name: String,
        /// The nearest name, or word of a name, that exists.
        suggestion: Option<String>,
        /// Name, graphics API and, where it is known, PCI address of all adapters, in the order of their indices.
        adapters: Vec<String>,
    },
    /// A PCI address at which no adapter is.
    #[error("no adapter is at the PCI address {address}. There are: {}", numbered(adapters))]
    #[non_exhaustive]
    NoAdapterAt {
        /// The address.
        address: String,
        /// Name, graphics API and, where it is known, PCI address of all adapters, in the order of their indices.
        adapters: Vec<String>,
    },
    /// A software adapter where software is refused ([`Software::Refuse`](crate::devices::Software::Refuse)).
    #[error(
        "expected a GPU, found {adapter}, a software device, which is many times slower; install the GPU's driver, give this process the GPU \
         (a container sees only those that it was started with), or allow software devices"
    )]
    #[non_exhaustive]
    Software {
        /// The adapter's name and graphics API.
        adapter: String,
    },
    /// An environment variable that says what cannot be done.
    #[error("{name}={value}: {source}")]
    #[non_exhaustive]
    Variable {
        /// The variable's name.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        source: Box<Self>,
    },
    /// An adapter whose driver opens no device.
    #[error("{adapter} refused to open: {source}; update its driver, or use another device")]
    #[non_exhaustive]
    DeviceRefused {
        /// The adapter's name and graphics API.
        adapter: String,
        /// The driver's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A lost device: it hung, was reset or unplugged, or the program destroyed it. Nothing more runs there; engines on a newly opened
    /// device do.
    #[error("{adapter} was lost ({reason}); open it again; if it is lost again, smaller batches make submissions shorter")]
    #[non_exhaustive]
    DeviceLost {
        /// The adapter's name and graphics API.
        adapter: String,
        /// What its driver says.
        reason: String,
    },
    /// A device that did not do what it should, because of an error in its driver, in wgpu or in this library.
    #[error("{adapter}: {reason}")]
    #[non_exhaustive]
    DeviceFailed {
        /// The adapter's name and graphics API.
        adapter: String,
        /// What went wrong.
        reason: String,
    },
    /// The device has no memory left.
    #[error("{adapter} has no memory left; use smaller batches, a smaller input or another device")]
    #[non_exhaustive]
    OutOfMemory {
        /// The adapter's name and graphics API.
        adapter: String,
    },
    /// A name that no model has, bundled or published, and no file.
    #[error(
        "no model or file is called {name:?}{} Known: {}. A path to a checkpoint file works too",
        suggestion.as_ref().map_or(".".into(), |near| format!("; did you mean {near}?")),
        known.join(", ")
    )]
    #[non_exhaustive]
    NoSuchModel {
        /// The requested name.
        name: String,
        /// The nearest name that exists, of a model or a file.
        suggestion: Option<String>,
        /// The names of all models.
        known: Vec<&'static str>,
    },
    /// The name of an architecture of which no weights are known.
    #[error("{name} is neither bundled nor known on the hub; give the path of its checkpoint instead")]
    #[non_exhaustive]
    NoWeights {
        /// The requested name.
        name: String,
    },
    /// Options of a classifier that contradict each other, its model or its devices.
    #[error("expected {expected}, found {found}")]
    #[non_exhaustive]
    Options {
        /// What they need.
        expected: String,
        /// What there is.
        found: String,
    },
    /// The system could not start a thread.
    #[error("the system cannot start a thread to {purpose} ({source})")]
    #[non_exhaustive]
    NoThread {
        /// What the thread is for.
        purpose: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The network does not fit the device, even one image at a time.
    #[error("{what} needs {needed} bytes, the limit of {adapter} is {limit}; use a smaller input or another device")]
    #[non_exhaustive]
    TooLarge {
        /// The buffer or dispatch that is too large.
        what: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes the adapter allows.
        limit: u64,
        /// The adapter's name and graphics API.
        adapter: String,
    },
    /// A device that computes a small network wrongly.
    #[error("{adapter} failed its self-test: expected a small network's layers as the reference computes them, found that it {found}")]
    #[non_exhaustive]
    SelfTest {
        /// The adapter's name and graphics API.
        adapter: String,
        /// What is wrong: the first layer that differs, or what the device says.
        found: String,
    },
    /// No kernel is left for a convolution.
    #[error(
        "{layer}: expected a kernel that computes this convolution correctly on this device, found none{}; use another device",
        faults.first().map(|fault| format!(" ({fault}{})", and_others(faults.len() - 1))).unwrap_or_default()
    )]
    #[non_exhaustive]
    NoKernel {
        /// The convolution.
        layer: String,
        /// Each kernel that was left out, and what is wrong with it.
        faults: Vec<String>,
    },
    /// A weight beyond the range of 16-bit floats.
    #[error("{layer}: expected weights below 65504 for 16-bit floats, found {value}; use 32-bit floats")]
    #[non_exhaustive]
    HalfRange {
        /// The layer whose packed weights hold it.
        layer: String,
        /// The number.
        value: f32,
    },
    /// Activations beyond the range of 16-bit floats.
    #[error("expected activations below 65504 for 16-bit floats, found larger ones; use 32-bit floats")]
    HalfOverflow,
    /// A picture that cannot be read.
    #[error("{}{reason}", before(path.as_ref().map(|path| path.display())))]
    #[non_exhaustive]
    Picture {
        /// Its path, where it was read from one.
        path: Option<PathBuf>,
        /// What was expected, what was found, and the remedy.
        reason: String,
    },
    /// A JPEG file of which a part is missing or damaged; what there is can be read
    /// ([`Decoding::truncated`](crate::image::Decoding::truncated)).
    #[error("{}the picture is damaged or cut off ({how})", before(path.as_ref().map(|path| path.display())))]
    #[non_exhaustive]
    CutOff {
        /// Its path, where it was read from one.
        path: Option<PathBuf>,
        /// What its decoder says.
        how: String,
    },
    /// A picture with more pixels than its decoding takes.
    #[error("{}{found}; expected at most {most}: make it smaller first", before(path.as_ref().map(|path| path.display())))]
    #[non_exhaustive]
    TooManyPixels {
        /// Its path, where it was read from one.
        path: Option<PathBuf>,
        /// How many it has.
        found: String,
        /// The limit.
        most: u64,
    },
    /// A picture whose file has, or whose decoder would take, more bytes than its decoding takes.
    #[error("{}{found}; expected at most {most}: make it smaller first", before(path.as_ref().map(|path| path.display())))]
    #[non_exhaustive]
    TooManyBytes {
        /// Its path, where it was read from one.
        path: Option<PathBuf>,
        /// What takes them.
        found: String,
        /// The limit.
        most: u64,
    },
    /// Something that needs a cargo feature: reading a kind of file, or fetching a model.
    #[error("{}{what}, for which densenet-wgpu is to be built with its feature `{feature}`", before(path.as_ref().map(|path| path.display())))]
    #[non_exhaustive]
    MissingFeature {
        /// Its path, where it was read from one.
        path: Option<PathBuf>,
        /// What it is.
        what: String,
        /// The feature.
        feature: &'static str,
    },
    /// A list of what is true of pictures that cannot be used.
    #[error("{}: expected {expected}, found {found}", path.display())]
    #[non_exhaustive]
    Truth {
        /// Its file or folder, or the pattern of file names.
        path: PathBuf,
        /// What it should say.
        expected: String,
        /// What it says.
        found: String,
    },
    /// Examples from which a head cannot be learned.
    #[error("examples: expected {expected}, found {found}")]
    #[non_exhaustive]
    Examples {
        /// What it takes.
        expected: String,
        /// What there is.
        found: String,
    },
    /// A file that could not be fetched.
    #[error("{address}: {reason}")]
    #[non_exhaustive]
    Hub {
        /// The request: a URL, or an `hf://` address.
        address: String,
        /// What happened.
        reason: String,
    },
    /// A file that cannot be read or written.
    #[error("{path}: {source}")]
    #[non_exhaustive]
    File {
        /// The path as given.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}
