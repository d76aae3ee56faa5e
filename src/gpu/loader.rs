//! Why no adapter is found: what of the environment keeps some out.

use std::env;
use std::ffi::OsString;

/// Variables of the Vulkan loader that name the only drivers it looks for; of those that are set the first counts.
const DRIVERS: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/// Variables of the Vulkan loader that choose among drivers.
const CHOICES: [&str; 2] = ["VK_LOADER_DRIVERS_SELECT", "VK_LOADER_DRIVERS_DISABLE"];

/// The variable by which wgpu is told which graphics APIs to use.
const BACKEND: &str = "WGPU_BACKEND";

/// What to say where there is no adapter.
pub(crate) fn no_adapter() -> String {
    told(|name| env::var_os(name).filter(|value| !value.is_empty()))
}

fn told(variable: impl Fn(&str) -> Option<OsString>) -> String {
    let set = |name: &str| variable(name).map(|value| format!("{name}={}", value.display()));
    let files = DRIVERS.iter().find_map(|name| Some((set(name)?, variable(name)?)));
    let files = files.map(|(text, value)| {
        let missing = env::split_paths(&value).find(|path| !path.exists());
        let missing = missing.map_or(String::new(), |path| format!(" ({} is not there)", path.display()));
        format!("{text}{missing} keeps out all drivers but those it names")
    });
    let choices = CHOICES.iter().filter_map(|name| set(name)).map(|text| format!("{text} keeps out drivers"));
    let backend = set(BACKEND).map(|text| format!("{text} leaves only that graphics API, and used here are vulkan, metal and dx12"));
    let causes: Vec<String> = backend.into_iter().chain(files).chain(choices).collect();
    match causes.len() {
        0 => INSTALL.into(),
        1 => format!("no adapter found: {}; unset it, or set it right", causes[0]),
        _ => format!("no adapter found: {}; unset them, or set them right", causes.join(", and ")),
    }
}

/// What to do where the environment keeps nothing out.
const INSTALL: &str = "no adapter found; install a Vulkan driver (Debian, Ubuntu: `apt-get install libvulkan1 mesa-vulkan-drivers`, \
     which drives AMD and Intel GPUs and has a software device; NVIDIA: the vendor's driver)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_adapters_out_is_named_before_a_driver_is_to_be_installed() {
        let with =
            |set: &[(&str, &str)]| told(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(*value)));
        assert_eq!(with(&[]), INSTALL);
        for (set, parts) in [
            (&[("WGPU_BACKEND", "gl")][..], &["WGPU_BACKEND=gl leaves only", "vulkan, metal and dx12", "unset it"][..]),
            (
                &[("VK_DRIVER_FILES", "/no/such.json")],
                &["VK_DRIVER_FILES=/no/such.json (/no/such.json is not there) keeps out", "unset it"],
            ),
            (&[("VK_ICD_FILENAMES", "Cargo.toml")], &["VK_ICD_FILENAMES=Cargo.toml keeps out"]),
            (&[("VK_DRIVER_FILES", "Cargo.toml"), ("VK_ICD_FILENAMES", "/no")], &["VK_DRIVER_FILES=Cargo.toml keeps out"]),
            (&[("VK_LOADER_DRIVERS_DISABLE", "*")], &["VK_LOADER_DRIVERS_DISABLE=* keeps out", "unset it"]),
            (&[("WGPU_BACKEND", "dx12"), ("VK_DRIVER_FILES", "x")], &["WGPU_BACKEND=dx12", "VK_DRIVER_FILES=x", "unset them"]),
        ] {
            let message = with(set);
            assert!(parts.iter().all(|part| message.contains(part)) && !message.contains("install"), "{message}");
        }
        assert!(!with(&[("VK_DRIVER_FILES", "Cargo.toml"), ("VK_ICD_FILENAMES", "/no")]).contains("VK_ICD_FILENAMES"));
    }
}
