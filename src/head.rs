//! What stands between a network's features and its logits.

use std::fmt;

use crate::error::{Error, Result};
use crate::graph::{Graph, Value};
use crate::nonlinearity::Nonlinearity;

/// Epsilon of a batch norm in a head that says no other: PyTorch's.
pub(crate) const PYTORCHS_EPSILON: f32 = 1e-5;

/// A layer of a classifier that has several.
///
/// ```
/// use densenet_wgpu::network::HeadLayer;
/// use densenet_wgpu::Config;
///
/// let head = vec![HeadLayer::Linear { features: 500 }, HeadLayer::Relu, HeadLayer::Linear { features: 102 }];
/// let config = Config::densenet121().with_head(head);
/// assert_eq!(config.num_classes, Some(102));
/// let graph = config.graph(224, 224)?;
/// assert_eq!(graph.shape(graph.find("classifier.1")?).channels, 500);
/// assert_eq!(graph.node(graph.output()).name, "classifier.2");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum HeadLayer {
    /// Each channel's maximum over all pixels, then the means: fastai's `AdaptiveConcatPool2d`. The first layer, if anywhere.
    MaxMeanPool,
    /// Each channel's mean over all pixels, then the maxima: timm's `catavgmax`. The first layer, if anywhere.
    MeanMaxPool,
    /// A fully connected layer.
    Linear {
        /// Features it makes.
        features: usize,
    },
    /// Batch normalisation of each feature.
    BatchNorm {
        /// Added to the variance.
        epsilon: f32,
    },
    /// `max(x, 0)`.
    Relu,
    /// Another function of each feature.
    Nonlinearity(Nonlinearity),
}

impl HeadLayer {
    /// The layer in the words of `--head-layers` and of a checkpoint's metadata.
    pub(crate) fn word(self) -> String {
        match self {
            Self::MaxMeanPool => "maxmeanpool".into(),
            Self::MeanMaxPool => "meanmaxpool".into(),
            Self::Linear { .. } => "linear".into(),
            Self::BatchNorm { epsilon } if epsilon == PYTORCHS_EPSILON => "batchnorm".into(),
            Self::BatchNorm { epsilon } => format!("batchnorm:{epsilon}"),
            Self::Relu => "relu".into(),
            Self::Nonlinearity(nonlinearity) => nonlinearity.to_string(),
        }
    }

    /// Appends the layers to `graph` behind the last features `[C, H, W]`, whose means are `pooled`; they are called `classifier.0`,
    /// `classifier.1`, … in their order. Errors where they make no network.
    pub(crate) fn append(layers: &[Self], graph: &mut Graph, features: Value, pooled: Value) -> Result<Value> {
        let mut x = pooled;
        for (number, layer) in layers.iter().enumerate() {
            let name = format!("classifier.{number}");
            x = match *layer {
                Self::MaxMeanPool | Self::MeanMaxPool => {
                    if number > 0 {
                        let expected = "a pool of maxima and means as the head's first layer".into();
                        return Err(Error::Graph { layer: name, expected, found: layer.to_string() });
                    }
                    let most = graph.global_max_pool("global_max_pool", features)?;
                    let both = if *layer == Self::MaxMeanPool { [most, pooled] } else { [pooled, most] };
                    graph.concat(&name, &both)?
                }
                Self::Linear { features } => graph.linear(&name, x, features)?,
                Self::BatchNorm { epsilon } => graph.batch_norm(&name, x, epsilon)?,
                Self::Relu => graph.relu(&name, x)?,
                Self::Nonlinearity(nonlinearity) => graph.nonlinearity(&name, x, nonlinearity)?,
            };
        }
        Ok(x)
    }
}

/// The word of `--head-layers`, with the width of a linear layer: `linear 500`.
impl fmt::Display for HeadLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word())?;
        if let Self::Linear { features } = self { write!(f, " {features}") } else { Ok(()) }
    }
}
