//! Whether the modules of a PyTorch network that was saved whole compute what a DenseNet's do.
//!
//! Tensors do not show it: a stride, a pool or an activation that was replaced leaves all names and shapes as they are.

use std::collections::BTreeSet;

use super::root::Root;
use crate::error::{Error, Result};
use crate::weights::container::{Contents, Module};
use crate::weights::dialect::Network;
use crate::weights::dialect::path::is_below;
use crate::weights::read_options::{ReadOptions, StemDownsampling};

/// Modules that do nothing in evaluation.
const DROPOUTS: [&str; 4] = ["Dropout", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout"];

/// Modules without parameters that may stand after the dense blocks.
const AFTER: [&str; 6] = ["AdaptiveAvgPool2d", "Flatten", "Identity", "LogSoftmax", "Sigmoid", "Softmax"];

/// Errors where a module of the network at `root` is another than a DenseNet has in that place. `layer` gives this library's name
/// of a layer with tensors, and `inside` says what is in the network. Where a place or the features alone were asked for, what is
/// beside the network and its head is passed over; where a head was, other heads are: what has tensors.
pub(super) fn check(
    contents: &Contents,
    root: &Root,
    layer: impl Fn(&str) -> Option<String>,
    inside: impl Fn(&str) -> bool,
    network: &mut Network,
    options: &ReadOptions,
) -> Result<()> {
    let (wrapper, prefix) = (root.wrapper(), root.prefix.as_str());
    let passes_over_all = options.root.is_some() || options.features_only;
    let holder = |path: &str| path.strip_prefix(wrapper).and_then(|path| path.split('.').next()).map(str::to_owned);
    let holders: BTreeSet<String> =
        contents.tensors.iter().filter(|tensor| *tensor.scope == *root.scope).filter_map(|tensor| holder(&tensor.name)).collect();
    let passes_over =
        |path: &str| passes_over_all || options.head.is_some() && holder(path).is_some_and(|holder| holders.contains(&holder));
    let (interpreted, head) = (network.interpreted.clone(), network.head_name.clone().filter(|_| !options.features_only));
    let is_passed = |path: &str| {
        let is_outside = path.strip_prefix(prefix).is_none_or(is_after);
        // A number is a layer without tensors of a network whose layers are numbered.
        let is_beside = is_outside || !inside(path) && !path[prefix.len()..].starts_with(|c: char| c.is_ascii_digit());
        interpreted.iter().any(|module| is_below(path, module))
            || options.head_layers.is_some() && is_outside
            || passes_over(path) && is_beside && !head.as_deref().is_some_and(|head| is_below(path, head))
    };
    let in_place = contents.modules.iter().filter(|module| *module.scope == *root.scope && module.is_leaf);
    for module in in_place.filter(|module| module.path.starts_with(wrapper) && !is_passed(&module.path)) {
        let expected = match module.path.strip_prefix(prefix) {
            Some(name) => match layer(name) {
                Some(own) => expected_layer(&own, module, network),
                None if is_after(name) => expected_after(module),
                None => expected_between(name, module, network),
            },
            None => expected_after(module),
        };
        if let Some(expected) = expected {
            let found = described(module);
            return Err(Error::checkpoint(format!(
                "module {}: expected {expected}, found {found}: such networks are not run",
                module.shown()
            )));
        }
    }
    Ok(())
}

/// What a layer with tensors should be, where it is something else.
fn expected_layer(own: &str, module: &Module, network: &mut Network) -> Option<&'static str> {
    let is_deep = network.tensors.contains_key("features.conv2.weight");
    match (own, module.kernel) {
        (_, None) if module.class_name() == "Identity" && network.folded.iter().any(|norm| norm.strip_prefix("features.") == Some(own)) => {
            None
        }
        (_, None) => (!module.class_name().contains("BatchNorm")).then_some("a batch norm"),
        ("conv0", _) if is_deep => (!is_window(module, 3, 2, 1)).then_some("a 3x3 convolution with stride 2 and zero padding of 1"),
        ("conv0", Some([side, _])) => {
            let stride = module.stride.map_or(1, |[stride, _]| stride);
            // What follows it is seen as it comes.
            network.stem = StemDownsampling { stride: usize::try_from(stride).ok(), pool: Some(false), ..StemDownsampling::default() };
            (!is_window(module, side, stride, side / 2))
                .then_some("a convolution of one stride whose zero padding keeps the picture's size")
        }
        (_, Some([1, 1])) => (!is_window(module, 1, 1, 0)).then_some("a 1x1 convolution with stride 1"),
        _ => (!is_window(module, 3, 1, 1)).then_some("a 3x3 convolution with stride 1 and zero padding of 1"),
    }
}

/// What a module between the layers should be, where it is something else.
fn expected_between(name: &str, module: &Module, network: &mut Network) -> Option<&'static str> {
    let class = module.class_name();
    let is_deep = network.tensors.contains_key("features.conv2.weight");
    let last = name.rsplit('.').next().unwrap_or(name);
    if DROPOUTS.contains(&class) {
        return None;
    }
    match last {
        "drop" if class == "Identity" => None,
        "pool0" if is_deep => {
            network.blur = Some(false);
            (class != "MaxPool2d" || !is_window(module, 3, 2, 1)).then_some("a 3x3 max pool with stride 2 and padding of 1")
        }
        "pool0" if class == "Identity" => None,
        "pool0" => {
            network.stem.pool = Some(true);
            (class != "MaxPool2d" || !is_window(module, 3, 2, 1)).then_some("a 3x3 max pool with stride 2 and padding of 1, or none")
        }
        "0" if name == "pool0.0" => (class != "MaxPool2d" || !is_window(module, 3, 1, 1)).then_some("a 3x3 max pool before the blur"),
        "1" if name == "pool0.1" => {
            network.blur = Some(true);
            (class != "BlurPool2d" || !is_deep).then_some("a blur pool after a deep stem")
        }
        "pool" => (class != "AvgPool2d" || !is_window(module, 2, 2, 0)).then_some("a 2x2 average pool with stride 2"),
        _ if class == "ReLU" => None,
        _ if class == "MaxPool2d" && !name.contains("block") && is_window(module, 3, 2, 1) && last.parse::<usize>().is_ok() => {
            network.stem.pool = Some(true);
            None
        }
        _ if last.starts_with("relu") || last.starts_with("act") => Some("a ReLU"),
        _ => Some("no such module in a DenseNet"),
    }
}

/// Whether a module of that name stands after the dense blocks in networks that have no `features` of their own.
fn is_after(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or(name);
    ["fc", "classifier", "linear", "head", "avgpool", "global_pool"].contains(&first)
}

/// What a module after the dense blocks, or beside the network, should be, where it is something else.
fn expected_after(module: &Module) -> Option<&'static str> {
    let class = module.class_name();
    let last = module.path.rsplit('.').next().unwrap_or(&module.path);
    let allowed = AFTER.contains(&class) || DROPOUTS.contains(&class) || class.ends_with("Loss");
    // MONAI's head begins with the final ReLU.
    let is_final_relu = class == "ReLU" && last == "relu";
    (!(allowed || is_final_relu || class == "Linear" || class == "Conv2d")).then_some("a global average pool and a linear layer")
}

/// Whether a window has these sides, moves this far, and has zeros of this width around its input.
fn is_window(module: &Module, kernel: i64, stride: i64, padding: i64) -> bool {
    let is = |found: Option<[i64; 2]>, expected: i64| found.is_none_or(|found| found == [expected; 2]);
    is(module.kernel, kernel)
        && is(module.stride, stride)
        && is(module.padding, padding)
        && is(module.dilation, 1)
        && module.groups.is_none_or(|groups| groups == 1)
        && module.pads_zeros
        && !module.rounds_up
}

fn described(module: &Module) -> String {
    let mut text = module.class_name().to_owned();
    let windows = [("kernel", module.kernel), ("stride", module.stride), ("padding", module.padding), ("dilation", module.dilation)];
    for (name, window) in windows {
        if let Some([height, width]) = window {
            text += &format!(" {name} {height}x{width}");
        }
    }
    if !module.pads_zeros {
        text += " not padded with zeros";
    }
    text
}
