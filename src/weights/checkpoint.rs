//! A trained network: architecture, weights, labels and preprocessing, read from a file or written to one.

use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::metadata::{Metadata, Preprocessing};
use super::{Weights, container, infer, safetensors};
use crate::arch::{Config, Stem};
use crate::error::{Error, Result};
use crate::graph::Graph;

/// Files this process has begun to write: keeps the names of unfinished ones apart.
static WRITTEN: AtomicUsize = AtomicUsize::new(0);

/// A network as a file holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The model's name: what the file says, else the file's own name without its extension.
    pub name: String,
    /// The architecture.
    pub config: Config,
    /// The tensors, exactly those that the architecture needs.
    pub weights: Weights,
    /// One label for each class, where the file has them.
    pub labels: Option<Vec<String>>,
    /// How a picture becomes the network's input, where the file says so.
    pub preprocessing: Option<Preprocessing>,
}

impl Checkpoint {
    /// Reads a checkpoint file. Errors where it cannot be read, or as [`Checkpoint::from_bytes`] does.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|source| Error::File { path: path.into(), source })?;
        let name = path.file_stem().unwrap_or(path.as_os_str());
        Self::read(&bytes, &name.to_string_lossy(), &path.display().to_string())
    }

    /// Reads a checkpoint from the content of a file, which `name` stands for in errors; it is also the model's name
    /// where the file has none.
    ///
    /// Only safetensors is read, with torchvision's tensor names, as F32, F16, BF16 or F64. Errors say what other content
    /// looks like, which tensor is missing, left over, mis-shaped, of another type or not finite, or what in the
    /// metadata contradicts the network.
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self> {
        Self::read(bytes, name, name)
    }

    fn read(bytes: &[u8], name: &str, source: &str) -> Result<Self> {
        let checkpoint = || -> Result<Self> {
            container::expect_safetensors(bytes)?;
            let (weights, metadata) = safetensors::read(bytes)?;
            let metadata: Metadata = match metadata {
                Some(text) => serde_json::from_str(&text).map_err(|e| Error::Checkpoint(format!("metadata `densenet`: {e}")))?,
                None => Metadata::default(),
            };
            let mut config = infer(weights.iter().map(|(name, tensor)| (name, tensor.shape.as_slice())))?;
            config.epsilon = metadata.epsilon.unwrap_or(config.epsilon);
            let name = metadata.name.unwrap_or_else(|| name.to_owned());
            let checkpoint = Self { name, config, weights, labels: metadata.labels, preprocessing: metadata.preprocessing };
            checkpoint.check()?;
            Ok(checkpoint)
        };
        checkpoint().map_err(|e| match e {
            Error::Checkpoint(text) => Error::Checkpoint(format!("{source}: {text}")),
            other => other,
        })
    }

    /// The network for pictures of `height` x `width` pixels. Errors where they are too small for it.
    pub fn graph(&self, height: usize, width: usize) -> Result<Graph> {
        self.config.graph(height, width)
    }

    /// Errors where weights, labels or preprocessing do not belong to the architecture.
    pub fn check(&self) -> Result<()> {
        let epsilon = self.config.epsilon;
        expect(epsilon.is_finite() && epsilon >= 0.0, "an epsilon of at least 0", epsilon)?;
        self.weights.check(&self.config.any_graph()?)?;
        if let Some(labels) = &self.labels {
            let expected = self.config.num_classes.unwrap_or(0);
            expect(labels.len() == expected, &format!("{expected} labels, one for each class"), labels.len())?;
        }
        if let Some(preprocessing) = &self.preprocessing {
            preprocessing.check()?;
            let expected = self.config.in_channels;
            let channels = preprocessing.channels;
            expect(channels == expected, &format!("preprocessing to {expected} channels, as the first layer has"), channels)?;
        }
        Ok(())
    }

    /// The content of a safetensors file with everything in it: the same checkpoint gives the same bytes.
    /// Errors where [`Checkpoint::check`] does.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.check()?;
        let default = Config::densenet121().epsilon;
        let metadata = Metadata {
            epsilon: Some(self.config.epsilon).filter(|&epsilon| epsilon != default),
            labels: self.labels.clone(),
            name: Some(self.name.clone()),
            preprocessing: self.preprocessing.clone(),
        };
        let metadata = serde_json::to_string(&metadata).map_err(|e| Error::Checkpoint(format!("metadata: {e}")))?;
        safetensors::write(&self.weights, metadata)
    }

    /// Writes a safetensors file: whoever opens `path` finds what was there before, or all of the new file.
    /// Errors where [`Checkpoint::to_bytes`] does, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.to_bytes()?;
        write_whole(path, &bytes).map_err(|source| Error::File { path: path.into(), source })
    }
}

impl Config {
    /// The network for some input size that is large enough: for what does not depend on it.
    pub(super) fn any_graph(&self) -> Result<Graph> {
        let halvings = self.block_config.len().saturating_sub(1) + if self.stem == Stem::Cifar { 0 } else { 2 };
        let side = 1 << halvings.min(24);
        self.graph(side, side)
    }
}

fn expect(holds: bool, expected: &str, found: impl Display) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Checkpoint(format!("expected {expected}, found {found}"))) }
}

/// Writes beside `path`, then renames.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // A device or pipe must be written to, not replaced; a link keeps pointing to the file.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    if fs::metadata(&path).is_ok_and(|existing| !existing.is_file()) {
        return fs::write(path, bytes);
    }
    let Some(name) = path.file_name() else {
        return Err(std::io::ErrorKind::InvalidFilename.into());
    };
    let unique = format!("{}-{}", std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed));
    let beside = path.with_file_name(format!(".{}.{unique}.part", name.to_string_lossy()));
    let written = fs::File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // The first error is the one to tell; that of cleaning up would hide it.
        let _ = fs::remove_file(&beside);
    }
    written
}
