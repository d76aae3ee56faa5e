//! What a file holds before anything is known about the network in it.

use super::{ClassNames, Container, Module, Stored};

/// What a file holds.
pub(crate) struct Contents<'a> {
    /// The kind of file.
    pub(crate) container: Container,
    /// Bytes of all storages together.
    pub(crate) byte_count: usize,
    /// All tensors, in the file's order.
    pub(crate) tensors: Vec<Stored<'a>>,
    /// This library's own metadata, as JSON.
    pub(crate) description: Option<String>,
    /// The modules of a network that was saved whole.
    pub(crate) modules: Vec<Module>,
    /// Batch norm's epsilon, where such a network states it.
    pub(crate) epsilon: Option<f32>,
    /// Labels, where such a network has them.
    pub(crate) labels: Option<Vec<String>>,
    /// Places beside a network that name its classes.
    pub(crate) class_names: Vec<ClassNames>,
    /// The arguments of the program that trained it: an object of JSON.
    pub(crate) arguments: Option<serde_json::Value>,
    /// The names of Keras's layers, with and without weights, as far as the file has them.
    pub(crate) layers: Vec<String>,
    /// Keras's configuration of the network, JSON.
    pub(crate) keras_config: Option<String>,
}

impl Contents<'_> {
    /// No tensors, and nothing else.
    pub(crate) fn new(container: Container, byte_count: usize) -> Self {
        Self {
            container,
            byte_count,
            tensors: Vec::new(),
            description: None,
            modules: Vec::new(),
            epsilon: None,
            labels: None,
            class_names: Vec::new(),
            arguments: None,
            layers: Vec::new(),
            keras_config: None,
        }
    }
}
