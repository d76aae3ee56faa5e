//! Batch norms that were folded into the convolutions before them, as PyTorch's `fuse_conv_bn` and its like do for inference: what a
//! norm adds has become its convolution's bias, and the norm is gone.

use std::borrow::Cow;
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::weights::container::{Dtype, Stored};
use crate::weights::dialect::Network;

/// A deviation and its square, the variance: so large that no epsilon counts beside it, and powers of two, so that dividing by the one
/// and multiplying by it again changes no bit.
const DEVIATION: f32 = (1u64 << 20) as f32;
const VARIANCE: f32 = DEVIATION * DEVIATION;

/// Puts a norm behind each convolution into which its own was folded, which adds the convolution's bias and does nothing else.
///
/// A bottleneck without its second norm shows that norms were folded: every DenseNet has one. Errors where a stem may have had a norm
/// or not.
pub(super) fn unfold(network: &mut Network) -> Result<()> {
    let has = |name: &str| network.tensors.contains_key(name);
    let is_folded = |[conv, norm]: &[String; 2]| has(&format!("{conv}.bias")) && !has(&format!("{norm}.weight"));
    let bottlenecks = network.tensors.keys().filter_map(|name| {
        // A deep stem has such names too.
        let layer = name.strip_suffix(".conv1.bias").filter(|layer| *layer != "features" && has(&format!("{layer}.conv2.weight")))?;
        Some([format!("{layer}.conv1"), format!("{layer}.norm2")])
    });
    let mut folded: Vec<[String; 2]> = bottlenecks.filter(is_folded).collect();
    if folded.is_empty() {
        return Ok(());
    }
    let stem = |number: usize| [format!("features.conv{number}"), format!("features.norm{number}")];
    let is_deep = has("features.conv1.weight");
    folded.extend((0..if is_deep { 3 } else { 1 }).map(stem).filter(is_folded));
    let is_3x3 = network.tensors.get("features.conv0.weight").is_some_and(|stem| stem.shape.ends_with(&[3, 3]));
    if !is_deep && is_3x3 && folded.contains(&stem(0)) {
        return Err(Error::checkpoint(
            "its batch norms were folded into the convolutions before them, and its 3x3 stem has a bias: one was behind it, or none. Save \
             the model as it was before its norms were folded",
        ));
    }
    for [conv, norm] in &folded {
        let Some(bias) = network.tensors.remove(&format!("{conv}.bias")) else { continue };
        let channels = bias.elements().unwrap_or(0);
        for (parameter, value) in [("weight", DEVIATION), ("running_mean", 0.0), ("running_var", VARIANCE)] {
            let name = format!("{norm}.{parameter}");
            // One number for all channels, however many there are said to be.
            let storage = Rc::new(Cow::Owned(value.to_le_bytes().to_vec()));
            let tensor = Stored::strided(&name, vec![channels], Dtype::F32, storage, 0, vec![0])?;
            network.tensors.insert(name, tensor);
        }
        network.tensors.insert(format!("{norm}.bias"), bias);
    }
    network.notes.push(format!("had {} batch norms folded into the convolutions before them: their biases are those norms'", folded.len()));
    network.folded = folded.into_iter().map(|[_, norm]| norm).collect();
    Ok(())
}
