//! Resamples of the pictures: as many of them, drawn with replacement.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::interval::Interval;
use crate::random::Random;

/// For each of `count` resamples, what `measure` says where each of `pictures` is there as often as the slice it gets says. The same
/// seed draws the same resamples, on any number of cores.
pub(in crate::evaluate) fn resamples<T: Send>(count: usize, seed: u64, pictures: usize, measure: impl Fn(&[u32]) -> T + Sync) -> Vec<T> {
    let one = |resample: usize| {
        let mut random = Random::new(&format!("resample {resample}"), seed);
        let mut times = vec![0; pictures];
        (0..pictures).for_each(|_| times[(random.uniform() * pictures as f64) as usize] += 1);
        measure(&times)
    };
    (0..count).into_par_iter().map(one).collect()
}

/// The interval of a number that some resamples may not have.
pub(in crate::evaluate) fn spread(values: impl IntoIterator<Item = Option<f64>>) -> Option<Interval> {
    Interval::of(values.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resample_has_as_many_pictures_and_its_seed_says_which() {
        let drawn = |seed| resamples(20, seed, 50, <[u32]>::to_vec);
        assert!(drawn(3).iter().all(|times| times.iter().sum::<u32>() == 50));
        assert_eq!(drawn(3), drawn(3));
        assert_ne!(drawn(3), drawn(4));
        assert_ne!(drawn(3)[0], drawn(3)[1]);
    }
}
