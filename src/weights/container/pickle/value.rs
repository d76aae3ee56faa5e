//! What a pickle builds, as records.

/// A value's position in its pickle.
pub(in crate::weights::container) type Id = u32;

/// A recorded value.
#[derive(Debug, Clone)]
pub(in crate::weights::container) enum Value {
    /// `None`.
    None,
    /// A boolean.
    Bool(bool),
    /// An integer of at most 64 bits.
    Int(i64),
    /// A longer integer, which nothing but the magic number of a stream is.
    Long,
    /// A float.
    Float(f64),
    /// A string.
    Text(String),
    /// Bytes, of which nothing but the number matters here.
    Bytes,
    /// A list, tuple or set.
    Sequence(Vec<Id>),
    /// A dictionary's keys and values in the order they were set.
    Dict(Vec<(Id, Id)>),
    /// A class or function by name.
    Global(Box<Global>),
    /// An instance of a class, or what a function on the list would return.
    Object {
        /// The class or function, a [`Value::Global`].
        class: Id,
        /// What it was called with.
        arguments: Id,
        /// What it was given afterwards.
        state: Option<Id>,
    },
    /// What the file keeps outside the pickle: PyTorch's storages.
    Persistent(Id),
}

/// The name of a class or function.
#[derive(Debug, Clone)]
pub(in crate::weights::container) struct Global {
    pub(super) module: String,
    pub(super) name: String,
}
