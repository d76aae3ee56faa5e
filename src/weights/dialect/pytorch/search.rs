//! The tensors of a file, and which of them belong to a network.

use std::collections::BTreeSet;

use super::families::{PARAMETERS, own_layer};
use super::root::Root;
use super::{folded, normalisation};
use crate::error::{Error, Result};
use crate::weights::container::{Contents, Dtype, Module, Stored};
use crate::weights::dialect::{Dialect, Network, path, some_of, training};
use crate::weights::read_options::ReadOptions;

/// The tensors of a file, and which of them belong to a network that was found.
pub(super) struct Search<'c, 'a> {
    pub(super) contents: &'c Contents<'a>,
    pub(super) taken: Vec<bool>,
    /// What stands before the names of other networks in the same dictionary.
    pub(super) rivals: Vec<String>,
}

impl<'c, 'a> Search<'c, 'a> {
    /// A search in which no tensor belongs to a network yet.
    pub(super) fn new(contents: &'c Contents<'a>) -> Self {
        Self { contents, taken: vec![false; contents.tensors.len()], rivals: Vec::new() }
    }

    /// The network at `root`, without its classifier. Errors where two tensors are the same one of a DenseNet's.
    pub(super) fn network(&mut self, root: &Root) -> Result<Network<'a>> {
        let family = root.family();
        let mut network = Network::new(family.layers[0].2, path::join(&root.scope, root.wrapper()));
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
        let own = module.path.strip_prefix(&root.prefix).and_then(|name| own_layer(root.family(), name));
        own.is_some_and(|(own, _)| own == "norm5")
    }

    /// Sorts the tensors that belong to no network: those that may not be ignored are left over, those that training alone reads are
    /// passed over, with a note unless every trainer writes them. Where a place, a head or the features alone were asked for, those
    /// beside the network are passed over too.
    pub(super) fn rest(&self, root: &Root, network: &mut Network<'a>, options: &ReadOptions) {
        let is_ignored = |tensor: &Stored| {
            // A single number beside the network is a statistic, such as the best accuracy.
            let statistic = || tensor.elements() == Some(1) && !training::is_temperature(&tensor.path());
            // Bytes are the state of a random generator: no layer has any.
            let bytes = matches!(tensor.dtype, Dtype::Other { name: "u8", .. }) && tensor.shape.len() == 1;
            let is_beside = *tensor.scope != *root.scope;
            let is_loss = if is_beside { training::is_loss(&tensor.path()) } else { training::is_loss(root.below(tensor)) };
            is_beside && (training::is_sibling(&tensor.scope) || statistic()) || bytes || is_loss
        };
        let tensors = self.contents.tensors.iter().zip(&self.taken);
        let rest: Vec<&Stored> =
            tensors.filter(|(t, taken)| !**taken && !t.is_bookkeeping() && !is_ignored(t)).map(|(tensor, _)| tensor).collect();
        let normalisation = normalisation::find(&rest, network);
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
        let passes_over = options.root.is_some() || options.head.is_some() || options.features_only;
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

    /// The same for a name in its dictionary.
    pub(super) fn names_inside<'r>(&self, root: &'r Root) -> impl Fn(&str) -> bool + use<'r> {
        fn letters(name: &str) -> &str {
            name.split('.').next().unwrap_or(name).trim_end_matches(|c: char| c.is_ascii_digit())
        }
        let family = root.family();
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

#[cfg(test)]
mod tests {
    use super::super::fixture::contents;
    use super::super::resolve;
    use super::*;

    /// What is left over of a file with a network in `scope` and one more tensor.
    fn left_over(scope: &str, other: [&str; 2]) -> Vec<String> {
        let network = resolve(&contents(scope, &[other]), &[], &ReadOptions::default()).unwrap();
        network.left_over.iter().chain(&network.beside).map(Stored::path).collect()
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
    fn what_is_beside_the_network_is_passed_over_where_that_is_asked_for() {
        let decoder = [["", "decoder.scale"], ["", "features.denseblock1.denselayer1.gate.scale"]];
        let read = |options: ReadOptions| {
            let file = contents("", &decoder);
            let network = resolve(&file, &[], &options).unwrap();
            let names = |tensors: &[Stored]| tensors.iter().map(|tensor| tensor.name.clone()).collect::<Vec<_>>();
            (names(&network.left_over), names(&network.beside), network.notes.join(""))
        };
        let (inside, beside, notes) = read(ReadOptions::default());
        assert_eq!((inside, beside, notes.as_str()), (vec![decoder[1][1].to_owned()], vec!["decoder.scale".to_owned()], ""));
        for options in [
            ReadOptions::default().with_root("."),
            ReadOptions::default().with_root("features"),
            ReadOptions::default().with_features_only(true),
        ] {
            let (inside, beside, notes) = read(options);
            assert_eq!((inside.len(), beside.len()), (1, 0));
            assert!(notes.contains("decoder.scale") && !notes.contains("gate"), "{notes}");
        }
    }
}
