//! That `--device cpu` is slow, and what is there in its place.

use std::sync::Once;

use densenet_wgpu::devices::AdapterSummary;
use densenet_wgpu::{Error, Gpu};

use super::address_space;
use super::message;

/// How many times as fast as the reference Mesa's software device is: DenseNet-121 at 224, one image (docs/devices.md).
pub(crate) const SOFTWARE: &str = "5 to 10 times as fast";

/// Says so, once in a process, before the reference works. Nothing is said where no device could be opened in its place.
pub(crate) fn warn() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        if address_space::check_for_a_device().is_ok() {
            message::warning(&instead(Gpu::adapters().first()));
        }
    });
}

/// What to say where `best` is the best device that there is.
fn instead(best: Option<&AdapterSummary>) -> String {
    const SLOW: &str = "--device cpu is the reference, which is slow";
    let Some(adapter) = best else {
        return format!("{SLOW}; Mesa's software device, llvmpipe, is {SOFTWARE}: {}", Error::NoAdapter);
    };
    let name = adapter.name.split_whitespace().next().unwrap_or_default();
    let faster = if !adapter.is_software() {
        "much faster"
    } else if name == "llvmpipe" {
        SOFTWARE
    } else {
        "faster"
    };
    format!("{SLOW}; --device {name} ({}) is {faster}", adapter.name)
}
