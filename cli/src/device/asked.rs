//! What says which device is used: `--device`, or the variable that stands in for it.

use std::fmt::{Display, Formatter};

use densenet_wgpu::Error;
use densenet_wgpu::devices::Device;
use densenet_wgpu::internal::{DEVICE, device_in_environment};

use crate::exit::Stop;
use crate::remedy::explained;

/// Who asked for devices, and what for.
#[derive(Clone)]
pub(crate) enum Asked {
    /// Nobody did.
    Nothing,
    /// The flag `--device`.
    Flag(String),
    /// The variable `DENSENET_DEVICE`, where there is no flag.
    Variable(String),
}

impl Asked {
    /// What the flag says, else the variable.
    pub(crate) fn of(flag: Option<&str>) -> Self {
        let flag = flag.map(|text| Self::Flag(text.to_owned()));
        flag.or_else(|| device_in_environment().map(Self::Variable)).unwrap_or(Self::Nothing)
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Flag(text) | Self::Variable(text) => Some(text),
        }
    }

    /// The devices.
    pub(crate) fn devices(&self) -> Vec<Device> {
        self.text().map_or(vec![Device::Best], Device::list)
    }

    /// The one device, which has to be a GPU; `None` is the best. Errors if it is the reference.
    pub(crate) fn gpu(&self, needed: &str) -> Result<Option<&str>, Stop> {
        match self.text() {
            Some(text) if text.eq_ignore_ascii_case("cpu") => Err(self.no_gpu(needed)),
            text => Ok(text),
        }
    }

    /// The error for `cpu` where a device is `needed`, such as "with kernels to time".
    pub(crate) fn no_gpu(&self, needed: &str) -> Stop {
        let remedy = "`densenet devices` lists them";
        Stop::refused(format!("{self}expected a device {needed}, found the reference itself; {remedy}"))
    }

    /// The message of a device that could not be opened. It says what was asked for; the variable, which is not before one's eyes, is
    /// named too.
    pub(crate) fn refused(&self, error: &Error) -> Stop {
        match self {
            Self::Variable(_) => Stop::refused(format!("{self}{}", explained(error))),
            Self::Nothing | Self::Flag(_) => Stop::refused(explained(error)),
        }
    }
}

/// The beginning of a message about the devices.
impl Display for Asked {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Flag(text) => write!(f, "--device {text}: "),
            Self::Variable(text) => write!(f, "{DEVICE}={text}: "),
        }
    }
}
