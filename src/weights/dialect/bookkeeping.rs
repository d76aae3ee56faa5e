//! Tensors that belong to no layer: evaluation never reads them.

use super::path::ends_in;
use crate::weights::container::Stored;

/// How the names of single numbers end: counts of training steps and of the steps of a weight average, of which ema-pytorch's also has
/// whether it has begun.
const COUNTS: [&str; 5] = ["num_batches_tracked", "n_averaged", "steps", "step", "initted"];

/// How the names of others end.
const OTHERS: [&str; 4] = [
    // torchxrayvision's thresholds, which are read as the model's.
    "op_threshs",
    // The fixed kernel of timm's blur pool.
    "pool0.1.filt",
    // The random state of Keras's dropout.
    "seed_generator/vars/0",
    "seed_generator_state",
];

impl Stored<'_> {
    /// Whether it belongs to no layer and may be ignored. A count of more than one number may be anything.
    pub(super) fn is_bookkeeping(&self) -> bool {
        let has = |endings: &[&str]| endings.iter().any(|ending| ends_in(&self.name, ending));
        if has(&COUNTS) { self.elements() == Some(1) } else { has(&OTHERS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_single_numbers() {
        let is_bookkeeping =
            |name: &str, elements: usize| Stored::computed(name, vec![elements], vec![0.0; elements]).unwrap().is_bookkeeping();
        assert!(is_bookkeeping("features.norm0.num_batches_tracked", 1) && is_bookkeeping("op_threshs", 18));
        assert!(!is_bookkeeping("attention.steps", 4) && !is_bookkeeping("features.norm0.weight", 1));
    }
}
