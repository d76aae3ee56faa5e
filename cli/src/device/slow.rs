//! The warning that `--device cpu` is slow.

use std::sync::Once;

use crate::message;
use crate::remedy::SOFTWARE;

/// Warns once per process, before the reference runs. Does not query any driver: `cpu` is the way out when a driver crashes.
pub(crate) fn warn() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        message::warning(&format!(
            "--device cpu is the reference, which is slow; --device llvmpipe, Mesa's software adapter, is {SOFTWARE} (`densenet devices` lists it if \
             it is installed)"
        ));
    });
}
