//! A network that was found in a file.

use std::collections::BTreeMap;

use super::Dialect;
use crate::activation::Activation;
use crate::head::HeadLayer;
use crate::weights::Assumption;
use crate::weights::container::Stored;
use crate::weights::read_options::{NewChannels, StemDownsampling};

/// A network found in a file: its tensors under torchvision's names, and what else the file states of it.
pub(in crate::weights) struct Network<'a> {
    /// Whose names the file has.
    pub(crate) dialect: Dialect,
    /// What stands before the network's own names: keys of a nested file, wrappers such as `module.`.
    pub(crate) wrapper: String,
    /// Tensors by torchvision's names.
    pub(crate) tensors: BTreeMap<String, Stored<'a>>,
    /// Batch norms that were folded into the convolutions before them.
    pub(super) folded: Vec<String>,
    /// Tensors that belong to no layer and may not be ignored.
    pub(crate) left_over: Vec<Stored<'a>>,
    /// The same, of those that are beside the network and not in it.
    pub(crate) beside: Vec<Stored<'a>>,
    /// What stands before the names of the network, where there is something beside it.
    pub(crate) root: String,
    /// The classifier's layers, where it is more than a linear one.
    pub(crate) head: Vec<HeadLayer>,
    /// Names of the modules behind the features that state what they compute, and were taken at their word.
    pub(super) interpreted: Vec<String>,
    /// What the names of the classifier's layers begin with, where one was asked for.
    pub(super) head_name: Option<String>,
    /// Whether its layers have numbers for names in the file.
    pub(super) is_numbered: bool,
    /// Where in the file the classifier's first layer is.
    pub(crate) head_place: Option<String>,
    /// Whether there is something beside the network that is no state of training.
    pub(crate) has_company: bool,
    /// What chooses the pool before the classifier in the library that the network is of, where that has others than the mean and
    /// nothing in the file states which it is.
    pub(crate) pooling: Option<&'static str>,
    /// By how much the stem makes the picture smaller, where the file states it.
    pub(crate) stem: StemDownsampling,
    /// Whether new channels come before or behind those a layer reads.
    pub(crate) new_channels: NewChannels,
    /// Whether its names are of more than one repository.
    pub(crate) is_mixed: bool,
    /// Whether transitions have a ReLU, where the file states it.
    pub(crate) transition_relu: Option<bool>,
    /// A threshold for each class.
    pub(crate) thresholds: Option<Stored<'a>>,
    /// Notes on how this network was read.
    pub(crate) notes: Vec<String>,
    /// What the file does not state of the network, and was assumed.
    pub(crate) assumed: Vec<Assumption>,
    /// Batch norm's epsilon, where the file or its dialect states it.
    pub(crate) epsilon: Option<f32>,
    /// Whether the last batch norm is followed by a ReLU, where the file states it.
    pub(crate) final_relu: Option<bool>,
    /// Whether the stem's pool blurs, where the file states it.
    pub(crate) blur: Option<bool>,
    /// What turns logits into probabilities, where the file states it.
    pub(crate) activation: Option<Activation>,
    /// Mean and standard deviation of each channel, which the module around the network subtracts and divides by.
    pub(crate) normalisation: Option<[Vec<f32>; 2]>,
}

impl<'a> Network<'a> {
    /// Whether the file uses torchvision's names.
    pub(super) fn has_torchvisions_names(&self) -> bool {
        self.dialect == Dialect::Torchvision && !self.is_numbered
    }

    /// A network without tensors, of which nothing is known.
    pub(super) fn new(dialect: Dialect, wrapper: String) -> Self {
        Self {
            dialect,
            wrapper,
            tensors: BTreeMap::new(),
            folded: Vec::new(),
            left_over: Vec::new(),
            beside: Vec::new(),
            root: String::new(),
            head: Vec::new(),
            interpreted: Vec::new(),
            head_name: None,
            is_numbered: false,
            head_place: None,
            has_company: false,
            pooling: None,
            stem: StemDownsampling::default(),
            new_channels: NewChannels::Last,
            is_mixed: false,
            transition_relu: None,
            thresholds: None,
            notes: Vec::new(),
            assumed: Vec::new(),
            epsilon: None,
            final_relu: None,
            blur: None,
            activation: None,
            normalisation: None,
        }
    }
}
