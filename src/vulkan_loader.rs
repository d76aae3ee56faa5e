//! Why no adapter is found: environment variables that exclude drivers or graphics APIs.

use std::env;
use std::ffi::OsString;

/// Variables of the Vulkan loader that name the only drivers it loads. The first that is set counts.
const DRIVERS: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/// Variables of the Vulkan loader that choose among drivers.
const CHOICES: [&str; 2] = ["VK_LOADER_DRIVERS_SELECT", "VK_LOADER_DRIVERS_DISABLE"];

/// The variable that selects the graphics APIs that wgpu uses.
const BACKEND: &str = "WGPU_BACKEND";

/// A graphics API that this library uses.
struct Api {
    name: &'static str,
    /// Its other name in wgpu.
    also: &'static str,
    /// Whether this operating system has it.
    is_here: bool,
}

const APIS: [Api; 3] = [
    Api { name: "vulkan", also: "vk", is_here: cfg!(not(target_vendor = "apple")) },
    Api { name: "metal", also: "mtl", is_here: cfg!(target_vendor = "apple") },
    Api { name: "dx12", also: "d3d12", is_here: cfg!(windows) },
];

/// The message if there is no adapter.
pub(crate) fn no_adapter() -> String {
    message(|name| env::var_os(name))
}

fn message(variable: impl Fn(&str) -> Option<OsString>) -> String {
    // An empty list is a value to wgpu, but not to the Vulkan loader. wgpu ignores a value that is not Unicode.
    let variable = |name: &str| variable(name).filter(|value| name == BACKEND || !value.is_empty());
    let chosen = variable(BACKEND).and_then(|value| Some(value.to_str()?.to_lowercase()));
    let set = |name: &str| variable(name).map(|value| format!("{name}={}", value.display()));
    let is_chosen = |api: &Api| {
        let is_it = |name: &str| [api.name, api.also].contains(&name.trim());
        chosen.as_ref().is_none_or(|chosen| chosen.split(',').any(is_it))
    };
    let left_out: Vec<&str> = APIS.iter().filter(|api| api.is_here && !is_chosen(api)).map(|api| api.name).collect();
    let has_vulkan = APIS.iter().any(|api| api.name == "vulkan" && api.is_here && is_chosen(api));
    let files = DRIVERS.iter().find_map(|name| Some((set(name)?, variable(name)?)));
    let files = files.map(|(text, value)| {
        let missing = env::split_paths(&value).find(|path| !path.exists());
        let missing = missing.map_or(String::new(), |path| format!(" ({} is not there)", path.display()));
        format!("{text}{missing} keeps out all drivers but those it names")
    });
    let choices = CHOICES.iter().filter_map(|name| set(name)).map(|text| format!("{text} keeps out drivers"));
    let backend = set(BACKEND).filter(|_| !left_out.is_empty());
    let backend = backend.map(|text| format!("{text} keeps out what is used on this system ({})", left_out.join(", ")));
    // Variables of the Vulkan loader do not matter if Vulkan itself is excluded.
    let drivers = files.into_iter().chain(choices).filter(|_| has_vulkan);
    let causes: Vec<String> = backend.into_iter().chain(drivers).collect();
    match causes.len() {
        0 => INSTALL.into(),
        1 => format!("no adapter found: {}; unset it, or set it right", causes[0]),
        _ => format!("no adapter found: {}; unset them, or set them right", causes.join(", and ")),
    }
}

/// What to do if no variable excludes anything.
const INSTALL: &str = "no adapter found; install a Vulkan driver (Debian, Ubuntu: `apt-get install libvulkan1 mesa-vulkan-drivers`, \
     which drives AMD and Intel GPUs and has a software device; NVIDIA: the vendor's driver)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_adapters_out_is_named_before_a_driver_is_to_be_installed() {
        let with =
            |set: &[(&str, &str)]| message(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(*value)));
        assert_eq!(with(&[]), INSTALL);
        let here = APIS.iter().filter(|api| api.is_here).map(|api| api.name).collect::<Vec<_>>();
        // Everything that is here: no adapter is there for want of a driver.
        for value in [here.join(","), format!("gl, {}", here.join(" , ").to_uppercase())] {
            assert_eq!(with(&[(BACKEND, &value)]), INSTALL);
        }
        for value in ["gl", "webgpu", "vulcan", "gl,opengl", ""] {
            let expected = format!("WGPU_BACKEND={value} keeps out what is used on this system ({}); unset it", here.join(", "));
            assert!(with(&[(BACKEND, value)]).contains(&expected), "{}", with(&[(BACKEND, value)]));
        }
    }

    #[cfg(not(any(windows, target_vendor = "apple")))]
    #[test]
    fn what_keeps_vulkan_out_is_named_alone() {
        let with =
            |set: &[(&str, &str)]| message(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(*value)));
        assert_eq!(with(&[("WGPU_BACKEND", "vk"), ("VK_DRIVER_FILES", "")]), INSTALL);
        for (set, parts) in [
            (&[("WGPU_BACKEND", "dx12")][..], &["WGPU_BACKEND=dx12 keeps out what is used on this system (vulkan); unset it"][..]),
            (
                &[("WGPU_BACKEND", "vulkan"), ("VK_DRIVER_FILES", "/no")],
                &["found: VK_DRIVER_FILES=/no (/no is not there) keeps out", "unset it"],
            ),
            (
                &[("VK_DRIVER_FILES", "/no/such.json")],
                &["VK_DRIVER_FILES=/no/such.json (/no/such.json is not there) keeps out", "unset it"],
            ),
            (&[("VK_ICD_FILENAMES", "Cargo.toml")], &["VK_ICD_FILENAMES=Cargo.toml keeps out"]),
            (&[("VK_DRIVER_FILES", "Cargo.toml"), ("VK_ICD_FILENAMES", "/no")], &["VK_DRIVER_FILES=Cargo.toml keeps out"]),
            (&[("VK_LOADER_DRIVERS_DISABLE", "*")], &["VK_LOADER_DRIVERS_DISABLE=* keeps out", "unset it"]),
            (&[("WGPU_BACKEND", "dx12"), ("VK_DRIVER_FILES", "x")], &["found: WGPU_BACKEND=dx12", "unset it"]),
            (
                &[("VK_DRIVER_FILES", "Cargo.toml"), ("VK_LOADER_DRIVERS_SELECT", "x")],
                &["VK_DRIVER_FILES=Cargo.toml keeps out", "VK_LOADER_DRIVERS_SELECT=x keeps out", "unset them"],
            ),
        ] {
            let message = with(set);
            assert!(parts.iter().all(|part| message.contains(part)) && !message.contains("install"), "{message}");
        }
        assert!(!with(&[("VK_DRIVER_FILES", "Cargo.toml"), ("VK_ICD_FILENAMES", "/no")]).contains("VK_ICD_FILENAMES"));
        assert!(!with(&[("WGPU_BACKEND", "dx12"), ("VK_DRIVER_FILES", "x")]).contains("VK_DRIVER_FILES"));
    }
}
