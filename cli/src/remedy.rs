//! What the command line adds to the library's errors: the flags and commands that may help.

use densenet_wgpu::Error;
use densenet_wgpu::internal::suggestion;

/// How many times as fast as the reference Mesa's software device is: DenseNet-121 at 224, one image (docs/devices.md).
pub(crate) const SOFTWARE: &str = "5 to 10 times as fast";

/// The command that installs this program with one more feature.
fn install(missing: &str) -> String {
    let mut command = "cargo install --path cli".to_owned();
    // Otherwise it is a default feature.
    if cfg!(not(feature = "hub")) {
        command += " --no-default-features";
    }
    let all = [("dicom", cfg!(feature = "dicom")), ("hub", false), ("jpeg2000", cfg!(feature = "jpeg2000"))];
    let features: Vec<&str> = all.into_iter().filter_map(|(name, is_there)| (is_there || name == missing).then_some(name)).collect();
    format!("{command} --features {}", features.join(","))
}

/// What went wrong, and the flags or commands that help.
pub(crate) fn explained(error: &Error) -> String {
    match error {
        Error::NoAdapter => {
            format!("{error}, or use `--device cpu`, the slow reference: Mesa's software adapter, llvmpipe, is {SOFTWARE}")
        }
        Error::NoSuchAdapter { name, .. } => format!("{error} and `cpu` for the reference{}", suggestion(name, ["cpu"])),
        Error::NoAdapterAt { .. } => format!("{error} and `cpu` for the reference"),
        Error::Software { .. } => format!("{error} (--software allow)"),
        Error::Variable { name, value, source, .. } => format!("{name}={value}: {}", explained(source)),
        Error::DeviceRefused { .. } | Error::TooLarge { .. } | Error::NoKernel { .. } => format!("{error} (`densenet devices`, --device)"),
        Error::DeviceLost { .. } => format!("{error} (--batch)"),
        Error::OutOfMemory { .. } => format!("{error} (--batch, --size, --device)"),
        Error::HalfRange { .. } | Error::HalfOverflow => format!("{error} (--precision f32)"),
        Error::Channels { .. } => format!("{error} (`densenet infer`)"),
        Error::CutOff { .. } => format!("{error}; --truncated decodes what there is"),
        Error::TooManyPixels { .. } => format!("{error}, or give a larger --max-pixels"),
        Error::TooManyBytes { .. } => format!("{error}, or give a larger --max-bytes"),
        Error::MissingFeature { feature, .. } => format!("{error}, as with `{}`", install(feature)),
        error => with_flags(&error.to_string()),
    }
}

/// The names of [`ReadOptions`](densenet_wgpu::checkpoint::ReadOptions), and of what says what is true of pictures, in the library's
/// messages, and the flags and commands for them.
const FLAGS: [(&str, &str); 9] = [
    ("`root`", "--root"),
    ("`head`", "--head"),
    ("`head_layers`", "--head-layers"),
    ("`stem`", "--stem"),
    ("`new_channels`", "--new-channels"),
    ("`features_only`", "`densenet embed`"),
    ("`labels`", "--labels"),
    ("`label_columns`", "--label-column"),
    ("`class_to_idx`", "--class-to-idx"),
];

/// A message of the library, with its own names replaced by flags.
pub(crate) fn with_flags(text: &str) -> String {
    FLAGS.iter().fold(text.to_owned(), |text, (word, flag)| text.replace(word, flag))
}

/// What went wrong with an input, without its path: the row has it.
pub(crate) fn explained_in_row(error: &Error) -> String {
    let text = explained(error);
    match error {
        Error::File { source, .. } => format!("cannot be opened: {source}"),
        Error::Picture { .. }
        | Error::CutOff { .. }
        | Error::TooManyPixels { .. }
        | Error::TooManyBytes { .. }
        | Error::MissingFeature { .. } => {
            let place = error.place().map(|place| format!("{place}: ")).unwrap_or_default();
            text.strip_prefix(&place).map_or(text.clone(), str::to_owned)
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use densenet_wgpu::Gpu;
    use densenet_wgpu::image::Decoding;

    #[test]
    fn the_librarys_words_are_flags_here() {
        assert_eq!(with_flags("take one with `head`, as `head` a"), "take one with --head, as --head a");
        assert_eq!(with_flags("features alone (`features_only`) need none"), "features alone (`densenet embed`) need none");
        assert_eq!(with_flags("the pool `pool0`"), "the pool `pool0`");
    }

    #[test]
    fn a_feature_that_is_missing_joins_those_that_are_there() {
        let own = if cfg!(feature = "dicom") { "dicom," } else { "" };
        let command = install("jpeg2000");
        assert!(command.ends_with(&format!(" --features {own}jpeg2000")), "{command}");
        assert_eq!(command.contains("--no-default-features"), cfg!(not(feature = "hub")), "{command}");
    }

    #[test]
    fn flags_are_named_where_they_help() {
        for (error, parts) in [
            (Error::NoAdapter, &["no adapter found; install a Vulkan driver", "or use `--device cpu`"][..]),
            (Error::HalfOverflow, &["use 32-bit floats (--precision f32)"]),
            (
                Gpu::open(Some("cpuu")).unwrap_err(),
                &["no adapter is called \"cpuu\"", "0 = ", "`cpu` for the reference; did you mean cpu?"],
            ),
            (Decoding::default().with_max_pixels(3).decode(b"P5 2 2 255 abcd").unwrap_err(), &["at most 3", "--max-pixels"]),
        ] {
            let message = explained(&error);
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        }
    }
}
