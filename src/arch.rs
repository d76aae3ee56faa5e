//! DenseNet as a graph, named as torchvision names it.
//!
//! Huang, Liu, van der Maaten, Weinberger: *Densely Connected Convolutional Networks*, CVPR 2017
//! (section 3; table 1 for the ImageNet variants, section 4.2 for CIFAR).

use crate::error::{Error, Result};
use crate::graph::{Conv, Graph, Value};
use crate::shape::{Shape, Window};

/// How the picture enters the first dense block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stem {
    /// 7x7 convolution with stride 2, batch norm, ReLU, 3x3 max pool with stride 2.
    ImageNet,
    /// 3x3 convolution with stride 1, nothing else: the paper's stem for CIFAR.
    Cifar,
}

/// The numbers that make a DenseNet.
///
/// torchvision's `drop_rate` and `memory_efficient` are absent: both concern training only. Dropout does nothing in
/// inference, and recomputing features to save memory is what the growing buffer makes needless.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Channels that every dense layer appends (`k` in the paper).
    pub growth_rate: usize,
    /// Dense layers in each block.
    pub block_config: Vec<usize>,
    /// Channels that the stem makes.
    pub num_init_features: usize,
    /// Width of the bottleneck, in growth rates. Unused without a bottleneck.
    pub bn_size: usize,
    /// Classes; `None` builds no classifier: the output is the pooled features.
    pub num_classes: Option<usize>,
    /// Channels of the picture.
    pub in_channels: usize,
    /// Share of the channels that a transition keeps (theta in the paper), in (0, 1].
    pub compression: f64,
    /// How the picture enters.
    pub stem: Stem,
    /// Whether a dense layer has the 1x1 convolution before its 3x3 one (DenseNet-B).
    pub bottleneck: bool,
    /// Batch norm's epsilon.
    pub epsilon: f32,
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
            epsilon: 1e-5,
        }
    }

    /// DenseNet-121: 7,978,856 parameters.
    pub fn densenet121() -> Self {
        Self::imagenet(32, &[6, 12, 24, 16], 64)
    }

    /// DenseNet-161: 28,681,000 parameters.
    pub fn densenet161() -> Self {
        Self::imagenet(48, &[6, 12, 36, 24], 96)
    }

    /// DenseNet-169: 14,149,480 parameters.
    pub fn densenet169() -> Self {
        Self::imagenet(32, &[6, 12, 32, 32], 64)
    }

    /// DenseNet-201: 20,013,928 parameters.
    pub fn densenet201() -> Self {
        Self::imagenet(32, &[6, 12, 48, 32], 64)
    }

    /// DenseNet-264 of the paper's table 1 (k = 32): 33,337,704 parameters.
    pub fn densenet264() -> Self {
        Self::imagenet(32, &[6, 12, 64, 48], 64)
    }

    /// The configuration of a name such as `densenet121`.
    pub fn named(name: &str) -> Option<Self> {
        let (_, make) = NAMED.iter().find(|(known, _)| *known == name)?;
        Some(make())
    }

    /// The name that [`Config::named`] knows this architecture by, whatever its classes and input channels.
    pub fn name(&self) -> Option<&'static str> {
        let same = |make: fn() -> Self| {
            Self { num_classes: self.num_classes, in_channels: self.in_channels, epsilon: self.epsilon, ..make() } == *self
        };
        NAMED.iter().find(|(_, make)| same(*make)).map(|(name, _)| *name)
    }

    /// Every name that [`Config::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name)
    }

    /// Channels that a transition makes from `channels`.
    pub fn compressed(&self, channels: usize) -> usize {
        (channels as f64 * self.compression) as usize
    }

    /// The network for pictures of `height` x `width` pixels.
    ///
    /// Layers carry torchvision's module names, so that a checkpoint's keys, PyTorch's `named_modules()` and this
    /// graph agree. Errors where the picture is too small, or the numbers make no network.
    pub fn graph(&self, height: usize, width: usize) -> Result<Graph> {
        self.check()?;
        let mut graph = Graph::new(Shape::new(self.in_channels, height, width));
        let mut x = self.stem(&mut graph)?;
        for (block, &layers) in self.block_config.iter().enumerate() {
            x = self.dense_block(&mut graph, &format!("features.denseblock{}", block + 1), x, layers)?;
            if block + 1 < self.block_config.len() {
                x = self.transition(&mut graph, &format!("features.transition{}", block + 1), x)?;
            }
        }
        x = graph.batch_norm("features.norm5", x, self.epsilon)?;
        graph.alias("features", x)?;
        x = graph.relu("relu", x)?;
        x = graph.global_avg_pool("global_pool", x)?;
        if let Some(classes) = self.num_classes {
            graph.linear("classifier", x, classes)?;
        }
        Ok(graph)
    }

    fn stem(&self, graph: &mut Graph) -> Result<Value> {
        let x = graph.input();
        match self.stem {
            Stem::ImageNet => {
                let x = graph.conv("features.conv0", x, Conv::new(self.num_init_features, Window::square(7, 2, 3)))?;
                let x = graph.batch_norm("features.norm0", x, self.epsilon)?;
                let x = graph.relu("features.relu0", x)?;
                graph.max_pool("features.pool0", x, Window::square(3, 2, 1))
            }
            Stem::Cifar => graph.conv("features.conv0", x, Conv::new(self.num_init_features, Window::square(3, 1, 1))),
        }
    }

    fn dense_block(&self, graph: &mut Graph, name: &str, mut x: Value, layers: usize) -> Result<Value> {
        for layer in 1..=layers {
            let new = self.dense_layer(graph, &format!("{name}.denselayer{layer}"), x)?;
            let joined = if layer == layers { name.to_owned() } else { format!("{name}.denselayer{}.concat", layer + 1) };
            x = graph.concat(&joined, &[x, new])?;
        }
        Ok(x)
    }

    fn dense_layer(&self, graph: &mut Graph, name: &str, x: Value) -> Result<Value> {
        let growth = Conv::new(self.growth_rate, Window::square(3, 1, 1));
        let x = graph.batch_norm(&format!("{name}.norm1"), x, self.epsilon)?;
        let x = graph.relu(&format!("{name}.relu1"), x)?;
        let new = if self.bottleneck {
            let x = graph.conv(&format!("{name}.conv1"), x, Conv::new(self.bn_size * self.growth_rate, Window::square(1, 1, 0)))?;
            let x = graph.batch_norm(&format!("{name}.norm2"), x, self.epsilon)?;
            let x = graph.relu(&format!("{name}.relu2"), x)?;
            graph.conv(&format!("{name}.conv2"), x, growth)?
        } else {
            graph.conv(&format!("{name}.conv1"), x, growth)?
        };
        graph.alias(name, new)?;
        Ok(new)
    }

    fn transition(&self, graph: &mut Graph, name: &str, x: Value) -> Result<Value> {
        let channels = self.compressed(graph.shape(x).channels);
        let x = graph.batch_norm(&format!("{name}.norm"), x, self.epsilon)?;
        let x = graph.relu(&format!("{name}.relu"), x)?;
        let x = graph.conv(&format!("{name}.conv"), x, Conv::new(channels, Window::square(1, 1, 0)))?;
        let x = graph.avg_pool(&format!("{name}.pool"), x, Window::square(2, 2, 0))?;
        graph.alias(name, x)?;
        Ok(x)
    }

    fn check(&self) -> Result<()> {
        let positive = [
            ("growth_rate", self.growth_rate),
            ("num_init_features", self.num_init_features),
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
        Ok(())
    }
}

type Make = fn() -> Config;

const NAMED: [(&str, Make); 5] = [
    ("densenet121", Config::densenet121),
    ("densenet161", Config::densenet161),
    ("densenet169", Config::densenet169),
    ("densenet201", Config::densenet201),
    ("densenet264", Config::densenet264),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_counts_are_the_published_ones() {
        for (name, parameters) in [
            ("densenet121", 7_978_856),
            ("densenet161", 28_681_000),
            ("densenet169", 14_149_480),
            ("densenet201", 20_013_928),
            ("densenet264", 33_337_704),
        ] {
            let config = Config::named(name).unwrap();
            assert_eq!(config.graph(224, 224).unwrap().parameters(), parameters, "{name}");
            assert_eq!(config.name(), Some(name));
        }
    }

    #[test]
    fn cifar_networks_have_the_papers_parameters() {
        // Table 2 of the paper prints 1.0M, 7.0M, 27.2M, 0.8M, 15.3M and 25.6M; these are exact for 10 classes.
        for (depth, growth_rate, bottleneck, parameters) in [
            (40, 12, false, 1_019_722),
            (100, 12, false, 6_979_642),
            (100, 24, false, 27_249_082),
            (100, 12, true, 769_162),
            (250, 24, true, 15_324_406),
            (190, 40, true, 25_624_430),
        ] {
            let layers = (depth - 4) / 3 / if bottleneck { 2 } else { 1 };
            let config = Config {
                num_classes: Some(10),
                compression: if bottleneck { 0.5 } else { 1.0 },
                stem: Stem::Cifar,
                bottleneck,
                ..Config::imagenet(growth_rate, &[layers; 3], if bottleneck { 2 * growth_rate } else { 16 })
            };
            assert_eq!(config.graph(32, 32).unwrap().parameters(), parameters, "L={depth} k={growth_rate}");
        }
    }

    #[test]
    fn the_smallest_picture_is_torchvisions() {
        assert!(Config::densenet121().graph(29, 29).is_ok());
        let message = Config::densenet121().graph(28, 29).unwrap_err().to_string();
        assert!(message.contains("3x28x29") && message.contains("features.transition3.pool"), "{message}");
    }

    #[test]
    fn numbers_that_make_no_network_are_named() {
        let message = Config { growth_rate: 0, ..Config::densenet121() }.graph(224, 224).unwrap_err().to_string();
        assert!(message.contains("growth_rate"), "{message}");
    }
}
