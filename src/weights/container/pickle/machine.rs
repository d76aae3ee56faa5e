//! The machine that a pickle is a program of: a stack, marks in it, a memo.

use std::collections::HashMap;

use super::{Global, Id, Value};
use crate::error::{Error, Result};

/// Most values of a pickle. A DenseNet-201 with its optimizer has some 60,000; each takes 32 bytes here and may take but
/// one in the file.
const MOST_VALUES: usize = 1 << 19;

/// What a pickle of any size may have. Nearly every value takes two bytes: an instruction that makes it, and one that
/// remembers it or says which.
const FEWEST_VALUES: usize = 1024;

/// Most items of all lists, tuples and dictionaries together.
const MOST_ITEMS: usize = 1 << 21;

/// Longest name of a class or module.
const LONGEST_NAME: usize = 256;

/// `None`, `False`, `True` and the empty tuple are values of every pickle, at these positions.
const SINGLETONS: [Value; 4] = [Value::None, Value::Bool(false), Value::Bool(true), Value::Sequence(Vec::new())];
const NONE: Id = 0;
const FALSE: Id = 1;
const TRUE: Id = 2;
const EMPTY_TUPLE: Id = 3;

/// Functions that checkpoints call, each a record here too: rebuilding tensors, containers, and numbers of NumPy. Classes are
/// records wherever they are from, but for [`MEDDLERS`].
const CALLABLE: [(&str, &[&str]); 24] = [
    (
        "torch._utils",
        &[
            "_rebuild_tensor",
            "_rebuild_tensor_v2",
            "_rebuild_tensor_v3",
            "_rebuild_parameter",
            "_rebuild_parameter_with_state",
            "_rebuild_qtensor",
        ],
    ),
    ("torch._tensor", &["_rebuild_from_type", "_rebuild_from_type_v2"]),
    ("torch.jit._pickle", &["build_intlist", "build_boollist", "build_doublelist", "build_tensorlist", "restore_type_tag"]),
    ("functools", &["partial", "partialmethod"]),
    ("torch", &["Size", "device"]),
    // Modules before PyTorch 1.1 keep what this returned.
    ("torch.nn.backends.thnn", &["_get_thnn_function_backend"]),
    ("torch.serialization", &["_get_layout"]),
    ("collections", &["OrderedDict", "defaultdict", "Counter", "deque"]),
    ("builtins", &["dict", "list", "set", "frozenset", "tuple", "bytearray", "complex", "slice", "range"]),
    ("__builtin__", &["dict", "list", "set", "frozenset", "tuple", "bytearray", "complex", "slice", "xrange"]),
    ("numpy", &["dtype"]),
    ("numpy.core.multiarray", &["scalar", "_reconstruct"]),
    ("numpy._core.multiarray", &["scalar", "_reconstruct"]),
    ("numpy.core.numeric", &["_frombuffer"]),
    ("numpy._core.numeric", &["_frombuffer"]),
    ("numpy.random._pickle", &["__randomstate_ctor", "__generator_ctor", "__bit_generator_ctor"]),
    ("_codecs", &["encode"]),
    ("datetime", &["datetime", "date", "time", "timedelta", "timezone"]),
    ("decimal", &["Decimal"]),
    ("pathlib._local", &["PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath", "Path"]),
    ("torchvision.transforms.functional", &["InterpolationMode"]),
    ("pathlib", &["PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath", "Path"]),
    ("copy_reg", &["_reconstructor", "__newobj__", "__newobj_ex__"]),
    ("copyreg", &["_reconstructor", "__newobj__", "__newobj_ex__"]),
];

/// Modules of which a pickle calls nothing unless it is to do harm: those that run programs or code, and that reach files or the
/// network. Nothing is run here in any case; such a file is not one to go on with.
const MEDDLERS: [&str; 32] = [
    "os",
    "posix",
    "nt",
    "sys",
    "subprocess",
    "shutil",
    "socket",
    "builtins",
    "__builtin__",
    "importlib",
    "runpy",
    "code",
    "codeop",
    "pty",
    "ctypes",
    "multiprocessing",
    "threading",
    "asyncio",
    "signal",
    "pdb",
    "bdb",
    "timeit",
    "webbrowser",
    "http",
    "urllib",
    "requests",
    "ftplib",
    "smtplib",
    "tempfile",
    "zipimport",
    "pickle",
    "marshal",
];

/// The pickle machine: a stack, marks in it, a memo.
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    items: usize,
}

impl<'a> Machine<'a> {
    /// A machine that has done nothing of the program that `bytes` begin with.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, values: SINGLETONS.to_vec(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new(), items: 0 }
    }

    /// Runs the program to its end: all values, the position of the last, and how many bytes the program has.
    pub(super) fn run(mut self) -> Result<(Vec<Value>, Id, usize)> {
        loop {
            if let Some(root) = self.step()? {
                return Ok((self.values, root, self.at));
            }
        }
    }

    /// Does one instruction; the result where it was the last.
    fn step(&mut self) -> Result<Option<Id>> {
        let most = MOST_VALUES.min(self.bytes.len() / 2 + FEWEST_VALUES);
        if self.values.len().max(self.memo.len()).max(self.stack.len()).max(self.marks.len()) > most {
            return Err(self.malformed(&format!("at most {most} values in the pickle of a checkpoint")));
        }
        let [op] = self.array()?;
        match op {
            0x80 => self.skip(1)?, // PROTO
            0x95 => self.skip(8)?, // FRAME
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
            b'J' => self.push_int(|m| Ok(i64::from(i32::from_le_bytes(m.array()?))))?,
            b'K' => self.push_int(|m| Ok(i64::from(u8::from_le_bytes(m.array()?))))?,
            b'M' => self.push_int(|m| Ok(i64::from(u16::from_le_bytes(m.array()?))))?,
            0x8a => {
                let [length] = self.array()?;
                self.push_long(length.into())?;
            }
            0x8b => {
                let length = self.length4()?;
                self.push_long(length)?;
            }
            b'F' => {
                let line = self.line()?;
                let float = std::str::from_utf8(line).ok().and_then(|text| text.trim().parse().ok());
                let float = float.ok_or_else(|| self.malformed("a float"))?;
                self.push(Value::Float(float));
            }
            b'G' => {
                let float = f64::from_be_bytes(self.array()?);
                self.push(Value::Float(float));
            }

            b'S' => {
                let line = self.line()?;
                let quoted = line.trim_ascii();
                let text = String::from_utf8_lossy(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default()).into_owned();
                self.push(Value::Text(text));
            }
            b'V' => {
                let line = self.line()?;
                self.push_text(line);
            }
            // Python 2's byte strings are text in every checkpoint that has them: keys and storage names.
            b'U' | 0x8c => {
                let [length] = self.array()?;
                let text = self.take(length.into())?;
                self.push_text(text);
            }
            b'T' | b'X' => {
                let length = self.length4()?;
                let text = self.take(length)?;
                self.push_text(text);
            }
            0x8d => {
                let length = self.length8()?;
                let text = self.take(length)?;
                self.push_text(text);
            }
            b'C' => {
                let [length] = self.array()?;
                self.push_bytes(length.into())?;
            }
            b'B' => {
                let length = self.length4()?;
                self.push_bytes(length)?;
            }
            0x8e | 0x96 => {
                let length = self.length8()?;
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
                let start = start.ok_or_else(|| self.malformed("enough values for a tuple"))?;
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
                let line = self.line()?;
                let index = std::str::from_utf8(line).ok().and_then(|text| text.trim().parse().ok());
                let index = index.ok_or_else(|| self.malformed("a memo index"))?;
                if op == b'g' { self.recall(index)? } else { self.remember(index)? }
            }
            b'h' | b'q' => {
                let [index] = self.array()?;
                if op == b'h' { self.recall(index.into())? } else { self.remember(index.into())? }
            }
            b'j' | b'r' => {
                let index = u32::from_le_bytes(self.array()?);
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
                    return Err(self.malformed("the name of a class"));
                };
                let global = self.global(module, name)?;
                self.push(global);
            }
            b'P' => {
                let line = self.line()?;
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
                    return Err(self.malformed("a class"));
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
            _ => return Err(self.malformed(&format!("an instruction of a checkpoint's pickle, not 0x{op:02x}"))),
        }
        Ok(None)
    }

    fn written_global(&mut self) -> Result<Value> {
        let [module, name] = [self.line()?, self.line()?].map(String::from_utf8_lossy);
        self.global(&module, &name)
    }

    /// A class or function. Its name is copied, and by short instructions again and again: so it must be short.
    fn global(&self, module: &str, name: &str) -> Result<Value> {
        if module.len().max(name.len()) > LONGEST_NAME {
            return Err(self.malformed(&format!("a class's name of at most {LONGEST_NAME} bytes")));
        }
        Ok(Value::Global(Box::new(Global { module: module.to_owned(), name: name.to_owned() })))
    }

    fn call(&mut self, callable: Id, arguments: Id) -> Result<()> {
        let Value::Global(global) = &self.values[callable as usize] else {
            return Err(self.malformed("a function by name"));
        };
        let (module, name) = (global.module.as_str(), global.name.as_str());
        if matches!(module, "builtins" | "__builtin__") && name == "getattr" {
            return self.attribute(arguments);
        }
        let known = CALLABLE.iter().any(|(known, names)| *known == module && names.contains(&name));
        if !known && !is_class(global) {
            let called = format!("{module}.{name}").chars().take(200).collect::<String>();
            return Err(Error::checkpoint(format!(
                "the pickle calls {called:?}, which no DenseNet checkpoint needs: refused, nothing was run. If you trust its author, \
                 load it in Python and save only model.state_dict()"
            )));
        }
        match (module, name) {
            // Their argument is what they hold: pairs, or items.
            ("collections", "OrderedDict") | ("builtins" | "__builtin__", "dict") => {
                let entries = self.initial_entries(arguments);
                self.push(Value::Dict(entries));
            }
            ("collections", "defaultdict" | "Counter") => self.push(Value::Dict(Vec::new())),
            // A set has no order that would number what is in it: an instance, whose items nobody asks for.
            ("torch", "Size") | ("builtins" | "__builtin__", "list" | "tuple") => {
                let items = match &self.values[arguments as usize] {
                    Value::Sequence(outer) => outer.first().copied(),
                    _ => None,
                };
                match items.filter(|&items| matches!(self.values[items as usize], Value::Sequence(_))) {
                    Some(items) => self.stack.push(items),
                    None => self.push(Value::Sequence(Vec::new())),
                }
            }
            _ => return self.instance(callable, arguments),
        }
        Ok(())
    }

    /// A class in a class, or a value of an enumeration, which Python names as an attribute of a class.
    fn attribute(&mut self, arguments: Id) -> Result<()> {
        let parts = match &self.values[arguments as usize] {
            Value::Sequence(parts) => parts.as_slice(),
            _ => &[],
        };
        let named = match *parts {
            [class, name] => match (&self.values[class as usize], &self.values[name as usize]) {
                (Value::Global(class), Value::Text(name)) if is_class(class) && !name.starts_with('_') => Some((class, name)),
                _ => None,
            },
            _ => None,
        };
        let Some((class, name)) = named else {
            return Err(Error::checkpoint(
                "the pickle calls \"builtins.getattr\", of something else than a class: refused, nothing was run. If you trust its \
                 author, load it in Python and save only model.state_dict()",
            ));
        };
        let global = self.global(&class.module, &format!("{}.{name}", class.name))?;
        self.push(global);
        Ok(())
    }

    /// Python 2 gives an OrderedDict its entries as a list of pairs.
    fn initial_entries(&mut self, arguments: Id) -> Vec<(Id, Id)> {
        let Value::Sequence(outer) = &self.values[arguments as usize] else { return Vec::new() };
        let Some(&first) = outer.first() else { return Vec::new() };
        // Taken, not copied: entries that many dictionaries began with would multiply.
        let Value::Sequence(pairs) = std::mem::replace(&mut self.values[first as usize], Value::None) else { return Vec::new() };
        let pair = |id: &Id| match &self.values[*id as usize] {
            Value::Sequence(pair) => <[Id; 2]>::try_from(pair.as_slice()).ok().map(|[key, value]| (key, value)),
            _ => None,
        };
        pairs.iter().filter_map(pair).collect()
    }

    fn instance(&mut self, class: Id, arguments: Id) -> Result<()> {
        if !matches!(self.values[class as usize], Value::Global(_)) {
            return Err(self.malformed("a class by name"));
        }
        self.push(Value::Object { class, arguments, state: None });
        Ok(())
    }

    /// What the file keeps outside. A stream's `('module', class, file, source)` stands for the class, so that Python can
    /// warn of changed sources.
    fn persistent(&mut self) -> Result<()> {
        let id = self.pop()?;
        if let Value::Sequence(parts) = &self.values[id as usize]
            && let &[kind, class, ..] = parts.as_slice()
            && matches!(&self.values[kind as usize], Value::Text(kind) if kind == "module")
        {
            self.stack.push(class);
            return Ok(());
        }
        self.push(Value::Persistent(id));
        Ok(())
    }

    fn append(&mut self, mut items: Vec<Id>) -> Result<()> {
        let target = self.top()?;
        match &mut self.values[target as usize] {
            // What is appended to the empty tuple would be in all of them.
            Value::Sequence(list) if target != EMPTY_TUPLE => list.append(&mut items),
            // A subclass of list: its items are what it is here.
            object @ Value::Object { state: None, .. } => *object = Value::Sequence(items),
            _ => return Err(self.malformed("a list to append to")),
        }
        Ok(())
    }

    fn set_items(&mut self, mut new: Vec<(Id, Id)>) -> Result<()> {
        let target = self.top()?;
        match &mut self.values[target as usize] {
            Value::Dict(entries) => entries.append(&mut new),
            // A subclass of dict: its items are what it is here.
            object @ Value::Object { state: None, .. } => *object = Value::Dict(new),
            _ => return Err(self.malformed("a dictionary to set items of")),
        }
        Ok(())
    }

    fn pairs(&self, items: &[Id]) -> Result<Vec<(Id, Id)>> {
        match items.as_chunks::<2>() {
            (pairs, []) => Ok(pairs.iter().map(|&[key, value]| (key, value)).collect()),
            _ => Err(self.malformed("a value for every key")),
        }
    }

    fn add(&mut self, value: Value) -> Id {
        // `step` checks their number before each instruction, and none makes more than three.
        let id = self.values.len() as Id;
        self.values.push(value);
        id
    }

    fn push(&mut self, value: Value) {
        let id = self.add(value);
        self.stack.push(id);
    }

    fn push_int(&mut self, read: impl FnOnce(&mut Self) -> Result<i64>) -> Result<()> {
        let int = read(self)?;
        self.push(Value::Int(int));
        Ok(())
    }

    fn push_decimal(&mut self) -> Result<()> {
        let line = self.line()?;
        let text = std::str::from_utf8(line).unwrap_or_default().trim().trim_end_matches('L');
        let value = match text {
            "01" => Value::Bool(true),
            "00" => Value::Bool(false),
            _ => text.parse().map(Value::Int).unwrap_or(Value::None),
        };
        self.push(value);
        Ok(())
    }

    fn push_long(&mut self, length: usize) -> Result<()> {
        let bytes = self.take(length)?;
        let value = if length <= 8 {
            let sign = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
            let mut wide = [sign; 8];
            wide[..length].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(wide))
        } else {
            Value::Long
        };
        self.push(value);
        Ok(())
    }

    fn push_text(&mut self, bytes: &[u8]) {
        self.push(Value::Text(String::from_utf8_lossy(bytes).into_owned()));
    }

    fn push_bytes(&mut self, length: usize) -> Result<()> {
        self.take(length)?;
        self.push(Value::Bytes);
        Ok(())
    }

    fn remember(&mut self, index: u64) -> Result<()> {
        let top = self.top()?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn recall(&mut self, index: u64) -> Result<()> {
        let id = self.memo.get(&index).copied().ok_or_else(|| self.malformed("a value that was memorised"))?;
        self.stack.push(id);
        Ok(())
    }

    /// Where the values since the last mark begin.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Id> {
        let top = if self.stack.len() > self.floor() { self.stack.last().copied() } else { None };
        top.ok_or_else(|| self.malformed("a value on the stack"))
    }

    fn pop(&mut self) -> Result<Id> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop().ok_or_else(|| self.malformed("a mark on the stack"))?;
        let items = self.stack.split_off(mark);
        self.items += items.len();
        if self.items > MOST_ITEMS {
            return Err(self.malformed(&format!("at most {MOST_ITEMS} items in the lists of a checkpoint's pickle")));
        }
        Ok(items)
    }

    /// POP takes a value, or a mark that has nothing above it.
    fn discard(&mut self) -> Result<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let found = self.bytes.len() - self.at;
        let part = self.at.checked_add(length).and_then(|end| self.bytes.get(self.at..end));
        let part = part.ok_or_else(|| Error::checkpoint(format!("pickle: expected {length} bytes at byte {}, found {found}", self.at)))?;
        self.at += length;
        Ok(part)
    }

    fn skip(&mut self, length: usize) -> Result<()> {
        self.take(length).map(drop)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn length4(&mut self) -> Result<usize> {
        let length = u32::from_le_bytes(self.array()?);
        usize::try_from(length).map_err(|_| self.malformed("a length"))
    }

    fn length8(&mut self) -> Result<usize> {
        let length = u64::from_le_bytes(self.array()?);
        usize::try_from(length).map_err(|_| self.malformed("a length that fits in memory"))
    }

    fn line(&mut self) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| self.malformed("the end of a line"))?;
        self.at += length + 1;
        Ok(&rest[..length])
    }

    fn malformed(&self, expected: &str) -> Error {
        Error::checkpoint(format!("pickle: expected {expected} at byte {}; the file is damaged or cut, get it again", self.at))
    }
}

/// Whether that is the name of a class by Python's habit, and of a module that does no harm.
fn is_class(global: &Global) -> bool {
    let root = global.module.split('.').next().unwrap_or_default();
    let name = global.name.rsplit('.').next().unwrap_or_default();
    name.trim_start_matches('_').starts_with(char::is_uppercase) && !MEDDLERS.contains(&root)
}
