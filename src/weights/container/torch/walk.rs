//! Walks through what was saved, dictionaries, lists and modules, to the tensors in them.

use std::rc::Rc;

use super::module::module;
use super::storage::{References, Storages};
use super::tensor::tensor;
use super::{LONGEST_NAME, MOST_TENSORS};
use crate::error::{Error, Result};
use crate::weights::container::arguments::arguments;
use crate::weights::container::class_names::class_names;
use crate::weights::container::pickle::{Id, Pickle, Value};
use crate::weights::container::{Container, Contents, Module, Stored};

/// Deepest nesting of dictionaries, lists and modules around a tensor. A DenseNet in DataParallel in a trainer has 8.
const DEEPEST: usize = 64;

/// Bytes of the names of all tensors and of the keys around them.
const LONGEST_NAMES: usize = 4 << 20;

/// Most labels that a module has as an attribute.
const MOST_LABELS: usize = 1 << 12;

/// The contents of a file with this pickle and these storages.
pub(super) fn contents<'a>(
    container: Container,
    pickle: &Pickle,
    references: &References,
    storages: &Storages<'a>,
) -> Result<Contents<'a>> {
    let mut walk = Walk {
        pickle,
        references,
        storages,
        // A tree visits each value once; a graph that shares values visits some again, one made to explode all of them.
        budget: 8 * pickle.len() + 1024,
        tensors: Vec::new(),
        name_bytes: 0,
        modules: Vec::new(),
        epsilons: Vec::new(),
        labels: None,
    };
    walk.enter(pickle.root(), &"".into(), "", 0)?;
    let Walk { tensors, modules, mut epsilons, labels, .. } = walk;
    epsilons.sort_by(f64::total_cmp);
    epsilons.dedup();
    if let [least, .., most] = epsilons[..] {
        return Err(Error::checkpoint(format!("expected one epsilon in all batch norms, found {least} and {most}")));
    }
    Ok(Contents {
        tensors,
        modules,
        epsilon: epsilons.first().map(|&epsilon| epsilon as f32),
        labels,
        class_names: class_names(pickle),
        arguments: arguments(pickle),
        ..Contents::new(container, storages.byte_count())
    })
}

/// A walk through what was saved: dictionaries, lists and modules, to the tensors in them.
struct Walk<'p, 'a> {
    pickle: &'p Pickle,
    references: &'p References,
    storages: &'p Storages<'a>,
    budget: usize,
    tensors: Vec<Stored<'a>>,
    name_bytes: usize,
    modules: Vec<Module>,
    epsilons: Vec<f64>,
    labels: Option<Vec<String>>,
}

impl<'a> Walk<'_, 'a> {
    /// Enters a value that is no tensor. Tensors in it belong to the dictionary `scope`; `prefix` begins their names.
    fn enter(&mut self, id: Id, scope: &Rc<str>, prefix: &str, depth: usize) -> Result<()> {
        self.spend(1)?;
        if prefix.len() > LONGEST_NAME {
            return Err(too_long(prefix.len()));
        }
        if depth > DEEPEST {
            let place: String = scope.chars().take(40).collect();
            return Err(Error::checkpoint(format!(
                "pickle: expected values nested at most {DEEPEST} deep, found deeper ones below {place:?}"
            )));
        }
        let pickle = self.pickle;
        if let Some(entries) = pickle.dict(id) {
            self.spend(entries.len())?;
            if ["state", "param_groups"].iter().all(|key| pickle.get(id, key).is_some()) {
                // An optimizer, whatever it is called: no part of a network.
                return Ok(());
            }
            for &(key, value) in entries {
                let key = self.key(key)?;
                self.visit(value, scope, &key, depth)?;
            }
        } else if let Some(items) = pickle.sequence(id) {
            for (index, &item) in items.iter().enumerate() {
                self.visit(item, scope, &index.to_string(), depth)?;
            }
        } else if let Some((class, _, Some(state))) = pickle.object(id) {
            self.enter_object(class, state, scope, prefix, depth)?;
        }
        Ok(())
    }

    fn visit(&mut self, id: Id, scope: &Rc<str>, key: &str, depth: usize) -> Result<()> {
        self.spend(1)?;
        if let Some(tensor) = self.tensor(id, key)? {
            return self.keep(tensor, scope);
        }
        let is_container = !matches!(
            self.pickle.value(id),
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Long | Value::Float(_) | Value::Text(_) | Value::Bytes
        );
        if is_container {
            let inner = if scope.is_empty() { key.to_owned() } else { format!("{scope}/{key}") };
            if inner.len() > LONGEST_NAME {
                return Err(too_long(inner.len()));
            }
            self.enter(id, &inner.into(), "", depth + 1)?;
        }
        Ok(())
    }

    /// An instance: a module's parameters, buffers and modules, of any other class nothing.
    fn enter_object(&mut self, class: (&str, &str), state: Id, scope: &Rc<str>, prefix: &str, depth: usize) -> Result<()> {
        let pickle = self.pickle;
        // Attributes beside slots come as a pair.
        let state = pickle.sequence(state).and_then(|pair| pair.first().copied()).unwrap_or(state);
        let Some(entries) = pickle.dict(state) else { return Ok(()) };
        self.spend(entries.len())?;
        if class.0.starts_with("__torch__") {
            return self.enter_scripted(entries, scope, prefix, depth);
        }
        let Some(modules) = pickle.get(state, "_modules") else { return Ok(()) };
        self.keep_module(class, state, scope, prefix)?;
        if class.1.contains("BatchNorm")
            && let Some(Value::Float(epsilon)) = pickle.get(state, "eps").map(|id| pickle.value(id))
        {
            self.epsilons.push(*epsilon);
        }
        if prefix.is_empty() {
            let names = ["pathologies", "targets"].iter().find_map(|name| pickle.sequence(pickle.get(state, name)?));
            let label = |&name: &Id| pickle.text(name).filter(|text| text.len() <= LONGEST_NAME).map(str::to_owned);
            let labels = names.filter(|names| names.len() <= MOST_LABELS).and_then(|names| names.iter().map(label).collect());
            self.labels = labels.or(self.labels.take());
        }
        for holder in ["_parameters", "_buffers"] {
            let held = pickle.get(state, holder).and_then(|held| pickle.dict(held)).unwrap_or_default();
            for &(key, value) in held {
                self.spend(1)?;
                let name = format!("{prefix}{}", self.key(key)?);
                if let Some(tensor) = self.tensor(value, &name)? {
                    self.keep(tensor, scope)?;
                }
            }
        }
        for &(key, module) in pickle.dict(modules).unwrap_or_default() {
            let inner = format!("{prefix}{}.", self.key(key)?);
            self.enter(module, scope, &inner, depth + 1)?;
        }
        Ok(())
    }

    /// A module of TorchScript: its attributes are its tensors and modules, and what they compute is in the program, which is not
    /// looked at.
    fn enter_scripted(&mut self, entries: &[(Id, Id)], scope: &Rc<str>, prefix: &str, depth: usize) -> Result<()> {
        for &(key, value) in entries {
            let name = format!("{prefix}{}", self.key(key)?);
            if let Some(tensor) = self.tensor(value, &name)? {
                self.keep(tensor, scope)?;
            } else if self.pickle.object(value).is_some_and(|(class, ..)| class.0.starts_with("__torch__")) {
                self.enter(value, scope, &format!("{name}."), depth + 1)?;
            }
        }
        Ok(())
    }

    fn key(&self, id: Id) -> Result<String> {
        match self.pickle.value(id) {
            Value::Text(text) if text.len() > LONGEST_NAME => Err(too_long(text.len())),
            Value::Text(text) => Ok(text.clone()),
            Value::Int(int) => Ok(int.to_string()),
            _ => Ok("?".into()),
        }
    }

    fn tensor(&self, id: Id, name: &str) -> Result<Option<Stored<'a>>> {
        tensor(self.pickle, self.references, self.storages, id, name)
    }

    fn keep_module(&mut self, class: (&str, &str), state: Id, scope: &Rc<str>, prefix: &str) -> Result<()> {
        self.name_bytes += prefix.len() + class.0.len() + class.1.len();
        self.check_names()?;
        self.modules.push(module(self.pickle, class, state, scope, prefix));
        Ok(())
    }

    fn keep(&mut self, tensor: Stored<'a>, scope: &Rc<str>) -> Result<()> {
        self.name_bytes += tensor.name.len();
        self.check_names()?;
        self.tensors.push(tensor.in_scope(scope));
        Ok(())
    }

    fn check_names(&self) -> Result<()> {
        if self.tensors.len() == MOST_TENSORS || self.name_bytes > LONGEST_NAMES {
            let found = format!("more than {} tensors with names of {} bytes", self.tensors.len(), self.name_bytes);
            return Err(Error::checkpoint(format!(
                "pickle: expected at most {MOST_TENSORS} tensors and {LONGEST_NAMES} bytes, found {found}"
            )));
        }
        Ok(())
    }

    fn spend(&mut self, visits: usize) -> Result<()> {
        let left = self.budget.checked_sub(visits);
        self.budget = left.ok_or_else(|| Error::checkpoint("pickle: expected a tree of values, found one that repeats itself"))?;
        Ok(())
    }
}

fn too_long(found: usize) -> Error {
    Error::checkpoint(format!("pickle: expected names of at most {LONGEST_NAME} bytes, found one of {found}"))
}
