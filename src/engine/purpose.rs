//! What a bound plan is for.

/// Who submits a bound plan's commands.
///
/// A program may submit what it encoded at any time, also between a run's upload and its submission: so plans of the two
/// share no buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The engine, one run after the other.
    Engine,
    /// A program, whenever it likes.
    Program,
}

/// What a bound plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Purpose {
    pub(super) owner: Owner,
    /// Whether pictures arrive, which the device normalises, instead of numbers.
    pub(super) pictures: bool,
    pub(super) batch: usize,
    pub(super) size: [usize; 2],
}
