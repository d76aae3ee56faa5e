//! What distinguishes one network's weights from another's.

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sha2::{Digest, Sha256};

use super::{Tensor, Weights};
use crate::cores::on_every_core;

/// Hexadecimal digits of an identity: 64 bits, which no two checkpoints share by accident.
const DIGITS: usize = 16;

impl Weights {
    /// What distinguishes these tensors from any others, whatever the file and its name: 16 hexadecimal digits.
    ///
    /// They are the first ones of the SHA-256 of a text that has a line for each tensor, in the order of names: its name, its
    /// shape, and the SHA-256 of its elements, 32-bit floats with the least byte first.
    ///
    /// ```
    /// use densenet_wgpu::checkpoint::{Tensor, Weights};
    ///
    /// let mut weights = Weights::new();
    /// weights.insert("bias", Tensor { shape: vec![2], data: vec![0.5, -1.0] });
    /// let before = weights.identity();
    /// weights.insert("bias", Tensor { shape: vec![2], data: vec![0.5, -1.0001] });
    /// assert_ne!(weights.identity(), before);
    /// ```
    pub fn identity(&self) -> String {
        let tensors: Vec<(&str, &Tensor)> = self.iter().collect();
        let line = |(name, tensor): (&str, &Tensor)| format!("{name} {:?} {}\n", tensor.shape, sha256(bytemuck::cast_slice(&tensor.data)));
        let lines: Vec<String> = on_every_core(|| tensors.into_par_iter().map(line).collect());
        let mut digits = sha256(lines.concat().as_bytes());
        digits.truncate(DIGITS);
        digits
    }
}

/// The SHA-256 of `bytes`, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models;

    /// By Python's hashlib, of the file as it is.
    #[test]
    fn an_identity_is_what_it_is_said_to_be() {
        assert_eq!(models::bundled("digits").unwrap().unwrap().weights.identity(), "4d8a1abd3f2c32fb");
    }

    #[test]
    fn names_shapes_and_elements_count() {
        let of = |name: &str, shape: &[usize], data: &[f32]| {
            let mut weights = Weights::new();
            weights.insert(name, Tensor { shape: shape.into(), data: data.into() });
            weights.identity()
        };
        let it = of("a", &[2, 1], &[1.0, 2.0]);
        assert_eq!(it, of("a", &[2, 1], &[1.0, 2.0]));
        for other in [of("b", &[2, 1], &[1.0, 2.0]), of("a", &[1, 2], &[1.0, 2.0]), of("a", &[2, 1], &[2.0, 1.0])] {
            assert_ne!(it, other);
        }
    }
}
