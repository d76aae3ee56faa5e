//! The kinds of file there are.

use std::fmt;

/// A kind of file.
///
/// ```
/// use densenet_wgpu::checkpoint::Container;
/// use densenet_wgpu::models;
///
/// let origin = models::bundled("digits").expect("it is bundled")?.origin.expect("it was a file");
/// assert_eq!(origin.container, Container::Safetensors);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Container {
    /// A JSON header and the elements of all tensors.
    Safetensors,
    /// What `torch.save` writes since PyTorch 1.6: a zip archive of a pickle and storages.
    TorchZip,
    /// What `torch.save` wrote before: pickles and storages in one stream.
    TorchLegacy,
    /// What `torch.jit.save` writes: a zip archive of a program and its module's tensors, of which the tensors are read.
    TorchScript,
    /// Keras's `.h5` and `.weights.h5`.
    Hdf5,
    /// Keras's `.keras`: a zip archive of a configuration and HDF5 weights.
    KerasArchive,
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::TorchZip => "torch zip",
            Self::TorchLegacy => "torch legacy stream",
            Self::TorchScript => "TorchScript",
            Self::Hdf5 => "HDF5",
            Self::KerasArchive => "Keras archive",
        })
    }
}
