//! Networks whose layers have numbers for names, as `nn.Sequential(*list(densenet.features.children()))` makes them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::error::Error;
use crate::weights::container::Contents;
use crate::weights::dialect::path;

/// Most places in a file that are looked at.
const MOST_NETWORKS: usize = 16;

/// A network whose layers were numbered, and have torchvision's names now.
pub(in crate::weights::dialect) struct Numbered {
    scope: Rc<str>,
    prefix: String,
    /// Whether the numbers leave room for a pool in the stem; `None` where something else stands there.
    pub(super) pool: Option<bool>,
    /// What stands there is between the layers of these numbers.
    between: [usize; 2],
}

impl Numbered {
    /// Whether this is the network at that place.
    pub(super) fn is_at(&self, scope: &str, prefix: &str) -> bool {
        *self.scope == *scope && self.prefix == prefix
    }

    /// The error for modules in the stem of which nothing is known.
    pub(super) fn unknown_modules(&self) -> Error {
        let [last, block] = self.between.map(|number| format!("{}{number}", path::join(&self.scope, &self.prefix)));
        Error::checkpoint(format!(
            "between {last} and its first dense block {block} expected a ReLU behind a batch norm, and a max pool or none, found room \
             for {}: a state dict does not say what stands there. If it is no more than a ReLU and a max pool, specify it: `stem` \
             stride=2,pool=yes, stride=1,pool=no or the like",
            match self.between[1] - self.between[0] - 1 {
                1 => "1 module".to_owned(),
                count => format!("{count} modules"),
            }
        ))
    }
}

/// What the tensors of a numbered layer are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Conv,
    Norm,
    Block,
    Transition,
}

/// Gives numbered layers torchvision's names; the networks they are of.
pub(in crate::weights::dialect) fn rename(contents: &mut Contents) -> Vec<Numbered> {
    let mut places: BTreeMap<(Rc<str>, String), BTreeMap<usize, BTreeSet<Kind>>> = BTreeMap::new();
    for tensor in &contents.tensors {
        for (at, _) in tensor.name.match_indices(".denselayer1.") {
            let (prefix, number) = split(&tensor.name[..at]);
            if number.parse::<usize>().is_ok() && places.len() < MOST_NETWORKS {
                places.entry((tensor.scope.clone(), prefix.to_owned())).or_default();
            }
        }
    }
    for tensor in &contents.tensors {
        for ((scope, prefix), kinds) in places.range_mut((tensor.scope.clone(), String::new())..) {
            if *scope != tensor.scope {
                break;
            }
            let Some((number, rest)) = tensor.name.strip_prefix(prefix.as_str()).and_then(numbered) else { continue };
            let kind = match rest {
                _ if rest.starts_with("denselayer") => Kind::Block,
                _ if rest.starts_with("norm.") || rest.starts_with("conv.") => Kind::Transition,
                "weight" | "weight_orig" if tensor.shape.len() == 4 => Kind::Conv,
                "running_mean" => Kind::Norm,
                _ => continue,
            };
            kinds.entry(number).or_default().insert(kind);
        }
    }
    let mut found = Vec::new();
    for ((scope, prefix), kinds) in places {
        let Some((names, pool, between)) = names(&kinds) else { continue };
        let renamed = |name: &str| {
            let (number, rest) = numbered(name.strip_prefix(prefix.as_str())?)?;
            Some(format!("{prefix}{}.{rest}", names.get(&number)?))
        };
        for tensor in contents.tensors.iter_mut().filter(|tensor| tensor.scope == scope) {
            if let Some(name) = renamed(&tensor.name) {
                tensor.named = Some(std::mem::replace(&mut tensor.name, name));
            }
        }
        for module in contents.modules.iter_mut().filter(|module| module.scope == scope) {
            if let Some(path) = renamed(&format!("{}.", module.path)) {
                module.named = Some(std::mem::replace(&mut module.path, path.trim_end_matches('.').to_owned()));
            }
        }
        found.push(Numbered { scope, prefix, pool, between });
    }
    found
}

/// `features.` and `4` of `features.4`.
fn split(path: &str) -> (&str, &str) {
    path.rfind('.').map_or(("", path), |at| path.split_at(at + 1))
}

/// `4` and `norm.weight` of `4.norm.weight`.
fn numbered(name: &str) -> Option<(usize, &str)> {
    let (number, rest) = name.split_once('.')?;
    Some((number.parse().ok().filter(|_| number.len() < 4)?, rest))
}

/// Names of layers by their numbers, whether the stem has a pool, and the numbers between which it would be.
type Named = (BTreeMap<usize, String>, Option<bool>, [usize; 2]);

/// What the numbers tell of a network's layers; `None` where they make no network.
fn names(kinds: &BTreeMap<usize, BTreeSet<Kind>>) -> Option<Named> {
    let of = |kind: Kind| kinds.iter().filter(move |(_, kinds)| kinds.contains(&kind)).map(|(number, _)| *number);
    let (first, last) = (of(Kind::Block).min()?, of(Kind::Block).max()?);
    let mut names = BTreeMap::new();
    for (index, number) in of(Kind::Block).enumerate() {
        names.insert(number, format!("denseblock{}", index + 1));
    }
    for (index, number) in of(Kind::Transition).enumerate() {
        names.insert(number, format!("transition{}", index + 1));
    }
    let mut convs = of(Kind::Conv).filter(|number| *number < first);
    let conv = convs.next().filter(|_| convs.next().is_none())?;
    names.insert(conv, "conv0".into());
    let norm = of(Kind::Norm).find(|number| (conv..first).contains(number));
    names.extend(norm.map(|number| (number, "norm0".into())));
    names.extend(of(Kind::Norm).find(|number| *number > last).map(|number| (number, "norm5".into())));
    // Behind a norm is its ReLU, and then a pool or none.
    let pool = match norm {
        Some(norm) => match first - norm {
            2 => Some(false),
            3 => Some(true),
            _ => None,
        },
        None => (first == conv + 1).then_some(false),
    };
    Some((names, pool, [norm.unwrap_or(conv), first]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(layers: &[(usize, Kind)]) -> (Vec<String>, Option<bool>) {
        let kinds = layers.iter().map(|(number, kind)| (*number, BTreeSet::from([*kind]))).collect();
        let (names, pool, _) = names(&kinds).unwrap();
        (names.into_values().collect(), pool)
    }

    #[test]
    fn numbers_are_layers_in_their_order() {
        use Kind::{Block, Conv, Norm, Transition};
        let (whole, pool) = named(&[(0, Conv), (1, Norm), (4, Block), (5, Transition), (6, Block), (7, Norm)]);
        assert_eq!(whole, ["conv0", "norm0", "denseblock1", "transition1", "denseblock2", "norm5"]);
        assert_eq!(pool, Some(true));
        assert_eq!(named(&[(0, Conv), (1, Norm), (3, Block), (4, Norm)]).1, Some(false));
        for unknown in [[(0, Conv), (1, Norm), (5, Block), (6, Norm)], [(0, Conv), (1, Norm), (2, Block), (3, Norm)]] {
            assert_eq!(named(&unknown).1, None, "{:?}", unknown[2].0);
        }
        assert_eq!(named(&[(0, Conv), (2, Block), (3, Norm)]).1, None);
        assert_eq!(named(&[(0, Conv), (1, Block), (2, Norm)]), (vec!["conv0".into(), "denseblock1".into(), "norm5".into()], Some(false)));
    }

    #[test]
    fn numbers_are_read_to_the_point() {
        assert_eq!((split("features.4"), split("4")), (("features.", "4"), ("", "4")));
        assert_eq!(numbered("4.norm.weight"), Some((4, "norm.weight")));
        assert_eq!((numbered("norm.weight"), numbered("1234.weight"), numbered("4")), (None, None, None));
    }
}
