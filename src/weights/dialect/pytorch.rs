//! Networks of PyTorch modules: where in a file they are, and what is beside them.

use std::collections::BTreeSet;

use super::families::{FAMILIES, PARAMETERS, own_layer};
use super::positional::Numbered;
use super::{Dialect, Network, ends_in, folded, modules, no_network, some_of, training};
use crate::error::{Error, Result};
use crate::head::HeadLayer;
use crate::nonlinearity::Nonlinearity;
use crate::weights::container::{Container, Contents, Element, Module, Stored};
use crate::weights::metadata::Activation;
use crate::weights::reading::{NewChannels, Reading};
use crate::weights::{Assumption, Field, infer};

/// Most networks among which an average is looked for.
const MOST_TWINS: usize = 4;

/// Most networks of a file that are told apart in a message.
const MOST_TOLD: usize = 8;

/// A place in a file where a stem is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Root {
    /// Keys of the dictionary.
    pub(super) scope: String,
    /// What stands before the stem's name.
    pub(super) prefix: String,
    family: usize,
}

impl Root {
    /// What stands before the names of the whole network, as it is told and asked for: `.` where nothing does.
    pub(super) fn name(&self) -> String {
        let name = path(&self.scope, self.wrapper());
        let name = name.trim_end_matches(['.', '/']);
        if name.is_empty() { ".".to_owned() } else { name.to_owned() }
    }

    /// What stands before the network's own names.
    pub(super) fn wrapper(&self) -> &str {
        self.prefix.strip_suffix("features.").unwrap_or(&self.prefix)
    }

    /// Whether somebody means this place: by its whole path, or by what stands before the names in its dictionary.
    fn is_called(&self, name: &str) -> bool {
        let name = name.trim_end_matches(['.', '/']);
        let own = self.name();
        let whole = path(&self.scope, &self.prefix);
        [own.as_str(), self.wrapper(), self.prefix.as_str(), whole.as_str()].iter().any(|known| known.trim_end_matches(['.', '/']) == name)
    }

    /// The name of a tensor below the network: what the network itself is called says nothing about what is in it.
    pub(super) fn below<'t>(&self, tensor: &'t Stored) -> &'t str {
        tensor.name.strip_prefix(&self.prefix).unwrap_or(&tensor.name)
    }
}

pub(super) fn resolve<'a>(contents: &Contents<'a>, numbered: &[Numbered], reading: &Reading) -> Result<Network<'a>> {
    let all = roots(contents)?;
    let roots = wanted(contents, all.clone(), reading)?;
    let places: Vec<String> = roots.iter().map(|root| path(&root.scope, &root.prefix)).collect();
    let shared = shared_keys(&places);
    let is_average = |place: &str| training::is_average(place.get(shared..).unwrap_or(place));
    let averages: Vec<&Root> = roots.iter().zip(&places).filter(|(_, place)| is_average(place)).map(|(root, _)| root).collect();
    let (root, others): (&Root, Vec<&Root>) = match (roots.as_slice(), averages.as_slice()) {
        ([], _) if contents.container == Container::TorchScript => {
            return Err(Error::checkpoint(
                "is a TorchScript archive, a program, whose tensors have not the names of a DenseNet's: it was frozen, or is another \
                 network. Save the weights of the model that it was made of; or what names it has left, in Python: import torch; \
                 torch.save(torch.jit.load('IN', map_location='cpu').state_dict(), 'OUT.pth')",
            ));
        }
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
        (all, _) => return Err(several(contents, all)),
    };
    let mut search = Search::new(contents);
    let rivals = all.iter().filter(|other| *other != root && other.scope == root.scope).map(|other| other.wrapper().to_owned());
    search.rivals = rivals.collect();
    let mut network = search.network(root)?;
    let numbered = numbered.iter().find(|numbered| numbered.is_at(&root.scope, &root.prefix));
    network.is_numbered = numbered.is_some();
    search.classifier(root, &mut network, reading)?;
    // Nothing of the weights that an average stands beside counts as left over.
    for other in &others {
        let mut beside = search.network(other)?;
        // A head that is not understood is left over.
        let _ = search.head(other, &mut beside, &Reading::default());
    }
    if !averages.is_empty() && !others.is_empty() {
        let swapped = if averages.contains(&root) { "" } else { ", which MMEngine saves there" };
        let chosen = path(&root.scope, &root.prefix);
        let others = some_of(others.iter().map(|other| format!("{:?}", path(&other.scope, &other.prefix))));
        network.notes.push(format!("holds weights and their moving average: using the average{swapped} ({chosen:?}, not {others})"));
    }
    network.thresholds = contents.tensors.iter().find(|t| *t.scope == *root.scope && ends_in(&t.name, "op_threshs")).cloned();
    search.rest(root, &mut network, reading);
    if contents.container == Container::TorchScript {
        network.notes.push("is a TorchScript archive: reading its tensors, not its program, and assuming that this is a DenseNet's".into());
    }
    network.epsilon = contents.epsilon;
    describe(contents, &mut network);
    // Modules are compared with a DenseNet's.
    let has_modules = contents.modules.iter().any(|module| *module.scope == *root.scope);
    network.pooling = pooling(&network).filter(|_| !has_modules);
    order(&mut network, reading);
    if is_encoder_without_relu(contents, root) && network.final_relu.is_none() {
        network.final_relu = Some(false);
        network.notes.push("is an encoder of segmentation_models_pytorch, which has no ReLU after its last norm".into());
    }
    let is_bare =
        root.family == 0 && (!root.prefix.ends_with("features.") || is_in_another(contents, root, &network)) || numbered.is_some();
    if is_bare && network.final_relu.is_none() {
        let why = "features alone do not tell whether a ReLU follows their last norm, and torchvision has one";
        network.assumed.push(Assumption::of(Field::FinalRelu, "true", why));
    }
    let layer = |name: &str| own_layer(&FAMILIES[root.family], name).map(|(own, _)| own);
    modules::check(contents, root, layer, search.names_inside(root), &mut network, reading)?;
    if let Some(numbered) = numbered {
        network.entry.pool = network.entry.pool.or(numbered.pool);
        if network.entry.pool.or(reading.entry.pool).is_none() {
            return Err(numbered.untold());
        }
    }
    Ok(network)
}

/// The places that are asked for: all, where none is. Errors where there is none of that name.
fn wanted(contents: &Contents, roots: Vec<Root>, reading: &Reading) -> Result<Vec<Root>> {
    let Some(name) = &reading.root else { return Ok(roots) };
    let (wanted, others): (Vec<Root>, Vec<Root>) = roots.into_iter().partition(|root| root.is_called(name));
    if wanted.is_empty() && !others.is_empty() {
        let found = told(contents, &others);
        return Err(Error::checkpoint(format!("`root` {name}: expected a DenseNet there, found one at {found}")));
    }
    Ok(wanted)
}

/// That there are several networks, which they are and where.
fn several(contents: &Contents, roots: &[Root]) -> Error {
    let found = told(contents, roots);
    Error::checkpoint(format!("expected one network, found {}: {found}; take one with `root`", roots.len()))
}

/// The places with the architecture that is there.
fn told(contents: &Contents, roots: &[Root]) -> String {
    let told = roots.iter().take(MOST_TOLD).map(|root| {
        let network = Search::new(contents).network(root);
        let config =
            network.and_then(|network| infer(network.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice()))));
        let what = config.map_or_else(|_| "a DenseNet of another kind".into(), |config| config.to_string());
        format!("{:?} ({what})", root.name())
    });
    let told: Vec<String> = told.collect();
    let more = roots.len() - told.len();
    told.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

/// How many bytes of several places are keys that all of them have in front: those tell nothing of one.
fn shared_keys(places: &[String]) -> usize {
    let [first, others @ ..] = places else { return 0 };
    if others.is_empty() {
        return 0;
    }
    let ends = first.match_indices(['/', '.']).map(|(at, _)| at + 1);
    ends.take_while(|&end| others.iter().all(|other| other.starts_with(&first[..end]))).last().unwrap_or(0)
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

/// Whether it is an encoder of segmentation_models_pytorch, whose segmentation head is beside it.
fn is_encoder_without_relu(contents: &Contents, root: &Root) -> bool {
    let Some(outer) = root.wrapper().strip_suffix("encoder.") else { return false };
    let head = format!("{outer}segmentation_head.0.weight");
    root.family == 0 && contents.tensors.iter().any(|tensor| *tensor.scope == *root.scope && tensor.name == head)
}

/// Whether the features are those of another network than torchvision's, whose own program joins them to what reads them: its
/// head has another place, or something else is beside them.
fn is_in_another(contents: &Contents, root: &Root, network: &Network) -> bool {
    let holder = root.wrapper().trim_end_matches('.');
    let is_densenet = |class: &str| class.rsplit('.').next() == Some("DenseNet");
    if contents.modules.iter().any(|module| *module.scope == *root.scope && module.path == holder && is_densenet(&module.class)) {
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
    let has_inner_sigmoid = network.head.contains(&HeadLayer::Nonlinearity(Nonlinearity::Sigmoid));
    network.activation = activation(contents, network.dialect, has_inner_sigmoid).or(network.activation);
}

/// What turns logits into probabilities, as a module after them tells, or the loss that they were trained with; `None` where
/// nothing does, or two contradict each other.
fn activation(contents: &Contents, dialect: Dialect, has_inner_sigmoid: bool) -> Option<Activation> {
    let has = |class: &str| contents.modules.iter().any(|module| module.class.rsplit('.').next() == Some(class));
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

/// In which order the channels are, and what else a repository does its own way.
fn order(network: &mut Network, reading: &Reading) {
    let known = match network.dialect {
        Dialect::Kuangliu => Some(NewChannels::First),
        Dialect::Bamos if network.is_mixed => None,
        _ => Some(NewChannels::Last),
    };
    network.new_channels = reading.new_channels.or(known).unwrap_or(NewChannels::Last);
    match (reading.new_channels, known) {
        (None, None) => {
            let why = "names are of no repository that is known, and most have the channels of a new layer behind those it reads";
            network.assumed.push(Assumption::of(Field::NewChannels, "last", why));
        }
        (None, Some(NewChannels::First)) => network.notes.push(
            "has the names of kuangliu/pytorch-cifar: the channels of a new layer come before those it reads (`new_channels` last says \
             otherwise)"
                .into(),
        ),
        _ => {}
    }
    if network.dialect == Dialect::Weiaicunzai {
        network.transition_relu = Some(false);
        network.notes.push("has the names of weiaicunzai/pytorch-cifar100: its transitions have no ReLU".into());
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
pub(super) struct Search<'c, 'a> {
    pub(super) contents: &'c Contents<'a>,
    pub(super) taken: Vec<bool>,
    /// What stands before the names of other networks in the same dictionary.
    pub(super) rivals: Vec<String>,
}

impl<'c, 'a> Search<'c, 'a> {
    /// Nothing found yet.
    fn new(contents: &'c Contents<'a>) -> Self {
        Self { contents, taken: vec![false; contents.tensors.len()], rivals: Vec::new() }
    }

    /// The network at `root`, without its classifier. Errors where two tensors are the same one of a DenseNet's.
    fn network(&mut self, root: &Root) -> Result<Network<'a>> {
        let family = &FAMILIES[root.family];
        let mut network = Network::new(family.layers[0].2, path(&root.scope, root.wrapper()));
        let mut dialects = Vec::new();
        for (index, tensor) in self.contents.tensors.iter().enumerate() {
            let Some(name) = tensor.name.strip_prefix(&root.prefix).filter(|_| *tensor.scope == *root.scope) else { continue };
            let Some((layer, parameter)) = name.rsplit_once('.').filter(|(_, parameter)| PARAMETERS.contains(parameter)) else { continue };
            let Some((own, dialect)) = own_layer(family, layer) else { continue };
            self.taken[index] = true;
            if dialect != Dialect::Torchvision {
                network.dialect = dialect;
            }
            if !dialects.contains(&dialect) {
                dialects.push(dialect);
            }
            if parameter != "num_batches_tracked" {
                let name = format!("features.{own}.{parameter}");
                if let Some(other) = network.tensors.get(&name).filter(|other| !other.is_same(tensor)) {
                    return Err(Error::checkpoint(format!(
                        "expected one tensor for a DenseNet's {name}, found {} and {}, which differ: one of them belongs to something else; \
                         save it without that",
                        other.path(),
                        tensor.path()
                    )));
                }
                network.tensors.insert(name, tensor.clone());
            }
        }
        folded::unfold(&mut network)?;
        // The families of CIFAR's repositories differ in few of their names.
        let has = |dialect: Dialect| dialects.contains(&dialect);
        if has(Dialect::Bamos) {
            network.dialect = match (has(Dialect::Kuangliu), has(Dialect::Bearpaw)) {
                (true, true) => Dialect::Kuangliu,
                (false, true) => Dialect::Bearpaw,
                (is_mixed, false) => {
                    network.is_mixed = is_mixed;
                    Dialect::Bamos
                }
            };
        }
        Ok(network)
    }

    /// Whether that module is the last batch norm of the network at `root`.
    pub(super) fn is_last_norm(&self, root: &Root, module: &Module) -> bool {
        let own = module.path.strip_prefix(&root.prefix).and_then(|name| own_layer(&FAMILIES[root.family], name));
        own.is_some_and(|(own, _)| own == "norm5")
    }

    /// Adds the classifier. Errors where there is one that is not understood, unless the features alone are wanted.
    fn classifier(&mut self, root: &Root, network: &mut Network<'a>, reading: &Reading) -> Result<()> {
        match self.head(root, network, reading) {
            Err(_) if reading.features_only => Ok(()),
            found => found,
        }
    }

    /// Takes what belongs to no network: what may not be ignored is left over, what training alone reads is passed over, which is
    /// said of all but what every trainer writes. Where a place, a head or the features alone were asked for, what is beside the
    /// network is passed over too.
    fn rest(&self, root: &Root, network: &mut Network<'a>, reading: &Reading) {
        let is_ignored = |tensor: &Stored| {
            // A single number beside the network is a statistic, such as the best accuracy.
            let statistic = || tensor.elements() == Some(1) && !training::is_temperature(&tensor.path());
            // Bytes are the state of a random generator: no layer has any.
            let bytes = matches!(tensor.element, Element::Other { name: "u8", .. }) && tensor.shape.len() == 1;
            let is_beside = *tensor.scope != *root.scope;
            let is_loss = if is_beside { training::is_loss(&tensor.path()) } else { training::is_loss(root.below(tensor)) };
            is_beside && (training::is_sibling(&tensor.scope) || statistic()) || bytes || is_loss
        };
        let tensors = self.contents.tensors.iter().zip(&self.taken);
        let rest: Vec<&Stored> =
            tensors.filter(|(t, taken)| !**taken && !t.is_harmless() && !is_ignored(t)).map(|(tensor, _)| tensor).collect();
        let normalisation = normalisation(&rest, network);
        let is_normalisation = |tensor: &Stored| normalisation.as_ref().is_some_and(|names| names.contains(&tensor.path()));
        let (passed, rest): (Vec<&Stored>, Vec<&Stored>) = rest
            .into_iter()
            .filter(|tensor| !is_normalisation(tensor))
            .partition(|tensor| training::is_buffer(root.below(tensor), &tensor.shape));
        if !passed.is_empty() {
            let names = some_of(passed.iter().map(|tensor| tensor.path()));
            network.notes.push(format!("holds buffers of training: passing over {names}"));
        }
        let inside = self.inside(root);
        let (beside, left_over): (Vec<&Stored>, Vec<&Stored>) = rest.into_iter().partition(|tensor| !inside(tensor));
        network.has_company = !beside.is_empty();
        let passes_over = reading.root.is_some() || reading.head.is_some() || reading.features_only;
        network.left_over = left_over.into_iter().cloned().collect();
        if !passes_over {
            network.beside = beside.into_iter().cloned().collect();
            network.root = root.name();
        } else if !beside.is_empty() {
            let names = some_of(beside.iter().map(|tensor| tensor.path()));
            network.notes.push(format!("holds more than the DenseNet at {:?}: passing over {names}", root.name()));
        }
    }

    /// Whether a tensor is among those of the network at `root`, where it would change what the network computes.
    pub(super) fn inside<'r>(&self, root: &'r Root) -> impl Fn(&Stored) -> bool + use<'r> {
        let names_inside = self.names_inside(root);
        move |tensor| *tensor.scope == *root.scope && names_inside(&tensor.name)
    }

    /// The same of a name in its dictionary.
    fn names_inside<'r>(&self, root: &'r Root) -> impl Fn(&str) -> bool + use<'r> {
        fn letters(name: &str) -> &str {
            name.split('.').next().unwrap_or(name).trim_end_matches(|c: char| c.is_ascii_digit())
        }
        let family = &FAMILIES[root.family];
        let layers = self.contents.tensors.iter().filter(|tensor| *tensor.scope == *root.scope).filter_map(|tensor| {
            let name = tensor.name.strip_prefix(&root.prefix)?;
            let (layer, _) = name.rsplit_once('.')?;
            own_layer(family, layer).map(|_| letters(name).to_owned())
        });
        let keys: BTreeSet<String> = layers.collect();
        let is_own_module = root.prefix.ends_with("features.");
        move |name| name.strip_prefix(&root.prefix).is_some_and(|name| is_own_module || keys.contains(letters(name)))
    }
}

/// Finds what a module around the network subtracts from pictures and divides them by, one number for each of their channels; the
/// names of both.
fn normalisation(rest: &[&Stored], network: &mut Network) -> Option<[String; 2]> {
    let &[_, channels, ..] = network.tensors.get("features.conv0.weight")?.shape.as_slice() else { return None };
    let find = |word: &str| {
        let is_named =
            |tensor: &Stored| tensor.name.rsplit('.').next().is_some_and(|last| last == word || last.ends_with(&format!("_{word}")));
        let is_row = |tensor: &Stored| tensor.elements() == Some(channels) && tensor.shape.contains(&channels);
        let mut found = rest.iter().filter(|tensor| is_named(tensor) && is_row(tensor));
        found.next().filter(|_| found.next().is_none())
    };
    let (mean, std) = (find("mean")?, find("std")?);
    // They may be those of what is predicted: `target_mean`; one number may be that whatever it is called.
    let is_plain = mean.name.rsplit('.').next() == Some("mean") && channels > 1;
    if !is_plain && !training::is_of_pictures(&mean.path()) {
        return None;
    }
    let (mut means, mut stds) = (mean.floats()?, std.floats()?);
    // Of pictures from 0 to 255.
    let scale = if stds.iter().any(|&value| value > 2.0) { 255.0 } else { 1.0 };
    means.iter_mut().chain(&mut stds).for_each(|value| *value /= scale);
    if !means.iter().all(|value| value.is_finite()) || !stds.iter().all(|value| value.is_finite() && *value > 0.0) {
        return None;
    }
    let names = [mean.path(), std.path()];
    network.notes.push(format!("normalises pictures itself: taking mean and standard deviation from {} and {}", names[0], names[1]));
    network.normalisation = Some([means, stds]);
    Some(names)
}

pub(super) fn path(scope: &str, prefix: &str) -> String {
    if scope.is_empty() { prefix.to_owned() } else { format!("{scope}/{prefix}") }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::rc::Rc;

    use super::*;
    use crate::weights::container::{Container, Module};

    /// A file with a network in `scope` and other tensors of three numbers.
    fn contents<'a>(scope: &str, others: &[[&str; 2]]) -> Contents<'a> {
        let mut contents = Contents::new(Container::TorchZip, 0);
        let network: [(&str, &[usize]); 4] = [
            ("features.conv0.weight", &[1, 3, 1, 1]),
            ("features.denseblock1.denselayer1.norm1.weight", &[1]),
            ("features.norm5.weight", &[1]),
            ("classifier.weight", &[2, 1]),
        ];
        let others = others.iter().map(|[scope, name]| (*scope, *name, [3].as_slice()));
        let tensors = network.map(|(name, shape)| (scope, name, shape)).into_iter().chain(others);
        contents.tensors.extend(tensors.map(|(scope, name, shape)| {
            let bytes = 0.5f32.to_le_bytes().repeat(shape.iter().product::<usize>());
            let stored = Stored::contiguous(name, shape.to_vec(), Element::F32, Rc::new(Cow::Owned(bytes))).unwrap();
            stored.in_scope(&scope.into())
        }));
        contents
    }

    /// The same tensor under another name.
    fn called(tensor: &Stored<'static>, name: &str) -> Stored<'static> {
        let mut tensor = tensor.clone();
        tensor.name = name.into();
        tensor
    }

    /// What is left over of a file with a network in `scope` and one more tensor.
    fn left_over(scope: &str, other: [&str; 2]) -> Vec<String> {
        let network = resolve(&contents(scope, &[other]), &[], &Reading::default()).unwrap();
        network.left_over.iter().chain(&network.beside).map(Stored::path).collect()
    }

    /// A file whose network has a head of another name, and what is said of the ReLU before it.
    fn said_of_relu(head: &str, others: &[[&str; 2]], wrapper: &str) -> (Option<bool>, bool) {
        let mut file = contents("", &[]);
        for tensor in &mut file.tensors {
            tensor.name = tensor.name.replace("classifier.", head);
            if tensor.name.starts_with("features.") {
                tensor.name.insert_str(0, wrapper);
            }
        }
        file.tensors.extend(contents("", others).tensors.into_iter().skip(4));
        let network = resolve(&file, &[], &Reading::default().with_features_only(true)).unwrap();
        (network.final_relu, network.assumed.iter().any(|assumed| assumed.field == Field::FinalRelu))
    }

    #[test]
    fn a_head_in_another_place_leaves_the_last_relu_open() {
        for (head, wrapper) in [("fc.", ""), ("fc.", "net."), ("net.fc.", "net."), ("classifier.", "net.")] {
            assert_eq!(said_of_relu(head, &[], wrapper), (None, true), "{head} {wrapper}");
        }
        for (head, wrapper) in [("classifier.", ""), ("classifier.0.", ""), ("net.classifier.", "net."), ("class_layers.out.", "")] {
            assert_eq!(said_of_relu(head, &[], wrapper), (None, false), "{head} {wrapper}");
        }
        let others = [["", "decoder.weight"], ["", "segmentation_head.0.weight"]];
        assert_eq!(said_of_relu("encoder.fc.", &others, "encoder."), (Some(false), false));
    }

    #[test]
    fn heads_in_a_dictionary_are_several() {
        let heads = |reading: Reading| {
            let mut file = contents("", &[]);
            let head = file.tensors.pop().unwrap();
            for name in ["heads.age.weight", "heads.sex.weight"] {
                file.tensors.push(called(&head, name));
            }
            resolve(&file, &[], &reading).map(|network| network.head_place)
        };
        for reading in [Reading::default(), Reading::default().with_root(".")] {
            let message = heads(reading).unwrap_err().to_string();
            assert!(
                message.contains("found 2 layers that read the features: heads.age") && message.contains("`head` heads.age"),
                "{message}"
            );
        }
        assert_eq!(heads(Reading::default().with_head("heads.sex")).unwrap().as_deref(), Some("heads.sex"));
    }

    #[test]
    fn a_classifier_that_compares_directions_is_no_linear_layer() {
        let read = |reading: Reading| {
            let mut file = contents("", &[]);
            file.tensors.last_mut().unwrap().name = "arcface.weight".into();
            resolve(&file, &[], &reading).map(|network| network.head_place)
        };
        let message = read(Reading::default()).unwrap_err().to_string();
        assert!(message.contains("(arcface [2, 1])") && message.contains("cosines"), "{message}");
        assert_eq!(read(Reading::default().with_head("arcface")).unwrap().as_deref(), Some("arcface"));
        assert!(read(Reading::default().with_features_only(true)).is_ok());
    }

    #[test]
    fn an_average_beside_its_network_is_told_by_what_places_do_not_share() {
        let mut file = contents("ema", &[]);
        let average = |tensor: &Stored<'static>| called(tensor, &format!("ema_model.{}", tensor.name));
        file.tensors.extend(file.tensors.iter().map(average).collect::<Vec<_>>());
        for tensor in &mut file.tensors[..4] {
            tensor.name.insert_str(0, "online_model.");
        }
        for name in ["initted", "step"] {
            let mut count = called(&file.tensors[0], name);
            count.shape = Vec::new();
            file.tensors.push(count);
        }
        let network = resolve(&file, &[], &Reading::default()).unwrap();
        assert_eq!((network.wrapper.as_str(), network.beside.len() + network.left_over.len()), ("ema/ema_model.", 0));
    }

    #[test]
    fn what_all_places_share_tells_no_average() {
        let places = |all: &[&str]| shared_keys(&all.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(places(&["ema/online_model.features.", "ema/ema_model.features."]), "ema/".len());
        assert_eq!(places(&["ema.a.", "ema.b."]), "ema.".len());
        assert_eq!((places(&["ema_model.", "emanet."]), places(&["ema/"]), places(&[])), (0, 0, 0));
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
            resolve(&contents, &[], &Reading::default()).unwrap().activation
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
            ("state_dict", ["state_dict", "class_weights"]),
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
            ("state_dict", ["state_dict", "pool.p"]),
            ("state_dict", ["calibration", "temperature"]),
        ] {
            assert_eq!(left_over(scope, other), [other.join("/")], "{other:?} beside {scope}");
        }
    }

    #[test]
    fn a_module_that_normalises_pictures_is_taken_at_its_numbers() {
        let both = contents("", &[["", "normalize.mean"], ["", "normalize.std"]]);
        let network = resolve(&both, &[], &Reading::default()).unwrap();
        assert_eq!((network.normalisation, network.beside.len()), (Some([vec![0.5; 3], vec![0.5; 3]]), 0));
        let one = contents("", &[["", "normalize.mean"]]);
        let network = resolve(&one, &[], &Reading::default()).unwrap();
        assert_eq!((network.normalisation, network.beside.len()), (None, 1));
        let of_targets = contents("", &[["", "target_mean"], ["", "target_std"]]);
        let network = resolve(&of_targets, &[], &Reading::default()).unwrap();
        assert_eq!((network.normalisation, network.beside.len()), (None, 2), "what is predicted is no picture");
    }

    #[test]
    fn what_is_beside_the_network_is_passed_over_where_that_is_asked_for() {
        let decoder = [["", "decoder.scale"], ["", "features.denseblock1.denselayer1.gate.scale"]];
        let read = |reading: Reading| {
            let file = contents("", &decoder);
            let network = resolve(&file, &[], &reading).unwrap();
            let names = |tensors: &[Stored]| tensors.iter().map(|tensor| tensor.name.clone()).collect::<Vec<_>>();
            (names(&network.left_over), names(&network.beside), network.notes.join(""))
        };
        let (inside, beside, notes) = read(Reading::default());
        assert_eq!((inside, beside, notes.as_str()), (vec![decoder[1][1].to_owned()], vec!["decoder.scale".to_owned()], ""));
        for reading in
            [Reading::default().with_root("."), Reading::default().with_root("features"), Reading::default().with_features_only(true)]
        {
            let (inside, beside, notes) = read(reading);
            assert_eq!((inside.len(), beside.len()), (1, 0));
            assert!(notes.contains("decoder.scale") && !notes.contains("gate"), "{notes}");
        }
    }

    #[test]
    fn one_of_several_networks_is_taken_by_its_place() {
        let mut two = contents("", &[]);
        let tower = |tensor: &Stored<'static>| {
            let mut tensor = tensor.clone();
            tensor.name.insert_str(0, "tower.");
            tensor
        };
        two.tensors.extend(contents("", &[]).tensors.iter().map(tower).collect::<Vec<_>>());
        let message = resolve(&two, &[], &Reading::default()).err().unwrap().to_string();
        assert!(message.contains("\".\" (") && message.contains("\"tower\" (") && message.contains("`root`"), "{message}");
        let network = resolve(&two, &[], &Reading::default().with_root("tower")).unwrap();
        assert_eq!((network.wrapper.as_str(), network.left_over.len()), ("tower.", 0));
        let message = resolve(&two, &[], &Reading::default().with_root("towel")).err().unwrap().to_string();
        assert!(message.contains("`root` towel: expected a DenseNet there, found one at \".\""), "{message}");
    }
}
