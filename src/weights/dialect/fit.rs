//! Whether the tensors that were found are exactly those that the architecture needs.

use std::collections::BTreeMap;

use super::path::is_below;
use super::{Network, order, some_of, training};
use crate::arch::Config;
use crate::error::{Error, Result};
use crate::graph::TensorSpec;
use crate::weights::container::{Stored, no_floats};
use crate::weights::read_options::NewChannels;
use crate::weights::{Tensor, Weights};

impl Network<'_> {
    /// Errors where the tensors have more elements than `byte_count` bytes can hold: views of a storage may overlap, and
    /// shapes may be absurd.
    pub(in crate::weights) fn check_size(&self, byte_count: usize) -> Result<()> {
        let elements = self.tensors.values().map(Stored::elements).try_fold(0usize, |sum, n| sum.checked_add(n?));
        if elements.is_some_and(|elements| elements <= byte_count) {
            return Ok(());
        }
        let found = elements.map_or("more than can be counted".into(), |n| n.to_string());
        Err(Error::checkpoint(format!("expected tensors of at most {byte_count} elements in a file of this size, found {found}")))
    }

    /// The tensors that the architecture needs, as 32-bit floats. Errors where they are not exactly those of the network.
    pub(in crate::weights) fn weights(&self, config: &Config) -> Result<Weights> {
        let specs: Vec<TensorSpec> = config.any_graph()?.tensors().collect();
        self.fits(&specs)?;
        let mut weights = Weights::new();
        for spec in specs {
            let data = match self.tensors.get(&spec.name) {
                Some(tensor) => tensor.floats().ok_or_else(|| no_floats(&tensor.path(), tensor.dtype))?,
                // A classifier may have been trained without one.
                None => vec![0.0; spec.shape.iter().product()],
            };
            weights.insert(spec.name, Tensor { shape: spec.shape, data });
        }
        if self.new_channels == NewChannels::First {
            order::reverse(&mut weights, config)?;
        }
        Ok(weights)
    }

    /// Whether a tensor of that name may be missing: the bias of a linear layer, which may have been trained without one.
    fn may_lack(&self, name: &str) -> bool {
        let layer = name.strip_suffix(".bias").filter(|layer| *layer == "classifier" || layer.starts_with("classifier."));
        layer.is_some_and(|layer| self.tensors.get(&format!("{layer}.weight")).is_some_and(|weight| weight.shape.len() == 2))
    }

    /// Errors where tensors are missing, left over or of another shape: the first few of each, and how many there are.
    fn fits(&self, specs: &[TensorSpec]) -> Result<()> {
        let expected: BTreeMap<&str, &[usize]> = specs.iter().map(|spec| (spec.name.as_str(), spec.shape.as_slice())).collect();
        let missing: Vec<&TensorSpec> =
            specs.iter().filter(|spec| !self.tensors.contains_key(&spec.name) && !self.may_lack(&spec.name)).collect();
        let shown = |tensor: &Stored| format!("{} {:?}", tensor.path(), tensor.shape);
        let unexpected = self.tensors.iter().filter(|(name, _)| !expected.contains_key(name.as_str())).map(|(_, tensor)| tensor);
        let left_over: Vec<&Stored> = unexpected.chain(&self.left_over).chain(&self.beside).collect();
        let misshaped = self.tensors.iter().filter_map(|(name, tensor)| {
            let expected = expected.get(name.as_str()).filter(|shape| **shape != tensor.shape)?;
            Some(format!("{} {:?} instead of {expected:?}", tensor.path(), tensor.shape))
        });
        let misshaped: Vec<String> = misshaped.collect();
        let mut complaints = Vec::new();
        if !missing.is_empty() {
            let names = some_of(missing.iter().map(|spec| format!("{} {:?}", spec.name, spec.shape)));
            // A missing tensor has no name in the file.
            let whose = if self.has_torchvisions_names() { "" } else { ", in torchvision's names" };
            complaints.push(format!("{} missing ({names}{whose})", missing.len()));
        }
        if !left_over.is_empty() {
            complaints.push(format!("{} left over ({})", left_over.len(), some_of(left_over.iter().map(|tensor| shown(tensor)))));
        }
        if !misshaped.is_empty() {
            complaints.push(format!("{} of another shape ({})", misshaped.len(), some_of(misshaped.iter().cloned())));
        }
        if complaints.is_empty() {
            return Ok(());
        }
        let found = complaints.join(", ");
        let reason = self.reason(&missing, &left_over, !misshaped.is_empty());
        Err(Error::checkpoint(format!(
            "expected exactly the {} tensors of this {} DenseNet, found {found}; {reason}",
            specs.len(),
            self.dialect
        )))
    }

    /// What the complaints suggest of the network, and the remedy where there is one.
    fn reason(&self, missing: &[&TensorSpec], left_over: &[&Stored], is_misshaped: bool) -> String {
        let statistics = |spec: &&TensorSpec| spec.name.ends_with(".running_mean") || spec.name.ends_with(".running_var");
        let has_statistics = self.tensors.keys().any(|name| name.ends_with(".running_mean"));
        if !missing.is_empty() && missing.iter().all(statistics) && !has_statistics {
            return "it has instance or group norms where batch norms are expected: such networks are not run".into();
        }
        if left_over.iter().any(|tensor| is_parametrized(&tensor.name)) {
            return "it has layers whose weights are computed, by weight_norm or another parametrization. Workaround: take them out in \
                    Python before you save, torch.nn.utils.parametrize.remove_parametrizations(module, 'weight'), or of older modules \
                    torch.nn.utils.remove_weight_norm(module)"
                .into();
        }
        if !missing.is_empty() || is_misshaped {
            return "it was changed, or cut, or is another network".into();
        }
        if let Some(of_head) = self.reason_in_head(left_over) {
            return of_head;
        }
        if left_over.len() == self.beside.len() && !left_over.is_empty() {
            return format!(
                "all of these are beside the DenseNet: `root` {} passes over them, where they do not change what it computes; features \
                 alone (`features_only`) need nothing of them",
                self.root
            );
        }
        "what is left over are layers that no DenseNet has: a network that was added to is not run".into()
    }

    /// Why what is left over behind the features is refused, where its name or place says what it is: it changes what comes out.
    fn reason_in_head(&self, left_over: &[&Stored]) -> Option<String> {
        let number = |is: fn(&str) -> bool| left_over.iter().find(|tensor| tensor.shape.len() <= 1 && is(&tensor.path()));
        if let Some(power) = number(training::is_power) {
            return Some(format!(
                "{} is the power of a generalised mean (GeM), which pools the features in place of their mean: such networks are not run",
                power.path()
            ));
        }
        if let Some(temperature) = number(training::is_temperature) {
            return Some(format!(
                "{} is a temperature, by which logits are divided: that is not run. Workaround: divide the last layer's weight and \
                 bias by it in Python, delete it and save the model again. Where training alone reads it, `root` {} passes over it",
                temperature.path(),
                if self.root.is_empty() { "." } else { &self.root }
            ));
        }
        let head = self.head_name.as_deref()?;
        let inside: Vec<&&Stored> = left_over.iter().filter(|tensor| is_below(&tensor.name, head)).collect();
        (inside.len() == left_over.len()).then(|| {
            format!(
                "what is left over is in the classifier ({head}), which does more than its linear layers: such a classifier is not run; \
                 features alone (`features_only`) need nothing of it"
            )
        })
    }

    /// The thresholds among the file's tensors; NaN stands for an output that was not trained.
    pub(in crate::weights) fn thresholds(&self) -> Result<Option<Vec<Option<f32>>>> {
        let Some(tensor) = &self.thresholds else { return Ok(None) };
        let classes = self.tensors.get("classifier.weight").map(|classifier| classifier.shape[0]);
        if tensor.elements() != classes || tensor.shape.len() > 2 {
            let expected = format!("{} thresholds", classes.unwrap_or(0));
            return Err(Error::Tensor { file: None, tensor: tensor.path(), expected, found: format!("{:?}", tensor.shape) });
        }
        let values = tensor.floats().unwrap_or_default();
        Ok(Some(values.into_iter().map(|value| Some(value).filter(|value| !value.is_nan())).collect()))
    }
}

/// Whether a tensor of that name is a part from which PyTorch computes a layer's weight.
fn is_parametrized(name: &str) -> bool {
    name.contains(".parametrizations.") || name.ends_with(".weight_g") || name.ends_with(".weight_v")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::dialect::Dialect;

    #[test]
    fn computed_weights_are_said_to_be_taken_out() {
        for name in ["classifier.parametrizations.weight.original0", "head.last_layer.weight_g", "features.conv0.weight_v"] {
            let mut network = Network::new(Dialect::Torchvision, String::new());
            network.left_over.push(Stored::computed(name, vec![1], [0.0]).unwrap());
            let message = network.fits(&[]).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains("remove_parametrizations"), "{message}");
        }
        assert!(!is_parametrized("classifier.weight") && !is_parametrized("my_weight_g.weight"));
    }
}
