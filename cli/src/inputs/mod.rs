//! The pictures to read: from arguments, or sent by another program.

mod expansion;
mod folder;
mod found;
mod input;
mod requests;
mod shard;
mod subject;

use std::vec;

pub(crate) use expansion::expand;
pub(crate) use input::{Content, Input};
pub(crate) use requests::Requests;
pub(crate) use shard::ShardOptions;
pub(crate) use subject::Subject;

/// Inputs that are known in advance, or that arrive one by one.
pub(crate) enum Inputs {
    /// Known in advance.
    Listed(vec::IntoIter<Input>),
    /// Sent by another program.
    Sent(Requests),
}

impl Inputs {
    /// Their number, if known.
    pub(crate) fn known_count(&self) -> Option<usize> {
        match self {
            Self::Listed(inputs) => Some(inputs.len()),
            Self::Sent(_) => None,
        }
    }

    /// Whether another program sends them, and may wait for each answer.
    pub(crate) fn are_sent(&self) -> bool {
        matches!(self, Self::Sent(_))
    }
}

impl Iterator for Inputs {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        match self {
            Self::Listed(inputs) => inputs.next(),
            Self::Sent(requests) => requests.next(),
        }
    }
}
