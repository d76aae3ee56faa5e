//! The layers with tensors beside a network, of which its classifier is made.

use std::collections::HashMap;

use crate::weights::container::Stored;
use crate::weights::dialect::pytorch::root::Root;
use crate::weights::dialect::pytorch::search::Search;
use crate::weights::dialect::{Network, training};
use crate::weights::read_options::{HeadStep, ReadOptions};

/// Most layers of a classifier.
pub(super) const MOST_LAYERS: usize = 32;

/// A batch norm without a stated epsilon.
pub(super) const NORM: HeadStep = HeadStep::BatchNorm { epsilon: None };

/// A layer with tensors that is beside the network.
#[derive(Clone)]
pub(super) struct Layer {
    /// Its name.
    pub(super) path: String,
    pub(super) kind: Kind,
    /// Its tensors, by what they are and where in the file.
    tensors: Vec<(&'static str, usize)>,
}

impl Layer {
    pub(super) fn is_linear(&self) -> bool {
        matches!(self.kind, Kind::Linear { .. })
    }

    /// Whether it is the head of that name, or in it.
    pub(super) fn is_in(&self, head: &str) -> bool {
        self.path == head || self.path.strip_prefix(head).is_some_and(|rest| rest.starts_with('.'))
    }

    /// Its name and shape, for messages.
    pub(super) fn shown(&self) -> String {
        match self.kind {
            Kind::Linear { inputs, outputs } => format!("{} [{outputs}, {inputs}]", self.path),
            Kind::Norm { channels } => format!("{} [{channels}]", self.path),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Linear { inputs: usize, outputs: usize },
    Norm { channels: usize },
}

impl Kind {
    pub(super) fn inputs(self) -> usize {
        match self {
            Self::Linear { inputs, .. } => inputs,
            Self::Norm { channels } => channels,
        }
    }

    pub(super) fn outputs(self) -> usize {
        match self {
            Self::Linear { outputs, .. } => outputs,
            Self::Norm { channels } => channels,
        }
    }

    pub(super) fn step(self) -> HeadStep {
        match self {
            Self::Linear { .. } => HeadStep::Linear,
            Self::Norm { .. } => NORM,
        }
    }
}

impl<'a> Search<'_, 'a> {
    /// The linear layers and batch norms of features beside the network, in the file's order.
    pub(super) fn layers(&self, root: &Root, options: &ReadOptions) -> Vec<Layer> {
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
            let is_other = self.taken[index] || !own(tensor) || inside(tensor) || self.is_rivals(&tensor.name, root, options);
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
    /// below none of them belongs to no network, unless it was asked for too.
    fn is_rivals(&self, name: &str, root: &Root, options: &ReadOptions) -> bool {
        let own = root.wrapper();
        let length = if name.starts_with(own) { own.len() } else { 0 };
        let is_of_none = options.root.is_some() && options.head.is_none() && !self.rivals.is_empty() && !name.starts_with(own);
        is_of_none || self.rivals.iter().any(|rival| rival.len() > length && name.starts_with(rival.as_str()))
    }

    /// Takes the tensors of a layer, which is called `own` here.
    pub(super) fn take(&mut self, layer: &Layer, own: &str, network: &mut Network<'a>) {
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
