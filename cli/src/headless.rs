//! Disables a Vulkan layer of Mesa on machines without a desktop.
//!
//! Mesa's device-select layer puts the desktop's GPU first among a program's devices. To learn which that is, the one of
//! Mesa 22.3 (Debian 12) connects to a Wayland compositor, whether there is one or not, and where `XDG_RUNTIME_DIR` is not
//! set libwayland writes an `error:` about it to standard error, each time devices are listed. There is nothing to learn
//! there: GPUs come before software devices here, and those of a kind in the drivers' order. So the layer is left out,
//! with its own variable, unless another of its variables says which device it should put first.

use std::ffi::OsStr;

/// Leaves the layer out, where it could only complain.
///
/// # Safety
/// While the process has one thread: another may be reading the environment.
pub(crate) unsafe fn quieten() {
    if is_of_use(|name| std::env::var_os(name).is_some_and(|value| value != OsStr::new(""))) {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe { std::env::set_var(LEFT_OUT, "1") };
}

/// The variable that leaves the layer out.
const LEFT_OUT: &str = "NODEVICE_SELECT";

/// Whether the layer has a desktop to ask, or a choice to make; or was left out already.
fn is_of_use(is_set: impl Fn(&str) -> bool) -> bool {
    let desktop = ["XDG_RUNTIME_DIR", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"];
    let choice = ["MESA_VK_DEVICE_SELECT", "MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE", "DRI_PRIME", LEFT_OUT];
    desktop.into_iter().chain(choice).any(is_set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_is_left_out_only_where_nobody_needs_it() {
        assert!(!is_of_use(|_| false));
        assert!(!is_of_use(|name| ["HOME", "PATH", "XDG_CACHE_HOME"].contains(&name)));
        for variable in ["XDG_RUNTIME_DIR", "WAYLAND_DISPLAY", "DISPLAY", "MESA_VK_DEVICE_SELECT", "DRI_PRIME", "NODEVICE_SELECT"] {
            assert!(is_of_use(|name| name == variable), "{variable}");
        }
    }
}
