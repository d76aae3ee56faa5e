//! Operations.

use crate::nonlinearity::Nonlinearity;
use crate::shape::Window;

/// A convolution: cross-correlation as in PyTorch's `Conv2d`, one group, no dilation.
///
/// ```
/// use densenet_wgpu::network::{Conv, Window};
///
/// let conv = Conv::new(64, Window::square(7, 2, 3)).with_bias();
/// assert!(conv.bias && conv.out_channels == 64);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// Number of output channels.
    pub out_channels: usize,
    /// Kernel, stride and zero padding.
    pub window: Window,
    /// Whether a bias is added to each output channel.
    pub bias: bool,
}

impl Conv {
    /// A convolution without bias, as in every DenseNet.
    pub const fn new(out_channels: usize, window: Window) -> Self {
        Self { out_channels, window, bias: false }
    }

    /// The same with a bias.
    pub const fn with_bias(self) -> Self {
        Self { bias: true, ..self }
    }
}

/// One operation.
///
/// ```
/// use densenet_wgpu::network::Op;
/// use densenet_wgpu::Config;
///
/// let graph = Config::densenet121().graph(224, 224)?;
/// let convolutions = graph.nodes().iter().filter(|node| matches!(node.op, Op::Conv(_)));
/// assert_eq!(convolutions.count() + 1, 121); // and the classifier
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// The network's input.
    Input,
    /// Convolution; tensors `weight` `[out, in, kh, kw]` and, with a bias, `bias` `[out]`.
    Conv(Conv),
    /// Batch normalisation in inference: `(x - running_mean) / sqrt(running_var + epsilon) * weight + bias`.
    BatchNorm {
        /// Added to the variance.
        epsilon: f32,
    },
    /// `max(x, 0)`.
    Relu,
    /// Another function of each element.
    Nonlinearity(Nonlinearity),
    /// Maximum over a window; padding never wins.
    MaxPool(Window),
    /// Mean over a window; padding counts as zeros (PyTorch's `count_include_pad = True`).
    AvgPool(Window),
    /// Mean of 3x3 pixels at every other one, weighted (1, 2, 1) along each axis. The picture is mirrored at its outermost
    /// pixels: index -1 is 1, index `size` is `size - 2` (PyTorch's `reflect`).
    ///
    /// R. Zhang: *Making Convolutional Networks Shift-Invariant Again*, ICML 2019 (timm's `BlurPool2d`).
    BlurPool,
    /// Concatenation of the inputs' channels.
    Concat,
    /// Mean of each channel over all pixels.
    GlobalAvgPool,
    /// Maximum of each channel over all pixels.
    GlobalMaxPool,
    /// Fully connected layer over the channels of a 1x1 picture; tensors `weight` `[out, in]` and `bias` `[out]`.
    Linear {
        /// Number of output features.
        out_features: usize,
    },
}
