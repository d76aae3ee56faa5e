//! Where something is wrong.

use std::borrow::Cow;
#[cfg(feature = "image")]
use std::path::Path;

use super::Error;

impl Error {
    /// The place of the error as in the message: layer, tensor, field, file, address or adapter; `None` if there is no particular one.
    pub fn place(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Graph { layer, .. } | Self::TooSmall { layer, .. } | Self::NoKernel { layer, .. } | Self::HalfRange { layer, .. } => {
                Some(layer.into())
            }
            Self::Tensor { tensor, .. } => Some(tensor.into()),
            Self::Preprocessing { field, .. } => Some(field.into()),
            Self::Checkpoint { file, .. } => file.as_ref().map(Cow::from),
            Self::Picture { path, .. }
            | Self::CutOff { path, .. }
            | Self::TooManyPixels { path, .. }
            | Self::TooManyBytes { path, .. }
            | Self::MissingFeature { path, .. } => path.as_ref().map(|path| path.to_string_lossy()),
            Self::File { path, .. } | Self::Truth { path, .. } => Some(path.to_string_lossy()),
            Self::Hub { address, .. } => Some(address.into()),
            Self::DeviceRefused { adapter, .. }
            | Self::DeviceLost { adapter, .. }
            | Self::DeviceFailed { adapter, .. }
            | Self::OutOfMemory { adapter }
            | Self::Software { adapter }
            | Self::TooLarge { adapter, .. }
            | Self::SelfTest { adapter, .. } => Some(adapter.into()),
            Self::Input { .. } | Self::Examples { .. } | Self::Channels { .. } | Self::NoSuchLayer { .. } => None,
            Self::NoAdapter | Self::NoSuchAdapter { .. } | Self::NoAdapterAt { .. } | Self::HalfOverflow => None,
            Self::Variable { name, .. } => Some((*name).into()),
            Self::NoSuchModel { .. } | Self::NoWeights { .. } | Self::Options { .. } | Self::NoThread { .. } => None,
        }
    }

    /// An error in a checkpoint whose name is not known yet.
    pub(crate) fn checkpoint(reason: impl Into<String>) -> Self {
        Self::Checkpoint { file: None, reason: reason.into() }
    }

    /// The same where an environment variable asked for what cannot be done.
    pub(crate) fn in_variable(self, name: &'static str, value: String) -> Self {
        Self::Variable { name, value, source: Box::new(self) }
    }

    /// An error in a picture whose path is not known yet.
    #[cfg(feature = "image")]
    pub(crate) fn picture(reason: impl Into<String>) -> Self {
        Self::Picture { path: None, reason: reason.into() }
    }

    /// The same for a picture that was read from `path`.
    #[cfg(feature = "image")]
    pub(crate) fn in_picture(self, path: &Path) -> Self {
        let path = Some(path.to_path_buf());
        match self {
            Self::TooManyPixels { found, most, .. } => Self::TooManyPixels { path, found, most },
            Self::TooManyBytes { found, most, .. } => Self::TooManyBytes { path, found, most },
            Self::MissingFeature { what, feature, .. } => Self::MissingFeature { path, what, feature },
            Self::CutOff { how, .. } => Self::CutOff { path, how },
            Self::Picture { reason, .. } => Self::Picture { path, reason },
            other => Self::Picture { path, reason: other.to_string() },
        }
    }
}
