//! How strided layers pad, which shapes do not show.

use crate::error::{Error, Result};
use crate::weights::container::Stored;
use crate::weights::{AssumedField, Assumption};

/// What is assumed of the padding of strided layers, which shapes do not show. Errors where the names in the file are
/// KerasHub's, whose layers pad less on one side.
pub(super) fn assumption(layers: &[String], tensors: &[Stored]) -> Result<Option<Assumption>> {
    let paths = tensors.iter().flat_map(|tensor| tensor.name.split('/'));
    let names: Vec<&str> = layers.iter().flat_map(|layer| layer.split('/')).chain(paths).collect();
    let has = |is: fn(&str) -> bool| names.iter().any(|name| is(name));
    // Where layers without weights are listed, padding would be among them.
    let lists_all = has(|name| name.starts_with("activation") || name.starts_with("max_pooling2d"));
    if has(|name| name.starts_with("zero_padding2d")) || has(|name| name.starts_with("conv2_block1_")) {
        return Ok(None);
    }
    if has(|name| name.starts_with("stack1_block1_")) || lists_all {
        return Err(Error::checkpoint(
            "expected Keras Applications' DenseNet, whose layers ZeroPadding2D pad evenly, found one without them, such as KerasHub's, \
             which pads less on one side: such networks are not run",
        ));
    }
    let why = "neither names nor padding layers are in the file, and Keras Applications has this; KerasHub's would be another network";
    Ok(Some(Assumption::of(AssumedField::Padding, "even", why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_how_a_network_pads() {
        let of = |layers: &[&str]| assumption(&layers.iter().map(ToString::to_string).collect::<Vec<_>>(), &[]);
        for applications in [&["conv2d", "zero_padding2d"][..], &["conv1_conv", "conv2_block1_0_bn"], &["activation", "zero_padding2d_1"]] {
            assert_eq!(of(applications).unwrap(), None, "{applications:?}");
        }
        for others in [&["conv1_conv", "stack1_block1_1_bn"][..], &["conv2d", "activation_1", "max_pooling2d"]] {
            assert!(of(others).unwrap_err().to_string().contains("KerasHub"), "{others:?}");
        }
        let open = of(&["conv2d", "batch_normalization_1"]).unwrap().unwrap();
        assert_eq!((open.field, open.value.as_deref()), (AssumedField::Padding, Some("even")));
    }
}
