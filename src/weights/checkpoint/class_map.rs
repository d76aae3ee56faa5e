//! Class activation maps: where in a picture each class was seen.

use super::Checkpoint;
use crate::error::{Error, Result};
use crate::graph::{Conv, Graph, Op};
use crate::shape::Window;
use crate::weights::{Tensor, Weights};

/// The layer that makes the maps.
const LAYER: &str = "class_map";

impl Checkpoint {
    /// The network for pictures of `height` x `width` pixels with a second output: for each class a map `[H', W']` of the
    /// evidence for it in every place, and the weights of that network.
    ///
    /// The map of class c is `sum_k classifier.weight[c, k] * x_k`, where x is what the global pool takes the mean of: the
    /// last norm after its ReLU, or without one where the model has none ([`Config::final_relu`](crate::Config)). The mean
    /// of the map and `classifier.bias[c]` make the class's logit. It is computed as one more 1x1 convolution, `class_map`,
    /// beside the logits, whose bits stay the same; a larger picture has a finer map.
    ///
    /// B. Zhou et al.: *Learning Deep Features for Discriminative Localization*, CVPR 2016.
    ///
    /// ```
    /// use densenet_wgpu::verify::Reference;
    /// use densenet_wgpu::models;
    ///
    /// # fn main() -> densenet_wgpu::Result<()> {
    /// let model = models::bundled("digits").expect("it is bundled")?;
    /// let (graph, weights) = model.with_class_maps(64, 64)?;
    /// let picture = vec![0.5; graph.input_shape().elements()];
    /// let outputs = Reference::new(graph, weights)?.run_all(&picture, 64, 64)?;
    /// let (logits, maps) = (&outputs[0], &outputs[1]); // [10] and [10, H', W']
    /// let map = &maps[..maps.len() / 10]; // of class 0
    /// let mean = map.iter().sum::<f32>() / map.len() as f32;
    /// let bias = model.weights.tensor("classifier.bias")?.data[0];
    /// assert!((mean + bias - logits[0]).abs() < 1e-4);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Errors where the picture is too small for the network, and where the model has no classifier,
    /// or one of several layers.
    pub fn with_class_maps(&self, height: usize, width: usize) -> Result<(Graph, Weights)> {
        let Some(classes) = self.config.num_classes else {
            let found = format!("{}, which ends in features", self.name);
            return Err(Error::Input { expected: "a model with a classifier, whose weights make class maps".into(), found });
        };
        if !self.config.head.is_empty() {
            let expected = "a model whose classifier is one linear layer: its weights alone make class maps".into();
            return Err(Error::Input { expected, found: format!("{}, {}", self.name, self.config) });
        }
        let mut graph = self.graph(height, width)?;
        let logits = graph.output();
        let pool = graph.nodes().iter().find(|node| node.op == Op::GlobalAvgPool);
        let features =
            pool.map(|pool| pool.inputs[0]).ok_or_else(|| Error::NoSuchLayer { name: "global_pool".into(), suggestion: None })?;
        let maps = graph.conv(LAYER, features, Conv::new(classes, Window::square(1, 1, 0)))?;
        graph.set_outputs(&[logits, maps])?;

        let Tensor { shape, data } = self.weights.tensor("classifier.weight")?;
        let tensor = Tensor { shape: [shape.as_slice(), &[1, 1]].concat(), data: data.clone() };
        let mut weights = self.weights.clone();
        weights.insert(format!("{LAYER}.weight"), tensor);
        Ok((graph, weights))
    }
}
