//! A tensor as a file holds it: where its elements lie, and in which order.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use super::Dtype;
use crate::error::{Error, Result};

/// The bytes that tensors are views of: a part of the file, or what was unpacked from one.
pub(crate) type Storage<'a> = Rc<Cow<'a, [u8]>>;

/// A tensor in a file: a view of a storage, its elements `strides` apart, as PyTorch keeps them.
#[derive(Clone)]
pub(crate) struct Stored<'a> {
    /// The keys under which a nested file keeps the dictionary that has this tensor, with `/` between them; `""` for the
    /// outermost.
    pub(crate) scope: Rc<str>,
    /// Its name in that dictionary.
    pub(crate) name: String,
    /// Its name in the file, where that has a number for a layer.
    pub(crate) named: Option<String>,
    /// Its dimensions, the slowest first.
    pub(crate) shape: Vec<usize>,
    /// What its elements are stored as.
    pub(crate) dtype: Dtype,
    storage: Storage<'a>,
    element_offset: usize,
    element_strides: Vec<usize>,
}

impl Stored<'static> {
    /// A tensor of 32-bit floats that is in no file. Errors where `values` are more or fewer than the shape says.
    pub(crate) fn computed(name: impl Into<String>, shape: Vec<usize>, values: impl IntoIterator<Item = f32>) -> Result<Self> {
        let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
        Self::contiguous(name, shape, Dtype::F32, Rc::new(Cow::Owned(bytes)))
    }
}

impl<'a> Stored<'a> {
    /// A tensor whose elements are all of `storage`, in row-major order. Errors where there are more or fewer.
    pub(crate) fn contiguous(name: impl Into<String>, shape: Vec<usize>, dtype: Dtype, storage: Storage<'a>) -> Result<Self> {
        let name = name.into();
        let byte_count = shape.iter().try_fold(dtype.bytes(), |product, &n| product.checked_mul(n));
        if byte_count != Some(storage.len()) {
            return Err(Error::checkpoint(format!(
                "{name}: expected {shape:?} of {dtype}, found {} bytes; the file is damaged, get it again",
                storage.len()
            )));
        }
        let mut element_strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            // Where a dimension is 0 the others may be anything; nothing is read then.
            element_strides[axis - 1] = usize::saturating_mul(element_strides[axis], shape[axis]);
        }
        Ok(Self { scope: Rc::default(), name, named: None, shape, dtype, storage, element_offset: 0, element_strides })
    }

    /// A tensor that begins `element_offset` elements into `storage`. Errors where it reaches beyond its end.
    pub(crate) fn strided(
        name: impl Into<String>,
        shape: Vec<usize>,
        dtype: Dtype,
        storage: Storage<'a>,
        element_offset: usize,
        element_strides: Vec<usize>,
    ) -> Result<Self> {
        let name = name.into();
        let empty = shape.contains(&0);
        let last = shape.iter().zip(&element_strides).try_fold(element_offset, |at, (&n, &stride)| {
            let reach = n.saturating_sub(1).checked_mul(stride)?;
            at.checked_add(reach)
        });
        let elements = storage.len() / dtype.bytes();
        if shape.len() != element_strides.len() || !(empty || last.is_some_and(|last| last < elements)) {
            let found = format!("shape {shape:?}, strides {element_strides:?} and offset {element_offset}");
            return Err(Error::checkpoint(format!(
                "{name}: expected a view of {elements} elements, found {found}; the file is damaged, get it again"
            )));
        }
        Ok(Self { scope: Rc::default(), name, named: None, shape, dtype, storage, element_offset, element_strides })
    }

    /// The same tensor in the dictionary `scope`.
    pub(crate) fn in_scope(self, scope: &Rc<str>) -> Self {
        Self { scope: scope.clone(), ..self }
    }

    /// The same elements with their dimensions in another order.
    pub(crate) fn permuted(&self, axes: &[usize]) -> Self {
        let shape = axes.iter().map(|&axis| self.shape[axis]).collect();
        let element_strides = axes.iter().map(|&axis| self.element_strides[axis]).collect();
        Self { shape, element_strides, ..self.clone() }
    }

    /// The same tensor without its dimensions of 1 beyond the first `dimensions`, as the weight of a 1x1 convolution is
    /// a matrix.
    pub(crate) fn squeezed(&self, dimensions: usize) -> Self {
        let kept = dimensions.min(self.shape.len());
        Self { shape: self.shape[..kept].to_vec(), element_strides: self.element_strides[..kept].to_vec(), ..self.clone() }
    }

    /// Whether both are the same elements in the same order.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let view = |tensor: &Self| (tensor.element_offset, tensor.shape.clone(), tensor.element_strides.clone());
        Rc::ptr_eq(&self.storage, &other.storage) && view(self) == view(other)
    }

    /// Number of elements; `None` where there are more than numbers for it.
    pub(crate) fn elements(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n))
    }

    /// Scope and name in one, as messages show it.
    pub(crate) fn path(&self) -> String {
        let name = self.named.as_ref().unwrap_or(&self.name);
        if self.scope.is_empty() { name.clone() } else { format!("{}/{name}", self.scope) }
    }

    /// All elements in row-major order; `None` where they are no floats.
    pub(crate) fn floats(&self) -> Option<Vec<f32>> {
        let size = self.dtype.bytes();
        let mut floats = Vec::with_capacity(self.elements()?);
        if self.shape.contains(&0) {
            return Some(floats);
        }
        let (outer, run) = self.runs();
        let (outer_shape, inner) = outer.split_at(outer.len().saturating_sub(1));
        let (inner, inner_stride) = inner.first().map_or((1, 0), |&inner| (inner, self.element_strides[outer_shape.len()]));
        let mut index = vec![0; outer_shape.len()];
        loop {
            let row = index.iter().zip(&self.element_strides).map(|(i, stride)| i * stride).sum::<usize>() + self.element_offset;
            for i in 0..inner {
                let first = row + i * inner_stride;
                self.dtype.read(self.storage.get(first * size..(first + run) * size)?, &mut floats)?;
            }
            // The next row, the last dimension fastest.
            let Some(axis) = (0..index.len()).rev().find(|&axis| index[axis] + 1 < outer_shape[axis]) else { break };
            index[axis] += 1;
            index[axis + 1..].fill(0);
        }
        Some(floats)
    }

    /// The dimensions before those that lie without gaps, and how many elements lie so.
    fn runs(&self) -> (&[usize], usize) {
        let (mut outer, mut run) = (self.shape.len(), 1);
        while outer > 0 && (self.shape[outer - 1] == 1 || self.element_strides[outer - 1] == run) {
            outer -= 1;
            run *= self.shape[outer];
        }
        (&self.shape[..outer], run)
    }
}

/// The error for a tensor of a type that no layer has.
pub(crate) fn no_floats(tensor: &str, found: impl fmt::Display) -> Error {
    Error::Tensor {
        file: None,
        tensor: tensor.into(),
        expected: "elements of f32, f16, bf16 or f64".into(),
        found: format!("{found}; save the model as one of those, in Python after model.float()"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(values: &[f32]) -> Storage<'static> {
        Rc::new(Cow::Owned(values.iter().flat_map(|v| v.to_le_bytes()).collect()))
    }

    #[test]
    fn views_are_read_in_row_major_order() {
        let values: Vec<f32> = (0..12u8).map(f32::from).collect();
        let whole = Stored::contiguous("t", vec![2, 3, 2], Dtype::F32, storage(&values)).unwrap();
        assert_eq!(whole.floats().unwrap(), values);
        assert_eq!(whole.permuted(&[2, 0, 1]).floats().unwrap(), [0., 2., 4., 6., 8., 10., 1., 3., 5., 7., 9., 11.]);
        let view = Stored::strided("t", vec![2, 2], Dtype::F32, storage(&values), 1, vec![6, 2]).unwrap();
        assert_eq!(view.floats().unwrap(), [1., 3., 7., 9.]);
        let planes = Stored::strided("t", vec![2, 1, 2, 2], Dtype::F32, storage(&values), 0, vec![6, 99, 2, 1]).unwrap();
        assert_eq!(planes.floats().unwrap(), [0., 1., 2., 3., 6., 7., 8., 9.]);
        let scalar = Stored::strided("t", vec![], Dtype::F32, storage(&values), 5, vec![]).unwrap();
        assert_eq!(scalar.floats().unwrap(), [5.]);
        let empty = Stored::strided("t", vec![3, 0], Dtype::F32, storage(&[]), 9, vec![1, 1]).unwrap();
        assert!(empty.floats().unwrap().is_empty());
    }

    #[test]
    fn views_beyond_their_storage_are_refused() {
        for (shape, offset, strides) in [
            (vec![3], 0, vec![2]),
            (vec![5], 0, vec![1]),
            (vec![1], 4, vec![1]),
            (vec![2, 2], 0, vec![1]),
            (vec![2, usize::MAX], 0, vec![1, usize::MAX]),
            (vec![2], usize::MAX, vec![1]),
        ] {
            assert!(Stored::strided("t", shape, Dtype::F32, storage(&[0.; 4]), offset, strides).is_err());
        }
        assert!(Stored::contiguous("t", vec![5], Dtype::F32, storage(&[0.; 4])).is_err());
        assert!(Stored::contiguous("t", vec![0, usize::MAX, usize::MAX], Dtype::F32, storage(&[])).is_ok());
        assert!(Stored::contiguous("t", vec![usize::MAX, 2], Dtype::F32, storage(&[0.; 4])).is_err());
    }
}
