//! Which examples are held out, and which fold the others are in.

use super::examples::Examples;
use crate::evaluate::Known;
use crate::random::Random;

/// Divides `sets` of examples, none of which may be divided, into parts of these `shares`: for each part its examples in order.
///
/// Every part gets its share of every class as nearly as the sets allow: the largest sets are placed first, those of equal size in an
/// order that the seed shuffles, each into the part that lacks most of its classes.
pub(super) fn split(examples: &Examples, sets: &[Vec<usize>], shares: &[f64], seed: u64) -> Vec<Vec<usize>> {
    let kinds = examples.classes.len() + 1;
    let counts: Vec<Vec<f64>> = sets.iter().map(|set| counts(examples, set, kinds)).collect();
    let totals: Vec<f64> = (0..kinds).map(|kind| counts.iter().map(|counts| counts[kind]).sum()).collect();
    let total: usize = sets.iter().map(Vec::len).sum();

    let mut order: Vec<usize> = (0..sets.len()).collect();
    shuffle(&mut order, seed);
    order.sort_by_key(|&set| std::cmp::Reverse(sets[set].len()));

    let mut parts = vec![Vec::new(); shares.len()];
    let mut placed = vec![vec![0.0; kinds]; shares.len()];
    for set in order {
        // What a part lacks of the set's classes, as shares of them all; of equal ones whichever lacks more examples.
        let lack = |part: usize| -> [f64; 2] {
            let of_kind = |kind: usize| {
                let lacks = shares[part] * totals[kind] - placed[part][kind];
                counts[set][kind] * lacks / totals[kind].max(1.0)
            };
            let examples: &Vec<usize> = &parts[part];
            [(0..kinds).map(of_kind).sum(), shares[part] * total as f64 - examples.len() as f64]
        };
        // Sums of shares are not exact.
        let is_more = |[one, one_size]: [f64; 2], [other, other_size]: [f64; 2]| {
            one > other + 1e-9 || one > other - 1e-9 && one_size > other_size + 1e-9
        };
        let best = (1..shares.len()).fold(0, |best, part| if is_more(lack(part), lack(best)) { part } else { best });
        parts[best].extend(&sets[set]);
        placed[best].iter_mut().zip(&counts[set]).for_each(|(placed, count)| *placed += count);
    }
    parts.iter_mut().for_each(|part| part.sort_unstable());
    parts
}

/// How many examples of the set are of each class, and, in the end, of none.
fn counts(examples: &Examples, set: &[usize], kinds: usize) -> Vec<f64> {
    let mut counts = vec![0.0; kinds];
    for &example in set {
        match &examples.known[example] {
            Known::One(class) => counts[*class] += 1.0,
            Known::Each(each) if each.contains(&Some(true)) => {
                each.iter().zip(&mut counts).filter(|(known, _)| **known == Some(true)).for_each(|(_, count)| *count += 1.0);
            }
            Known::Each(_) => counts[kinds - 1] += 1.0,
        }
    }
    counts
}

/// Puts `items` into an order that the seed gives (Durstenfeld 1964).
fn shuffle(items: &mut [usize], seed: u64) {
    let mut random = Random::new("split", seed);
    for last in (1..items.len()).rev() {
        items.swap(last, (random.uniform() * (last + 1) as f64) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::{ContentHash, Example};

    fn examples(known: impl IntoIterator<Item = Known>, classes: usize) -> Examples {
        let mut examples = Examples::new((0..classes).map(|class| class.to_string()).collect(), 1);
        for (number, known) in known.into_iter().enumerate() {
            let content = ContentHash::of(&number.to_le_bytes());
            examples.push(Example { path: "x".into(), known, group: None, content, features: &[number as f32] }).unwrap();
        }
        examples
    }

    fn per_class(examples: &Examples, part: &[usize]) -> Vec<f64> {
        counts(examples, part, examples.classes.len() + 1)
    }

    #[test]
    fn every_part_has_its_share_of_every_class() {
        let examples = examples((0..100).map(|number| Known::One(usize::from(number % 10 == 0))), 2);
        let sets = examples.indivisible();
        let parts = split(&examples, &sets, &[0.8, 0.2], 0);
        assert_eq!(per_class(&examples, &parts[1]), [18.0, 2.0, 0.0]);
        let folds = split(&examples, &sets, &[0.2; 5], 0);
        assert!(folds.iter().all(|fold| per_class(&examples, fold) == [18.0, 2.0, 0.0]), "{folds:?}");
        assert_eq!(split(&examples, &sets, &[0.8, 0.2], 0), parts);
        assert_ne!(split(&examples, &sets, &[0.8, 0.2], 1), parts);
        let mut all = folds.concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..100));
    }

    #[test]
    fn a_class_of_one_is_learned_from() {
        let examples = examples([0, 0, 0, 0, 0, 1].map(Known::One), 2);
        let parts = split(&examples, &examples.indivisible(), &[0.8, 0.2], 3);
        assert_eq!((per_class(&examples, &parts[0])[1], parts[1].len()), (1.0, 1));
    }

    #[test]
    fn findings_are_shared_too() {
        let known = (0..60).map(|number| Known::Each(vec![Some(number % 3 == 0), (number % 2 == 0).then_some(number % 4 == 0)]));
        let examples = examples(known, 2);
        let parts = split(&examples, &examples.indivisible(), &[0.5, 0.5], 0);
        for kind in 0..3 {
            let [one, other] = [0, 1].map(|part| per_class(&examples, &parts[part])[kind]);
            assert!((one - other).abs() <= 2.0, "{parts:?}");
        }
    }

    #[test]
    fn sets_stay_whole() {
        let examples = examples((0..40).map(|number| Known::One(number % 2)), 2);
        let sets: Vec<Vec<usize>> = (0..10).map(|set| (set * 4..set * 4 + 4).collect()).collect();
        let parts = split(&examples, &sets, &[0.8, 0.2], 0);
        assert_eq!(parts[1].len(), 8);
        assert!(sets.iter().all(|set| [0, 4].contains(&set.iter().filter(|example| parts[1].contains(example)).count())));
    }
}
