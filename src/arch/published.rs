//! Published architectures, by name.

use super::config::Config;
use super::stem::Stem;

impl Config {
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

    /// The name of this architecture in [`Config::named`], whatever its classes and input channels; `None` with a head of several layers.
    pub fn name(&self) -> Option<&'static str> {
        self.features_name().filter(|_| self.head.is_empty())
    }

    /// The same, with any head.
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
    use crate::head::HeadLayer;

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
}
