//! What errors say of tensors.

use crate::error::Error;
use crate::weights::container::Contents;

/// The first few of `items` and how many more there are.
pub(in crate::weights) fn some_of(items: impl IntoIterator<Item = String>) -> String {
    const SHOWN: usize = 3;
    let mut items = items.into_iter();
    let some: Vec<String> = items.by_ref().take(SHOWN).collect();
    let more = items.count();
    some.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

/// The error where a file has no network; `expected` is what one would begin with.
pub(super) fn no_network(contents: &Contents, expected: &str) -> Error {
    let found = some_of(contents.tensors.iter().map(|tensor| format!("{} {:?}", tensor.path(), tensor.shape)));
    let found = if found.is_empty() { "none at all".to_owned() } else { found };
    Error::checkpoint(format!("expected the tensors of a DenseNet ({expected}), found {found}"))
}
