//! Whose names and layouts a file follows, and the names of its tensors in this library.
//!
//! Nothing depends on a list of prefixes: a network is found by its stem, wherever it lies in the file; all else follows
//! from the names below the stem's own place and from shapes.

use std::fmt;

mod bookkeeping;
mod fit;
mod keras;
mod names;
mod network;
mod order;
mod path;
mod pruned;
mod pytorch;
mod training;

use super::container::{Container, Contents, Dtype, Stored};
use super::read_options::ReadOptions;
use crate::error::{Error, Result};
pub(super) use names::Names;
pub(super) use network::Network;

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

impl Stored<'_> {
    /// Whether its elements are integers with a scale.
    fn is_quantised(&self) -> bool {
        matches!(self.dtype, Dtype::Other { name: "quantised", .. })
    }
}

/// Finds the network in a file.
///
/// Errors where there is none, more than one, or one that this library does not run.
pub(super) fn resolve<'a>(contents: &mut Contents<'a>, options: &ReadOptions) -> Result<Network<'a>> {
    if let Some(tensor) = contents.tensors.iter().find(|tensor| tensor.is_quantised()) {
        return Err(Error::checkpoint(format!(
            "is quantised to 8-bit integers ({} {:?}), whose scales and fused layers are not read. Workaround: save the float model \
             that it was made of, before quantize_dynamic, convert or convert_fx, with torch.save(model.state_dict(), 'OUT.pth')",
            tensor.path(),
            tensor.shape
        )));
    }
    let pruned = pruned::apply(contents);
    let mut network = match contents.container {
        Container::Hdf5 | Container::KerasArchive => keras::resolve(contents, options)?,
        Container::Safetensors | Container::TorchZip | Container::TorchLegacy | Container::TorchScript => {
            let numbered = pytorch::rename(contents);
            pytorch::resolve(contents, &numbered, options)?
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
