//! Classes, functions, and the records of their calls.

use super::Machine;
use crate::error::{Error, Result};
use crate::weights::container::pickle::callable::{is_callable, is_class};
use crate::weights::container::pickle::value::{Global, Id, Value};

/// Longest name of a class or module.
const LONGEST_NAME: usize = 256;

impl Machine<'_> {
    pub(super) fn written_global(&mut self) -> Result<Value> {
        let [module, name] = [self.program.line()?, self.program.line()?].map(String::from_utf8_lossy);
        self.global(&module, &name)
    }

    /// A class or function. Its name is copied, and by short instructions again and again: so it must be short.
    pub(super) fn global(&self, module: &str, name: &str) -> Result<Value> {
        if module.len().max(name.len()) > LONGEST_NAME {
            return Err(self.program.malformed(&format!("a class's name of at most {LONGEST_NAME} bytes")));
        }
        Ok(Value::Global(Box::new(Global { module: module.to_owned(), name: name.to_owned() })))
    }

    pub(super) fn call(&mut self, callable: Id, arguments: Id) -> Result<()> {
        let Value::Global(global) = &self.values[callable as usize] else {
            return Err(self.program.malformed("a function by name"));
        };
        let (module, name) = (global.module.as_str(), global.name.as_str());
        if matches!(module, "builtins" | "__builtin__") && name == "getattr" {
            return self.attribute(arguments);
        }
        if !is_callable(global) {
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
            // A set has no order that would number what is in it: an instance, whose items are not read.
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

    pub(super) fn instance(&mut self, class: Id, arguments: Id) -> Result<()> {
        if !matches!(self.values[class as usize], Value::Global(_)) {
            return Err(self.program.malformed("a class by name"));
        }
        self.push(Value::Object { class, arguments, state: None });
        Ok(())
    }

    /// What the file keeps outside. A stream's `('module', class, file, source)` stands for the class, so that Python can
    /// warn of changed sources.
    pub(super) fn persistent(&mut self) -> Result<()> {
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
}
