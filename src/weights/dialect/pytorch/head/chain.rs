//! The layers of a classifier in their order, each reading what the one before it makes.

use super::layer::{Kind, Layer};
use crate::error::{Error, Result};
use crate::weights::read_options::HeadStep;

/// All of `layers` from `first` on, each reading what the one before it makes; `None` where that is no row of layers. Stated steps
/// decide which are norms; the order among norms and among others is the file's, or that of names where it has none.
pub(super) fn linked(first: &Layer, mut layers: Vec<Layer>, is_sorted: bool, stated: Option<&[HeadStep]>) -> Option<Vec<Layer>> {
    if is_sorted {
        layers.sort_by_cached_key(|layer| layer.path.split('.').map(natural).collect::<Vec<_>>());
    }
    if let Some(row) = stated.and_then(|steps| arranged(first.kind.inputs(), layers.clone(), steps)) {
        return Some(row);
    }
    let reads = |layers: &[Layer]| layers.windows(2).all(|pair| pair[0].kind.outputs() == pair[1].kind.inputs());
    if layers.first().is_some_and(|layer| layer.path == first.path) && reads(&layers) {
        return Some(layers);
    }
    // Norms leave the number of features as it is: they come before the layer that changes it.
    let at = layers.iter().position(|layer| layer.path == first.path)?;
    let mut row = vec![layers.remove(at)];
    while let Some(last) = row.last().filter(|_| !layers.is_empty()) {
        let reads = |layer: &Layer| layer.kind.inputs() == last.kind.outputs();
        let norm = layers.iter().position(|layer| reads(layer) && matches!(layer.kind, Kind::Norm { .. }));
        let next = norm.or_else(|| layers.iter().position(reads))?;
        row.push(layers.remove(next));
    }
    Some(row)
}

/// All of `layers` in the order of the steps, the first of which reads `width` features.
fn arranged(mut width: usize, mut layers: Vec<Layer>, steps: &[HeadStep]) -> Option<Vec<Layer>> {
    let mut row: Vec<Layer> = Vec::new();
    for step in steps.iter().filter(|step| step.has_tensors()) {
        let is_next = |layer: &Layer| layer.kind.inputs() == width && layer.is_linear() == (*step == HeadStep::Linear);
        row.push(layers.remove(layers.iter().position(is_next)?));
        width = row.last()?.kind.outputs();
    }
    layers.is_empty().then_some(row)
}

/// Errors where shapes leave open in which order two layers come, and no number in their names tells it: a file of safetensors has
/// no order of its own. Where the layers were stated, it is known which are norms.
pub(super) fn check_order(chain: &[Layer], are_stated: bool) -> Result<()> {
    let widths: Vec<usize> =
        chain.iter().take(1).map(|layer| layer.kind.inputs()).chain(chain.iter().map(|layer| layer.kind.outputs())).collect();
    for (second, after) in chain.iter().enumerate() {
        for (first, before) in chain[..second].iter().enumerate() {
            // What begins and ends with a width, twice in a row, may be exchanged.
            let has = |places: &[usize], width: &usize| places.contains(width);
            let turns = widths[first + 1..=second].iter();
            let may_be_exchanged = turns.clone().any(|width| has(&widths[..=first], width) && has(&widths[second + 1..], width));
            if !may_be_exchanged || are_numbered(&before.path, &after.path) || are_stated && before.is_linear() != after.is_linear() {
                continue;
            }
            let remedy = if before.is_linear() == after.is_linear() {
                "save it with torch.save, which keeps the model's order, or number their names"
            } else {
                "specify all layers of its classifier in order, for example `head_layers` linear,batchnorm,relu,linear"
            };
            return Err(Error::checkpoint(format!(
                "does not tell the order of {} and {}, which fit in either: a file of safetensors has no order, and their names have no \
                 numbers to tell it; {remedy}",
                before.shown(),
                after.shown()
            )));
        }
    }
    Ok(())
}

/// Whether two names differ in nothing but numbers.
fn are_numbered(one: &str, other: &str) -> bool {
    let parts = |name: &str| name.split('.').map(str::to_owned).collect::<Vec<_>>();
    let digits = |part: &str| part.len() - part.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (one, other) = (parts(one), parts(other));
    let is_alike = |(one, other): (&String, &String)| {
        let letters = |part: &str| part[..part.len() - digits(part)].to_owned();
        one == other || letters(one) == letters(other) && digits(one) > 0 && digits(other) > 0
    };
    one.len() == other.len() && one.iter().zip(&other).all(is_alike)
}
/// `fc10` as `("fc", 10)`: numbers in their order.
fn natural(part: &str) -> (String, usize) {
    let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
    (letters.to_owned(), part[letters.len()..].parse().unwrap_or(0))
}
