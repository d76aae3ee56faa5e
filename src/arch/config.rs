//! The parameters of a DenseNet, and their description in one line.

use std::fmt;

use super::stem::Stem;
use crate::error::{Error, Result};
use crate::head::HeadLayer;

/// The parameters of a DenseNet.
///
/// torchvision's `drop_rate` and `memory_efficient` are absent: both concern training only. Dropout does nothing in
/// inference, and the growing buffer makes recomputing features to save memory unnecessary.
///
/// ```
/// use densenet_wgpu::{Config, Error};
///
/// let config = Config::densenet121().with_channels(1).with_classes(Some(14));
/// assert_eq!(config.to_string(), "DenseNet-121 · k=32 · [6,12,24,16] · 1 channel · 14 classes");
/// assert_eq!(config.name(), Some("densenet121"));
/// assert!(Config::names().all(|name| Config::named(name).is_some()));
/// assert!(config.graph(224, 224)?.find("features.denseblock4.denselayer16").is_ok());
/// assert!(matches!(config.graph(16, 16), Err(Error::TooSmall { .. })));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Channels that every dense layer appends (`k` in the paper).
    pub growth_rate: usize,
    /// Number of dense layers in each block.
    pub block_config: Vec<usize>,
    /// Number of channels that the stem outputs.
    pub num_init_features: usize,
    /// Width of the bottleneck, in growth rates. Unused without a bottleneck.
    pub bn_size: usize,
    /// Number of classes; with `None` there is no classifier, and the output is the pooled features.
    pub num_classes: Option<usize>,
    /// Number of channels of the picture.
    pub in_channels: usize,
    /// Fraction of the channels that a transition keeps (theta in the paper), in (0, 1].
    pub compression: f64,
    /// The stem.
    pub stem: Stem,
    /// Whether a dense layer has the 1x1 convolution before its 3x3 one (DenseNet-B).
    pub bottleneck: bool,
    /// Whether a ReLU follows the last batch norm, `features.norm5`. Keras Applications' DenseNets had none up to
    /// keras-applications 1.0.5.
    pub final_relu: bool,
    /// Whether a transition has a ReLU between its batch norm and its convolution, as in the paper.
    pub transition_relu: bool,
    /// Epsilon of the batch norms.
    pub epsilon: f32,
    /// The classifier's layers if it is more than one linear layer; the last is linear and outputs the classes.
    pub head: Vec<HeadLayer>,
}

impl Config {
    /// A DenseNet-BC for ImageNet with three channels and 1000 classes.
    pub fn imagenet(growth_rate: usize, block_config: &[usize], num_init_features: usize) -> Self {
        Self {
            growth_rate,
            block_config: block_config.to_vec(),
            num_init_features,
            bn_size: 4,
            num_classes: Some(1000),
            in_channels: 3,
            compression: 0.5,
            stem: Stem::ImageNet,
            bottleneck: true,
            final_relu: true,
            transition_relu: true,
            epsilon: 1e-5,
            head: Vec::new(),
        }
    }

    /// Sets [`Config::growth_rate`].
    #[must_use]
    pub fn with_growth_rate(self, growth_rate: usize) -> Self {
        Self { growth_rate, ..self }
    }

    /// Sets [`Config::bn_size`].
    #[must_use]
    pub fn with_bn_size(self, bn_size: usize) -> Self {
        Self { bn_size, ..self }
    }

    /// Sets [`Config::num_classes`], with a classifier of one linear layer; `None` builds no classifier.
    #[must_use]
    pub fn with_classes(self, num_classes: Option<usize>) -> Self {
        Self { num_classes, head: Vec::new(), ..self }
    }

    /// Sets [`Config::head`], whose last layer is linear and outputs the classes.
    #[must_use]
    pub fn with_head(self, head: Vec<HeadLayer>) -> Self {
        let num_classes = match head.last() {
            Some(HeadLayer::Linear { features }) => Some(*features),
            _ => self.num_classes,
        };
        Self { num_classes, head, ..self }
    }

    /// Sets [`Config::transition_relu`].
    #[must_use]
    pub fn with_transition_relu(self, transition_relu: bool) -> Self {
        Self { transition_relu, ..self }
    }

    /// Sets [`Config::in_channels`].
    #[must_use]
    pub fn with_channels(self, in_channels: usize) -> Self {
        Self { in_channels, ..self }
    }

    /// Sets [`Config::compression`], in (0, 1].
    #[must_use]
    pub fn with_compression(self, compression: f64) -> Self {
        Self { compression, ..self }
    }

    /// Sets [`Config::stem`](field@Config::stem).
    #[must_use]
    pub fn with_stem(self, stem: Stem) -> Self {
        Self { stem, ..self }
    }

    /// Sets [`Config::bottleneck`].
    #[must_use]
    pub fn with_bottleneck(self, bottleneck: bool) -> Self {
        Self { bottleneck, ..self }
    }

    /// Sets [`Config::final_relu`].
    #[must_use]
    pub fn with_final_relu(self, final_relu: bool) -> Self {
        Self { final_relu, ..self }
    }

    /// Sets [`Config::epsilon`].
    #[must_use]
    pub fn with_epsilon(self, epsilon: f32) -> Self {
        Self { epsilon, ..self }
    }

    /// Number of output channels of a transition with `channels` input channels.
    ///
    /// ```
    /// use densenet_wgpu::Config;
    ///
    /// assert_eq!(Config::densenet121().compressed(256), 128);
    /// ```
    pub fn compressed(&self, channels: usize) -> usize {
        (channels as f64 * self.compression) as usize
    }

    /// Errors if the parameters describe no network.
    pub(super) fn check(&self) -> Result<()> {
        let stem_width = match self.stem {
            Stem::Deep { widths: [first, second], .. } => first.min(second),
            Stem::Single { kernel, stride, .. } => kernel.min(stride),
            Stem::ImageNet | Stem::Cifar => 1,
        };
        let positive = [
            ("growth_rate", self.growth_rate),
            ("num_init_features", self.num_init_features),
            ("stem", stem_width),
            ("bn_size", self.bn_size),
            ("in_channels", self.in_channels),
            ("num_classes", self.num_classes.unwrap_or(1)),
            ("block_config", self.block_config.iter().copied().min().unwrap_or(0)),
        ];
        let wrong = |name: &str, expected: &str, found: String| Error::Graph { layer: name.into(), expected: expected.into(), found };
        if let Some((name, _)) = positive.iter().find(|(_, n)| *n == 0) {
            return Err(wrong(name, "at least 1", "0".into()));
        }
        if !(self.compression > 0.0 && self.compression <= 1.0) {
            return Err(wrong("compression", "more than 0 and at most 1", self.compression.to_string()));
        }
        if let Stem::Single { kernel, .. } = self.stem
            && kernel.is_multiple_of(2)
        {
            return Err(wrong("features.conv0", "an odd kernel, which can be padded evenly", kernel.to_string()));
        }
        let makes = |classes: usize| self.head.last() == Some(&HeadLayer::Linear { features: classes });
        if let Some(last) = self.head.last()
            && !self.num_classes.is_some_and(makes)
        {
            let expected = match self.num_classes {
                Some(classes) => format!("a head whose last layer makes the {classes} classes"),
                None => "a head whose last layer is linear and makes the classes".to_owned(),
            };
            return Err(wrong("classifier", &expected, last.to_string()));
        }
        Ok(())
    }
}

/// One line: `DenseNet-121 · k=32 · [6,12,24,16] · 3 channels · 1000 classes`.
///
/// The depth is that of the name, otherwise it counts convolutions and the classifier, as the paper does.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Counted this way, DenseNet-264 has depth 265.
        let named = self.features_name().and_then(|name| name.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok());
        let layers: usize = self.block_config.iter().sum::<usize>() * if self.bottleneck { 2 } else { 1 };
        // The stem counts once: densenetblur121d's has three convolutions.
        let depth = named.unwrap_or(layers + self.block_config.len() + 1);
        let blocks: Vec<String> = self.block_config.iter().map(ToString::to_string).collect();
        let kind = match self.stem {
            Stem::ImageNet => String::new(),
            Stem::Cifar => " · CIFAR stem".into(),
            Stem::Deep { blur: false, .. } => " · deep stem".into(),
            Stem::Deep { blur: true, .. } => " · deep stem with blur".into(),
            Stem::Single { kernel, stride, bias, norm, pool } => {
                let parts = [(bias, " with bias"), (norm, ", norm"), (pool, ", pool")];
                let parts: String = parts.into_iter().filter(|(has, _)| *has).map(|(_, part)| part).collect();
                format!(" · stem {kernel}x{kernel}/{stride}{parts}")
            }
        };
        let plural = |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
        let channels = plural(self.in_channels, "channel", "channels");
        let classes = self.num_classes.map_or("features only".into(), |classes| plural(classes, "class", "classes"));
        write!(f, "DenseNet-{depth} · k={} · [{}]{kind} · {channels} · {classes}", self.growth_rate, blocks.join(","))?;
        if !self.head.is_empty() {
            let layers: Vec<String> = self.head.iter().map(ToString::to_string).collect();
            write!(f, " by {}", layers.join(", "))?;
        }
        if !self.transition_relu {
            f.write_str(" · no ReLU in transitions")?;
        }
        if !self.final_relu {
            f.write_str(" · no final ReLU")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_called_after_its_layers() {
        assert_eq!(Config::densenet121().to_string(), "DenseNet-121 · k=32 · [6,12,24,16] · 3 channels · 1000 classes");
        assert!(Config::densenet264().to_string().starts_with("DenseNet-264 · "));
        assert!(Config::densenetblur121d().to_string().starts_with("DenseNet-121 · k=32 · [6,12,24,16] · deep stem with blur"));
        let features = Config { num_classes: None, in_channels: 1, ..Config::imagenet(4, &[2, 1], 8) };
        assert_eq!(features.to_string(), "DenseNet-9 · k=4 · [2,1] · 1 channel · features only");
    }

    #[test]
    fn numbers_that_make_no_network_are_named() {
        let message = Config { growth_rate: 0, ..Config::densenet121() }.graph(224, 224).unwrap_err().to_string();
        assert!(message.contains("growth_rate"), "{message}");
        let stem = Stem::Deep { widths: [32, 0], blur: false };
        let message = Config { stem, ..Config::densenet121() }.graph(224, 224).unwrap_err().to_string();
        assert!(message.contains("stem: expected at least 1"), "{message}");
        let headless = Config::imagenet(4, &[2, 1], 8).with_classes(None).with_head(vec![HeadLayer::Relu]);
        let message = headless.graph(64, 64).unwrap_err().to_string();
        assert!(message.contains("a head whose last layer is linear and makes the classes, found relu"), "{message}");
    }
}
