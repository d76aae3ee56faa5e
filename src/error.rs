//! What can go wrong, in one enum: every message says where, what was expected and what was found.
//!
//! ```
//! use densenet_wgpu::{Config, Error};
//!
//! let error = Config::densenet121().graph(16, 16).unwrap_err();
//! assert!(matches!(error, Error::TooSmall { .. }));
//! assert_eq!(
//!     error.to_string(),
//!     "features.transition3.pool: an input of 3x16x16 is too small for this network (it has shrunk to 1x1 here); use a larger one"
//! );
//! ```

use crate::shape::Shape;

/// Result of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a limit on pictures counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// Pixels of the picture.
    Pixels,
    /// Bytes of its file, or of memory to decode it in.
    Bytes,
}

/// Everything this library refuses to do, with the reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A graph verb was called with shapes or arguments that do not fit.
    #[error("{layer}: expected {expected}, found {found}")]
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
    #[error("checkpoint: {0}")]
    Checkpoint(String),
    /// A tensor in a checkpoint that is missing, left over, mis-shaped or not finite.
    #[error("checkpoint tensor {tensor}: expected {expected}, found {found}")]
    Tensor {
        /// The tensor's name in the checkpoint.
        tensor: String,
        /// What the architecture needs.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// An input tensor of the wrong length, rank or content.
    #[error("input: expected {expected}, found {found}")]
    Input {
        /// What the network needs.
        expected: String,
        /// What it was given.
        found: String,
    },
    /// A layer name that the graph does not have.
    #[error("no layer is called {name:?}{}", suggestion.as_ref().map(|s| format!("; did you mean {s:?}?")).unwrap_or_default())]
    NoSuchLayer {
        /// The name asked for.
        name: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// No usable adapter, or a device that refused.
    #[error("GPU: {0}")]
    Gpu(String),
    /// The network does not fit the device, even one image at a time.
    #[error("{what} needs {needed} bytes, the limit of {adapter} is {limit}; use a smaller input or another --device")]
    TooLarge {
        /// The buffer or dispatch that is too large.
        what: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes the adapter allows.
        limit: u64,
        /// The adapter's name.
        adapter: String,
    },
    /// No kernel is left for a convolution.
    #[error("{layer}: expected a kernel that computes this convolution correctly on this device, found none; use another --device")]
    NoKernel {
        /// The convolution.
        layer: String,
    },
    /// A number that 16-bit floats do not reach.
    #[error("{layer}: expected weights below 65504 for 16-bit floats, found {value}; use --precision f32")]
    HalfRange {
        /// The layer whose packed weights hold it.
        layer: String,
        /// The number.
        value: f32,
    },
    /// Activations that 16-bit floats do not reach.
    #[error("expected activations below 65504 for 16-bit floats, found larger ones; use --precision f32")]
    HalfOverflow,
    /// A device that computes a small network wrongly.
    #[error("{adapter} failed its self-test: expected the layers of a small network as the reference computes them, found {found}")]
    SelfTest {
        /// The adapter's name.
        adapter: String,
        /// The first layer that differs, or what went wrong.
        found: String,
    },
    /// The device has no memory left.
    #[error("{adapter} has no memory left; use a smaller --batch or input, or another --device")]
    OutOfMemory {
        /// The adapter's name.
        adapter: String,
    },
    /// A picture that cannot be read.
    #[error("{0}")]
    Picture(String),
    /// A picture beyond one of the limits that its decoding has.
    #[error("{found}; expected at most {most}: make it smaller first")]
    PictureTooLarge {
        /// How many of what it has or would take, after its path where that is known.
        found: String,
        /// The limit.
        most: u64,
        /// What is limited.
        limited: Limited,
    },
    /// A file that could not be fetched.
    #[error("{address}: {reason}")]
    Hub {
        /// What was asked for: a URL, or an `hf://` address.
        address: String,
        /// What happened.
        reason: String,
    },
    /// A file that cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The path as given.
        path: std::path::PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}
