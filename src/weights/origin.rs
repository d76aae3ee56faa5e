//! What a checkpoint's file was.

use std::collections::BTreeSet;

use super::container::{Container, Dtype};
use super::dialect::Dialect;
use crate::activation::Activation;

/// Facts about the file that a checkpoint was read from.
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
    /// Dtypes of the network's tensors in the file.
    pub dtypes: BTreeSet<Dtype>,
    /// Where the description of preprocessing was, if anywhere: the file itself, the arguments that it was trained with,
    /// `config.json` beside it, or, of what torchvision publishes, the file's SHA-256.
    pub described_by: Option<&'static str>,
    /// What turns logits into probabilities, where the file states it without saying how pictures are prepared.
    pub activation: Option<Activation>,
    /// The repository that the file was fetched from, where it was: owner and name.
    pub repository: Option<String>,
    /// Where in the file the labels were, if anywhere.
    pub labelled_by: Option<String>,
    /// Mean and standard deviation of each channel of a picture from 0 to 1, where a module around the network normalises pictures
    /// itself.
    pub normalisation: Option<[Vec<f32>; 2]>,
    /// What was chosen while reading, one sentence each without its subject, the model's name, which may change.
    pub notes: Vec<String>,
}
