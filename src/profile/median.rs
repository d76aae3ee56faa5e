//! Medians of measurements.

/// The median of `values`; 0 if there are none.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        assert_eq!(
            [median([3.0, 1.0, 2.0].into_iter()), median([4.0, 1.0, 2.0, 3.0].into_iter()), median([].into_iter())],
            [2.0, 2.5, 0.0]
        );
    }
}
