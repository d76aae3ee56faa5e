//! A trained network: architecture, weights, labels and preprocessing.

mod architecture;
mod class_map;
mod description;
mod file;
mod init;
mod known_file;
mod labels;
mod metadata;
mod model_card;
mod reader;
mod saved;

use std::fmt::Display;

use super::preprocessing::Preprocessing;
use super::{AssumedField, Assumption, Origin, Weights};
use crate::arch::Config;
use crate::error::{Error, Result};
use crate::graph::Graph;
pub use description::Description;
pub use metadata::Metadata;
pub use model_card::{FittedClass, ModelCard};

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
    /// What its head was fitted to, and how good it was, where the file says so.
    pub card: Option<ModelCard>,
    /// What nothing states and was assumed, or stays open, sorted by field: of the network while it was read, of its pictures
    /// and classes by [`Checkpoint::complete_description`].
    pub assumed: Vec<Assumption>,
    /// Facts about the file; `None` for a network that was not read from one.
    pub origin: Option<Origin>,
}

impl Checkpoint {
    /// A checkpoint without labels, thresholds or preprocessing. [`Checkpoint::check`] says whether the weights are those of the
    /// architecture.
    pub fn new(name: impl Into<String>, config: Config, weights: Weights) -> Self {
        let (labels, thresholds, preprocessing, card, assumed) = (None, None, None, None, Vec::new());
        Self { name: name.into(), config, weights, labels, thresholds, preprocessing, card, assumed, origin: None }
    }

    /// Sets the model's name.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Sets the classes' names, in their order; `""` is an output that was not trained.
    #[must_use]
    pub fn with_labels(self, labels: Vec<String>) -> Self {
        let mut named = Self { labels: Some(labels), ..self };
        named.mark_stated(AssumedField::Labels);
        named
    }

    /// Sets the probability from which each class counts as found; `None` is an output that was not trained.
    #[must_use]
    pub fn with_thresholds(self, thresholds: Vec<Option<f32>>) -> Self {
        Self { thresholds: Some(thresholds), ..self }
    }

    /// Sets how pictures are prepared.
    #[must_use]
    pub fn with_preprocessing(self, preprocessing: Preprocessing) -> Self {
        let mut described = Self { preprocessing: Some(preprocessing), ..self };
        described.mark_stated(AssumedField::Preprocessing);
        described.mark_stated(AssumedField::Activation);
        described
    }

    /// Sets what its head was fitted to, and how good it was.
    #[must_use]
    pub fn with_card(self, card: ModelCard) -> Self {
        Self { card: Some(card), ..self }
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
}

impl Config {
    /// The network for some input size that is large enough, for callers to which the size does not matter.
    pub(in crate::weights) fn any_graph(&self) -> Result<Graph> {
        let halvings = self.block_config.len().saturating_sub(1) + if self.stem.keeps_size() { 0 } else { 3 };
        let side = 1 << halvings.min(24);
        self.graph(side, side)
    }
}

fn expect(holds: bool, expected: &str, found: impl Display) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::checkpoint(format!("expected {expected}, found {found}"))) }
}
