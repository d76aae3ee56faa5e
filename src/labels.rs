//! From logits to names: probabilities, the best classes, label files.

use std::cmp::Ordering;
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::weights::Activation;

/// One class and how likely it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Prediction {
    /// The class, counted from 0.
    pub index: usize,
    /// What the network computed.
    pub logit: f32,
    /// The logit after the model's [`Activation`]; the logit itself where there is none.
    pub probability: f64,
}

/// The `k` classes with the largest logits, largest first; of equal ones the lower index first. All of them where
/// there are fewer than `k`.
///
/// Errors where a logit is not finite.
pub fn top_k(logits: &[f32], k: usize, activation: Activation) -> Result<Vec<Prediction>> {
    if let Some(index) = logits.iter().position(|logit| !logit.is_finite()) {
        let found = format!("{} for class {index}", logits[index]);
        return Err(Error::Input { expected: "a picture that gives finite logits".into(), found });
    }
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|&a, &b| logits[b].partial_cmp(&logits[a]).unwrap_or(Ordering::Equal));
    let probabilities = probabilities(logits, activation);
    let prediction = |index| Prediction { index, logit: logits[index], probability: probabilities[index] };
    Ok(order.into_iter().take(k).map(prediction).collect())
}

/// Every logit after `activation`, computed in 64 bits. Softmax is stable: no logit is too large for it.
pub fn probabilities(logits: &[f32], activation: Activation) -> Vec<f64> {
    let wide = logits.iter().map(|&logit| f64::from(logit));
    match activation {
        Activation::None => wide.collect(),
        Activation::Sigmoid => wide.map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
        Activation::Softmax => {
            let largest = wide.clone().fold(f64::NEG_INFINITY, f64::max);
            let exponentials: Vec<f64> = wide.map(|logit| (logit - largest).exp()).collect();
            let sum: f64 = exponentials.iter().sum();
            exponentials.into_iter().map(|e| e / sum).collect()
        }
    }
}

/// Labels from a text file in UTF-8, one a line, for a model of `classes` classes.
///
/// Errors where the file cannot be read or has another number of lines; an empty last line does not count.
pub fn read_labels(path: impl AsRef<Path>, classes: usize) -> Result<Vec<String>> {
    let path = path.as_ref();
    let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
    let labels: Vec<String> = text.trim_start_matches('\u{feff}').lines().map(|line| line.trim().to_owned()).collect();
    if labels.len() != classes {
        let expected = format!("{classes} labels in {}, one a line for each of the model's classes", path.display());
        return Err(Error::Input { expected, found: format!("{} lines", labels.len()) });
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_first_and_equal_ones_by_index() {
        let top = top_k(&[1.0, 3.0, 3.0, -2.0], 3, Activation::Softmax).unwrap();
        assert_eq!(top.iter().map(|p| p.index).collect::<Vec<_>>(), [1, 2, 0]);
        assert_eq!(top_k(&[1.0, 2.0], 5, Activation::Softmax).unwrap().len(), 2);
    }

    #[test]
    fn softmax_survives_large_logits() {
        let p = probabilities(&[1e30, 1e30, -1e30], Activation::Softmax);
        assert_eq!(p, [0.5, 0.5, 0.0]);
        assert_eq!(probabilities(&[0.0, -1e30], Activation::Sigmoid), [0.5, 0.0]);
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        let message = top_k(&[0.0, f32::NAN], 1, Activation::Softmax).unwrap_err().to_string();
        assert!(message.contains("NaN for class 1"), "{message}");
    }

    #[test]
    fn a_label_file_has_a_line_for_each_class() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.txt");
        std::fs::write(&path, "cat\r\ndog\n").unwrap();
        assert_eq!(read_labels(&path, 2).unwrap(), ["cat", "dog"]);
        let message = read_labels(&path, 10).unwrap_err().to_string();
        assert!(message.contains("expected 10 labels") && message.contains("found 2 lines"), "{message}");
    }
}
