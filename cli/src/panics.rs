//! What becomes of panics: they are bugs to report, except where a bug in a decoder costs one picture its row.

use std::cell::Cell;

use super::message;

thread_local! {
    static UNTOLD: Cell<bool> = const { Cell::new(false) };
}

/// Tells of every panic from now on, except within [`untold`].
pub(crate) fn tell() {
    std::panic::set_hook(Box::new(|panic| {
        if !UNTOLD.get() {
            message::error(&format!("internal error, please report it: {panic}"));
        }
    }));
}

/// What `decode` makes of bytes that strangers wrote. Panics on this thread are not told: the library catches them and makes
/// errors of them, which have rows.
pub(crate) fn untold<T>(decode: impl FnOnce() -> T) -> T {
    struct Told(bool);
    impl Drop for Told {
        fn drop(&mut self) {
            UNTOLD.set(self.0);
        }
    }
    let _told = Told(UNTOLD.replace(true));
    decode()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_told_again_whatever_happens_within() {
        assert!(untold(|| {
            untold(|| ());
            UNTOLD.get()
        }));
        assert!(!UNTOLD.get());
        assert!(std::panic::catch_unwind(|| untold(|| panic!("within"))).is_err());
        assert!(!UNTOLD.get());
    }
}
