//! A module of a network that was saved whole.

use std::rc::Rc;

/// A module of a network that was saved whole, with the attributes that decide what it computes.
pub(crate) struct Module {
    /// The keys under which a nested file keeps the network.
    pub(crate) scope: Rc<str>,
    /// Its name in the network; `""` for the network itself.
    pub(crate) path: String,
    /// Its name in the file, where that has a number instead.
    pub(crate) named: Option<String>,
    /// Its Python class.
    pub(crate) class: String,
    /// Whether it has no modules inside.
    pub(crate) is_leaf: bool,
    /// Height and width of a window, and how it moves.
    pub(crate) kernel: Option<[i64; 2]>,
    pub(crate) stride: Option<[i64; 2]>,
    pub(crate) padding: Option<[i64; 2]>,
    pub(crate) dilation: Option<[i64; 2]>,
    /// Groups of a convolution.
    pub(crate) groups: Option<i64>,
    /// Whether it pads with zeros, if at all.
    pub(crate) pads_zeros: bool,
    /// Whether the size of its result is rounded up.
    pub(crate) rounds_up: bool,
    /// What a leaky ReLU multiplies numbers below 0 by.
    pub(crate) slope: Option<f64>,
    /// Whether it is GELU's approximation by tanh.
    pub(crate) approximates: bool,
}

impl Module {
    /// The last part of its class.
    pub(crate) fn class_name(&self) -> &str {
        self.class.rsplit('.').next().unwrap_or(&self.class)
    }

    /// Its name in the file, for messages.
    pub(crate) fn shown(&self) -> &str {
        self.named.as_deref().unwrap_or(&self.path)
    }
}
