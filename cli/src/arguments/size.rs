//! `--size HxW`.

use std::str::FromStr;

use densenet_wgpu::internal::DEFAULT_SIZE;
use densenet_wgpu::preprocessing::Preprocessing;

/// Height and width in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Height in pixels.
    pub(crate) height: usize,
    /// Width in pixels.
    pub(crate) width: usize,
}

/// Largest height or width, in pixels.
const LARGEST: usize = 65536;

impl Size {
    /// The size that `preprocessing` prepares pictures for, otherwise 224x224.
    pub(crate) fn of(preprocessing: Option<&Preprocessing>) -> Self {
        let [height, width] = preprocessing.and_then(Preprocessing::size).unwrap_or(DEFAULT_SIZE);
        Self { height, width }
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (height, width) = text.split_once(['x', 'X']).unwrap_or((text, text));
        let side = |text: &str| text.parse().ok().filter(|side| (1..=LARGEST).contains(side));
        match (side(height), side(width)) {
            (Some(height), Some(width)) => Ok(Self { height, width }),
            _ => Err(format!("expected a height and a width from 1 to {LARGEST}, as in 224x224")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_height_by_width() {
        assert_eq!("97x131".parse(), Ok(Size { height: 97, width: 131 }));
        assert_eq!("64".parse(), Ok(Size { height: 64, width: 64 }));
        for wrong in ["", "x", "0x4", "4x", "-4x4", "4x4x4", "65537x1", "99999999999999999999x1"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }
}
