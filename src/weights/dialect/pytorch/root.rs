//! A place in a file where a network is.

use std::collections::BTreeSet;

use super::families::{FAMILIES, Family};
use crate::error::{Error, Result};
use crate::weights::container::{Contents, Stored};
use crate::weights::dialect::{path, training};

/// A place in a file where a stem is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Root {
    /// Keys of the dictionary.
    pub(super) scope: String,
    /// What stands before the stem's name.
    pub(super) prefix: String,
    family: usize,
}

impl Root {
    /// Every place where a stem and dense blocks are. Errors where a network is not two-dimensional.
    pub(super) fn all(contents: &Contents) -> Result<Vec<Self>> {
        let names: BTreeSet<(&str, &str)> = contents.tensors.iter().map(|tensor| (&*tensor.scope, tensor.name.as_str())).collect();
        let mut roots = BTreeSet::new();
        for tensor in &contents.tensors {
            for (index, family) in FAMILIES.iter().enumerate() {
                let stem = tensor.name.strip_suffix(".weight").and_then(|name| name.strip_suffix(family.stem));
                let Some(prefix) = stem.filter(|prefix| prefix.is_empty() || prefix.ends_with('.')) else { continue };
                let block = format!("{prefix}{}", family.block);
                let beside = names.range((&*tensor.scope, block.as_str())..).next();
                if !beside.is_some_and(|(scope, name)| *scope == &*tensor.scope && name.starts_with(&block)) {
                    continue;
                }
                if tensor.shape.len() != 4 {
                    let found = format!("{:?}, {} dimensions", tensor.shape, tensor.shape.len().saturating_sub(2));
                    let expected = "a network for pictures, whose convolutions have 2 dimensions";
                    return Err(Error::checkpoint(format!("{}: expected {expected}, found {found}", tensor.path())));
                }
                roots.insert(Self { scope: tensor.scope.to_string(), prefix: prefix.to_owned(), family: index });
            }
        }
        // A trainer's memory may hold weights too.
        let (remembered, own): (Vec<Self>, Vec<Self>) = roots.into_iter().partition(|root| training::is_sibling(&root.scope));
        Ok(if own.is_empty() { remembered } else { own })
    }

    /// Whose names its layers have.
    pub(super) fn family(&self) -> &'static Family {
        &FAMILIES[self.family]
    }

    /// Whether its layers are called as torchvision or a relative of it calls them.
    pub(super) fn is_torchvisions_family(&self) -> bool {
        self.family == 0
    }

    /// The whole path of the stem without the stem's own name.
    pub(super) fn place(&self) -> String {
        path::join(&self.scope, &self.prefix)
    }

    /// What stands before the names of the whole network, as messages show it and callers ask for it: `.` where nothing does.
    pub(super) fn name(&self) -> String {
        let name = path::join(&self.scope, self.wrapper());
        let name = name.trim_end_matches(['.', '/']);
        if name.is_empty() { ".".to_owned() } else { name.to_owned() }
    }

    /// What stands before the network's own names.
    pub(super) fn wrapper(&self) -> &str {
        self.prefix.strip_suffix("features.").unwrap_or(&self.prefix)
    }

    /// Whether `name` means this place: its whole path, or what stands before the names in its dictionary.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let name = name.trim_end_matches(['.', '/']);
        let own = self.name();
        let whole = self.place();
        [own.as_str(), self.wrapper(), self.prefix.as_str(), whole.as_str()].iter().any(|known| known.trim_end_matches(['.', '/']) == name)
    }

    /// The name of a tensor below the network: what the network itself is called says nothing about what is in it.
    pub(super) fn below<'t>(&self, tensor: &'t Stored) -> &'t str {
        tensor.name.strip_prefix(&self.prefix).unwrap_or(&tensor.name)
    }
}
