//! Pruned layers: `torch.nn.utils.prune` keeps a layer's weight as `weight_orig` and `weight_mask`, whose product it is.

use std::collections::BTreeMap;

use crate::weights::container::{Contents, Stored};

/// What the parts of a pruned tensor are called behind its name.
const ORIGINAL: &str = "_orig";
const MASK: &str = "_mask";

/// Puts the product in the place of each pruned tensor and its mask; how many there were. What is no such pair stays as it is.
pub(super) fn apply(contents: &mut Contents) -> usize {
    let tensors = &contents.tensors;
    let masks: BTreeMap<(&str, &str), usize> =
        (0..tensors.len()).filter_map(|index| Some(((&*tensors[index].scope, tensors[index].name.strip_suffix(MASK)?), index))).collect();
    // Views may see the same elements again and again: all products together are no larger than the file.
    let mut elements_left = contents.byte_count;
    let mut products = Vec::new();
    for (index, tensor) in tensors.iter().enumerate() {
        let Some(name) = tensor.name.strip_suffix(ORIGINAL) else { continue };
        let Some(&mask) = masks.get(&(&*tensor.scope, name)) else { continue };
        let Some(left) = tensor.elements().and_then(|elements| elements_left.checked_sub(elements)) else { continue };
        if let Some(product) = product(name, tensor, &tensors[mask]) {
            elements_left = left;
            products.push((index, mask, product));
        }
    }
    let mut is_mask = vec![false; tensors.len()];
    let count = products.len();
    for (index, mask, product) in products {
        contents.tensors[index] = product;
        is_mask[mask] = true;
    }
    let mut is_mask = is_mask.into_iter();
    contents.tensors.retain(|_| !is_mask.next().unwrap_or_default());
    count
}

/// The product of both under that name; `None` where they are no numbers, or not of one shape.
fn product<'a>(name: &str, original: &Stored, mask: &Stored) -> Option<Stored<'a>> {
    if original.shape != mask.shape {
        return None;
    }
    let (values, mask) = (original.floats()?, mask.floats()?);
    let products = values.into_iter().zip(mask).map(|(value, kept)| value * kept);
    let product = Stored::computed(name, original.shape.clone(), products).ok()?;
    Some(product.in_scope(&original.scope))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::container::Container;

    fn contents(tensors: &[(&str, &str, &[f32])]) -> Contents<'static> {
        let stored = tensors.iter().map(|(scope, name, values)| {
            let stored = Stored::computed(*name, vec![values.len()], values.iter().copied()).unwrap();
            stored.in_scope(&(*scope).into())
        });
        Contents { tensors: stored.collect(), ..Contents::new(Container::TorchZip, 64) }
    }

    #[test]
    fn a_mask_is_applied_where_its_tensor_is() {
        let mut pruned = contents(&[
            ("net", "a.weight_orig", &[1., 2., 3.]),
            ("net", "a.weight_mask", &[1., 0., 1.]),
            ("net", "b.weight_orig", &[4.]),
            ("other", "b.weight_mask", &[0.]),
        ]);
        assert_eq!(apply(&mut pruned), 1);
        let names: Vec<&str> = pruned.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        assert_eq!(names, ["a.weight", "b.weight_orig", "b.weight_mask"]);
        assert_eq!(pruned.tensors[0].floats().unwrap(), [1., 0., 3.]);
        assert_eq!(&*pruned.tensors[0].scope, "net");
    }

    #[test]
    fn products_are_no_larger_than_the_file() {
        let mut pruned =
            contents(&[("", "a_orig", &[1.; 40]), ("", "a_mask", &[1.; 40]), ("", "b_orig", &[1.; 40]), ("", "b_mask", &[1.; 40])]);
        assert_eq!(apply(&mut pruned), 1);
    }
}
