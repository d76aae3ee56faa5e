//! The place of a class among all.

/// How many classes come before `class`: those with larger scores, and of those with the same the ones with lower indices.
pub(in crate::evaluate) fn rank(scores: &[f64], class: usize) -> usize {
    let own = scores[class];
    scores.iter().enumerate().filter(|&(index, &score)| score > own || score == own && index < class).count()
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn of_equal_classes_the_lower_index_comes_first() {
        assert_eq!([0, 1, 2].map(|class| rank(&[0.5, 0.5, 0.7], class)), [1, 2, 0]);
    }
}
