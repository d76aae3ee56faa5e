//! The classes of a model that are evaluated.

use std::collections::HashMap;

use crate::activation::Activation;
use crate::error::Result;
use crate::labels::Postprocessing;

/// The classes of a model that are evaluated: all that were trained. Those that share a name, as the two cranes of many lists of ImageNet's
/// classes, have their numbers behind it.
///
/// ```
/// use densenet_wgpu::evaluate::Outputs;
/// use densenet_wgpu::labels::Postprocessing;
/// use densenet_wgpu::preprocessing::Activation;
///
/// let labels = vec![String::new(), "Effusion".into()]; // the first output was not trained
/// let outputs = Outputs::of(&Postprocessing::new(Activation::Sigmoid).with_labels(labels), 2)?;
/// assert_eq!(outputs.labels(), ["Effusion"]);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Outputs {
    /// The model's numbers of the classes.
    pub(super) indices: Vec<usize>,
    pub(super) labels: Vec<String>,
    /// Whether the model names its classes; else labels are numbers.
    pub(super) has_names: bool,
    pub(super) activation: Activation,
}

impl Outputs {
    /// Those of a model with this number of classes. Errors only where [`Postprocessing::top_k`] does.
    pub fn of(postprocessing: &Postprocessing, classes: usize) -> Result<Self> {
        let mut ranked = postprocessing.top_k(&vec![0.0; classes], classes)?;
        ranked.sort_by_key(|class| class.index);
        let has_probabilities = ranked.iter().any(|class| class.probability.is_some());
        let activation = if has_probabilities { postprocessing.activation } else { Activation::None };
        let (indices, labels): (Vec<usize>, Vec<String>) = ranked.into_iter().map(|class| (class.index, class.label)).unzip();
        let labels = told_apart(&indices, &labels);
        Ok(Self { indices, labels, has_names: postprocessing.labels.is_some(), activation })
    }

    /// The names of the classes.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Whether there is one class alone.
    pub(super) fn is_single(&self) -> bool {
        self.indices.len() == 1
    }
}

/// The labels, with its number behind each that is not the only one of its name.
fn told_apart(indices: &[usize], labels: &[String]) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    labels.iter().for_each(|label| *counts.entry(label).or_default() += 1);
    let told_apart =
        |(index, label): (&usize, &String)| if counts[label.as_str()] > 1 { format!("{label} ({index})") } else { label.clone() };
    indices.iter().zip(labels).map(told_apart).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_one_name_are_told_apart() {
        let labels = ["crane", "tench", "crane"].map(str::to_owned).to_vec();
        let outputs = Outputs::of(&Postprocessing::new(Activation::Softmax).with_labels(labels), 3).unwrap();
        assert_eq!(outputs.labels(), ["crane (0)", "tench", "crane (2)"]);
    }
}
