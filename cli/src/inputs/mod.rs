//! The pictures to read: those that arguments stand for, or those that another program sends.

mod expansion;
mod folder;
mod found;
mod input;
mod requests;
mod shard;
mod subject;

use std::vec;

pub(crate) use expansion::expand;
#[cfg(test)]
pub(crate) use input::Content;
pub(crate) use input::Input;
pub(crate) use requests::Requests;
pub(crate) use shard::ShardOptions;
pub(crate) use subject::Subject;

/// Inputs that are known, or that come one by one.
pub(crate) enum Inputs {
    /// All are known.
    Listed(vec::IntoIter<Input>),
    /// Another program sends them.
    Sent(Requests),
}

impl Inputs {
    /// How many there are, where that is known.
    pub(crate) fn known_count(&self) -> Option<usize> {
        match self {
            Self::Listed(inputs) => Some(inputs.len()),
            Self::Sent(_) => None,
        }
    }

    /// Whether another program sends them, which may wait for each answer.
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
