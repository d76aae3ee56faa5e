//! What the shapes of a network's tensors tell, by torchvision's names.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::compression::compression;
use crate::arch::Stem;
use crate::error::Result;
use crate::weights::read_options::StemDownsampling;
use crate::weights::tensors::tensor_error;

/// Most dense blocks of a network: a seventeenth would need pictures of more than 65536 pixels a side.
const MOST_BLOCKS: usize = 16;

/// Largest kernel of a stem.
const LARGEST_KERNEL: usize = 15;

/// Most dense layers of a network: the deepest published one has 130.
const MOST_LAYERS: usize = 1024;

/// Shapes by tensor name.
pub(super) struct Shapes<'a>(pub(super) BTreeMap<&'a str, &'a [usize]>);

impl Shapes<'_> {
    pub(super) fn check(&self) -> Result<()> {
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

    pub(super) fn has(&self, prefix: &str) -> bool {
        self.first(prefix).is_some()
    }

    fn first(&self, prefix: &str) -> Option<&str> {
        self.0
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .next()
            .map(|(name, _)| *name)
            .filter(|name| name.starts_with(prefix))
    }

    pub(super) fn conv(&self, name: &str) -> Result<[usize; 4]> {
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
    pub(super) fn stem(&self, downsampling: StemDownsampling) -> Result<(Stem, [usize; 4])> {
        let name = "features.conv0.weight";
        let shape = self.conv(name)?;
        let (norm, deep, bias) = (self.has("features.norm0."), self.has("features.conv1."), self.has("features.conv0.bias"));
        match (shape, norm, deep) {
            ([first, in_channels, 3, 3], true, true) if !bias => {
                if downsampling != StemDownsampling::default() {
                    let expected = "no `stem` for a deep stem, whose first convolution moves by 2 and which has a pool";
                    return Err(tensor_error(name, expected, format!("one; leave it out ({shape:?} and features.conv1)")));
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
                let (Some(stride), Some(pool)) = (downsampling.stride.or(usual.0), downsampling.pool.or(usual.1)) else {
                    let follows = if norm { "a batch norm" } else { "no batch norm" };
                    let open = match (downsampling.stride, downsampling.pool) {
                        (None, Some(_)) => "its stride is open",
                        (Some(_), None) => "whether a pool follows is open",
                        _ => "its stride is open, and whether a pool follows",
                    };
                    let hint = if norm { "" } else { " (networks of instance or group norms are not run)" };
                    let found = format!("{shape:?} and {follows}: {open}, which tensors do not tell{hint}");
                    let expected = "a 7x7 kernel with a batch norm, a 3x3 one without, or a stem that is specified with \
                                    `stem` stride=1,pool=no, stride=1,pool=yes, stride=2,pool=no or stride=2,pool=yes";
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
    pub(super) fn blocks(&self) -> Result<Vec<usize>> {
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

    pub(super) fn bn_size(&self, name: &str, growth_rate: usize) -> Result<usize> {
        let [width, ..] = self.conv(name)?;
        if width.is_multiple_of(growth_rate) {
            return Ok(width / growth_rate);
        }
        Err(tensor_error(name, &format!("a multiple of the growth rate ({growth_rate}) output channels"), width.to_string()))
    }

    /// Channels that a transition keeps of `channels`, where one compression explains it and those `before`.
    pub(super) fn transition(&self, name: &str, channels: usize, before: &[(usize, usize)]) -> Result<usize> {
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

    pub(super) fn classes(&self) -> Result<Option<usize>> {
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
