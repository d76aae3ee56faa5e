//! Whose names and layouts a file follows, and the names of its tensors in this library.
//!
//! Nothing depends on a list of prefixes: a network is found by its stem, wherever it lies in the file; all else follows
//! from the names below the stem's own place and from shapes.

mod bookkeeping;
mod fit;
mod keras;
mod kind;
mod names;
mod network;
mod order;
mod path;
mod pruned;
mod pytorch;
mod refusal;
mod training;

use super::container::{Container, Contents, Dtype, Stored};
use super::read_options::ReadOptions;
use crate::error::{Error, Result};
pub use kind::Dialect;
pub(super) use names::Names;
pub(super) use network::Network;
use refusal::no_network;
pub(super) use refusal::some_of;

impl Stored<'_> {
    /// Whether its elements are integers with a scale.
    fn is_quantised(&self) -> bool {
        matches!(self.dtype, Dtype::Other { name: "quantised", .. })
    }
}

/// Finds the network in a file.
///
/// Errors where there is none, more than one, or one that this library does not run.
pub(super) fn resolve<'a>(contents: &mut Contents<'a>, options: &ReadOptions) -> Result<Network<'a>> {
    if let Some(tensor) = contents.tensors.iter().find(|tensor| tensor.is_quantised()) {
        return Err(Error::checkpoint(format!(
            "is quantised to 8-bit integers ({} {:?}), whose scales and fused layers are not read. Workaround: save the float model \
             that it was made of, before quantize_dynamic, convert or convert_fx, with torch.save(model.state_dict(), 'OUT.pth')",
            tensor.path(),
            tensor.shape
        )));
    }
    let pruned = pruned::apply(contents);
    let mut network = match contents.container {
        Container::Hdf5 | Container::KerasArchive => keras::resolve(contents, options)?,
        Container::Safetensors | Container::TorchZip | Container::TorchLegacy | Container::TorchScript => {
            let numbered = pytorch::rename(contents);
            pytorch::resolve(contents, &numbered, options)?
        }
    };
    if pruned > 0 {
        network.notes.push(format!("was pruned: applying the masks of {pruned} tensors"));
    }
    Ok(network)
}
