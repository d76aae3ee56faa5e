//! Named tensors.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::graph::{Graph, Op, TensorSpec};

/// An array of 32-bit floats.
///
/// ```
/// use densenet_wgpu::checkpoint::Tensor;
///
/// let identity = Tensor { shape: vec![2, 2], data: vec![1.0, 0.0, 0.0, 1.0] };
/// assert_eq!(identity.data.len(), identity.shape.iter().product::<usize>());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Its dimensions, the slowest first.
    pub shape: Vec<usize>,
    /// Its elements in row-major order: as many as the product of `shape`.
    pub data: Vec<f32>,
}

/// Tensors by name, as a checkpoint holds them.
///
/// ```
/// use densenet_wgpu::checkpoint::{Tensor, Weights};
/// use densenet_wgpu::network::Shape;
/// use densenet_wgpu::Graph;
///
/// let mut graph = Graph::new(Shape::new(2, 1, 1));
/// graph.linear("classifier", graph.input(), 3)?;
/// let mut weights = Weights::new();
/// weights.insert("classifier.weight", Tensor { shape: vec![3, 2], data: vec![0.5; 6] });
/// let error = weights.check(&graph).unwrap_err().to_string();
/// assert_eq!(error, "checkpoint tensor classifier.bias: expected a tensor of shape [3], found none");
/// weights.insert("classifier.bias", Tensor { shape: vec![3], data: vec![0.0; 3] });
/// weights.check(&graph)?;
/// assert_eq!((weights.len(), weights.parameters()), (2, 9));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights {
    tensors: BTreeMap<String, Tensor>,
}

impl Weights {
    /// No tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tensor; returns the one that had the name before.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor) -> Option<Tensor> {
        self.tensors.insert(name.into(), tensor)
    }

    /// Takes a tensor out.
    pub fn remove(&mut self, name: &str) -> Option<Tensor> {
        self.tensors.remove(name)
    }

    /// The tensor of that name. Errors where there is none.
    pub fn tensor(&self, name: &str) -> Result<&Tensor> {
        self.tensors.get(name).ok_or_else(|| tensor_error(name, "a tensor of that name", "none"))
    }

    /// All tensors, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// Trainable parameters: the elements of all tensors but batch norm's running statistics.
    pub fn parameters(&self) -> usize {
        let trainable = |name: &str| !name.ends_with(".running_mean") && !name.ends_with(".running_var");
        self.iter().filter(|(name, _)| trainable(name)).map(|(_, tensor)| tensor.data.len()).sum()
    }

    /// Whether these are exactly the tensors that `graph` needs.
    ///
    /// Errors name the first tensor that is missing, left over, mis-shaped or not finite, or a variance that
    /// batch norm cannot divide by.
    pub fn check(&self, graph: &Graph) -> Result<()> {
        let specs: BTreeMap<String, TensorSpec> = graph.tensors().map(|spec| (spec.name.clone(), spec)).collect();
        let missing: Vec<TensorSpec> = graph.tensors().filter(|spec| !self.tensors.contains_key(&spec.name)).collect();
        let unexpected: Vec<&str> = self.iter().map(|(name, _)| name).filter(|name| !specs.contains_key(*name)).collect();
        if let Some(first) = missing.first() {
            let mut found = format!("none{}", more(missing.len() - 1, "missing"));
            if let Some(stranger) = unexpected.first() {
                found += &format!("; {} unexpected, the first of them {stranger}", unexpected.len());
            }
            return Err(tensor_error(&first.name, &format!("a tensor of shape {:?}", first.shape), found));
        }
        if let Some(first) = unexpected.first() {
            let found = format!("a tensor of shape {:?}{}", self.tensor(first)?.shape, more(unexpected.len() - 1, "unexpected"));
            return Err(tensor_error(first, "no tensor of that name in this architecture", found));
        }
        for node in graph.nodes() {
            for spec in node.tensors() {
                let tensor = self.tensor(&spec.name)?;
                tensor.check(&spec)?;
                if let Op::BatchNorm { epsilon } = node.op
                    && spec.name.ends_with(".running_var")
                {
                    tensor.check_variance(&spec.name, epsilon)?;
                }
            }
        }
        Ok(())
    }
}

impl Tensor {
    fn check(&self, spec: &TensorSpec) -> Result<()> {
        if self.shape != spec.shape {
            return Err(tensor_error(&spec.name, &format!("shape {:?}", spec.shape), format!("{:?}", self.shape)));
        }
        let elements: usize = spec.shape.iter().product();
        if self.data.len() != elements {
            return Err(tensor_error(&spec.name, &format!("{elements} elements"), self.data.len().to_string()));
        }
        match self.data.iter().position(|v| !v.is_finite()) {
            Some(index) => Err(tensor_error(&spec.name, "finite numbers", format!("{} at index {index}", self.data[index]))),
            None => Ok(()),
        }
    }

    fn check_variance(&self, name: &str, epsilon: f32) -> Result<()> {
        match self.data.iter().position(|&v| v < 0.0 || v + epsilon <= 0.0) {
            Some(index) => {
                let expected = if epsilon > 0.0 { "variances of at least 0" } else { "variances above 0 (epsilon is 0)" };
                Err(tensor_error(name, expected, format!("{} at index {index}", self.data[index])))
            }
            None => Ok(()),
        }
    }
}

fn more(count: usize, what: &str) -> String {
    if count == 0 { String::new() } else { format!(" ({count} more {what})") }
}

pub(super) fn tensor_error(tensor: &str, expected: &str, found: impl Into<String>) -> Error {
    Error::Tensor { file: None, tensor: tensor.into(), expected: expected.into(), found: found.into() }
}
