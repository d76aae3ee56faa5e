//! Heads are fitted as scikit-learn's `LogisticRegression` fits them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests use the rest")]
mod common;

use std::fs::File;
use std::io::BufReader;

use common::uniform;
use densenet_wgpu::evaluate::Known;
use densenet_wgpu::fit::{ClassWeight, ContentHash, Example, Examples, FitOptions, Head};
use densenet_wgpu::labels::probabilities;
use serde::Deserialize;

/// Features and their truth, and what scikit-learn makes of them (`scripts/make_fit_fixtures.py`).
#[derive(Deserialize)]
struct Case {
    name: String,
    rows: usize,
    columns: usize,
    seed: u64,
    exponents: Vec<i32>,
    classes: usize,
    known: Vec<JsonKnown>,
    regularisation: f64,
    class_weight: String,
    objective: f64,
    right: usize,
    probabilities: Vec<Vec<f64>>,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum JsonKnown {
    One(usize),
    Each(Vec<Option<bool>>),
}

impl Case {
    fn all() -> Vec<Self> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/fit.json");
        serde_json::from_reader(BufReader::new(File::open(path).unwrap())).unwrap()
    }

    /// `[rows, columns]`.
    fn features(&self) -> Vec<f32> {
        let scales = self.exponents.iter().map(|&exponent| 2f32.powi(exponent)).cycle();
        uniform("features", self.seed, self.rows * self.columns)
            .into_iter()
            .zip(scales)
            .map(|(value, scale)| value as f32 * scale)
            .collect()
    }

    fn examples(&self) -> Examples {
        let mut examples = Examples::new((0..self.classes).map(|class| class.to_string()).collect(), self.columns);
        for (row, (features, known)) in self.features().chunks(self.columns).zip(self.known.clone()).enumerate() {
            let known = match known {
                JsonKnown::One(class) => Known::One(class),
                JsonKnown::Each(each) => Known::Each(each),
            };
            let content = ContentHash::of(&row.to_le_bytes());
            examples.push(Example { path: row.to_string().into(), known, group: None, content, features }).unwrap();
        }
        examples
    }

    /// How many rows the head finds right; of findings, how many cells.
    fn right(&self, probabilities: &[Vec<f64>]) -> usize {
        let right = |(known, probabilities): (&JsonKnown, &Vec<f64>)| match known {
            JsonKnown::One(class) => usize::from(probabilities.iter().all(|other| probabilities[*class] >= *other)),
            JsonKnown::Each(each) => each.iter().zip(probabilities).filter(|(known, p)| known.is_some_and(|is| is == (**p > 0.5))).count(),
        };
        self.known.iter().zip(probabilities).map(right).sum()
    }
}

/// The probability of each class for each row, from the head as a network has it: in 32-bit floats.
fn predicted(head: &Head, features: &[f32], columns: usize) -> Vec<Vec<f64>> {
    let logit = |row: &[f32], class: usize| {
        let products = row.iter().zip(&head.weights[class * columns..]).map(|(x, w)| f64::from(*x) * f64::from(*w));
        (products.sum::<f64>() + f64::from(head.biases[class])) as f32
    };
    let logits = |row: &[f32]| (0..head.labels.len()).map(|class| logit(row, class)).collect::<Vec<_>>();
    features.chunks(columns).map(|row| probabilities(&logits(row), head.activation).unwrap()).collect()
}

#[test]
fn heads_are_scikit_learns() {
    let cases = Case::all();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let class_weight = if case.class_weight == "balanced" { ClassWeight::Balanced } else { ClassWeight::Equal };
        let options = FitOptions::default().with_holdout(0.0).with_class_weight(class_weight).with_regularisation(case.regularisation);
        let fitted = case.examples().fit(&options).unwrap();
        let difference = (fitted.objective / case.objective - 1.0).abs();
        assert!(difference < 1e-7, "{}: expected {}, found {}", case.name, case.objective, fitted.objective);
        assert!(fitted.is_converged, "{}", case.name);
        let predicted = predicted(&fitted.head, &case.features(), case.columns);
        assert_eq!(case.right(&predicted), case.right, "{}", case.name);
        assert_eq!(case.probabilities.len(), 10);
        for (expected, found) in case.probabilities.iter().flatten().zip(predicted.iter().flatten()) {
            assert!((expected - found).abs() < 1e-4, "{}: expected {expected}, found {found}", case.name);
        }
    }
}

/// Classes that are far apart have no end to how little they may be regularised: what is tried ends.
#[test]
fn classes_that_are_apart_are_fitted_too() {
    let mut examples = Examples::new(vec!["low".into(), "high".into(), "higher".into()], 1);
    for row in 0..30 {
        let class = row % 3;
        let (content, features) = (ContentHash::of(&[row]), &[f32::from(class) * 10.0 + f32::from(row) * 0.01]);
        let known = Known::One(class.into());
        examples.push(Example { path: row.to_string().into(), known, group: None, content, features }).unwrap();
    }
    let fitted = examples.fit(&FitOptions::default()).unwrap();
    assert_eq!((fitted.holdout_top1(), fitted.cross_validated_top1), (Some(1.0), Some(1.0)));
    assert!(fitted.is_converged && fitted.regularisation < 1e6, "{}", fitted.regularisation);
}
