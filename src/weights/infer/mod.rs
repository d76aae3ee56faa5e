//! The architecture of a network, inferred from the names and shapes of its tensors.
//!
//! Only what the configuration needs is read here; whether every other tensor agrees with it is for
//! [`Weights::check`](super::Weights::check) to say.

mod compression;
mod shapes;

use super::read_options::StemDownsampling;
use crate::arch::Config;
use crate::error::Result;
use compression::compression;
use shapes::Shapes;

/// The configuration of the network that these tensors, shapes by name, belong to.
///
/// Shapes do not always decide all of it. The rest is set to: PyTorch's `epsilon` of 1e-5; a ReLU after the last norm; a deep stem's
/// pool that blurs; a `bn_size` of 4 without a bottleneck; as `compression` the roundest number that makes every transition's width,
/// 0.5 without transitions. Errors name the tensor that is missing, or contradicts the others.
///
/// ```
/// use std::collections::BTreeMap;
/// use densenet_wgpu::checkpoint::infer;
/// use densenet_wgpu::Config;
///
/// # fn main() -> densenet_wgpu::Result<()> {
/// let graph = Config::densenet161().graph(224, 224)?;
/// let shapes: BTreeMap<String, Vec<usize>> = graph.tensors().map(|spec| (spec.name, spec.shape)).collect();
/// let shapes = shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()));
/// assert_eq!(infer(shapes)?, Config::densenet161());
/// # Ok(())
/// # }
/// ```
pub fn infer<'a>(shapes: impl IntoIterator<Item = (&'a str, &'a [usize])>) -> Result<Config> {
    infer_with_downsampling(shapes, StemDownsampling::default())
}

/// [`infer`] of a network whose stem is stated beside its shapes.
pub(super) fn infer_with_downsampling<'a>(
    shapes: impl IntoIterator<Item = (&'a str, &'a [usize])>,
    downsampling: StemDownsampling,
) -> Result<Config> {
    let shapes = Shapes(shapes.into_iter().collect());
    shapes.check()?;
    downsampling.check()?;
    let (stem, [num_init_features, in_channels, ..]) = shapes.stem(downsampling)?;
    let block_config = shapes.blocks()?;

    let first = "features.denseblock1.denselayer1";
    let bottleneck = shapes.has(&format!("{first}.conv2."));
    let [growth_rate, ..] = shapes.conv(&format!("{first}.conv{}.weight", if bottleneck { 2 } else { 1 }))?;
    let bn_size = if bottleneck { shapes.bn_size(&format!("{first}.conv1.weight"), growth_rate)? } else { 4 };

    let mut channels = num_init_features;
    let mut widths = Vec::new();
    for (block, layers) in block_config.iter().enumerate().take(block_config.len() - 1) {
        channels = channels.saturating_add(layers.saturating_mul(growth_rate));
        let name = format!("features.transition{}.conv.weight", block + 1);
        let kept = shapes.transition(&name, channels, &widths)?;
        widths.push((channels, kept));
        channels = kept;
    }
    Ok(Config {
        bn_size,
        num_classes: shapes.classes()?,
        in_channels,
        compression: compression(&widths).unwrap_or(0.5),
        stem,
        bottleneck,
        ..Config::imagenet(growth_rate, &block_config, num_init_features)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::arch::Stem;

    fn shapes(config: &Config) -> BTreeMap<String, Vec<usize>> {
        config.graph(256, 256).unwrap().tensors().map(|spec| (spec.name, spec.shape)).collect()
    }

    fn inferred(shapes: &BTreeMap<String, Vec<usize>>) -> Result<Config> {
        infer(shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())))
    }

    #[test]
    fn every_configuration_is_recovered() {
        let cifar = Config { stem: Stem::Cifar, num_classes: Some(10), ..Config::imagenet(12, &[16, 16, 16], 24) };
        let plain = Config { bottleneck: false, compression: 1.0, ..cifar.clone() };
        let odd = Config { bn_size: 3, in_channels: 1, num_classes: None, ..Config::imagenet(5, &[2, 3, 1], 7) };
        let others = [cifar, plain, odd, Config { bn_size: 1, num_classes: Some(1), ..Config::imagenet(1, &[1, 1], 1) }];
        let many = Config::imagenet(3, &[11; 6], 10);
        // Whether a deep stem's pool blurs does not show in shapes.
        let named = Config::names().filter_map(Config::named).filter(|config| !matches!(config.stem, Stem::Deep { blur: false, .. }));
        for config in named.chain(others).chain([many]) {
            assert_eq!(inferred(&shapes(&config)).unwrap(), config);
        }
    }

    #[test]
    fn what_is_stated_of_a_stem_completes_its_shapes() {
        for (kernel, norm) in [(3, true), (5, true), (5, false), (7, false), (7, true), (3, false)] {
            for (stride, pool, bias) in [(1, false, false), (1, true, true), (2, true, false), (2, false, true)] {
                let config = Config { stem: Stem::Single { kernel, stride, bias, norm, pool }.named(), ..Config::imagenet(4, &[1, 1], 8) };
                let shapes = shapes(&config);
                let named = || shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()));
                let downsampling = StemDownsampling { stride: Some(stride), pool: Some(pool) };
                assert_eq!(infer_with_downsampling(named(), downsampling).unwrap(), config);
                let is_known = matches!((kernel, norm, stride, pool), (7, true, 2, true) | (3, false, 1, false));
                assert_eq!(infer(named()).is_ok_and(|found| found == config), is_known, "{config}");
            }
        }
    }

    #[test]
    fn a_deep_stem_has_one_entry() {
        let shapes = shapes(&Config::densenetblur121d());
        let named = || shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()));
        assert!(infer_with_downsampling(named(), StemDownsampling::default()).is_ok());
        for stem in ["stride=1", "pool=no", "stride=2,pool=yes"] {
            let message = infer_with_downsampling(named(), stem.parse().unwrap()).unwrap_err().to_string();
            assert!(message.contains("no `stem` for a deep stem") && message.contains("leave it out"), "{message}");
        }
    }

    #[test]
    fn compressions_make_the_same_network() {
        for compression in [0.1, 0.25, 0.3, 0.29, 1.0 / 3.0, 0.5, 0.6, 0.7, 0.75, 0.9, 0.999, 1.0] {
            for growth_rate in [12, 32, 47, 100] {
                let config = Config { compression, ..Config::imagenet(growth_rate, &[6, 12, 24], 2 * growth_rate) };
                let found = inferred(&shapes(&config)).unwrap();
                assert_eq!(shapes(&found), shapes(&config), "{compression} {growth_rate}");
                let decimals = |share: f64| share.to_string().len();
                assert!(decimals(found.compression) <= decimals(compression), "{} for {compression}", found.compression);
            }
        }
    }

    #[test]
    fn contradictions_name_their_tensor() {
        let layer = "features.denseblock2.denselayer3";
        let cases: [(&str, Option<&[usize]>, &str); 11] = [
            ("features.conv0.weight", None, "features.conv0.weight: expected a convolution's weight"),
            ("features.conv0.weight", Some(&[64, 3, 5, 5]), "features.conv0.weight: expected a 7x7 kernel"),
            ("features.conv0.weight", Some(&[64, 3, 3, 3]), "`stem` stride=1,pool=no"),
            ("features.conv0.weight", Some(&[64, 3, 4, 4]), "features.conv0.weight: expected one convolution of an odd"),
            ("features.conv0.weight", Some(&[64, 1, 7, 7, 7]), "three-dimensional"),
            ("features.denseblock1.denselayer1.conv1.weight", Some(&[127, 64, 1, 1]), "a multiple of the growth rate (32)"),
            ("features.denseblock1.denselayer1.conv2.weight", Some(&[32, 128]), "conv2.weight: expected a convolution's weight"),
            ("features.transition1.conv.weight", Some(&[128, 255, 1, 1]), "features.transition1.conv.weight: expected 256 input"),
            ("features.transition2.conv.weight", Some(&[512, 512, 1, 1]), "features.transition2.conv.weight: expected the same share"),
            ("features.transition3.conv.weight", Some(&[0, 1024, 1, 1]), "features.transition3.conv.weight: expected no dimension of 0"),
            ("classifier.weight", Some(&[1000]), "classifier.weight: expected the last layer's weight"),
        ];
        for (name, shape, complaint) in cases {
            let mut shapes = shapes(&Config::densenet121());
            assert!(shapes.remove(name).is_some(), "{name}");
            if let Some(shape) = shape {
                shapes.insert(name.into(), shape.into());
            }
            let message = inferred(&shapes).unwrap_err().to_string();
            assert!(message.contains(complaint), "{message}");
        }
        let mut gap = shapes(&Config::densenet121());
        gap.retain(|name, _| !name.starts_with(layer));
        let message = inferred(&gap).unwrap_err().to_string();
        assert!(message.contains("denselayer4") && message.contains(layer), "{message}");
        gap.retain(|name, _| !name.starts_with("features.denseblock2."));
        let message = inferred(&gap).unwrap_err().to_string();
        assert!(message.contains("features.denseblock3.") && message.contains("features.denseblock2 before"), "{message}");
        gap.retain(|name, _| !name.contains("block"));
        assert!(inferred(&gap).unwrap_err().to_string().contains("features.denseblock1: expected at least one"));
    }
}
