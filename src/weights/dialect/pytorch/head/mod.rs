//! The classifier of a PyTorch network: the layers with tensors that begin at the features, and what is between them.
//!
//! A state dict has the linear layers, not what comes between two of them. That is stated by a module that lies beside
//! it or is it, by the names of a library that is known, or by the caller; it is never assumed.

mod candidates;
mod chain;
mod fastai;
mod layer;
mod modules;
mod steps;

use super::root::Root;
use super::search::Search;
use crate::error::{Error, Result};
use crate::head::{HeadLayer, PYTORCHS_EPSILON};
use crate::weights::container::{Container, Module};
use crate::weights::dialect::{Dialect, Network, some_of, training};
use crate::weights::read_options::ReadOptions;
use candidates::{chosen, heads, several};
use layer::{Kind, Layer, MOST_LAYERS};

/// Outputs of CheXNet: the findings of ChestX-ray14.
const CHEXNET_FINDINGS: usize = 14;

impl<'a> Search<'_, 'a> {
    /// Adds the classifier to the network at `root`, where there is one: the layers that begin at the last batch norm's channels.
    ///
    /// Errors where there are several and none was chosen, and where nothing states what is between its layers.
    pub(super) fn head(&mut self, root: &Root, network: &mut Network<'a>, options: &ReadOptions) -> Result<()> {
        let behind = match self.modules_behind(root, network) {
            Err(_) if options.head_layers.is_some() => None,
            found => found?,
        };
        let Some(&[features]) = network.tensors.get("features.norm5.weight").map(|norm| norm.shape.as_slice()) else { return Ok(()) };
        let layers = self.layers(root, options);
        let begins = |layer: &Layer| [Some(features), features.checked_mul(2)].contains(&Some(layer.kind.inputs()));
        let heads = heads(&layers, root, begins, options)?;
        let is_sorted = self.contents.container == Container::Safetensors;
        let stated = options.head_layers.as_deref();
        let linked = |first: &Layer, layers: Vec<Layer>| chain::linked(first, layers, is_sorted, stated);
        let chain = match (heads.as_slice(), stated) {
            ([], _) => return behind.map_or(Ok(()), |modules| modules::check_idle(&modules)),
            // Stated layer by layer, they may have any names.
            ([(_, first), _, ..], Some(_)) if options.head.is_none() => linked(first, layers.clone()),
            _ => {
                let (name, first) = chosen(&heads, root)?;
                network.head_name = Some(name.clone());
                let is_own = |layer: &Layer| layer.is_in(name);
                let own: Vec<Layer> = layers.iter().filter(|layer| is_own(layer)).cloned().collect();
                // Those behind it may have names of their own.
                let whole: Vec<Layer> = layers.iter().filter(|layer| is_own(layer) || !begins(layer)).cloned().collect();
                let whole = if options.head.is_none() { linked(first, whole) } else { None };
                let parallel: Vec<&Layer> = own.iter().filter(|layer| begins(layer)).collect();
                match whole.or_else(|| linked(first, own.clone())) {
                    // Heads in a dictionary of modules.
                    None if parallel.len() > 1 => return Err(several(&parallel, &parallel[0].path)),
                    chain => chain,
                }
            }
        };
        if let (Some(layer), None) = (chain.iter().flatten().find(|layer| training::compares_directions(&layer.path)), &options.head) {
            return Err(Error::checkpoint(format!(
                "its classifier ({}) has the name of one that compares directions, as ArcFace and CosFace: it computes cosines, which is not \
                 run. Features alone (`features_only`) need nothing of it; if it is a plain linear layer all the same, `head` {} reads it \
                 as one",
                layer.shown(),
                layer.path
            )));
        }
        let chain = match chain.filter(|chain| chain.len() <= MOST_LAYERS) {
            Some(chain) => chain,
            // What is beside the first layer will be left over, and refused.
            None if options.root.is_none() && options.head.is_none() => {
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
            chain::check_order(&chain, stated.is_some())?;
        }
        network.head_place = chain.first().map(|layer| layer.path.clone());
        match chain.as_slice() {
            [] => Ok(()),
            [Layer { kind: Kind::Linear { inputs, .. }, .. }] if *inputs == features && stated.is_none() && behind.is_none() => {
                self.take(&chain[0], "classifier", network);
                name_dialect(&chain[0], network);
                Ok(())
            }
            [.., Layer { kind: Kind::Linear { .. }, .. }] => self.several_layers(root, &chain, features, network, options, behind),
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
        options: &ReadOptions,
        behind: Option<Vec<&Module>>,
    ) -> Result<()> {
        let is_fastais = fastai::is_head(root, chain, features);
        if is_fastais {
            network.final_relu = network.final_relu.or(Some(false));
        }
        let stated = match (&options.head_layers, behind) {
            (Some(steps), _) => Some(steps.clone()),
            (None, Some(modules)) => modules::steps_of_chain(&modules, chain)?,
            (None, None) => self.steps_in_modules(root, chain, network)?,
        };
        let stated = stated.or_else(|| {
            (is_fastais && fastai::has_its_layers(chain)).then(|| {
                network.notes.push(fastai::NOTE.into());
                fastai::STEPS.to_vec()
            })
        });
        let steps = stated.ok_or_else(|| steps::unstated(chain, features))?;
        let epsilon = self.contents.epsilon.unwrap_or(PYTORCHS_EPSILON);
        let layers = steps::filled(&steps, chain, features, epsilon, network)?;
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
}

/// Sets the dialect that a classifier of one layer has the name of.
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

#[cfg(test)]
mod tests {
    use super::super::fixture::{called, contents};
    use super::super::resolve;
    use super::*;

    #[test]
    fn heads_in_a_dictionary_are_several() {
        let heads = |options: ReadOptions| {
            let mut file = contents("", &[]);
            let head = file.tensors.pop().unwrap();
            for name in ["heads.age.weight", "heads.sex.weight"] {
                file.tensors.push(called(&head, name));
            }
            resolve(&file, &[], &options).map(|network| network.head_place)
        };
        for options in [ReadOptions::default(), ReadOptions::default().with_root(".")] {
            let message = heads(options).unwrap_err().to_string();
            assert!(
                message.contains("found 2 layers that read the features: heads.age") && message.contains("`head` heads.age"),
                "{message}"
            );
        }
        assert_eq!(heads(ReadOptions::default().with_head("heads.sex")).unwrap().as_deref(), Some("heads.sex"));
    }

    #[test]
    fn a_classifier_that_compares_directions_is_no_linear_layer() {
        let read = |options: ReadOptions| {
            let mut file = contents("", &[]);
            file.tensors.last_mut().unwrap().name = "arcface.weight".into();
            resolve(&file, &[], &options).map(|network| network.head_place)
        };
        let message = read(ReadOptions::default()).unwrap_err().to_string();
        assert!(message.contains("(arcface [2, 1])") && message.contains("cosines"), "{message}");
        assert_eq!(read(ReadOptions::default().with_head("arcface")).unwrap().as_deref(), Some("arcface"));
        assert!(read(ReadOptions::default().with_features_only(true)).is_ok());
    }
}
