//! The machine that a pickle is a program of: a stack, marks in it, a memo.

mod calls;
mod collections;
mod scalars;
mod stack;

use std::collections::HashMap;

use super::program::Program;
use super::value::{Id, Value};
use crate::error::Result;

/// Most values of a pickle. A DenseNet-201 with its optimizer has some 60,000; each takes 32 bytes here and may take but
/// one in the file.
const MOST_VALUES: usize = 1 << 19;

/// What a pickle of any size may have. Nearly every value takes two bytes: an instruction that makes it, and one that
/// remembers it or says which.
const FEWEST_VALUES: usize = 1024;

/// `None`, `False`, `True` and the empty tuple are values of every pickle, at these positions.
const SINGLETONS: [Value; 4] = [Value::None, Value::Bool(false), Value::Bool(true), Value::Sequence(Vec::new())];
const NONE: Id = 0;
const FALSE: Id = 1;
const TRUE: Id = 2;
const EMPTY_TUPLE: Id = 3;

/// The pickle machine: a stack, marks in it, a memo.
pub(super) struct Machine<'a> {
    program: Program<'a>,
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    items: usize,
}

impl<'a> Machine<'a> {
    /// A machine before the first instruction of the program that `bytes` begin with.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            program: Program::new(bytes),
            values: SINGLETONS.to_vec(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            items: 0,
        }
    }

    /// Runs the program to its end: all values, the position of the last, and how many bytes the program has.
    pub(super) fn run(mut self) -> Result<(Vec<Value>, Id, usize)> {
        loop {
            if let Some(root) = self.step()? {
                return Ok((self.values, root, self.program.position()));
            }
        }
    }

    /// Executes one instruction; returns the result if it was the last.
    fn step(&mut self) -> Result<Option<Id>> {
        let most = MOST_VALUES.min(self.program.len() / 2 + FEWEST_VALUES);
        if self.values.len().max(self.memo.len()).max(self.stack.len()).max(self.marks.len()) > most {
            return Err(self.program.malformed(&format!("at most {most} values in the pickle of a checkpoint")));
        }
        let [op] = self.program.array()?;
        match op {
            0x80 => self.program.skip(1)?, // PROTO
            0x95 => self.program.skip(8)?, // FRAME
            b'.' => return self.pop().map(Some),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => self.discard()?,
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }

            b'N' => self.stack.push(NONE),
            0x88 => self.stack.push(TRUE),
            0x89 => self.stack.push(FALSE),
            b'I' => self.push_decimal()?,
            b'L' => self.push_decimal()?,
            b'J' => {
                let int = i32::from_le_bytes(self.program.array()?);
                self.push(Value::Int(int.into()));
            }
            b'K' => {
                let int = u8::from_le_bytes(self.program.array()?);
                self.push(Value::Int(int.into()));
            }
            b'M' => {
                let int = u16::from_le_bytes(self.program.array()?);
                self.push(Value::Int(int.into()));
            }
            0x8a => {
                let [length] = self.program.array()?;
                self.push_long(length.into())?;
            }
            0x8b => {
                let length = self.program.length4()?;
                self.push_long(length)?;
            }
            b'F' => {
                let line = self.program.line()?;
                let float = std::str::from_utf8(line).ok().and_then(|text| text.trim().parse().ok());
                let float = float.ok_or_else(|| self.program.malformed("a float"))?;
                self.push(Value::Float(float));
            }
            b'G' => {
                let float = f64::from_be_bytes(self.program.array()?);
                self.push(Value::Float(float));
            }

            b'S' => {
                let line = self.program.line()?;
                let quoted = line.trim_ascii();
                let text = String::from_utf8_lossy(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default()).into_owned();
                self.push(Value::Text(text));
            }
            b'V' => {
                let line = self.program.line()?;
                self.push_text(line);
            }
            // Python 2's byte strings are text in every checkpoint that has them: keys and storage names.
            b'U' | 0x8c => {
                let [length] = self.program.array()?;
                let text = self.program.take(length.into())?;
                self.push_text(text);
            }
            b'T' | b'X' => {
                let length = self.program.length4()?;
                let text = self.program.take(length)?;
                self.push_text(text);
            }
            0x8d => {
                let length = self.program.length8()?;
                let text = self.program.take(length)?;
                self.push_text(text);
            }
            b'C' => {
                let [length] = self.program.array()?;
                self.push_bytes(length.into())?;
            }
            b'B' => {
                let length = self.program.length4()?;
                self.push_bytes(length)?;
            }
            0x8e | 0x96 => {
                let length = self.program.length8()?;
                self.push_bytes(length)?;
            }

            b')' => self.stack.push(EMPTY_TUPLE),
            b']' | 0x8f => self.push(Value::Sequence(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            b'l' | b't' | 0x91 => {
                let items = self.pop_mark()?;
                self.push(Value::Sequence(items));
            }
            0x85..=0x87 => {
                let count = usize::from(op - 0x84);
                let start = self.stack.len().checked_sub(count).filter(|&start| start >= self.floor());
                let start = start.ok_or_else(|| self.program.malformed("enough values for a tuple"))?;
                let items = self.stack.split_off(start);
                self.push(Value::Sequence(items));
            }
            b'd' => {
                let items = self.pop_mark()?;
                let entries = self.pairs(&items)?;
                self.push(Value::Dict(entries));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' | 0x90 => {
                let items = self.pop_mark()?;
                self.append(items)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(vec![(key, value)])?;
            }
            b'u' => {
                let items = self.pop_mark()?;
                let entries = self.pairs(&items)?;
                self.set_items(entries)?;
            }

            b'g' | b'p' => {
                let line = self.program.line()?;
                let index = std::str::from_utf8(line).ok().and_then(|text| text.trim().parse().ok());
                let index = index.ok_or_else(|| self.program.malformed("a memo index"))?;
                if op == b'g' { self.recall(index)? } else { self.remember(index)? }
            }
            b'h' | b'q' => {
                let [index] = self.program.array()?;
                if op == b'h' { self.recall(index.into())? } else { self.remember(index.into())? }
            }
            b'j' | b'r' => {
                let index = u32::from_le_bytes(self.program.array()?);
                if op == b'j' { self.recall(index.into())? } else { self.remember(index.into())? }
            }
            0x94 => self.remember(self.memo.len() as u64)?,

            b'c' => {
                let global = self.written_global()?;
                self.push(global);
            }
            0x93 => {
                let [name, module] = [self.pop()?, self.pop()?];
                let (Value::Text(module), Value::Text(name)) = (&self.values[module as usize], &self.values[name as usize]) else {
                    return Err(self.program.malformed("the name of a class"));
                };
                let global = self.global(module, name)?;
                self.push(global);
            }
            b'P' => {
                let line = self.program.line()?;
                self.push_text(line);
                self.persistent()?;
            }
            b'Q' => self.persistent()?,

            b'R' => {
                let arguments = self.pop()?;
                let callable = self.pop()?;
                self.call(callable, arguments)?;
            }
            0x81 => {
                let arguments = self.pop()?;
                let class = self.pop()?;
                self.instance(class, arguments)?;
            }
            0x92 => {
                let _keywords = self.pop()?;
                let arguments = self.pop()?;
                let class = self.pop()?;
                self.instance(class, arguments)?;
            }
            b'i' => {
                let global = self.written_global()?;
                let arguments = self.pop_mark()?;
                let class = self.add(global);
                let arguments = self.add(Value::Sequence(arguments));
                self.call(class, arguments)?;
            }
            b'o' => {
                let mut arguments = self.pop_mark()?;
                if arguments.is_empty() {
                    return Err(self.program.malformed("a class"));
                }
                let class = arguments.remove(0);
                let arguments = self.add(Value::Sequence(arguments));
                self.call(class, arguments)?;
            }
            b'b' => {
                let given = self.pop()?;
                let target = self.top()?;
                // Only instances keep what they are given: an OrderedDict's attributes are of no interest.
                if let Value::Object { state, .. } = &mut self.values[target as usize] {
                    *state = Some(given);
                }
            }
            _ => return Err(self.program.malformed(&format!("an instruction of a checkpoint's pickle, not 0x{op:02x}"))),
        }
        Ok(None)
    }
}
