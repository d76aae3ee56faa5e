//! What the caller states of the network in a file, where the file does not.

mod head_step;
mod new_channels;
mod stem_downsampling;

pub use head_step::HeadStep;
pub use new_channels::NewChannels;
pub use stem_downsampling::StemDownsampling;

/// How a file is read: which part of it is wanted, and what its tensors do not show.
///
/// ```
/// use densenet_wgpu::checkpoint::{HeadStep, ReadOptions};
/// use densenet_wgpu::network::HeadLayer;
/// use densenet_wgpu::{Checkpoint, Config};
///
/// let layers = vec![HeadLayer::Linear { features: 6 }, HeadLayer::Relu, HeadLayer::Linear { features: 2 }];
/// let model = Checkpoint::init(Config::imagenet(4, &[2, 2], 8).with_head(layers), 1)?;
/// let read = ReadOptions::default().from_bytes(&model.to_bytes()?, "mine")?; // it describes its head itself
/// assert_eq!(read.config, model.config);
///
/// let steps = "linear,dropout,linear".split(',').map(str::parse).collect::<densenet_wgpu::Result<Vec<HeadStep>>>()?;
/// let options = ReadOptions::default().with_head_layers(steps);
/// assert_eq!(options.from_bytes(&model.to_bytes()?, "mine")?.config.head.len(), 2); // said otherwise
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// Where in the file the network is: what stands before its tensors' names. What is beside it is passed over.
    pub root: Option<String>,
    /// Which of several heads is the classifier: what its tensors' names begin with. Others are passed over.
    pub head: Option<String>,
    /// The classifier's layers, those without tensors too.
    pub head_layers: Option<Vec<HeadStep>>,
    /// By how much the stem makes the picture smaller, in place of what the file says.
    pub stem: StemDownsampling,
    /// Whether the channels of a new layer come before or behind those it read, in place of what the file's names tell.
    pub new_channels: Option<NewChannels>,
    /// Whether the features alone are wanted: a classifier that is not understood, and what is beside the network, are passed over.
    pub features_only: bool,
}

impl ReadOptions {
    /// Reads the network whose tensors' names begin with `root`.
    #[must_use]
    pub fn with_root(self, root: impl Into<String>) -> Self {
        Self { root: Some(root.into()), ..self }
    }

    /// Reads the head whose tensors' names begin with `head`.
    #[must_use]
    pub fn with_head(self, head: impl Into<String>) -> Self {
        Self { head: Some(head.into()), ..self }
    }

    /// Reads the classifier as these layers.
    #[must_use]
    pub fn with_head_layers(self, layers: Vec<HeadStep>) -> Self {
        Self { head_layers: Some(layers), ..self }
    }

    /// Reads the stem with this stride and pool.
    #[must_use]
    pub fn with_stem(self, stem: StemDownsampling) -> Self {
        Self { stem, ..self }
    }

    /// Reads the new channels of a dense layer in that place.
    #[must_use]
    pub fn with_new_channels(self, new_channels: NewChannels) -> Self {
        Self { new_channels: Some(new_channels), ..self }
    }

    /// Reads the features alone, or the classifier too.
    #[must_use]
    pub fn with_features_only(self, features_only: bool) -> Self {
        Self { features_only, ..self }
    }
}
