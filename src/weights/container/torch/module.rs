//! A module as a pickle describes it.

use std::rc::Rc;

use crate::weights::container::Module;
use crate::weights::container::pickle::{Id, Pickle, Value};

/// The module of that class and state. Its name is `prefix` without the last point.
pub(super) fn module(pickle: &Pickle, class: (&str, &str), state: Id, scope: &Rc<str>, prefix: &str) -> Module {
    // One number stands for both sides.
    let pair = |name: &str| -> Option<[i64; 2]> {
        let id = pickle.get(state, name)?;
        match pickle.value(id) {
            Value::Int(int) => Some([*int; 2]),
            Value::Sequence(pair) => <[Id; 2]>::try_from(pair.as_slice()).ok().and_then(|[a, b]| Some([pickle.int(a)?, pickle.int(b)?])),
            _ => None,
        }
    };
    Module {
        scope: scope.clone(),
        path: prefix.strip_suffix('.').unwrap_or(prefix).to_owned(),
        named: None,
        class: format!("{}.{}", class.0, class.1),
        is_leaf: pickle.get(state, "_modules").and_then(|inner| pickle.dict(inner)).is_none_or(<[_]>::is_empty),
        kernel: pair("kernel_size"),
        stride: pair("stride"),
        padding: pair("padding"),
        dilation: pair("dilation"),
        groups: pickle.get(state, "groups").and_then(|groups| pickle.int(groups)),
        pads_zeros: pickle.get(state, "padding_mode").and_then(|mode| pickle.text(mode)).is_none_or(|mode| mode == "zeros"),
        rounds_up: pickle.get(state, "ceil_mode").is_some_and(|mode| matches!(pickle.value(mode), Value::Bool(true))),
        slope: pickle.get(state, "negative_slope").and_then(|slope| match pickle.value(slope) {
            Value::Float(slope) => Some(*slope),
            Value::Int(slope) => Some(*slope as f64),
            _ => None,
        }),
        approximates: pickle.get(state, "approximate").and_then(|how| pickle.text(how)) == Some("tanh"),
    }
}
