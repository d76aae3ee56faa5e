//! Python's pickle format, read and never run.
//!
//! A pickle is a program that builds objects; Python's own reader lets it call any function there is. This one builds
//! records of what the program asks for: classes are names, instances are a class with its arguments and state, and a
//! call is recorded only where the function is on [the list](callable), else the file is refused. All values live in one list
//! and refer to each other by position, so neither depth nor cycles cost anything; their number is bounded.
//!
//! Opcodes: CPython's `pickletools`, protocols 0 to 5.

mod callable;
mod machine;
mod program;
mod value;

use crate::error::Result;
use machine::Machine;
pub(super) use value::{Id, Value};

/// A pickle that was read.
pub(super) struct Pickle {
    values: Vec<Value>,
    root: Id,
}

impl Pickle {
    /// Reads the pickle that `bytes` begin with; also how many bytes it has.
    ///
    /// Errors where it is cut or malformed, or calls a function that is not on the list.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, usize)> {
        let (values, root, length) = Machine::new(bytes).run()?;
        Ok((Self { values, root }, length))
    }

    /// The value that the pickle is about.
    pub(super) fn root(&self) -> Id {
        self.root
    }

    /// Number of values.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The value at that position.
    pub(super) fn value(&self, id: Id) -> &Value {
        &self.values[id as usize]
    }

    /// The string at that position.
    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match self.value(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer at that position.
    pub(super) fn int(&self, id: Id) -> Option<i64> {
        match self.value(id) {
            Value::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// The elements of the sequence at that position.
    pub(super) fn sequence(&self, id: Id) -> Option<&[Id]> {
        match self.value(id) {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of the dictionary at that position.
    pub(super) fn dict(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.value(id) {
            Value::Dict(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value under a key of the dictionary at that position; the last one where it was set twice.
    pub(super) fn get(&self, dict: Id, key: &str) -> Option<Id> {
        self.dict(dict)?.iter().rev().find(|(k, _)| self.text(*k) == Some(key)).map(|(_, value)| *value)
    }

    /// Module and name of the class at that position.
    pub(super) fn global(&self, id: Id) -> Option<(&str, &str)> {
        match self.value(id) {
            Value::Global(global) => Some((&global.module, &global.name)),
            _ => None,
        }
    }

    /// The instance at that position: its class as module and name, arguments, state.
    pub(super) fn object(&self, id: Id) -> Option<((&str, &str), Id, Option<Id>)> {
        match self.value(id) {
            Value::Object { class, arguments, state } => Some((self.global(*class)?, *arguments, *state)),
            _ => None,
        }
    }
}
