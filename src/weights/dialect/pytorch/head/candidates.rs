//! The layers that read the features, each the first of a head, and which of these heads is the classifier.

use super::layer::{Kind, Layer};
use crate::error::{Error, Result};
use crate::weights::dialect::pytorch::root::Root;
use crate::weights::dialect::some_of;
use crate::weights::read_options::ReadOptions;

/// The first part of a layer's name that is not the network's own.
fn head_name(layer: &Layer, root: &Root) -> String {
    let (wrapper, rest) = match layer.path.strip_prefix(root.wrapper()) {
        Some(rest) => (root.wrapper(), rest),
        None => ("", layer.path.as_str()),
    };
    format!("{wrapper}{}", rest.split('.').next().unwrap_or(rest))
}

/// The layers that begin at the features, each the first of a head, with the head's name. Where a head was asked for, those of it.
pub(super) fn heads<'l>(
    layers: &'l [Layer],
    root: &Root,
    begins: impl Fn(&Layer) -> bool,
    options: &ReadOptions,
) -> Result<Vec<(String, &'l Layer)>> {
    let mut heads: Vec<(String, &Layer)> = Vec::new();
    for layer in layers.iter().filter(|layer| begins(layer)) {
        let name = match &options.head {
            Some(wanted) => {
                let wanted = wanted.trim_end_matches('.');
                let full = format!("{}{wanted}", root.wrapper());
                match [wanted, full.as_str()].into_iter().find(|head| layer.is_in(head)) {
                    Some(head) => head.to_owned(),
                    None => continue,
                }
            }
            None => head_name(layer, root),
        };
        if !heads.iter().any(|(known, _)| *known == name) {
            heads.push((name, layer));
        }
    }
    match (&options.head, heads.as_slice()) {
        (Some(wanted), []) => {
            let there = layers.iter().filter(|layer| begins(layer)).map(Layer::shown);
            let there = some_of(there);
            let found = if there.is_empty() { "none at all".to_owned() } else { there };
            Err(Error::checkpoint(format!("`head` {wanted}: expected a layer of that name that reads the features, found {found}")))
        }
        _ => Ok(heads),
    }
}

/// The head that is meant: the only one, else the one that shares most of its path with the network. Errors where several do.
pub(super) fn chosen<'h, 'l>(heads: &'h [(String, &'l Layer)], root: &Root) -> Result<&'h (String, &'l Layer)> {
    let shared = |name: &str| name.split('.').zip(root.prefix.split('.')).take_while(|(a, b)| a == b).count();
    let most = heads.iter().map(|(name, _)| shared(name)).max().unwrap_or(0);
    let nearest: Vec<&(String, &Layer)> = heads.iter().filter(|(name, _)| shared(name) == most).collect();
    if let [head] = nearest[..] {
        return Ok(head);
    }
    let first = nearest.first().map_or("", |(name, _)| name);
    let layers: Vec<&Layer> = nearest.iter().map(|(_, layer)| *layer).collect();
    Err(several(&layers, first))
}

/// The error for several layers that read the features, the first in the head `first`.
pub(super) fn several(layers: &[&Layer], first: &str) -> Error {
    let has_norm = layers.iter().any(|layer| matches!(layer.kind, Kind::Norm { .. }));
    let or =
        if has_norm { "; specify all layers of one in order with `head_layers`, for example `head_layers` batchnorm,linear" } else { "" };
    Error::checkpoint(format!(
        "expected one classifier, found {} layers that read the features: {}; take one with `head`, as `head` {first}{or}; features \
         alone (`features_only`) need none",
        layers.len(),
        some_of(layers.iter().map(|layer| layer.shown()))
    ))
}
