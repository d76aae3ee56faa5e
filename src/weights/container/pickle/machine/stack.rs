//! The values that a machine has made, and how it reaches them: a stack with marks, and a memo.

use super::Machine;
use crate::error::Result;
use crate::weights::container::pickle::value::{Id, Value};

/// Most items of all lists, tuples and dictionaries together.
const MOST_ITEMS: usize = 1 << 21;

impl Machine<'_> {
    pub(super) fn add(&mut self, value: Value) -> Id {
        // `step` checks their number before each instruction, and none makes more than three.
        let id = self.values.len() as Id;
        self.values.push(value);
        id
    }

    pub(super) fn push(&mut self, value: Value) {
        let id = self.add(value);
        self.stack.push(id);
    }

    pub(super) fn remember(&mut self, index: u64) -> Result<()> {
        let top = self.top()?;
        self.memo.insert(index, top);
        Ok(())
    }

    pub(super) fn recall(&mut self, index: u64) -> Result<()> {
        let id = self.memo.get(&index).copied().ok_or_else(|| self.program.malformed("a value that was memorised"))?;
        self.stack.push(id);
        Ok(())
    }

    /// Where the values since the last mark begin.
    pub(super) fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    pub(super) fn top(&self) -> Result<Id> {
        let top = if self.stack.len() > self.floor() { self.stack.last().copied() } else { None };
        top.ok_or_else(|| self.program.malformed("a value on the stack"))
    }

    pub(super) fn pop(&mut self) -> Result<Id> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    pub(super) fn pop_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop().ok_or_else(|| self.program.malformed("a mark on the stack"))?;
        let items = self.stack.split_off(mark);
        self.items += items.len();
        if self.items > MOST_ITEMS {
            return Err(self.program.malformed(&format!("at most {MOST_ITEMS} items in the lists of a checkpoint's pickle")));
        }
        Ok(items)
    }

    /// POP takes a value, or a mark that has nothing above it.
    pub(super) fn discard(&mut self) -> Result<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }
}
