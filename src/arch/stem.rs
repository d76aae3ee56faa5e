//! Stems.

/// The layers before the first dense block.
///
/// ```
/// use densenet_wgpu::network::Stem;
/// use densenet_wgpu::Config;
///
/// let blurred = Config::densenet121().with_stem(Stem::Deep { widths: [32, 32], blur: true });
/// assert_eq!(blurred, Config::densenetblur121d());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stem {
    /// 7x7 convolution with stride 2, batch norm, ReLU, 3x3 max pool with stride 2.
    ImageNet,
    /// Three 3x3 convolutions, the first with stride 2, each with batch norm and ReLU; then a pool with stride 2.
    ///
    /// timm's `stem_type = 'deep'`, as in its `densenet264d` and, with `blur`, its `densenetblur121d`.
    /// timm's batch norms have their ReLU inside; here it is a layer of its own, `features.relu0` to `features.relu2`.
    Deep {
        /// Channels of the first and the second convolution; the third has `num_init_features`.
        widths: [usize; 2],
        /// Whether the pool is a 3x3 max pool with stride 1 and then a blur pool ([`Op::BlurPool`](crate::network::Op::BlurPool),
        /// R. Zhang: *Making Convolutional Networks Shift-Invariant Again*, ICML 2019), or a 3x3 max pool with stride 2.
        blur: bool,
    },
    /// 3x3 convolution with stride 1, nothing else: the paper's stem for CIFAR.
    Cifar,
    /// One convolution, zero-padded so that stride 1 keeps the size; then optionally batch norm with ReLU, and a 3x3 max pool with stride
    /// 2.
    Single {
        /// The kernel's height and width, an odd number.
        kernel: usize,
        /// The stride.
        stride: usize,
        /// Whether the convolution has a bias.
        bias: bool,
        /// Whether a batch norm and a ReLU follow.
        norm: bool,
        /// Whether the max pool follows.
        pool: bool,
    },
}

impl Stem {
    /// This stem as a named variant, if a stem of one convolution equals one.
    ///
    /// ```
    /// use densenet_wgpu::network::Stem;
    ///
    /// let stem = Stem::Single { kernel: 7, stride: 2, bias: false, norm: true, pool: true };
    /// assert_eq!(stem.named(), Stem::ImageNet);
    /// assert!(matches!(Stem::Single { kernel: 3, stride: 1, bias: false, norm: true, pool: false }.named(), Stem::Single { .. }));
    /// ```
    #[must_use]
    pub fn named(self) -> Self {
        match self {
            Self::Single { kernel: 7, stride: 2, bias: false, norm: true, pool: true } => Self::ImageNet,
            Self::Single { kernel: 3, stride: 1, bias: false, norm: false, pool: false } => Self::Cifar,
            stem => stem,
        }
    }

    /// Whether its output has the height and width of its input.
    pub fn keeps_size(self) -> bool {
        matches!(self, Self::Cifar | Self::Single { stride: 1, pool: false, .. })
    }
}
