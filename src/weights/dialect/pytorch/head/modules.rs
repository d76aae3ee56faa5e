//! What modules say of a classifier's layers, those without tensors too.

use super::layer::Layer;
use crate::error::{Error, Result};
use crate::head::HeadLayer;
use crate::nonlinearity::Nonlinearity;
use crate::weights::container::Module;
use crate::weights::dialect::pytorch::root::Root;
use crate::weights::dialect::pytorch::search::Search;
use crate::weights::dialect::{Network, path};
use crate::weights::read_options::HeadStep;

/// What runs what it holds one after the other.
const SEQUENTIAL: &str = "torch.nn.modules.container.Sequential";

impl<'c> Search<'c, '_> {
    /// What the modules of a classifier say of the layers between those with tensors.
    pub(super) fn steps_in_modules(&mut self, root: &Root, chain: &[Layer], network: &mut Network) -> Result<Option<Vec<HeadStep>>> {
        let names: Vec<&str> = chain.iter().map(|layer| layer.path.as_str()).collect();
        let common = path::common(&names);
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
                network.interpreted.extend(modules.iter().map(|(_, module)| module.path.clone()));
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
    /// decide whether a ReLU comes before that pool. Errors where something else does.
    pub(super) fn modules_behind(&self, root: &Root, network: &mut Network) -> Result<Option<Vec<&'c Module>>> {
        let modules: Vec<&'c Module> = self.contents.modules.iter().filter(|module| *module.scope == *root.scope).collect();
        let Some(norm) = modules.iter().position(|module| self.is_last_norm(root, module)) else { return Ok(None) };
        let is_sequential = |module: &Module| module.class == SEQUENTIAL;
        let is_around = |module: &Module| path::is_below(&modules[norm].path, &module.path) && module.path != modules[norm].path;
        if !modules.iter().filter(|module| is_around(module)).all(|module| is_sequential(module)) {
            return Ok(None);
        }
        let mut row: Vec<&'c Module> = Vec::new();
        for module in modules[norm + 1..].iter().copied().filter(|module| !is_sequential(module)) {
            if row.last().is_none_or(|last| !path::is_below(&module.path, &last.path)) {
                row.push(module);
            }
        }
        if row.is_empty() {
            return Ok(None);
        }
        network.interpreted.extend(row.iter().map(|module| module.path.clone()));
        let is_pool = |module: &&Module| ["AdaptiveAvgPool2d", "AdaptiveConcatPool2d"].contains(&module.class_name());
        let does_nothing = |module: &Module| step(module).is_ok_and(|step| step == HeadStep::Nothing) && module.class_name() != "Flatten";
        let pool = row.iter().position(is_pool);
        let before = &row[..pool.unwrap_or(row.len())];
        let other = before.iter().find(|module| module.class_name() != "ReLU" && !does_nothing(module));
        if let Some(other) = other {
            return Err(Error::checkpoint(format!(
                "module {}: expected a ReLU or none behind the features and then a global average pool, found {}: if that \
                 computes the mean of each feature, specify all layers behind it (`head_layers`)",
                path::join(&other.scope, other.shown()),
                other.class_name()
            )));
        }
        network.final_relu = Some(before.iter().any(|module| module.class_name() == "ReLU"));
        Ok(Some(row.split_off(before.len())))
    }

    /// Whether the module at that place and all in it that hold others run what they hold one after the other.
    fn are_sequential(&self, scope: &str, holder: &str) -> bool {
        let mut holders =
            self.contents.modules.iter().filter(|m| *m.scope == *scope && !m.is_leaf && path::is_below(&m.path, holder)).peekable();
        holders.peek().is_some() && holders.all(|module| module.class == SEQUENTIAL)
    }
}

/// Errors where modules do more than nothing: there is no classifier that they could be of.
pub(super) fn check_idle(modules: &[&Module]) -> Result<()> {
    let other = modules.iter().find(|module| !step(module).is_ok_and(|step| step == HeadStep::Nothing));
    other.map_or(Ok(()), |module| {
        Err(Error::checkpoint(format!(
            "module {}: expected a classifier that reads the means of the features, or nothing behind them, found {}: such networks are not \
             run; features alone (`features_only`) need nothing of it",
            path::join(&module.scope, module.shown()),
            module.class_name()
        )))
    })
}

fn has_tensors(module: &Module) -> bool {
    matches!(module.class_name(), "Linear" | "BatchNorm1d" | "BatchNorm2d" | "Conv2d")
}

/// What a module of a classifier does. Errors where that is not run.
fn step(module: &Module) -> Result<HeadStep> {
    let is_pytorchs = module.class.starts_with("torch.nn.");
    let known = match module.class_name() {
        "AdaptiveAvgPool2d" | "AlphaDropout" | "FeatureAlphaDropout" => Some(HeadStep::Nothing),
        "AdaptiveConcatPool2d" if module.class.starts_with("fastai.") => Some(HeadStep::Pool(HeadLayer::MaxMeanPool)),
        // Other libraries' classes of these names may do something else.
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
            path::join(&module.scope, module.shown()),
            module.class_name()
        ))
    })
}

/// What the modules do, where those with tensors are the layers of the chain. Errors where one is not run.
pub(super) fn steps_of_chain(modules: &[&Module], chain: &[Layer]) -> Result<Option<Vec<HeadStep>>> {
    let with_tensors = modules.iter().filter(|module| has_tensors(module)).map(|module| module.path.as_str());
    let is_chain = with_tensors.eq(chain.iter().map(|layer| layer.path.as_str()));
    let steps = modules.iter().map(|module| step(module)).collect::<Result<Vec<_>>>()?;
    Ok(is_chain.then_some(steps))
}
