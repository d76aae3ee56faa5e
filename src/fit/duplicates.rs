//! Examples that must not be on both sides of a split: those of one group, and copies.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::PathBuf;

use super::examples::Examples;

/// Pictures that are copies of each other: of the same bytes, or with the same features. They stay on one side of every split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicates {
    /// The copies, in the order of the examples.
    pub paths: Vec<PathBuf>,
    /// Whether they are said to be of different classes.
    pub contradict: bool,
}

impl Examples {
    /// The copies among the examples, in their order.
    pub fn duplicates(&self) -> Vec<Duplicates> {
        let mut together = Together::new(self.len());
        together.join_copies(self);
        let copies = together.sets().into_iter().filter(|set| set.len() > 1);
        copies
            .map(|set| Duplicates {
                contradict: set.iter().any(|&example| self.known[example] != self.known[set[0]]),
                paths: set.iter().map(|&example| self.paths[example].clone()).collect(),
            })
            .collect()
    }

    /// The examples in sets that no split may divide, each in order.
    pub(super) fn indivisible(&self) -> Vec<Vec<usize>> {
        let mut together = Together::new(self.len());
        together.join_copies(self);
        let groups = self.groups.iter().enumerate();
        together.join_same(groups.filter_map(|(example, group)| Some((example, group.as_ref()?))));
        together.sets()
    }
}

/// A union of sets (disjoint-set forest).
struct Together {
    parents: Vec<usize>,
}

impl Together {
    fn new(count: usize) -> Self {
        Self { parents: (0..count).collect() }
    }

    fn root(&mut self, mut of: usize) -> usize {
        while self.parents[of] != of {
            self.parents[of] = self.parents[self.parents[of]];
            of = self.parents[of];
        }
        of
    }

    /// Joins examples with the same key.
    fn join_same<K: Eq + Hash>(&mut self, keyed: impl Iterator<Item = (usize, K)>) {
        let mut first = HashMap::new();
        for (example, key) in keyed {
            let [one, other] = [*first.entry(key).or_insert(example), example].map(|it| self.root(it));
            let [parent, child] = [one.min(other), one.max(other)];
            self.parents[child] = parent;
        }
    }

    fn join_copies(&mut self, examples: &Examples) {
        self.join_same(examples.contents.iter().enumerate());
        self.join_same((0..examples.len()).map(|example| (example, bytemuck::cast_slice::<f32, u32>(examples.row(example)))));
    }

    fn sets(mut self) -> Vec<Vec<usize>> {
        let mut sets = vec![Vec::new(); self.parents.len()];
        for example in 0..self.parents.len() {
            let root = self.root(example);
            sets[root].push(example);
        }
        sets.retain(|set| !set.is_empty());
        sets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Known;
    use crate::fit::{ContentHash, Example};

    #[test]
    fn copies_and_groups_stay_together() {
        let mut examples = Examples::new(vec!["cat".into(), "dog".into()], 1);
        for (path, class, group, content, feature) in [
            ("a", 0, Some("p"), b"1", 1.0),
            ("b", 0, None, b"2", 2.0),
            ("c", 1, None, b"2", 2.0),
            ("d", 0, Some("p"), b"3", 3.0),
            ("e", 0, None, b"4", 3.0),
            ("f", 1, None, b"5", 5.0),
        ] {
            let example = Example {
                path: path.into(),
                known: Known::One(class),
                group: group.map(Into::into),
                content: ContentHash::of(content),
                features: &[feature],
            };
            examples.push(example).unwrap();
        }
        let of = |paths: [&str; 2], contradict| Duplicates { paths: paths.map(Into::into).to_vec(), contradict };
        assert_eq!(examples.duplicates(), [of(["b", "c"], true), of(["d", "e"], false)]);
        assert_eq!(examples.indivisible(), [vec![0, 3, 4], vec![1, 2], vec![5]]);
    }
}
