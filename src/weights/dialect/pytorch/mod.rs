//! Networks of PyTorch modules.

mod choice;
mod conventions;
mod families;
#[cfg(test)]
mod fixture;
mod folded;
mod head;
mod modules;
mod normalisation;
mod numbered;
mod root;
mod search;

use super::Network;
use super::path::ends_in;
use crate::error::Result;
use crate::weights::container::{Container, Contents};
use crate::weights::read_options::ReadOptions;
use choice::Choice;
use families::own_layer;
use numbered::Numbered;
pub(super) use numbered::rename;
use root::Root;
use search::Search;

/// Finds the network in a file in which `numbered` networks were given torchvision's names.
pub(super) fn resolve<'a>(contents: &Contents<'a>, numbered: &[Numbered], options: &ReadOptions) -> Result<Network<'a>> {
    let roots = Root::all(contents)?;
    let Choice { root, twins, note } = Choice::of(contents, &roots, options)?;
    let mut search = Search::new(contents);
    let rivals = roots.iter().filter(|other| **other != root && other.scope == root.scope);
    search.rivals = rivals.map(|other| other.wrapper().to_owned()).collect();
    let mut network = search.network(&root)?;
    let numbered = numbered.iter().find(|numbered| numbered.is_at(&root.scope, &root.prefix));
    network.is_numbered = numbered.is_some();
    match search.head(&root, &mut network, options) {
        Err(_) if options.features_only => {}
        found => found?,
    }
    // Nothing of the twins counts as left over, but for a head that is not understood.
    for twin in &twins {
        let mut beside = search.network(twin)?;
        let _ = search.head(twin, &mut beside, &ReadOptions::default());
    }
    network.notes.extend(note);
    network.thresholds = contents.tensors.iter().find(|t| *t.scope == *root.scope && ends_in(&t.name, "op_threshs")).cloned();
    search.rest(&root, &mut network, options);
    if contents.container == Container::TorchScript {
        network.notes.push("is a TorchScript archive: reading its tensors, not its program, and assuming that this is a DenseNet's".into());
    }
    conventions::apply(contents, &root, numbered, options, &mut network);
    let layer = |name: &str| own_layer(root.family(), name).map(|(own, _)| own);
    modules::check(contents, &root, layer, search.names_inside(&root), &mut network, options)?;
    if let Some(numbered) = numbered {
        network.stem.pool = network.stem.pool.or(numbered.pool);
        if network.stem.pool.or(options.stem.pool).is_none() {
            return Err(numbered.unknown_modules());
        }
    }
    Ok(network)
}
