//! Whose names and layouts a file follows, and what its tensors are called here.
//!
//! Nothing depends on a list of prefixes: a network is found by its stem, wherever it lies in the file; all else follows
//! from the names below the stem's own place and from shapes.

use std::collections::BTreeMap;
use std::fmt;

mod fit;
mod keras;
mod names;
mod order;
mod path;
mod pruned;
mod pytorch;
mod training;

use super::Assumption;
use super::container::{Container, Contents, Element, Stored};
use super::metadata::Activation;
use super::reading::{Entry, NewChannels, Reading};
use crate::error::{Error, Result};
use crate::head::HeadLayer;
pub(super) use names::Names;

/// Whose names a checkpoint's tensors have.
///
/// ```
/// use densenet_wgpu::checkpoint::Dialect;
/// use densenet_wgpu::models;
///
/// let origin = models::bundled("digits").expect("it is bundled")?.origin.expect("it was a file");
/// assert_eq!(origin.dialect, Dialect::Torchvision);
/// assert_eq!(Dialect::TorchvisionLegacy.to_string(), "torchvision (legacy names)");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// torchvision's since version 0.2.1, also timm's and torchxrayvision's: `features.denseblock1.denselayer1.norm1`.
    Torchvision,
    /// torchvision's before, and that of the files it still downloads: `…denselayer1.norm.1`.
    TorchvisionLegacy,
    /// timm's deep stem: three convolutions instead of one.
    Timm,
    /// torchxrayvision: torchvision's names, with thresholds.
    Torchxrayvision,
    /// MONAI: `…denselayer1.layers.norm1`, `class_layers.out`.
    Monai,
    /// CheXNet's reimplementations: torchvision's names, the classifier in a sequence that ends in a sigmoid.
    Chexnet,
    /// andreasveit/densenet-pytorch: `block1.layer.0.bn1`.
    Andreasveit,
    /// bamos/densenet.pytorch: `dense1.0.bn1`.
    Bamos,
    /// gpleiss/efficient_densenet_pytorch: torchvision's names, but `norm_final`.
    Gpleiss,
    /// kuangliu/pytorch-cifar: bamos's names, but `trans1.bn`, `bn` and `linear`; new channels come first.
    Kuangliu,
    /// bearpaw/pytorch-classification: bamos's names, but `bn`.
    Bearpaw,
    /// weiaicunzai/pytorch-cifar100: `features.dense_block_layer_0.bottle_neck_layer_0.bottle_neck.0`; transitions without ReLU.
    Weiaicunzai,
    /// MMPretrain (MMClassification): `stages.0.block.0.norm1`.
    Mmpretrain,
    /// Keras Applications, or any Keras model of the same layers in the same order.
    Keras,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Torchvision => "torchvision",
            Self::TorchvisionLegacy => "torchvision (legacy names)",
            Self::Timm => "timm",
            Self::Torchxrayvision => "torchxrayvision",
            Self::Monai => "MONAI",
            Self::Chexnet => "CheXNet",
            Self::Andreasveit => "andreasveit",
            Self::Bamos => "bamos",
            Self::Gpleiss => "gpleiss",
            Self::Kuangliu => "kuangliu",
            Self::Bearpaw => "bearpaw",
            Self::Weiaicunzai => "weiaicunzai",
            Self::Mmpretrain => "MMPretrain",
            Self::Keras => "Keras",
        })
    }
}

/// A network found in a file: its tensors under torchvision's names, and what the file tells beyond them.
pub(super) struct Network<'a> {
    /// Whose names the file has.
    pub(super) dialect: Dialect,
    /// What stands before the network's own names: keys of a nested file, wrappers such as `module.`.
    pub(super) wrapper: String,
    /// Tensors by torchvision's names.
    pub(super) tensors: BTreeMap<String, Stored<'a>>,
    /// Batch norms that were folded into the convolutions before them.
    folded: Vec<String>,
    /// Tensors that belong to no layer and may not be ignored.
    pub(super) left_over: Vec<Stored<'a>>,
    /// The same, of those that are beside the network and not in it.
    pub(super) beside: Vec<Stored<'a>>,
    /// What stands before the names of the network, where there is something beside it.
    pub(super) root: String,
    /// The classifier's layers, where it is more than a linear one.
    pub(super) head: Vec<HeadLayer>,
    /// Names of the modules behind the features that state what they compute, and were taken at their word.
    interpreted: Vec<String>,
    /// What the names of the classifier's layers begin with, where one was asked for.
    head_name: Option<String>,
    /// Whether its layers have numbers for names in the file.
    is_numbered: bool,
    /// Where in the file the classifier's first layer is.
    pub(super) head_place: Option<String>,
    /// Whether there is something beside the network that is no state of training.
    pub(super) has_company: bool,
    /// What chooses the pool before the classifier in the library that the network is of, where that has others than the mean and
    /// nothing in the file tells which it is.
    pub(super) pooling: Option<&'static str>,
    /// How the picture enters, where the file tells.
    pub(super) entry: Entry,
    /// Whether new channels come before or behind those a layer reads.
    pub(super) new_channels: NewChannels,
    /// Whether its names are of more than one repository.
    pub(super) is_mixed: bool,
    /// Whether transitions have a ReLU, where the file tells.
    pub(super) transition_relu: Option<bool>,
    /// A threshold for each class.
    pub(super) thresholds: Option<Stored<'a>>,
    /// What should be said about the choice of this network.
    pub(super) notes: Vec<String>,
    /// What the file does not tell of the network, and was assumed.
    pub(super) assumed: Vec<Assumption>,
    /// Batch norm's epsilon, where the file or its dialect tells.
    pub(super) epsilon: Option<f32>,
    /// Whether the last batch norm is followed by a ReLU, where the file tells.
    pub(super) final_relu: Option<bool>,
    /// Whether the stem's pool blurs, where the file tells.
    pub(super) blur: Option<bool>,
    /// What turns logits into probabilities, where the file tells.
    pub(super) activation: Option<Activation>,
    /// Mean and standard deviation of each channel, which the module around the network subtracts and divides by.
    pub(super) normalisation: Option<[Vec<f32>; 2]>,
}

impl<'a> Network<'a> {
    /// Whether what a tensor is called here is what it would be called in the file.
    fn has_torchvisions_names(&self) -> bool {
        self.dialect == Dialect::Torchvision && !self.is_numbered
    }

    fn new(dialect: Dialect, wrapper: String) -> Self {
        Self {
            dialect,
            wrapper,
            tensors: BTreeMap::new(),
            folded: Vec::new(),
            left_over: Vec::new(),
            beside: Vec::new(),
            root: String::new(),
            head: Vec::new(),
            interpreted: Vec::new(),
            head_name: None,
            is_numbered: false,
            head_place: None,
            has_company: false,
            pooling: None,
            entry: Entry::default(),
            new_channels: NewChannels::Last,
            is_mixed: false,
            transition_relu: None,
            thresholds: None,
            notes: Vec::new(),
            assumed: Vec::new(),
            epsilon: None,
            final_relu: None,
            blur: None,
            activation: None,
            normalisation: None,
        }
    }
}

/// Endings of names that a checkpoint may hold although no inference needs them, each with the reason.
const HARMLESS: [(&str, &str); 9] = [
    ("num_batches_tracked", "counts training steps; evaluation never reads it"),
    ("op_threshs", "torchxrayvision's thresholds, which are read as the model's"),
    ("pool0.1.filt", "the fixed kernel of timm's blur pool"),
    ("n_averaged", "counts the steps of a weight average; evaluation never reads it"),
    ("steps", "counts the steps of MMEngine's weight average; evaluation never reads it"),
    ("initted", "whether ema-pytorch's weight average has begun; evaluation never reads it"),
    ("step", "counts the steps of ema-pytorch's weight average; evaluation never reads it"),
    ("seed_generator/vars/0", "the random state of Keras's dropout; evaluation never reads it"),
    ("seed_generator_state", "the random state of Keras's dropout; evaluation never reads it"),
];

/// Why a tensor of this name can be left out of a checkpoint without changing any result; `None` where it cannot.
///
/// ```
/// use densenet_wgpu::internal::harmless;
///
/// assert_eq!(harmless("features.norm0.num_batches_tracked"), Some("counts training steps; evaluation never reads it"));
/// assert_eq!(harmless("features.norm0.weight"), None);
/// ```
pub fn harmless(name: &str) -> Option<&'static str> {
    HARMLESS.iter().find(|(ending, _)| path::ends_in(name, ending)).map(|(_, reason)| *reason)
}

impl Stored<'_> {
    /// Whether its elements are integers with a scale.
    fn is_quantised(&self) -> bool {
        matches!(self.element, Element::Other { name: "quantised", .. })
    }

    /// Whether this tensor belongs to no layer and may be ignored.
    fn is_harmless(&self) -> bool {
        let is_count =
            !["num_batches_tracked", "n_averaged", "steps", "initted", "step"].iter().any(|name| path::ends_in(&self.name, name))
                || self.elements() == Some(1);
        harmless(&self.name).is_some() && is_count
    }
}

/// Finds the network in a file.
///
/// Errors where there is none, more than one, or one that this library does not run.
pub(super) fn resolve<'a>(contents: &mut Contents<'a>, reading: &Reading) -> Result<Network<'a>> {
    if let Some(tensor) = contents.tensors.iter().find(|tensor| tensor.is_quantised()) {
        return Err(Error::checkpoint(format!(
            "is quantised to 8-bit integers ({} {:?}), whose scales and fused layers are not read. The way round it: save the float model \
             that it was made of, before quantize_dynamic, convert or convert_fx, with torch.save(model.state_dict(), 'OUT.pth')",
            tensor.path(),
            tensor.shape
        )));
    }
    let pruned = pruned::apply(contents);
    let mut network = match contents.container {
        Container::Hdf5 | Container::KerasArchive => keras::resolve(contents, reading)?,
        Container::Safetensors | Container::TorchZip | Container::TorchLegacy | Container::TorchScript => {
            let numbered = pytorch::rename(contents);
            pytorch::resolve(contents, &numbered, reading)?
        }
    };
    if pruned > 0 {
        network.notes.push(format!("was pruned: applying the masks of {pruned} tensors"));
    }
    Ok(network)
}

/// The first few of `items` and how many more there are.
pub(super) fn some_of(items: impl IntoIterator<Item = String>) -> String {
    const SHOWN: usize = 3;
    let mut items = items.into_iter();
    let some: Vec<String> = items.by_ref().take(SHOWN).collect();
    let more = items.count();
    some.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

fn no_network(contents: &Contents, expected: &str) -> Error {
    let found = some_of(contents.tensors.iter().map(|tensor| format!("{} {:?}", tensor.path(), tensor.shape)));
    let found = if found.is_empty() { "none at all".to_owned() } else { found };
    Error::checkpoint(format!("expected the tensors of a DenseNet ({expected}), found {found}"))
}
