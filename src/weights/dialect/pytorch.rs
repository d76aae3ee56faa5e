//! Networks of PyTorch modules: torchvision's names and those of its relatives.

use std::collections::BTreeSet;

use super::{Dialect, Network, ends_in, modules, no_network, some_of, training};
use crate::error::{Error, Result};
use crate::weights::container::{Contents, Element, Stored};
use crate::weights::metadata::Activation;

/// Names of one family. In a pattern `#` stands for a number counted from 1, `@` for one counted from 0; the network's
/// own name has `#` for both.
struct Family {
    /// The stem's first convolution, which tells where in a file the network is.
    stem: &'static str,
    /// What the name of a dense layer's tensor begins with: without one it is another network's stem.
    block: &'static str,
    /// Patterns, the layer they name here, and the dialect whose they are.
    layers: &'static [(&'static str, &'static str, Dialect)],
}

const FAMILIES: [Family; 4] = [
    Family {
        stem: "conv0",
        block: "denseblock",
        layers: &[
            ("conv0", "conv0", Dialect::Torchvision),
            ("norm0", "norm0", Dialect::Torchvision),
            ("conv1", "conv1", Dialect::Timm),
            ("norm1", "norm1", Dialect::Timm),
            ("conv2", "conv2", Dialect::Timm),
            ("norm2", "norm2", Dialect::Timm),
            ("denseblock#.denselayer#.norm1", "denseblock#.denselayer#.norm1", Dialect::Torchvision),
            ("denseblock#.denselayer#.conv1", "denseblock#.denselayer#.conv1", Dialect::Torchvision),
            ("denseblock#.denselayer#.norm2", "denseblock#.denselayer#.norm2", Dialect::Torchvision),
            ("denseblock#.denselayer#.conv2", "denseblock#.denselayer#.conv2", Dialect::Torchvision),
            ("denseblock#.denselayer#.norm.1", "denseblock#.denselayer#.norm1", Dialect::TorchvisionLegacy),
            ("denseblock#.denselayer#.conv.1", "denseblock#.denselayer#.conv1", Dialect::TorchvisionLegacy),
            ("denseblock#.denselayer#.norm.2", "denseblock#.denselayer#.norm2", Dialect::TorchvisionLegacy),
            ("denseblock#.denselayer#.conv.2", "denseblock#.denselayer#.conv2", Dialect::TorchvisionLegacy),
            ("denseblock#.denselayer#.layers.norm1", "denseblock#.denselayer#.norm1", Dialect::Monai),
            ("denseblock#.denselayer#.layers.conv1", "denseblock#.denselayer#.conv1", Dialect::Monai),
            ("denseblock#.denselayer#.layers.norm2", "denseblock#.denselayer#.norm2", Dialect::Monai),
            ("denseblock#.denselayer#.layers.conv2", "denseblock#.denselayer#.conv2", Dialect::Monai),
            ("transition#.norm", "transition#.norm", Dialect::Torchvision),
            ("transition#.conv", "transition#.conv", Dialect::Torchvision),
            ("norm5", "norm5", Dialect::Torchvision),
            ("norm_final", "norm5", Dialect::Gpleiss),
        ],
    },
    Family {
        stem: "conv1",
        block: "block1.layer.",
        layers: &[
            ("conv1", "conv0", Dialect::Andreasveit),
            ("block#.layer.@.bn1", "denseblock#.denselayer#.norm1", Dialect::Andreasveit),
            ("block#.layer.@.conv1", "denseblock#.denselayer#.conv1", Dialect::Andreasveit),
            ("block#.layer.@.bn2", "denseblock#.denselayer#.norm2", Dialect::Andreasveit),
            ("block#.layer.@.conv2", "denseblock#.denselayer#.conv2", Dialect::Andreasveit),
            ("trans#.bn1", "transition#.norm", Dialect::Andreasveit),
            ("trans#.conv1", "transition#.conv", Dialect::Andreasveit),
            ("bn1", "norm5", Dialect::Andreasveit),
        ],
    },
    Family {
        stem: "conv1",
        block: "dense1.",
        layers: &[
            ("conv1", "conv0", Dialect::Bamos),
            ("dense#.@.bn1", "denseblock#.denselayer#.norm1", Dialect::Bamos),
            ("dense#.@.conv1", "denseblock#.denselayer#.conv1", Dialect::Bamos),
            ("dense#.@.bn2", "denseblock#.denselayer#.norm2", Dialect::Bamos),
            ("dense#.@.conv2", "denseblock#.denselayer#.conv2", Dialect::Bamos),
            ("trans#.bn1", "transition#.norm", Dialect::Bamos),
            ("trans#.conv1", "transition#.conv", Dialect::Bamos),
            ("bn1", "norm5", Dialect::Bamos),
        ],
    },
    Family {
        stem: "stem.0",
        block: "stages.0.block.",
        layers: &[
            ("stem.0", "conv0", Dialect::Mmpretrain),
            ("stem.1", "norm0", Dialect::Mmpretrain),
            ("stages.@.block.@.norm1", "denseblock#.denselayer#.norm1", Dialect::Mmpretrain),
            ("stages.@.block.@.conv1", "denseblock#.denselayer#.conv1", Dialect::Mmpretrain),
            ("stages.@.block.@.norm2", "denseblock#.denselayer#.norm2", Dialect::Mmpretrain),
            ("stages.@.block.@.conv2", "denseblock#.denselayer#.conv2", Dialect::Mmpretrain),
            ("transitions.@.norm", "transition#.norm", Dialect::Mmpretrain),
            ("transitions.@.conv", "transition#.conv", Dialect::Mmpretrain),
            // The last one is a batch norm and a ReLU.
            ("transitions.@.0", "norm5", Dialect::Mmpretrain),
        ],
    },
];

/// What a layer's tensors are called.
const PARAMETERS: [&str; 5] = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];

/// Outputs of CheXNet: the findings of ChestX-ray14.
const CHEXNET_FINDINGS: usize = 14;

/// Most networks among which an average is looked for.
const MOST_TWINS: usize = 4;

/// What sharding, compiling and recomputing put into names.
const WRAPPERS: [&str; 3] = ["_fsdp_wrapped_module.", "_orig_mod.", "_checkpoint_wrapped_module."];

/// A place in a file where a stem is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Root {
    /// Keys of the dictionary.
    scope: String,
    /// What stands before the stem's name.
    prefix: String,
    family: usize,
}

pub(super) fn resolve<'a>(contents: &Contents<'a>) -> Result<Network<'a>> {
    let roots = roots(contents)?;
    let averages: Vec<&Root> = roots.iter().filter(|root| training::is_average(&path(&root.scope, &root.prefix))).collect();
    let (root, others): (&Root, Vec<&Root>) = match (roots.as_slice(), averages.as_slice()) {
        ([], _) => return Err(no_network(contents, "a stem such as features.conv0.weight and dense blocks beside it")),
        ([root], _) => (root, Vec::new()),
        (all, [average]) if all.len() <= MOST_TWINS => {
            let others: Vec<&Root> = all.iter().filter(|other| other != average).collect();
            match others[..] {
                [plain] if is_swapped(contents, average) => (plain, vec![*average]),
                _ => (*average, others),
            }
        }
        (all @ [first, rest @ ..], _) if all.len() <= MOST_TWINS && rest.iter().all(|other| is_same(contents, first, other)) => {
            (first, rest.iter().collect())
        }
        (all, _) => {
            let places = some_of(all.iter().map(|root| format!("{:?}", path(&root.scope, &root.prefix))));
            return Err(Error::checkpoint(format!(
                "expected one network, found {} (at {places}); save the one you want by itself in Python",
                all.len()
            )));
        }
    };
    let mut search = Search { contents, taken: vec![false; contents.tensors.len()] };
    let mut network = search.network(root);
    // Nothing of the weights that an average stands beside counts as left over.
    for other in &others {
        search.network(other);
    }
    if !averages.is_empty() && !others.is_empty() {
        let swapped = if averages.contains(&root) { "" } else { ", which MMEngine saves there" };
        let chosen = path(&root.scope, &root.prefix);
        let others = some_of(others.iter().map(|other| format!("{:?}", path(&other.scope, &other.prefix))));
        network.notes.push(format!("holds weights and their moving average: using the average{swapped} ({chosen:?}, not {others})"));
    }
    network.thresholds = contents.tensors.iter().find(|t| *t.scope == *root.scope && ends_in(&t.name, "op_threshs")).cloned();
    network.left_over = search.left_over(root);
    network.epsilon = contents.epsilon;
    describe(contents, &mut network);
    let layer = |name: &str| own_layer(&FAMILIES[root.family], name).map(|(own, _)| own);
    modules::check(contents, &root.scope, &root.prefix, layer, &mut network)?;
    Ok(network)
}

/// Whether an average is none: MMEngine's hook puts the average where the weights were before it saves, and the weights
/// where the average was, with the number of its steps.
fn is_swapped(contents: &Contents, average: &Root) -> bool {
    average.scope.ends_with("ema_state_dict") && contents.tensors.iter().any(|t| *t.scope == *average.scope && t.name == "steps")
}

/// Whether two networks are one under two names: their stems are the same elements.
fn is_same(contents: &Contents, one: &Root, other: &Root) -> bool {
    let stem = |root: &Root| {
        let name = format!("{}{}.weight", root.prefix, FAMILIES[root.family].stem);
        contents.tensors.iter().find(|tensor| *tensor.scope == *root.scope && tensor.name == name)
    };
    stem(one).zip(stem(other)).is_some_and(|(one, other)| one.is_same(other))
}

/// What is told by other than names and shapes of layers.
fn describe<'a>(contents: &Contents<'a>, network: &mut Network<'a>) {
    let is_xrv = contents.modules.iter().any(|module| module.class.starts_with("torchxrayvision."));
    if is_xrv || network.thresholds.is_some() {
        network.dialect = Dialect::Torchxrayvision;
    }
    if let Some(kernel) = contents.tensors.iter().find(|tensor| ends_in(&tensor.name, "pool0.1.filt")) {
        if network.tensors.contains_key("features.conv2.weight") {
            network.blur = Some(true);
        } else {
            // Other stems with a blur pool are not run.
            network.left_over.push(kernel.clone());
        }
    }
    network.activation = activation(contents, network.dialect);
}

/// What turns logits into probabilities, as a module after them tells, or the loss that they were trained with; `None` where
/// nothing does, or two contradict each other.
fn activation(contents: &Contents, dialect: Dialect) -> Option<Activation> {
    let has = |class: &str| contents.modules.iter().any(|module| module.class.rsplit('.').next() == Some(class));
    // Only binary cross-entropy with a sigmoid has it.
    let has_weighted_positives = || contents.tensors.iter().any(|tensor| ends_in(&tensor.name, "pos_weight"));
    let is_sigmoid = dialect == Dialect::Torchxrayvision
        || ["Sigmoid", "BCELoss", "BCEWithLogitsLoss", "MultiLabelSoftMarginLoss"].into_iter().any(has)
        || has_weighted_positives();
    let is_softmax = ["Softmax", "LogSoftmax", "CrossEntropyLoss", "NLLLoss"].into_iter().any(has);
    match (is_sigmoid, is_softmax) {
        (true, false) => Some(Activation::Sigmoid),
        (false, true) => Some(Activation::Softmax),
        _ => None,
    }
}

/// Every place where a stem and dense blocks are. Errors where a network is not two-dimensional.
fn roots(contents: &Contents) -> Result<Vec<Root>> {
    let names: BTreeSet<(&str, &str)> = contents.tensors.iter().map(|tensor| (&*tensor.scope, tensor.name.as_str())).collect();
    let mut roots = BTreeSet::new();
    for tensor in &contents.tensors {
        for (index, family) in FAMILIES.iter().enumerate() {
            let stem = tensor.name.strip_suffix(".weight").and_then(|name| name.strip_suffix(family.stem));
            let Some(prefix) = stem.filter(|prefix| prefix.is_empty() || prefix.ends_with('.')) else { continue };
            let block = format!("{prefix}{}", family.block);
            let beside = names.range((&*tensor.scope, block.as_str())..).next();
            if !beside.is_some_and(|(scope, name)| *scope == &*tensor.scope && name.starts_with(&block)) {
                continue;
            }
            if tensor.shape.len() != 4 {
                let found = format!("{:?}, {} dimensions", tensor.shape, tensor.shape.len().saturating_sub(2));
                let expected = "a network for pictures, whose convolutions have 2 dimensions";
                return Err(Error::checkpoint(format!("{}: expected {expected}, found {found}", tensor.path())));
            }
            roots.insert(Root { scope: tensor.scope.to_string(), prefix: prefix.to_owned(), family: index });
        }
    }
    // A trainer's memory may hold weights too.
    let (remembered, own): (Vec<Root>, Vec<Root>) = roots.into_iter().partition(|root| training::is_sibling(&root.scope));
    Ok(if own.is_empty() { remembered } else { own })
}

/// The tensors of a file, and which of them belong to a network that was found.
struct Search<'c, 'a> {
    contents: &'c Contents<'a>,
    taken: Vec<bool>,
}

impl<'a> Search<'_, 'a> {
    /// The network at `root`.
    fn network(&mut self, root: &Root) -> Network<'a> {
        let family = &FAMILIES[root.family];
        let wrapper = root.prefix.strip_suffix("features.").unwrap_or(&root.prefix);
        let mut network = Network::new(family.layers[0].2, path(&root.scope, wrapper));
        for (index, tensor) in self.contents.tensors.iter().enumerate() {
            let Some(name) = tensor.name.strip_prefix(&root.prefix).filter(|_| *tensor.scope == *root.scope) else { continue };
            let Some((layer, parameter)) = name.rsplit_once('.').filter(|(_, parameter)| PARAMETERS.contains(parameter)) else { continue };
            let Some((own, dialect)) = own_layer(family, layer) else { continue };
            self.taken[index] = true;
            if dialect != Dialect::Torchvision {
                network.dialect = dialect;
            }
            if parameter != "num_batches_tracked" {
                network.tensors.insert(format!("features.{own}.{parameter}"), tensor.clone());
            }
        }
        self.head(root, &mut network);
        network
    }

    /// The classifier: the linear layer, or 1x1 convolution, that takes the last batch norm's channels. Where several do,
    /// the one that shares most of its path with the network.
    fn head(&mut self, root: &Root, network: &mut Network<'a>) {
        let Some(&[features]) = network.tensors.get("features.norm5.weight").map(|norm| norm.shape.as_slice()) else { return };
        let shared = |name: &str| name.split('.').zip(root.prefix.split('.')).take_while(|(a, b)| a == b).count();
        let is_head = |tensor: &Stored| {
            *tensor.scope == *root.scope
                && tensor.name.ends_with("weight")
                && matches!(tensor.shape[..], [_, inputs] | [_, inputs, 1, 1] if inputs == features)
        };
        let tensors = &self.contents.tensors;
        let candidates: Vec<usize> = (0..tensors.len()).filter(|&index| !self.taken[index] && is_head(&tensors[index])).collect();
        let Some(most) = candidates.iter().map(|&index| shared(&tensors[index].name)).max() else { return };
        let mut nearest = candidates.iter().filter(|&&index| shared(&tensors[index].name) == most);
        let (Some(&index), None) = (nearest.next(), nearest.next()) else { return };
        let weight = &tensors[index];
        self.taken[index] = true;
        let layer = weight.name.strip_suffix("weight").unwrap_or(&weight.name);
        let bias = (0..tensors.len()).find(|&i| tensors[i].scope == weight.scope && tensors[i].name == format!("{layer}bias"));
        if let Some(bias) = bias {
            self.taken[bias] = true;
            network.tensors.insert("classifier.bias".into(), tensors[bias].clone());
        }
        network.tensors.insert("classifier.weight".into(), weight.squeezed(2));
        let is_named_by_torchvision = matches!(network.dialect, Dialect::Torchvision | Dialect::TorchvisionLegacy);
        if is_named_by_torchvision && layer.ends_with("classifier.0.") && weight.shape[0] == CHEXNET_FINDINGS {
            network.dialect = Dialect::Chexnet;
        }
        if network.dialect == Dialect::Torchvision && layer.ends_with("class_layers.out.") {
            network.dialect = Dialect::Monai;
        }
    }

    /// What belongs to no network and may not be ignored.
    fn left_over(&self, root: &Root) -> Vec<Stored<'a>> {
        let is_ignored = |tensor: &Stored| {
            // A single number beside the network is a statistic, such as the best accuracy.
            let statistic = || tensor.elements() == Some(1);
            // Bytes are the state of a random generator: no layer has any.
            let bytes = matches!(tensor.element, Element::Other { name: "u8", .. }) && tensor.shape.len() == 1;
            let is_beside = *tensor.scope != *root.scope;
            // What the network itself is called says nothing about what is in it.
            let below = tensor.name.strip_prefix(&root.prefix).unwrap_or(&tensor.name);
            let is_loss = if is_beside { training::is_loss(&tensor.path()) } else { training::is_loss(below) };
            is_beside && (training::is_sibling(&tensor.scope) || statistic()) || bytes || is_loss
        };
        let tensors = self.contents.tensors.iter().zip(&self.taken);
        tensors.filter(|(t, taken)| !**taken && !t.is_harmless() && !is_ignored(t)).map(|(t, _)| t.clone()).collect()
    }
}

fn path(scope: &str, prefix: &str) -> String {
    if scope.is_empty() { prefix.to_owned() } else { format!("{scope}/{prefix}") }
}

/// The name here of a family's layer, and whose name it is there.
fn own_layer(family: &Family, layer: &str) -> Option<(String, Dialect)> {
    let layer = WRAPPERS.iter().fold(layer.to_owned(), |layer, wrapper| layer.replace(wrapper, ""));
    family.layers.iter().find_map(|(from, to, dialect)| Some((renamed(&layer, from, to)?, *dialect)))
}

/// `name` after the pattern `to`, where it follows the pattern `from`.
fn renamed(name: &str, from: &str, to: &str) -> Option<String> {
    let mut numbers = Vec::new();
    let mut rest = name;
    for (index, literal) in from.split(['#', '@']).enumerate() {
        if index > 0 {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let number: usize = rest[..digits].parse().ok().filter(|_| digits == 1 || !rest.starts_with('0'))?;
            let kind = from.matches(['#', '@']).nth(index - 1);
            numbers.push(if kind == Some("@") { number.checked_add(1)? } else { number });
            rest = &rest[digits..];
        }
        rest = rest.strip_prefix(literal)?;
    }
    if !rest.is_empty() {
        return None;
    }
    let mut numbers = numbers.into_iter().map(|number| number.to_string());
    let mut parts = to.split('#');
    let mut own = parts.next()?.to_owned();
    for part in parts {
        own += &(numbers.next()? + part);
    }
    Some(own)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::rc::Rc;

    use super::*;
    use crate::weights::container::{Container, Module};

    #[test]
    fn patterns_carry_numbers_over() {
        let layer = "denseblock#.denselayer#.norm1";
        assert_eq!(
            renamed("denseblock2.denselayer13.norm.1", "denseblock#.denselayer#.norm.1", layer).unwrap(),
            "denseblock2.denselayer13.norm1"
        );
        assert_eq!(renamed("stages.0.block.9.norm1", "stages.@.block.@.norm1", layer).unwrap(), "denseblock1.denselayer10.norm1");
        assert_eq!(renamed("transitions.3.0", "transitions.@.0", "norm5").unwrap(), "norm5");
        for other in [
            "denseblock2.denselayer.norm1",
            "denseblock2.denselayer1.norm12",
            "denseblock02.denselayer1.norm1",
            "denseblock2x.denselayer1.norm1",
        ] {
            assert_eq!(renamed(other, layer, layer), None, "{other}");
        }
    }

    #[test]
    fn every_family_begins_with_its_stem() {
        for family in &FAMILIES {
            assert_eq!((family.layers[0].0, family.layers[0].1), (family.stem, "conv0"));
            assert!(family.layers.iter().any(|(_, own, _)| *own == "norm5"));
        }
    }

    /// A file with a network in `scope` and one more tensor.
    fn contents<'a>(scope: &str, [other_scope, other]: [&str; 2]) -> Contents<'a> {
        let mut contents = Contents::new(Container::TorchZip, 0);
        let network: [(&str, &[usize]); 4] = [
            ("features.conv0.weight", &[1, 1, 1, 1]),
            ("features.denseblock1.denselayer1.norm1.weight", &[1]),
            ("features.norm5.weight", &[1]),
            ("classifier.weight", &[2, 1]),
        ];
        let tensors = network.map(|(name, shape)| (scope, name, shape)).into_iter().chain([(other_scope, other, [3].as_slice())]);
        contents.tensors.extend(tensors.map(|(scope, name, shape)| {
            let bytes = vec![0; 4 * shape.iter().product::<usize>()];
            let stored = Stored::contiguous(name, shape.to_vec(), Element::F32, Rc::new(Cow::Owned(bytes))).unwrap();
            stored.in_scope(&scope.into())
        }));
        contents
    }

    /// What is left over of a file with a network in `scope` and one more tensor.
    fn left_over(scope: &str, other: [&str; 2]) -> Vec<String> {
        resolve(&contents(scope, other)).unwrap().left_over.iter().map(Stored::path).collect()
    }

    #[test]
    fn a_loss_or_a_last_module_tells_the_activation() {
        let of = |other: [&str; 2], classes: &[&str]| {
            let mut contents = contents("state_dict", other);
            contents.modules.extend(classes.iter().map(|class| Module {
                scope: "other".into(),
                path: String::new(),
                class: format!("torch.nn.modules.{class}"),
                is_leaf: true,
                kernel: None,
                stride: None,
                padding: None,
                dilation: None,
                groups: None,
                pads_zeros: true,
                rounds_up: false,
            }));
            resolve(&contents).unwrap().activation
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

    #[test]
    fn what_training_leaves_is_passed_over_and_nothing_else() {
        for (scope, other) in [
            ("state_dict", ["optimizer_states/0", "exp_avg"]),
            ("state_dict", ["lr_schedulers", "rates"]),
            ("state_dict", ["state_dict", "criterion.weight"]),
            ("state_dict", ["val_loss", "history"]),
        ] {
            assert_eq!(left_over(scope, other), [""; 0], "{other:?} beside {scope}");
        }
        for (scope, other) in [
            ("state_dict", ["optimal_model", "features.conv9.weight"]),
            ("state_dict", ["rescheduled", "features.conv9.weight"]),
            ("state_dict", ["state_dict", "blossom.weight"]),
            ("best_loss", ["best_loss", "features.conv9.weight"]),
            ("state_dict", ["state_dict", "drop_threshs"]),
        ] {
            assert_eq!(left_over(scope, other), [other.join("/")], "{other:?} beside {scope}");
        }
    }
}
