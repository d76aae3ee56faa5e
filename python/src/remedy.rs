//! What Python adds to the library's errors: the arguments and functions that may help. The command line adds its flags
//! (`cli/src/remedy.rs`).

use densenet_wgpu::Error;
use densenet_wgpu::internal::suggestion;

/// What went wrong, and the arguments or functions that help.
pub(crate) fn explained(error: &Error) -> String {
    match error {
        Error::NoAdapter => {
            let software = "Mesa's software adapter, llvmpipe, is 5 to 10 times as fast";
            format!("{error}, or use device=\"cpu\", the slow reference: {software}")
        }
        Error::NoSuchAdapter { name, .. } => format!("{error} and \"cpu\" for the reference{}", suggestion(name, ["cpu"])),
        Error::NoAdapterAt { .. } => format!("{error} and \"cpu\" for the reference"),
        Error::Software { .. } => format!("{error} (software=\"allow\")"),
        Error::Variable { name, value, source, .. } => format!("{name}={value}: {}", explained(source)),
        Error::DeviceRefused { .. } | Error::TooLarge { .. } | Error::NoKernel { .. } => {
            format!("{error} (densenet_wgpu.devices(), device=)")
        }
        Error::SelfTest { .. } => {
            format!(
                "{error}; update its driver, or use device=\"cpu\". densenet_wgpu.verify() shows more; self_test=False uses the device anyway"
            )
        }
        Error::DeviceLost { .. } => format!("{error} (batch=)"),
        Error::OutOfMemory { .. } => format!("{error} (batch=, size=, device=)"),
        Error::HalfRange { .. } | Error::HalfOverflow => format!("{error} (precision=\"f32\")"),
        Error::Channels { .. } => format!("{error} (float32 arrays [C, H, W])"),
        Error::CutOff { .. } => format!("{error}; truncated=True decodes what there is"),
        Error::TooManyPixels { .. } => format!("{error}, or give a larger max_pixels="),
        Error::TooManyBytes { .. } => format!("{error}, or give a larger max_bytes="),
        Error::MissingFeature { feature, .. } => {
            format!("{error}, as with `pip install ./python --config-settings build-args=\"--features {feature}\"`")
        }
        Error::NoWeights { .. } => format!("{error}, or try \"digits\""),
        error => with_arguments(&error.to_string()),
    }
}

/// The names of [`ReadOptions`](densenet_wgpu::checkpoint::ReadOptions) in the library's messages, as Python's arguments.
const ARGUMENTS: [(&str, &str); 5] =
    [("`root`", "root="), ("`head`", "head="), ("`head_layers`", "head_layers="), ("`stem`", "stem="), ("`new_channels`", "new_channels=")];

/// A message of the library, with its own names replaced by Python's arguments.
pub(crate) fn with_arguments(text: &str) -> String {
    let text = text.replace("`features_only`", "features_only=True");
    ARGUMENTS.iter().fold(text, |text, (word, argument)| text.replace(word, argument))
}
