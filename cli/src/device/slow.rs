//! That `--device cpu` is slow, and what may be there in its place.

use std::sync::Once;

use crate::message;
use crate::remedy::SOFTWARE;

/// Says so, once in a process, before the reference works. It asks no driver what there is: `cpu` is what is left where one crashes.
pub(crate) fn warn() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        message::warning(&format!(
            "--device cpu is the reference, which is slow; --device llvmpipe, Mesa's software device, is {SOFTWARE} (`densenet devices` lists it \
             where it is there)"
        ));
    });
}
