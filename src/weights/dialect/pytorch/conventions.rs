//! What the names, modules and losses in a file say of a network beyond its tensors.

use super::numbered::Numbered;
use super::root::Root;
use crate::activation::Activation;
use crate::head::HeadLayer;
use crate::nonlinearity::Nonlinearity;
use crate::weights::container::Contents;
use crate::weights::dialect::path::ends_in;
use crate::weights::dialect::{Dialect, Network};
use crate::weights::read_options::{NewChannels, ReadOptions};
use crate::weights::{AssumedField, Assumption};

/// Completes the network at `root` with what its repository does its own way, and with what has to be assumed of it.
pub(super) fn apply<'a>(
    contents: &Contents<'a>,
    root: &Root,
    numbered: Option<&Numbered>,
    options: &ReadOptions,
    network: &mut Network<'a>,
) {
    network.epsilon = contents.epsilon;
    let is_xrv = contents.modules.iter().any(|module| module.class.starts_with("torchxrayvision."));
    if is_xrv || network.thresholds.is_some() {
        network.dialect = Dialect::Torchxrayvision;
    }
    blur(contents, network);
    let has_inner_sigmoid = network.head.contains(&HeadLayer::Nonlinearity(Nonlinearity::Sigmoid));
    network.activation = activation(contents, network.dialect, has_inner_sigmoid).or(network.activation);
    // Modules are compared with a DenseNet's.
    let has_modules = contents.modules.iter().any(|module| *module.scope == *root.scope);
    network.pooling = pooling(network).filter(|_| !has_modules);
    new_channels(network, options);
    if network.dialect == Dialect::Weiaicunzai {
        network.transition_relu = Some(false);
        network.notes.push("has the names of weiaicunzai/pytorch-cifar100: its transitions have no ReLU".into());
    }
    final_relu(contents, root, numbered, network);
}

/// Decides whether the stem's pool blurs: it does where the file has the kernel of a blur pool.
fn blur<'a>(contents: &Contents<'a>, network: &mut Network<'a>) {
    let Some(kernel) = contents.tensors.iter().find(|tensor| ends_in(&tensor.name, "pool0.1.filt")) else { return };
    if network.tensors.contains_key("features.conv2.weight") {
        network.blur = Some(true);
    } else {
        // Other stems with a blur pool are not run.
        network.left_over.push(kernel.clone());
    }
}

/// What turns logits into probabilities, by a module behind them or the loss that they were trained with; `None` where
/// nothing says, or two contradict each other.
fn activation(contents: &Contents, dialect: Dialect, has_inner_sigmoid: bool) -> Option<Activation> {
    let has = |class: &str| contents.modules.iter().any(|module| module.class_name() == class);
    // One between the layers of a classifier says nothing of its end.
    let has_sigmoid = !has_inner_sigmoid && has("Sigmoid");
    // Only binary cross-entropy with a sigmoid has it.
    let has_weighted_positives = || contents.tensors.iter().any(|tensor| ends_in(&tensor.name, "pos_weight"));
    let is_sigmoid = dialect == Dialect::Torchxrayvision
        || has_sigmoid
        || ["BCELoss", "BCEWithLogitsLoss", "MultiLabelSoftMarginLoss"].into_iter().any(has)
        || has_weighted_positives();
    let is_softmax = ["Softmax", "LogSoftmax", "CrossEntropyLoss", "NLLLoss"].into_iter().any(has);
    match (is_sigmoid, is_softmax) {
        (true, false) => Some(Activation::Sigmoid),
        (false, true) => Some(Activation::Softmax),
        _ => None,
    }
}

/// What chooses the pool before a classifier of one layer, where the names are those of a library that has others than the mean.
fn pooling(network: &Network) -> Option<&'static str> {
    let head = network.head_place.as_deref().filter(|_| network.head.is_empty())?;
    if head.ends_with("classification_head.3") {
        return Some("segmentation_models_pytorch's `pooling`");
    }
    (network.dialect == Dialect::Timm).then_some("timm's `global_pool`")
}

/// Decides where the channels of a new layer come.
fn new_channels(network: &mut Network, options: &ReadOptions) {
    let known = match network.dialect {
        Dialect::Kuangliu => Some(NewChannels::First),
        Dialect::Bamos if network.is_mixed => None,
        _ => Some(NewChannels::Last),
    };
    network.new_channels = options.new_channels.or(known).unwrap_or(NewChannels::Last);
    match (options.new_channels, known) {
        (None, None) => {
            let why = "names are of no repository that is known, and most have the channels of a new layer behind those it reads";
            network.assumed.push(Assumption::of(AssumedField::NewChannels, "last", why));
        }
        (None, Some(NewChannels::First)) => network.notes.push(
            "has the names of kuangliu/pytorch-cifar: the channels of a new layer come before those it reads (`new_channels` last says \
             otherwise)"
                .into(),
        ),
        _ => {}
    }
}

/// Decides whether a ReLU follows the last norm, where that is not known yet.
fn final_relu(contents: &Contents, root: &Root, numbered: Option<&Numbered>, network: &mut Network) {
    if is_encoder_without_relu(contents, root) && network.final_relu.is_none() {
        network.final_relu = Some(false);
        network.notes.push("is an encoder of segmentation_models_pytorch, which has no ReLU after its last norm".into());
    }
    let is_bare = root.is_torchvisions_family() && (!root.prefix.ends_with("features.") || is_in_another(contents, root, network))
        || numbered.is_some();
    if is_bare && network.final_relu.is_none() {
        let why = "features alone do not tell whether a ReLU follows their last norm, and torchvision has one";
        network.assumed.push(Assumption::of(AssumedField::FinalRelu, "true", why));
    }
}

/// Whether it is an encoder of segmentation_models_pytorch, whose segmentation head is beside it.
fn is_encoder_without_relu(contents: &Contents, root: &Root) -> bool {
    let Some(outer) = root.wrapper().strip_suffix("encoder.") else { return false };
    let head = format!("{outer}segmentation_head.0.weight");
    root.is_torchvisions_family() && contents.tensors.iter().any(|tensor| *tensor.scope == *root.scope && tensor.name == head)
}

/// Whether the features are those of another network than torchvision's, whose own program joins them to what reads them: its
/// head has another place, or something else is beside them.
fn is_in_another(contents: &Contents, root: &Root, network: &Network) -> bool {
    let holder = root.wrapper().trim_end_matches('.');
    let is_densenet = |class: &str| class == "DenseNet";
    if contents.modules.iter().any(|module| *module.scope == *root.scope && module.path == holder && is_densenet(module.class_name())) {
        return false;
    }
    let is_own = |head: &str| {
        let name = head.strip_prefix(root.wrapper()).and_then(|name| name.split('.').next());
        name.is_some_and(|name| ["classifier", "class_layers"].contains(&name))
    };
    match &network.head_place {
        Some(head) => !is_own(head),
        None => network.has_company,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::contents;
    use super::super::resolve;
    use super::*;
    use crate::weights::container::Module;

    /// A file whose network has a head of another name, and what is stated of the ReLU before it.
    fn stated_of_relu(head: &str, others: &[[&str; 2]], wrapper: &str) -> (Option<bool>, bool) {
        let mut file = contents("", &[]);
        for tensor in &mut file.tensors {
            tensor.name = tensor.name.replace("classifier.", head);
            if tensor.name.starts_with("features.") {
                tensor.name.insert_str(0, wrapper);
            }
        }
        file.tensors.extend(contents("", others).tensors.into_iter().skip(4));
        let network = resolve(&file, &[], &ReadOptions::default().with_features_only(true)).unwrap();
        (network.final_relu, network.assumed.iter().any(|assumed| assumed.field == AssumedField::FinalRelu))
    }

    #[test]
    fn a_head_in_another_place_leaves_the_last_relu_open() {
        for (head, wrapper) in [("fc.", ""), ("fc.", "net."), ("net.fc.", "net."), ("classifier.", "net.")] {
            assert_eq!(stated_of_relu(head, &[], wrapper), (None, true), "{head} {wrapper}");
        }
        for (head, wrapper) in [("classifier.", ""), ("classifier.0.", ""), ("net.classifier.", "net."), ("class_layers.out.", "")] {
            assert_eq!(stated_of_relu(head, &[], wrapper), (None, false), "{head} {wrapper}");
        }
        let others = [["", "decoder.weight"], ["", "segmentation_head.0.weight"]];
        assert_eq!(stated_of_relu("encoder.fc.", &others, "encoder."), (Some(false), false));
    }

    #[test]
    fn a_loss_or_a_last_module_tells_the_activation() {
        let of = |other: [&str; 2], classes: &[&str]| {
            let mut contents = contents("state_dict", &[other]);
            contents.modules.extend(classes.iter().map(|class| Module {
                scope: "other".into(),
                path: String::new(),
                named: None,
                class: format!("torch.nn.modules.{class}"),
                is_leaf: true,
                kernel: None,
                stride: None,
                padding: None,
                dilation: None,
                groups: None,
                pads_zeros: true,
                rounds_up: false,
                slope: None,
                approximates: false,
            }));
            resolve(&contents, &[], &ReadOptions::default()).unwrap().activation
        };
        let plain = ["state_dict", "criterion.weight"];
        assert_eq!(of(plain, &[]), None, "a cross-entropy has weights, and so has a binary one");
        assert_eq!(of(["state_dict", "criterion.pos_weight"], &[]), Some(Activation::Sigmoid));
        for (class, expected) in [
            ("activation.Sigmoid", Some(Activation::Sigmoid)),
            ("loss.BCEWithLogitsLoss", Some(Activation::Sigmoid)),
            ("activation.LogSoftmax", Some(Activation::Softmax)),
            ("loss.CrossEntropyLoss", Some(Activation::Softmax)),
            ("loss.MSELoss", None),
            ("activation.LogSigmoid", None),
        ] {
            assert_eq!(of(plain, &[class]), expected, "{class}");
        }
        assert_eq!(of(plain, &["activation.Sigmoid", "loss.CrossEntropyLoss"]), None, "they contradict each other");
    }
}
