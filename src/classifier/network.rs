//! The network of a classifier, and the meaning of its outputs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::class_maps::ClassMaps;
use super::options::ClassifierOptions;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::weights::{Checkpoint, Weights};

/// The layer whose output is the features: the mean of each channel after the last batch norm and its ReLU.
pub const FEATURES: &str = "global_pool";

/// A network with some of these outputs: logits, features and class maps.
#[derive(Debug)]
pub(super) struct Network {
    graph: Graph,
    /// Whether the first output is the logits.
    is_classified: bool,
    features: Option<usize>,
    class_maps: Option<usize>,
    /// For each input size so far, height and width of the maps.
    map_sizes: Mutex<HashMap<[usize; 2], [usize; 2]>>,
}

/// The outputs for one picture.
pub(super) struct Answer {
    pub(super) logits: Option<Vec<f32>>,
    pub(super) features: Option<Vec<f32>>,
    pub(super) class_maps: Option<ClassMaps>,
}

impl Network {
    /// The network of `model` for this input size, with the requested outputs, and its weights. Errors if the size is too small, or if
    /// requested class maps are not available.
    pub(super) fn new(model: &mut Checkpoint, [height, width]: [usize; 2], options: &ClassifierOptions) -> Result<(Self, Weights)> {
        if options.class_maps && options.images_per_picture() > 1 {
            let found = if options.ten_crops { "ten crops of each picture" } else { "each picture and its mirror image" };
            return Err(Error::Options { expected: "class maps of one image".into(), found: found.into() });
        }
        let (mut graph, weights) = if options.class_maps {
            model.with_class_maps(height, width)?
        } else {
            (model.graph(height, width)?, std::mem::take(&mut model.weights))
        };
        let is_classified = model.config.num_classes.is_some();
        let class_maps = options.class_maps.then_some(1);
        let mut outputs = graph.outputs().to_vec();
        let features = match (is_classified, options.features) {
            // A network without a classifier ends in features.
            (false, _) => Some(0),
            (true, false) => None,
            (true, true) => {
                outputs.push(graph.find(FEATURES)?);
                graph.set_outputs(&outputs)?;
                Some(outputs.len() - 1)
            }
        };
        Ok((Self { graph, is_classified, features, class_maps, map_sizes: Mutex::default() }, weights))
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The answers for `pictures` pictures of this size, with the same number of images each, from the outputs `[images, …]`.
    pub(super) fn answers(&self, outputs: &[Vec<f32>], pictures: usize, size: [usize; 2]) -> Result<Vec<Answer>> {
        let map_size = self.class_maps.map(|output| self.map_size(output, size)).transpose()?;
        let answer = |picture: usize| {
            let part = |output: usize| {
                let values = &outputs[output];
                values[values.len() / pictures * picture..][..values.len() / pictures].to_vec()
            };
            Answer {
                logits: self.is_classified.then(|| part(0)),
                features: self.features.map(part),
                class_maps: self.class_maps.zip(map_size).map(|(at, [height, width])| ClassMaps { height, width, values: part(at) }),
            }
        };
        Ok((0..pictures).map(answer).collect())
    }

    /// Height and width of the maps for this input size.
    fn map_size(&self, output: usize, [height, width]: [usize; 2]) -> Result<[usize; 2]> {
        let mut sizes = self.map_sizes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&size) = sizes.get(&[height, width]) {
            return Ok(size);
        }
        let graph = self.graph.resized(height, width)?;
        let shape = graph.shape(graph.outputs()[output]);
        sizes.insert([height, width], [shape.height, shape.width]);
        Ok([shape.height, shape.width])
    }
}
