//! By how much a stem makes a picture smaller.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// By how much a stem makes the picture smaller, as far as it is stated: its tensors do not show it.
///
/// ```
/// use densenet_wgpu::checkpoint::StemDownsampling;
///
/// let stem: StemDownsampling = "stride=1,pool=no".parse()?;
/// assert_eq!((stem.stride, stem.pool), (Some(1), Some(false)));
/// assert!("stride=one".parse::<StemDownsampling>().is_err());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StemDownsampling {
    /// Whether a 3x3 max pool with stride 2 follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<bool>,
    /// How far the first convolution moves, 1 to 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
}

impl StemDownsampling {
    /// What is stated here, else what `other` states.
    pub(in crate::weights) fn or(self, other: Self) -> Self {
        Self { pool: self.pool.or(other.pool), stride: self.stride.or(other.stride) }
    }

    /// Errors where no stem has that stride.
    pub(in crate::weights) fn check(self) -> Result<()> {
        match self.stride {
            Some(stride) if !(1..=4).contains(&stride) => {
                Err(Error::checkpoint(format!("stem: expected a stride from 1 to 4, found {stride}")))
            }
            _ => Ok(()),
        }
    }
}

impl FromStr for StemDownsampling {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong =
            || Error::checkpoint(format!("stem: expected stride=1 to stride=4, pool=yes or pool=no, or both with a comma, found {text:?}"));
        let mut stem = Self::default();
        for part in text.split(',') {
            match part.trim().split_once('=').ok_or_else(wrong)? {
                ("stride", number) => stem.stride = Some(number.parse().map_err(|_| wrong())?),
                ("pool", "yes" | "true") => stem.pool = Some(true),
                ("pool", "no" | "false") => stem.pool = Some(false),
                _ => return Err(wrong()),
            }
        }
        stem.check().map(|()| stem)
    }
}
