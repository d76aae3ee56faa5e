//! The classifier of a PyTorch network: the layers with tensors that begin at the features, and what is between them.
//!
//! A state dict tells which linear layers there are, not what comes between two of them. That is said by a module that lies beside
//! it or is it, by the names of a library that is known, or by whoever opens the file; it is never assumed.

use std::collections::HashMap;

use super::pytorch::{Root, Search, path};
use super::{Dialect, Network, some_of, training};
use crate::error::{Error, Result};
use crate::head::{HeadLayer, PYTORCHS_EPSILON};
use crate::nonlinearity::Nonlinearity;
use crate::weights::container::{Container, Module, Stored};
use crate::weights::reading::{HeadStep, Reading};

/// Outputs of CheXNet: the findings of ChestX-ray14.
const CHEXNET_FINDINGS: usize = 14;

/// Most layers of a classifier.
const MOST_LAYERS: usize = 32;

/// A batch norm whose epsilon is not told.
const NORM: HeadStep = HeadStep::BatchNorm { epsilon: None };

/// The layers of fastai's `create_head` that have tensors, and all that there are.
const FASTAI: [&str; 4] = ["1.2", "1.4", "1.6", "1.8"];
const FASTAI_STEPS: [HeadStep; 8] = [
    HeadStep::Pool(HeadLayer::MaxMeanPool),
    NORM,
    HeadStep::Nothing,
    HeadStep::Linear,
    HeadStep::Activation(HeadLayer::Relu),
    NORM,
    HeadStep::Nothing,
    HeadStep::Linear,
];

/// A layer with tensors that is beside the network.
#[derive(Clone)]
struct Layer {
    /// Its name.
    path: String,
    kind: Kind,
    /// Its tensors, by what they are and where in the file.
    tensors: Vec<(&'static str, usize)>,
}

impl Layer {
    fn is_linear(&self) -> bool {
        matches!(self.kind, Kind::Linear { .. })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear { inputs: usize, outputs: usize },
    Norm { channels: usize },
}

impl Kind {
    fn inputs(self) -> usize {
        match self {
            Self::Linear { inputs, .. } => inputs,
            Self::Norm { channels } => channels,
        }
    }

    fn outputs(self) -> usize {
        match self {
            Self::Linear { outputs, .. } => outputs,
            Self::Norm { channels } => channels,
        }
    }

    fn step(self) -> HeadStep {
        match self {
            Self::Linear { .. } => HeadStep::Linear,
            Self::Norm { .. } => NORM,
        }
    }
}

impl<'c, 'a> Search<'c, 'a> {
    /// Adds the classifier to the network at `root`, where there is one: the layers that begin at the last batch norm's channels.
    ///
    /// Errors where there are several and none was chosen, and where what is between its layers is not told.
    pub(super) fn head(&mut self, root: &Root, network: &mut Network<'a>, reading: &Reading) -> Result<()> {
        let behind = match self.behind(root, network) {
            Err(_) if reading.head_layers.is_some() => None,
            found => found?,
        };
        let Some(&[features]) = network.tensors.get("features.norm5.weight").map(|norm| norm.shape.as_slice()) else { return Ok(()) };
        let layers = self.layers(root, reading);
        let begins = |layer: &Layer| [Some(features), features.checked_mul(2)].contains(&Some(layer.kind.inputs()));
        let heads = heads(&layers, root, begins, reading)?;
        let is_sorted = self.contents.container == Container::Safetensors;
        let said = reading.head_layers.as_deref();
        let linked = |first: &Layer, layers: Vec<Layer>| linked(first, layers, is_sorted, said);
        let chain = match (heads.as_slice(), said) {
            ([], _) => return behind.map_or(Ok(()), |modules| nothing_else(&modules)),
            // Said layer by layer, they may have any names.
            ([(_, first), _, ..], Some(_)) if reading.head.is_none() => linked(first, layers.clone()),
            _ => {
                let (name, first) = chosen(&heads, root)?;
                network.head_name = Some(name.clone());
                let is_own =
                    |layer: &Layer| layer.path == *name || layer.path.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'));
                let own: Vec<Layer> = layers.iter().filter(|layer| is_own(layer)).cloned().collect();
                // Those behind it may have names of their own.
                let whole: Vec<Layer> = layers.iter().filter(|layer| is_own(layer) || !begins(layer)).cloned().collect();
                let whole = if reading.head.is_none() { linked(first, whole) } else { None };
                let parallel: Vec<&Layer> = own.iter().filter(|layer| begins(layer)).collect();
                match whole.or_else(|| linked(first, own.clone())) {
                    // Heads in a dictionary of modules.
                    None if parallel.len() > 1 => return Err(several(&parallel, &parallel[0].path)),
                    chain => chain,
                }
            }
        };
        if let (Some(layer), None) = (chain.iter().flatten().find(|layer| training::compares_directions(&layer.path)), &reading.head) {
            return Err(Error::checkpoint(format!(
                "its classifier ({}) has the name of one that compares directions, as ArcFace and CosFace: it computes cosines, which is not \
                 run. Features alone (`features_only`) need nothing of it; where it is a plain linear layer all the same, `head` {} takes it \
                 for one",
                shown(layer),
                layer.path
            )));
        }
        let chain = match chain.filter(|chain| chain.len() <= MOST_LAYERS) {
            Some(chain) => chain,
            // What is beside the first layer will be left over, and refused.
            None if reading.root.is_none() && reading.head.is_none() => {
                let alone = |layer: &&Layer| matches!(layer.kind, Kind::Linear { inputs, .. } if inputs == features);
                layers.iter().find(alone).cloned().into_iter().collect()
            }
            None => {
                let named = some_of(heads.iter().map(|(name, _)| name.clone()));
                return Err(Error::checkpoint(format!(
                    "what reads the features ({named}) is no row of layers, one after the other: such a classifier is not run; features alone \
                     (`features_only`) need nothing of it"
                )));
            }
        };
        if is_sorted {
            are_ordered(&chain, said.is_some())?;
        }
        network.head_place = chain.first().map(|layer| layer.path.clone());
        match chain.as_slice() {
            [] => Ok(()),
            [Layer { kind: Kind::Linear { inputs, .. }, .. }] if *inputs == features && said.is_none() && behind.is_none() => {
                self.take(&chain[0], "classifier", network);
                name_dialect(&chain[0], network);
                Ok(())
            }
            [.., Layer { kind: Kind::Linear { .. }, .. }] => self.several_layers(root, &chain, features, network, reading, behind),
            // A norm alone is no classifier.
            _ => Ok(()),
        }
    }

    /// Adds a classifier of several layers.
    fn several_layers(
        &mut self,
        root: &Root,
        chain: &[Layer],
        features: usize,
        network: &mut Network<'a>,
        reading: &Reading,
        behind: Option<Vec<&Module>>,
    ) -> Result<()> {
        let is_fastais = is_fastais(root, chain, features);
        if is_fastais {
            network.final_relu = network.final_relu.or(Some(false));
        }
        let told = match (&reading.head_layers, behind) {
            (Some(steps), _) => Some(steps.clone()),
            (None, Some(modules)) => {
                let with_tensors = modules.iter().filter(|module| has_tensors(module)).map(|module| module.path.as_str());
                let is_chain = with_tensors.eq(chain.iter().map(|layer| layer.path.as_str()));
                let steps = modules.iter().map(|module| step(module)).collect::<Result<Vec<_>>>()?;
                is_chain.then_some(steps)
            }
            (None, None) => self.told(root, chain, network)?,
        };
        let told = told.or_else(|| {
            let has_fastais_names = chain.len() == FASTAI.len() && chain.iter().zip(FASTAI).all(|(layer, own)| layer.path.ends_with(own));
            let has_fastais_kinds = || chain.iter().map(|layer| layer.kind.step()).eq([NORM, HeadStep::Linear, NORM, HeadStep::Linear]);
            (is_fastais && has_fastais_names && has_fastais_kinds()).then(|| {
                network.notes.push(
                    "has the layers of fastai's cnn_learner: maxima and means, norms, one ReLU between two linear layers, and none behind \
                     the last norm of the DenseNet (`head_layers` says otherwise)"
                        .into(),
                );
                FASTAI_STEPS.to_vec()
            })
        });
        let steps = told.ok_or_else(|| untold(chain, features))?;
        let epsilon = self.contents.epsilon.unwrap_or(PYTORCHS_EPSILON);
        let layers = joined(&steps, chain, features, epsilon, network)?;
        if let ([_], [only]) = (layers.as_slice(), chain) {
            self.take(only, "classifier", network);
            return Ok(());
        }
        let mut with_tensors = chain.iter();
        for (number, layer) in layers.iter().enumerate() {
            if matches!(layer, HeadLayer::Linear { .. } | HeadLayer::BatchNorm { .. })
                && let Some(layer) = with_tensors.next()
            {
                self.take(layer, &format!("classifier.{number}"), network);
            }
        }
        network.head = layers;
        Ok(())
    }

    /// What the modules of a classifier say of the layers between those with tensors.
    fn told(&mut self, root: &Root, chain: &[Layer], network: &mut Network) -> Result<Option<Vec<HeadStep>>> {
        let names: Vec<&str> = chain.iter().map(|layer| layer.path.as_str()).collect();
        let common = common_path(&names);
        // The network was saved whole, or the classifier beside it.
        let scopes: Vec<&str> = self.contents.modules.iter().filter(|module| module.path.is_empty()).map(|module| &*module.scope).collect();
        let inside = (&*root.scope, common.as_str());
        let beside = scopes.iter().filter(|scope| **scope != root.scope).map(|scope| (*scope, ""));
        for (scope, holder) in std::iter::once(inside).chain(beside) {
            let below = |path: &str| -> Option<String> {
                let rest = path.strip_prefix(holder)?;
                if holder.is_empty() { Some(rest.to_owned()) } else { rest.strip_prefix('.').map(str::to_owned) }
            };
            let modules: Vec<(String, &Module)> = self
                .contents
                .modules
                .iter()
                .filter(|module| *module.scope == *scope && module.is_leaf)
                .filter_map(|module| Some((below(&module.path)?, module)))
                .collect();
            let own: Vec<&str> = names.iter().map(|name| name.strip_prefix(&common).unwrap_or(name).trim_start_matches('.')).collect();
            let with_tensors: Vec<&str> = modules.iter().filter(|(_, module)| has_tensors(module)).map(|(path, _)| path.as_str()).collect();
            if own != with_tensors || !self.are_sequential(scope, holder) {
                continue;
            }
            let steps = modules.iter().map(|(_, module)| step(module)).collect::<Result<Vec<_>>>()?;
            if scope == root.scope {
                network.told.extend(modules.iter().map(|(_, module)| module.path.clone()));
            }
            for (index, tensor) in self.contents.tensors.iter().enumerate() {
                // The same tensors once more.
                self.taken[index] |= *tensor.scope == *scope && scope != root.scope;
            }
            return Ok(Some(steps));
        }
        Ok(None)
    }

    /// The modules from the pool behind the features on, where all around the features runs what it holds one after the other. They also
    /// tell whether a ReLU comes before that pool. Errors where something else does.
    fn behind(&self, root: &Root, network: &mut Network) -> Result<Option<Vec<&'c Module>>> {
        let modules: Vec<&'c Module> = self.contents.modules.iter().filter(|module| *module.scope == *root.scope).collect();
        let Some(norm) = modules.iter().position(|module| self.is_last_norm(root, module)) else { return Ok(None) };
        let is_sequential = |module: &Module| module.class == "torch.nn.modules.container.Sequential";
        let is_around = |module: &Module| is_below(&modules[norm].path, &module.path) && module.path != modules[norm].path;
        if !modules.iter().filter(|module| is_around(module)).all(|module| is_sequential(module)) {
            return Ok(None);
        }
        let mut row: Vec<&'c Module> = Vec::new();
        for module in modules[norm + 1..].iter().copied().filter(|module| !is_sequential(module)) {
            if row.last().is_none_or(|last| !is_below(&module.path, &last.path)) {
                row.push(module);
            }
        }
        if row.is_empty() {
            return Ok(None);
        }
        network.told.extend(row.iter().map(|module| module.path.clone()));
        let is_pool = |module: &&Module| ["AdaptiveAvgPool2d", "AdaptiveConcatPool2d"].contains(&class(module));
        let does_nothing = |module: &Module| step(module).is_ok_and(|step| step == HeadStep::Nothing) && class(module) != "Flatten";
        let pool = row.iter().position(is_pool);
        let before = &row[..pool.unwrap_or(row.len())];
        let other = before.iter().find(|module| class(module) != "ReLU" && !does_nothing(module));
        if let Some(other) = other {
            return Err(Error::checkpoint(format!(
                "module {}: expected a ReLU or none behind the features and then a global average pool, found {}: all layers behind the \
                 means of the features can be said (`head_layers`), where it is that",
                path(&other.scope, other.shown()),
                class(other)
            )));
        }
        network.final_relu = Some(before.iter().any(|module| class(module) == "ReLU"));
        Ok(Some(row.split_off(before.len())))
    }

    /// Whether the module at that place and all in it that hold others run what they hold one after the other.
    fn are_sequential(&self, scope: &str, holder: &str) -> bool {
        let mut holders = self.contents.modules.iter().filter(|m| *m.scope == *scope && !m.is_leaf && is_below(&m.path, holder)).peekable();
        holders.peek().is_some() && holders.all(|module| module.class == "torch.nn.modules.container.Sequential")
    }

    /// The linear layers and batch norms of features beside the network, in the file's order.
    fn layers(&self, root: &Root, reading: &Reading) -> Vec<Layer> {
        let inside = self.inside(root);
        let tensors = &self.contents.tensors;
        let own = |tensor: &Stored| *tensor.scope == *root.scope;
        let positions: HashMap<&str, usize> =
            tensors.iter().enumerate().filter(|(_, tensor)| own(tensor)).map(|(index, tensor)| (tensor.name.as_str(), index)).collect();
        let find = |path: &str, parameter: &str| {
            let name = if path.is_empty() { parameter.to_owned() } else { format!("{path}.{parameter}") };
            positions.get(name.as_str()).copied()
        };
        let mut layers = Vec::new();
        for (index, tensor) in tensors.iter().enumerate() {
            let is_other = self.taken[index] || !own(tensor) || inside(tensor) || self.is_rivals(&tensor.name, root, reading);
            if is_other || training::is_loss(root.below(tensor)) {
                continue;
            }
            let Some(path) = tensor.name.strip_suffix("weight").map(|path| path.trim_end_matches('.')) else { continue };
            let kind = match tensor.shape[..] {
                [outputs, inputs] | [outputs, inputs, 1, 1] => Kind::Linear { inputs, outputs },
                [channels] if find(path, "running_mean").is_some() => Kind::Norm { channels },
                _ => continue,
            };
            let parameters: &[&'static str] =
                if let Kind::Norm { .. } = kind { &["bias", "running_mean", "running_var", "num_batches_tracked"] } else { &["bias"] };
            let others = parameters.iter().filter_map(|parameter| Some((*parameter, find(path, parameter)?)));
            layers.push(Layer { path: path.to_owned(), kind, tensors: std::iter::once(("weight", index)).chain(others).collect() });
            if layers.len() > 4 * MOST_LAYERS {
                // Another network: none of its layers is this one's classifier.
                return Vec::new();
            }
        }
        layers
    }

    /// Whether what has that name is another network's rather than that at `root`. Where one of several was asked for, what is
    /// below none of them is nobody's, unless it was asked for too.
    fn is_rivals(&self, name: &str, root: &Root, reading: &Reading) -> bool {
        let own = root.wrapper();
        let length = if name.starts_with(own) { own.len() } else { 0 };
        let is_nobodys = reading.root.is_some() && reading.head.is_none() && !self.rivals.is_empty() && !name.starts_with(own);
        is_nobodys || self.rivals.iter().any(|rival| rival.len() > length && name.starts_with(rival.as_str()))
    }

    fn take(&mut self, layer: &Layer, own: &str, network: &mut Network<'a>) {
        for &(parameter, index) in &layer.tensors {
            self.taken[index] = true;
            let tensor = &self.contents.tensors[index];
            match parameter {
                "num_batches_tracked" => {}
                "weight" => drop(network.tensors.insert(format!("{own}.weight"), tensor.squeezed(2))),
                _ => drop(network.tensors.insert(format!("{own}.{parameter}"), tensor.clone())),
            }
        }
    }
}

/// Tells whose classifier of one layer it is.
fn name_dialect(layer: &Layer, network: &mut Network) {
    let Kind::Linear { outputs, .. } = layer.kind else { return };
    let is_named_by_torchvision = matches!(network.dialect, Dialect::Torchvision | Dialect::TorchvisionLegacy);
    if is_named_by_torchvision && layer.path.ends_with("classifier.0") && outputs == CHEXNET_FINDINGS {
        network.dialect = Dialect::Chexnet;
    }
    if network.dialect == Dialect::Torchvision && layer.path.ends_with("class_layers.out") {
        network.dialect = Dialect::Monai;
    }
}

/// The first part of a layer's name that is not the network's own.
fn head_name(layer: &Layer, root: &Root) -> String {
    let (wrapper, rest) = match layer.path.strip_prefix(root.wrapper()) {
        Some(rest) => (root.wrapper(), rest),
        None => ("", layer.path.as_str()),
    };
    format!("{wrapper}{}", rest.split('.').next().unwrap_or(rest))
}

/// The layers that begin at the features, each the first of a head, with the head's name. Where a head was asked for, those of it.
fn heads<'l>(layers: &'l [Layer], root: &Root, begins: impl Fn(&Layer) -> bool, reading: &Reading) -> Result<Vec<(String, &'l Layer)>> {
    let mut heads: Vec<(String, &Layer)> = Vec::new();
    for layer in layers.iter().filter(|layer| begins(layer)) {
        let name = match &reading.head {
            Some(wanted) => {
                let wanted = wanted.trim_end_matches('.');
                let full = format!("{}{wanted}", root.wrapper());
                let of = |head: &str| layer.path == head || layer.path.strip_prefix(head).is_some_and(|rest| rest.starts_with('.'));
                match [wanted, full.as_str()].into_iter().find(|head| of(head)) {
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
    match (&reading.head, heads.as_slice()) {
        (Some(wanted), []) => {
            let there = layers.iter().filter(|layer| begins(layer)).map(shown);
            let there = some_of(there);
            let found = if there.is_empty() { "none at all".to_owned() } else { there };
            Err(Error::checkpoint(format!("`head` {wanted}: expected a layer of that name that reads the features, found {found}")))
        }
        _ => Ok(heads),
    }
}

/// The head that is meant: the only one, else the one that shares most of its path with the network. Errors where several do.
fn chosen<'h, 'l>(heads: &'h [(String, &'l Layer)], root: &Root) -> Result<&'h (String, &'l Layer)> {
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

/// That several layers read the features, one of which `first` is called.
fn several(layers: &[&Layer], first: &str) -> Error {
    let has_norm = layers.iter().any(|layer| matches!(layer.kind, Kind::Norm { .. }));
    let or = if has_norm { "; say all layers of one in order with `head_layers`, as in `head_layers` batchnorm,linear" } else { "" };
    Error::checkpoint(format!(
        "expected one classifier, found {} layers that read the features: {}; take one with `head`, as `head` {first}{or}; features \
         alone (`features_only`) need none",
        layers.len(),
        some_of(layers.iter().map(|layer| shown(layer)))
    ))
}

/// All of `layers` from `first` on, each reading what the one before it makes; `None` where that is no row of layers. Which are norms
/// the steps tell that were said, and the order among norms and among others the file's, or names where it has none.
fn linked(first: &Layer, mut layers: Vec<Layer>, is_sorted: bool, said: Option<&[HeadStep]>) -> Option<Vec<Layer>> {
    if is_sorted {
        layers.sort_by_cached_key(|layer| layer.path.split('.').map(natural).collect::<Vec<_>>());
    }
    if let Some(row) = said.and_then(|steps| arranged(first.kind.inputs(), layers.clone(), steps)) {
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
/// no order of its own. Where the layers were said, it is known which are norms.
fn are_ordered(chain: &[Layer], are_said: bool) -> Result<()> {
    let widths: Vec<usize> =
        chain.iter().take(1).map(|layer| layer.kind.inputs()).chain(chain.iter().map(|layer| layer.kind.outputs())).collect();
    for (second, after) in chain.iter().enumerate() {
        for (first, before) in chain[..second].iter().enumerate() {
            // What begins and ends with a width, twice in a row, may be exchanged.
            let has = |places: &[usize], width: &usize| places.contains(width);
            let turns = widths[first + 1..=second].iter();
            let may_be_exchanged = turns.clone().any(|width| has(&widths[..=first], width) && has(&widths[second + 1..], width));
            if !may_be_exchanged || are_numbered(&before.path, &after.path) || are_said && before.is_linear() != after.is_linear() {
                continue;
            }
            let remedy = if before.is_linear() == after.is_linear() {
                "save it with torch.save, which keeps the model's order, or number their names"
            } else {
                "say all layers of its classifier in order, as in `head_layers` linear,batchnorm,relu,linear"
            };
            return Err(Error::checkpoint(format!(
                "does not tell the order of {} and {}, which fit in either: a file of safetensors has no order, and their names have no \
                 numbers to tell it; {remedy}",
                shown(before),
                shown(after)
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

/// Errors where modules do more than nothing: there is no classifier that they could be of.
fn nothing_else(modules: &[&Module]) -> Result<()> {
    let other = modules.iter().find(|module| !step(module).is_ok_and(|step| step == HeadStep::Nothing));
    other.map_or(Ok(()), |module| {
        Err(Error::checkpoint(format!(
            "module {}: expected a classifier that reads the means of the features, or nothing behind them, found {}: such networks are not \
             run; features alone (`features_only`) need nothing of it",
            path(&module.scope, module.shown()),
            class(module)
        )))
    })
}

/// Whether the layers are a head of fastai's: its `create_body` takes a DenseNet's features alone, without the ReLU behind them, and its
/// head is beside them and reads maxima and means.
fn is_fastais(root: &Root, chain: &[Layer], features: usize) -> bool {
    let Some(around) = root.prefix.strip_suffix("0.0.") else { return false };
    let is_beside = |layer: &Layer| layer.path.strip_prefix(around).is_some_and(|rest| rest.starts_with("1."));
    chain.iter().all(is_beside) && chain.first().is_some_and(|layer| layer.kind.inputs() != features)
}

/// Whether `path` is that of `holder`, or of what is in it.
pub(super) fn is_below(path: &str, holder: &str) -> bool {
    path == holder || holder.is_empty() || path.strip_prefix(holder).is_some_and(|rest| rest.starts_with('.'))
}

/// The steps with the layers of the chain in their places. Errors where they are not those, or make no classifier.
fn joined(steps: &[HeadStep], chain: &[Layer], features: usize, epsilon: f32, network: &mut Network) -> Result<Vec<HeadLayer>> {
    let wrong = |expected: &str, found: String| Err(Error::checkpoint(format!("head: expected {expected}, found {found} (`head_layers`)")));
    let told: Vec<HeadStep> = steps.iter().copied().filter(|step| step.has_tensors()).collect();
    let found: Vec<HeadStep> = chain.iter().map(|layer| layer.kind.step()).collect();
    let is_linear = |step: &HeadStep| *step == HeadStep::Linear;
    if !told.iter().map(is_linear).eq(found.iter().map(is_linear)) {
        let words = |steps: &[HeadStep]| steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let there = some_of(chain.iter().map(shown));
        return wrong(&format!("layers with tensors as the file has them, {}: {there}", words(&found)), words(&told));
    }
    let is_pooled_twice = chain.first().is_some_and(|layer| layer.kind.inputs() != features);
    let mut layers = Vec::new();
    let mut with_tensors = chain.iter();
    for step in steps {
        if network.activation.is_some() && *step != HeadStep::Nothing {
            return wrong("softmax or sigmoid at the end alone", step.to_string());
        }
        match step {
            HeadStep::Pool(pool) if layers.is_empty() && is_pooled_twice => layers.push(*pool),
            HeadStep::Pool(_) => return wrong("a pool of maxima and means before a layer of twice the features", step.to_string()),
            HeadStep::Activation(_) if with_tensors.len() == 0 => {
                return wrong("nothing but softmax or sigmoid behind the last linear layer", step.to_string());
            }
            HeadStep::Activation(activation) => layers.push(*activation),
            HeadStep::Ends(_) if with_tensors.len() > 0 && step.between().is_some() => layers.extend(step.between()),
            HeadStep::Ends(activation) => network.activation = Some(*activation),
            HeadStep::Nothing => {}
            HeadStep::Linear | HeadStep::BatchNorm { .. } => match (with_tensors.next().map(|layer| layer.kind), step) {
                (Some(Kind::Linear { outputs, .. }), _) => layers.push(HeadLayer::Linear { features: outputs }),
                (Some(Kind::Norm { .. }), HeadStep::BatchNorm { epsilon: Some(epsilon) }) => {
                    layers.push(HeadLayer::BatchNorm { epsilon: *epsilon });
                }
                (Some(Kind::Norm { .. }), _) => layers.push(HeadLayer::BatchNorm { epsilon }),
                (None, _) => {}
            },
        }
    }
    if is_pooled_twice && !matches!(layers.first(), Some(HeadLayer::MaxMeanPool | HeadLayer::MeanMaxPool)) {
        return wrong("maxmeanpool (fastai's) or meanmaxpool (timm's) first: the head reads twice the features", "another layer".into());
    }
    Ok(layers)
}

/// That the file does not tell what is between the layers of its classifier.
fn untold(chain: &[Layer], features: usize) -> Error {
    let pool = if chain.first().is_some_and(|layer| layer.kind.inputs() != features) { "maxmeanpool," } else { "" };
    let mut words = String::new();
    for (index, layer) in chain.iter().enumerate() {
        words += &layer.kind.step().to_string();
        let next = chain.get(index + 1).map(|layer| layer.kind);
        match (layer.kind, next) {
            (_, None) => {}
            (Kind::Linear { .. }, Some(Kind::Linear { .. })) => words += ",relu,dropout,",
            _ => words += ",",
        }
    }
    let there = some_of(chain.iter().map(shown));
    if let [only] = chain {
        return Error::checkpoint(format!(
            "its classifier ({}) reads twice the {features} features: maxima and means together, in an order that a state dict does not \
             tell. Say it: `head_layers` maxmeanpool,linear as fastai has them, meanmaxpool,linear as timm's catavgmax",
            shown(only)
        ));
    }
    Error::checkpoint(format!(
        "its classifier has {} layers ({there}), and a state dict does not tell what is between them. Say all of them in order, as in \
         `head_layers` {pool}{words} where it is that; features alone (`features_only`) need none",
        chain.len()
    ))
}

fn shown(layer: &Layer) -> String {
    match layer.kind {
        Kind::Linear { inputs, outputs } => format!("{} [{outputs}, {inputs}]", layer.path),
        Kind::Norm { channels } => format!("{} [{channels}]", layer.path),
    }
}

/// The part that all paths begin with, without the last part of each.
fn common_path(paths: &[&str]) -> String {
    let holders: Vec<Vec<&str>> =
        paths.iter().map(|path| path.rsplit_once('.').map_or(Vec::new(), |(holder, _)| holder.split('.').collect())).collect();
    let Some(first) = holders.first() else { return String::new() };
    let shared = (0..first.len()).take_while(|&at| holders.iter().all(|holder| holder.get(at) == first.get(at))).count();
    first[..shared].join(".")
}

/// `fc10` as `("fc", 10)`: numbers in their order.
fn natural(part: &str) -> (String, usize) {
    let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
    (letters.to_owned(), part[letters.len()..].parse().unwrap_or(0))
}

fn class(module: &Module) -> &str {
    module.class.rsplit('.').next().unwrap_or(&module.class)
}

fn has_tensors(module: &Module) -> bool {
    matches!(class(module), "Linear" | "BatchNorm1d" | "BatchNorm2d" | "Conv2d")
}

/// What a module of a classifier does. Errors where that is not run.
fn step(module: &Module) -> Result<HeadStep> {
    let is_pytorchs = module.class.starts_with("torch.nn.");
    let known = match class(module) {
        "AdaptiveAvgPool2d" | "AlphaDropout" | "FeatureAlphaDropout" => Some(HeadStep::Nothing),
        "AdaptiveConcatPool2d" if module.class.starts_with("fastai.") => Some(HeadStep::Pool(HeadLayer::MaxMeanPool)),
        // What others call so may be something else.
        _ if !is_pytorchs => None,
        "Conv2d" => Some(HeadStep::Linear),
        "LeakyReLU" => module.slope.map(|slope| HeadStep::other(Nonlinearity::LeakyRelu { slope: slope as f32 })),
        "GELU" if module.approximates => Some(HeadStep::other(Nonlinearity::GeluTanh)),
        other => other.parse().ok(),
    };
    known.ok_or_else(|| {
        Error::checkpoint(format!(
            "module {}: expected a linear layer, a batch norm, a dropout, a softmax or one of PyTorch's ReLU, LeakyReLU, SiLU, GELU, Tanh and \
             Sigmoid in a classifier, found {}: such networks are not run",
            path(&module.scope, module.shown()),
            class(module)
        ))
    })
}
