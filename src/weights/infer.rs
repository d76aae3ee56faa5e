//! The architecture that tensor names and shapes tell, torchvision's names.
//!
//! Only what the configuration needs is read here; whether every other tensor agrees with it is for
//! [`Weights::check`](super::Weights::check) to say.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::reading::Entry;
use super::tensor_error;
use crate::arch::{Config, Stem};
use crate::error::Result;

/// Most dense blocks of a network: a seventeenth would need pictures of more than 65536 pixels a side.
const MOST_BLOCKS: usize = 16;

/// Largest kernel of a stem.
const LARGEST_KERNEL: usize = 15;

/// Most dense layers of a network: the deepest published one has 130.
const MOST_LAYERS: usize = 1024;

/// The configuration of the network that these tensors, shapes by name, belong to.
///
/// Some of it is not always told by shapes: `epsilon` (here PyTorch's 1e-5), the ReLU after the last norm (here there is
/// one), whether the pool of a deep stem blurs (here it does), `bn_size` without a bottleneck (here 4), `compression` (here the roundest number that makes every transition's width; 0.5 without
/// transitions). Errors name the tensor that is missing, or contradicts the others.
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
    infer_with_entry(shapes, Entry::default())
}

/// [`infer`] of a network whose stem is stated beside its shapes.
pub(super) fn infer_with_entry<'a>(shapes: impl IntoIterator<Item = (&'a str, &'a [usize])>, entry: Entry) -> Result<Config> {
    let shapes = Shapes(shapes.into_iter().collect());
    shapes.check()?;
    entry.check()?;
    let (stem, [num_init_features, in_channels, ..]) = shapes.stem(entry)?;
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

/// Shapes by tensor name.
struct Shapes<'a>(BTreeMap<&'a str, &'a [usize]>);

impl Shapes<'_> {
    fn check(&self) -> Result<()> {
        for (name, shape) in &self.0 {
            if shape.len() == 5 {
                let found = format!("{shape:?}, a three-dimensional network");
                return Err(tensor_error(name, "a network for pictures: at most 4 dimensions", found));
            }
            if shape.contains(&0) {
                return Err(tensor_error(name, "no dimension of 0", format!("{shape:?}")));
            }
        }
        Ok(())
    }

    fn has(&self, prefix: &str) -> bool {
        self.first(prefix).is_some()
    }

    fn first(&self, prefix: &str) -> Option<&str> {
        self.0
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .next()
            .map(|(name, _)| *name)
            .filter(|name| name.starts_with(prefix))
    }

    fn conv(&self, name: &str) -> Result<[usize; 4]> {
        let expected = "a convolution's weight [out, in, height, width]";
        match self.0.get(name) {
            Some(shape) => <[usize; 4]>::try_from(*shape).map_err(|_| tensor_error(name, expected, format!("{shape:?}"))),
            None => {
                let some: Vec<&str> = self.0.keys().copied().take(3).collect();
                let found = format!("none of that name among {} tensors (the first: {})", self.0.len(), some.join(", "));
                Err(tensor_error(name, expected, found))
            }
        }
    }

    /// The stem and the shape of its convolution: channels it makes, channels of the picture, kernel.
    fn stem(&self, entry: Entry) -> Result<(Stem, [usize; 4])> {
        let name = "features.conv0.weight";
        let shape = self.conv(name)?;
        let (norm, deep, bias) = (self.has("features.norm0."), self.has("features.conv1."), self.has("features.conv0.bias"));
        match (shape, norm, deep) {
            ([first, in_channels, 3, 3], true, true) if !bias => {
                if entry != Entry::default() {
                    let expected = "no `entry` for a deep stem, whose first convolution moves by 2 and which has a pool";
                    return Err(tensor_error(name, expected, format!("one; leave it away ({shape:?} and features.conv1)")));
                }
                let [second, ..] = self.conv("features.conv1.weight")?;
                let [out_channels, .., height, width] = self.conv("features.conv2.weight")?;
                Ok((Stem::Deep { widths: [first, second], blur: true }, [out_channels, in_channels, height, width]))
            }
            ([_, _, kernel, width], norm, false) if kernel == width && kernel % 2 == 1 && kernel <= LARGEST_KERNEL => {
                // The two of the paper are known by their tensors; a bias changes neither.
                let usual = match (kernel, norm) {
                    (7, true) => (Some(2), Some(true)),
                    (3, false) => (Some(1), Some(false)),
                    _ => (None, None),
                };
                let (Some(stride), Some(pool)) = (entry.stride.or(usual.0), entry.pool.or(usual.1)) else {
                    let follows = if norm { "a batch norm" } else { "no batch norm" };
                    let open = match (entry.stride, entry.pool) {
                        (None, Some(_)) => "its stride is open",
                        (Some(_), None) => "whether a pool follows is open",
                        _ => "its stride is open, and whether a pool follows",
                    };
                    let hint = if norm { "" } else { " (networks of instance or group norms are not run)" };
                    let found = format!("{shape:?} and {follows}: {open}, which tensors do not tell{hint}");
                    let expected = "a 7x7 kernel with a batch norm, a 3x3 one without, or to be told more: `entry` stride=1,pool=no, \
                                    stride=1,pool=yes, stride=2,pool=no or stride=2,pool=yes";
                    return Err(tensor_error(name, expected, found));
                };
                Ok((Stem::Single { kernel, stride, bias, norm, pool }.named(), shape))
            }
            (_, norm, deep) => {
                let with = |present| if present { "with" } else { "without" };
                let hint = if norm { "" } else { " (networks of instance or group norms are not run)" };
                let found = format!("{shape:?} {} features.norm0, {} features.conv1{hint}", with(norm), with(deep));
                Err(tensor_error(name, "one convolution of an odd, square kernel, or a deep stem of three 3x3 ones", found))
            }
        }
    }

    /// Layers of each dense block.
    fn blocks(&self) -> Result<Vec<usize>> {
        let blocks = self.numbers("features.denseblock")?;
        if blocks > MOST_BLOCKS {
            let name = format!("features.denseblock{blocks}");
            return Err(tensor_error(&name, &format!("at most {MOST_BLOCKS} dense blocks"), blocks.to_string()));
        }
        let layers =
            (1..=blocks).map(|block| self.numbers(&format!("features.denseblock{block}.denselayer"))).collect::<Result<Vec<_>>>()?;
        let sum = layers.iter().sum::<usize>();
        if sum > MOST_LAYERS {
            let name = format!("features.denseblock{blocks}");
            return Err(tensor_error(&name, &format!("at most {MOST_LAYERS} dense layers in all"), sum.to_string()));
        }
        Ok(layers)
    }

    /// How many modules are called `prefix` and a number: 1, 2, 3, … without a gap, at least one.
    fn numbers(&self, prefix: &str) -> Result<usize> {
        let number = |name: &str| name.strip_prefix(prefix)?.split('.').next()?.parse::<usize>().ok();
        let numbers: BTreeSet<usize> = self.0.keys().filter_map(|name| number(name)).collect();
        match numbers.iter().zip(1..).find(|(found, expected)| *found != expected) {
            Some((found, expected)) => {
                let name = self.first(&format!("{prefix}{found}")).unwrap_or(prefix).to_owned();
                Err(tensor_error(&name, &format!("{prefix}{expected} before it (numbers without gaps)"), "none"))
            }
            None if numbers.is_empty() => Err(tensor_error(&format!("{prefix}1"), "at least one", "none")),
            None => Ok(numbers.len()),
        }
    }

    fn bn_size(&self, name: &str, growth_rate: usize) -> Result<usize> {
        let [width, ..] = self.conv(name)?;
        if width.is_multiple_of(growth_rate) {
            return Ok(width / growth_rate);
        }
        Err(tensor_error(name, &format!("a multiple of the growth rate ({growth_rate}) output channels"), width.to_string()))
    }

    /// Channels that a transition keeps of `channels`, where one compression explains it and those `before`.
    fn transition(&self, name: &str, channels: usize, before: &[(usize, usize)]) -> Result<usize> {
        let [kept, from, ..] = self.conv(name)?;
        if from != channels {
            let expected = format!("{channels} input channels (those of the block before it)");
            return Err(tensor_error(name, &expected, from.to_string()));
        }
        if kept > channels {
            return Err(tensor_error(name, &format!("at most {channels} output channels"), kept.to_string()));
        }
        let widths = [before, &[(channels, kept)]].concat();
        if compression(&widths).is_none() {
            let found = format!("{kept} of {channels}, which those before it contradict");
            return Err(tensor_error(name, "the same share of the channels kept by every transition", found));
        }
        Ok(kept)
    }

    fn classes(&self) -> Result<Option<usize>> {
        if !self.has("classifier.") {
            return Ok(None);
        }
        let expected = "the last layer's weight [classes, features]";
        match self.0.get("classifier.weight") {
            Some([classes, _]) => Ok(Some(*classes)),
            Some(shape) => Err(tensor_error("classifier.weight", expected, format!("{shape:?}"))),
            None => Err(tensor_error("classifier.weight", expected, "none")),
        }
    }
}

/// The roundest share that [`Config::compressed`] turns into every width of (channels, kept): 0.5 and 1 first, then
/// the fewest decimals, then the smallest.
fn compression(widths: &[(usize, usize)]) -> Option<f64> {
    let share = |(channels, kept): &(usize, usize)| *kept as f64 / *channels as f64;
    let least = widths.iter().map(share).fold(0.0, f64::max);
    let round = (1..=12).flat_map(|decimals| {
        let unit = 10f64.powi(decimals);
        let first = (least * unit).floor();
        // Rounding up to a width may need the multiple below or above the exact quotient.
        [first, first + 1.0, first + 2.0].map(|count| count / unit)
    });
    // Where no round number fits, the quotient itself does, or the number after it.
    let exact = [least, least.next_up()];
    let candidates = [0.5, 1.0].into_iter().chain(round).chain(exact);
    let explains = |theta: &f64| {
        let config = Config { compression: *theta, ..Config::densenet121() };
        widths.iter().all(|&(channels, kept)| config.compressed(channels) == kept)
    };
    candidates.filter(|theta| *theta > 0.0 && *theta <= 1.0).find(explains)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // Whether a deep stem's pool blurs is not told by shapes.
        let named = Config::names().filter_map(Config::named).filter(|config| !matches!(config.stem, Stem::Deep { blur: false, .. }));
        for config in named.chain(others).chain([many]) {
            assert_eq!(inferred(&shapes(&config)).unwrap(), config);
        }
    }

    #[test]
    fn what_is_told_of_a_stem_completes_its_shapes() {
        for (kernel, norm) in [(3, true), (5, true), (5, false), (7, false), (7, true), (3, false)] {
            for (stride, pool, bias) in [(1, false, false), (1, true, true), (2, true, false), (2, false, true)] {
                let config = Config { stem: Stem::Single { kernel, stride, bias, norm, pool }.named(), ..Config::imagenet(4, &[1, 1], 8) };
                let shapes = shapes(&config);
                let named = || shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()));
                let entry = Entry { stride: Some(stride), pool: Some(pool) };
                assert_eq!(infer_with_entry(named(), entry).unwrap(), config);
                let is_known = matches!((kernel, norm, stride, pool), (7, true, 2, true) | (3, false, 1, false));
                assert_eq!(infer(named()).is_ok_and(|found| found == config), is_known, "{config}");
            }
        }
    }

    #[test]
    fn a_deep_stem_has_one_entry() {
        let shapes = shapes(&Config::densenetblur121d());
        let named = || shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()));
        assert!(infer_with_entry(named(), Entry::default()).is_ok());
        for entry in ["stride=1", "pool=no", "stride=2,pool=yes"] {
            let message = infer_with_entry(named(), entry.parse().unwrap()).unwrap_err().to_string();
            assert!(message.contains("no `entry` for a deep stem") && message.contains("leave it away"), "{message}");
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
            ("features.conv0.weight", Some(&[64, 3, 3, 3]), "`entry` stride=1,pool=no"),
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
