//! Lists and dictionaries as they grow.

use super::{EMPTY_TUPLE, Machine};
use crate::error::Result;
use crate::weights::container::pickle::value::{Id, Value};

impl Machine<'_> {
    pub(super) fn append(&mut self, mut items: Vec<Id>) -> Result<()> {
        let target = self.top()?;
        match &mut self.values[target as usize] {
            // What is appended to the empty tuple would be in all of them.
            Value::Sequence(list) if target != EMPTY_TUPLE => list.append(&mut items),
            // A subclass of list: its items are what it is here.
            object @ Value::Object { state: None, .. } => *object = Value::Sequence(items),
            _ => return Err(self.program.malformed("a list to append to")),
        }
        Ok(())
    }

    pub(super) fn set_items(&mut self, mut new: Vec<(Id, Id)>) -> Result<()> {
        let target = self.top()?;
        match &mut self.values[target as usize] {
            Value::Dict(entries) => entries.append(&mut new),
            // A subclass of dict: its items are what it is here.
            object @ Value::Object { state: None, .. } => *object = Value::Dict(new),
            _ => return Err(self.program.malformed("a dictionary to set items of")),
        }
        Ok(())
    }

    pub(super) fn pairs(&self, items: &[Id]) -> Result<Vec<(Id, Id)>> {
        match items.as_chunks::<2>() {
            (pairs, []) => Ok(pairs.iter().map(|&[key, value]| (key, value)).collect()),
            _ => Err(self.program.malformed("a value for every key")),
        }
    }
}
