//! The dialects there are.

use std::fmt;

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
