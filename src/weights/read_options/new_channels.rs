//! The order of a dense block's channels.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// Where a dense layer's new channels come.
///
/// ```
/// use densenet_wgpu::checkpoint::NewChannels;
///
/// assert_eq!("first".parse::<NewChannels>()?, NewChannels::First);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewChannels {
    /// Before those it read: `torch.cat([new, old], 1)`.
    First,
    /// Behind them, as in the paper's code and torchvision.
    Last,
}

/// In the words that [`FromStr`] reads.
impl fmt::Display for NewChannels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Last => "last",
        })
    }
}

impl FromStr for NewChannels {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "first" => Ok(Self::First),
            "last" => Ok(Self::Last),
            _ => Err(Error::checkpoint(format!("new channels: expected first or last, found {text:?}"))),
        }
    }
}
