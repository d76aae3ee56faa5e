//! DenseNet as a graph, named as torchvision names it.
//!
//! Huang, Liu, van der Maaten, Weinberger: *Densely Connected Convolutional Networks*, CVPR 2017
//! (section 3; table 1 for the ImageNet variants, section 4.2 for CIFAR).
//!
//! ```
//! use densenet_wgpu::network::Stem;
//! use densenet_wgpu::Config;
//!
//! // The paper's DenseNet-BC for CIFAR: 100 layers, growth rate 12.
//! let config = Config::imagenet(12, &[16, 16, 16], 24).with_stem(Stem::Cifar).with_classes(Some(10));
//! let graph = config.graph(32, 32)?;
//! assert_eq!(graph.parameters(), 769_162);
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

use std::fmt;

use crate::error::{Error, Result};
use crate::graph::{Conv, Graph, Value};
use crate::head::HeadLayer;
use crate::shape::{Shape, Window};

/// How the picture enters the first dense block.
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
        /// Channels of the first and the second convolution; the third makes `num_init_features`.
        widths: [usize; 2],
        /// Whether the pool is a 3x3 max pool with stride 1 and then a blur pool ([`Op::BlurPool`](crate::network::Op::BlurPool),
        /// R. Zhang: *Making Convolutional Networks Shift-Invariant Again*, ICML 2019), or a 3x3 max pool with stride 2.
        blur: bool,
    },
    /// 3x3 convolution with stride 1, nothing else: the paper's stem for CIFAR.
    Cifar,
    /// One convolution, zeros around the picture so that stride 1 keeps its size; then what there is of batch norm with ReLU and
    /// of a 3x3 max pool with stride 2.
    Single {
        /// The kernel's height and width, an odd number.
        kernel: usize,
        /// How far it moves.
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
    /// The stem of one convolution with these numbers, under its own name where it has one.
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

    /// Whether pictures are as large behind it as before it.
    pub fn keeps_size(self) -> bool {
        matches!(self, Self::Cifar | Self::Single { stride: 1, pool: false, .. })
    }
}

/// The numbers that make a DenseNet.
///
/// torchvision's `drop_rate` and `memory_efficient` are absent: both concern training only. Dropout does nothing in
/// inference, and recomputing features to save memory is what the growing buffer makes needless.
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
    /// Whether a ReLU follows the last batch norm, `features.norm5`. Keras Applications' DenseNets had none up to
    /// keras-applications 1.0.5.
    pub final_relu: bool,
    /// Whether a transition has a ReLU between its batch norm and its convolution, as in the paper.
    pub transition_relu: bool,
    /// Batch norm's epsilon.
    pub epsilon: f32,
    /// The classifier's layers, where it is more than one linear layer; the last is linear and makes the classes.
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

    /// Appends so many channels in every dense layer.
    #[must_use]
    pub fn with_growth_rate(self, growth_rate: usize) -> Self {
        Self { growth_rate, ..self }
    }

    /// Makes the bottleneck so many growth rates wide.
    #[must_use]
    pub fn with_bn_size(self, bn_size: usize) -> Self {
        Self { bn_size, ..self }
    }

    /// Tells so many classes apart by one linear layer; `None` builds no classifier.
    #[must_use]
    pub fn with_classes(self, num_classes: Option<usize>) -> Self {
        Self { num_classes, head: Vec::new(), ..self }
    }

    /// Has a classifier of these layers, of which the last is linear and makes the classes.
    #[must_use]
    pub fn with_head(self, head: Vec<HeadLayer>) -> Self {
        let num_classes = match head.last() {
            Some(HeadLayer::Linear { features }) => Some(*features),
            _ => self.num_classes,
        };
        Self { num_classes, head, ..self }
    }

    /// Has a ReLU in each transition, or not.
    #[must_use]
    pub fn with_transition_relu(self, transition_relu: bool) -> Self {
        Self { transition_relu, ..self }
    }

    /// Takes pictures of so many channels.
    #[must_use]
    pub fn with_channels(self, in_channels: usize) -> Self {
        Self { in_channels, ..self }
    }

    /// Keeps this share of the channels in a transition, in (0, 1].
    #[must_use]
    pub fn with_compression(self, compression: f64) -> Self {
        Self { compression, ..self }
    }

    /// Begins with this stem.
    #[must_use]
    pub fn with_stem(self, stem: Stem) -> Self {
        Self { stem, ..self }
    }

    /// Has a 1x1 convolution before each dense layer's 3x3 one, or not.
    #[must_use]
    pub fn with_bottleneck(self, bottleneck: bool) -> Self {
        Self { bottleneck, ..self }
    }

    /// Has a ReLU after the last batch norm, or not.
    #[must_use]
    pub fn with_final_relu(self, final_relu: bool) -> Self {
        Self { final_relu, ..self }
    }

    /// Computes batch norms with this epsilon.
    #[must_use]
    pub fn with_epsilon(self, epsilon: f32) -> Self {
        Self { epsilon, ..self }
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

    /// timm's `densenet264d` (k = 48, deep stem): 72,736,216 parameters.
    pub fn densenet264d() -> Self {
        let stem = Stem::Deep { widths: [48, 48], blur: false };
        Self { stem, ..Self::imagenet(48, &[6, 12, 64, 48], 96) }
    }

    /// timm's `densenetblur121d` (deep stem with a blur pool): 7,998,088 parameters.
    pub fn densenetblur121d() -> Self {
        let stem = Stem::Deep { widths: [32, 32], blur: true };
        Self { stem, ..Self::densenet121() }
    }

    /// The configuration of a name such as `densenet121`.
    pub fn named(name: &str) -> Option<Self> {
        let (_, make) = NAMED.iter().find(|(known, _)| *known == name)?;
        Some(make())
    }

    /// The name that [`Config::named`] knows this architecture by, whatever its classes and input channels; none of them has a head
    /// of several layers.
    pub fn name(&self) -> Option<&'static str> {
        self.features_name().filter(|_| self.head.is_empty())
    }

    /// The same, whatever its head.
    pub(crate) fn features_name(&self) -> Option<&'static str> {
        let same = |make: fn() -> Self| {
            let same = Self { num_classes: self.num_classes, in_channels: self.in_channels, epsilon: self.epsilon, ..make() };
            Self { head: self.head.clone(), ..same } == *self
        };
        NAMED.iter().find(|(_, make)| same(*make)).map(|(name, _)| *name)
    }

    /// Every name that [`Config::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name)
    }

    /// Channels that a transition makes from `channels`.
    ///
    /// ```
    /// use densenet_wgpu::Config;
    ///
    /// assert_eq!(Config::densenet121().compressed(256), 128);
    /// ```
    pub fn compressed(&self, channels: usize) -> usize {
        (channels as f64 * self.compression) as usize
    }

    /// The network for pictures of `height` x `width` pixels.
    ///
    /// Layers carry torchvision's module names, those of the deep stem timm's, so that a checkpoint's keys, PyTorch's
    /// `named_modules()` and this graph agree. Errors where the picture is too small, or the numbers make no network.
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
        if self.final_relu {
            x = graph.relu("relu", x)?;
        }
        let pooled = graph.global_avg_pool("global_pool", x)?;
        match self.num_classes {
            Some(classes) if self.head.is_empty() => drop(graph.linear("classifier", pooled, classes)?),
            Some(_) => drop(HeadLayer::append(&self.head, &mut graph, x, pooled)?),
            None => {}
        }
        Ok(graph)
    }

    fn stem(&self, graph: &mut Graph) -> Result<Value> {
        let x = graph.input();
        match self.stem {
            Stem::ImageNet => {
                let x = self.stem_layer(graph, 0, x, Conv::new(self.num_init_features, Window::square(7, 2, 3)))?;
                graph.max_pool("features.pool0", x, Window::square(3, 2, 1))
            }
            Stem::Deep { widths: [first, second], blur } => {
                let x = self.stem_layer(graph, 0, x, Conv::new(first, Window::square(3, 2, 1)))?;
                let x = self.stem_layer(graph, 1, x, Conv::new(second, Window::square(3, 1, 1)))?;
                let x = self.stem_layer(graph, 2, x, Conv::new(self.num_init_features, Window::square(3, 1, 1)))?;
                if !blur {
                    return graph.max_pool("features.pool0", x, Window::square(3, 2, 1));
                }
                let x = graph.max_pool("features.pool0.0", x, Window::square(3, 1, 1))?;
                let x = graph.blur_pool("features.pool0.1", x)?;
                graph.alias("features.pool0", x)?;
                Ok(x)
            }
            Stem::Cifar => graph.conv("features.conv0", x, Conv::new(self.num_init_features, Window::square(3, 1, 1))),
            Stem::Single { kernel, stride, bias, norm, pool } => {
                let conv = Conv { bias, ..Conv::new(self.num_init_features, Window::square(kernel, stride, kernel / 2)) };
                let x = if norm { self.stem_layer(graph, 0, x, conv)? } else { graph.conv("features.conv0", x, conv)? };
                if pool { graph.max_pool("features.pool0", x, Window::square(3, 2, 1)) } else { Ok(x) }
            }
        }
    }

    fn stem_layer(&self, graph: &mut Graph, number: usize, x: Value, conv: Conv) -> Result<Value> {
        let x = graph.conv(&format!("features.conv{number}"), x, conv)?;
        let x = graph.batch_norm(&format!("features.norm{number}"), x, self.epsilon)?;
        graph.relu(&format!("features.relu{number}"), x)
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
        let x = if self.transition_relu { graph.relu(&format!("{name}.relu"), x)? } else { x };
        let x = graph.conv(&format!("{name}.conv"), x, Conv::new(channels, Window::square(1, 1, 0)))?;
        let x = graph.avg_pool(&format!("{name}.pool"), x, Window::square(2, 2, 0))?;
        graph.alias(name, x)?;
        Ok(x)
    }

    fn check(&self) -> Result<()> {
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
            return Err(wrong("features.conv0", "an odd kernel, which zeros can go around evenly", kernel.to_string()));
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
/// The number is the name's, else it counts convolutions and the classifier, as the paper does.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By that count DenseNet-264 has 265.
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

type Make = fn() -> Config;

const NAMED: [(&str, Make); 7] = [
    ("densenet121", Config::densenet121),
    ("densenet161", Config::densenet161),
    ("densenet169", Config::densenet169),
    ("densenet201", Config::densenet201),
    ("densenet264", Config::densenet264),
    ("densenet264d", Config::densenet264d),
    ("densenetblur121d", Config::densenetblur121d),
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
            ("densenet264d", 72_736_216),
            ("densenetblur121d", 7_998_088),
        ] {
            let config = Config::named(name).unwrap();
            assert_eq!(config.graph(224, 224).unwrap().parameters(), parameters, "{name}");
            assert_eq!(config.name(), Some(name));
            let headed = config.clone().with_head(vec![HeadLayer::Relu, HeadLayer::Linear { features: 5 }]);
            assert_eq!(headed.name(), None, "no name has such a head");
            assert_eq!(headed.to_string().split(' ').next(), config.to_string().split(' ').next());
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
    fn a_deep_stem_has_timms_names_and_shapes() {
        let blurred = Config::densenetblur121d();
        let graph = blurred.graph(224, 224).unwrap();
        let names: Vec<&str> = graph.nodes()[1..12].iter().map(|node| node.name.as_str()).collect();
        let convolutions = (0..3).flat_map(|number| ["conv", "norm", "relu"].map(|kind| format!("features.{kind}{number}")));
        assert_eq!(names, convolutions.chain(["features.pool0.0".into(), "features.pool0.1".into()]).collect::<Vec<_>>());
        let shape = |graph: &Graph, name: &str| graph.shape(graph.find(name).unwrap());
        assert_eq!(shape(&graph, "features.relu1"), Shape::new(32, 112, 112));
        assert_eq!(shape(&graph, "features.pool0.0"), Shape::new(64, 112, 112));
        assert_eq!(shape(&graph, "features.pool0"), Shape::new(64, 56, 56));
        assert_eq!(graph.find("features.pool0").unwrap(), graph.find("features.pool0.1").unwrap());
        let odd = Config::densenet264d().graph(97, 131).unwrap();
        assert_eq!(shape(&odd, "features.relu2"), Shape::new(96, 49, 66));
        assert_eq!(shape(&odd, "features.pool0"), Shape::new(96, 25, 33));
        assert!(odd.find("features.pool0.1").is_err());
    }

    #[test]
    fn without_the_final_relu_the_norm_is_pooled() {
        let config = Config { final_relu: false, ..Config::densenet121() };
        let graph = config.graph(224, 224).unwrap();
        let pool = graph.node(graph.find("global_pool").unwrap());
        assert_eq!(pool.inputs, [graph.find("features.norm5").unwrap()]);
        assert!(graph.find("relu").is_err());
        assert_eq!(config.name(), None);
    }

    #[test]
    fn the_smallest_picture_is_torchvisions() {
        assert!(Config::densenet121().graph(29, 29).is_ok());
        let message = Config::densenet121().graph(28, 29).unwrap_err().to_string();
        assert!(message.contains("3x28x29") && message.contains("features.transition3.pool"), "{message}");
    }

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
