//! The cases of `scripts/make_evaluation_fixtures.py`.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use densenet_wgpu::evaluate::{Answers, EvaluationOptions, JudgedPicture, Known};
use densenet_wgpu::preprocessing::Activation;
use serde::Deserialize;
use serde_json::Value;

use crate::common::uniform;

#[derive(Deserialize)]
pub(crate) struct Fixture {
    pub(crate) cases: Vec<Case>,
    pub(crate) comparisons: Vec<Value>,
}

/// Pictures, and what scikit-learn says of them.
#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    labels: Vec<String>,
    activation: Activation,
    top_k: usize,
    resamples: usize,
    seed: u64,
    sensitivities: Vec<f64>,
    #[serde(default)]
    scores: Vec<Vec<f64>>,
    #[serde(default)]
    known: Vec<JsonKnown>,
    /// Pictures that both sides generate.
    rows: Option<usize>,
    #[serde(default)]
    is_of_each: bool,
    pub(crate) expected: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum JsonKnown {
    One(usize),
    Each(Vec<Option<bool>>),
}

impl Fixture {
    pub(crate) fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/evaluation.json");
        serde_json::from_reader(BufReader::new(File::open(path).unwrap())).unwrap()
    }
}

impl Case {
    pub(crate) fn answers(&self) -> Answers {
        let mut answers = Answers::new(self.labels.clone(), self.activation);
        for (number, (known, scores)) in self.pictures().into_iter().enumerate() {
            answers.push(JudgedPicture { path: PathBuf::from(number.to_string()), known, scores }).unwrap();
        }
        answers
    }

    pub(crate) fn options(&self) -> EvaluationOptions {
        let options = EvaluationOptions::default().with_top_k(self.top_k).with_resamples(self.resamples).with_seed(self.seed);
        options.with_sensitivities(self.sensitivities.clone())
    }

    fn pictures(&self) -> Vec<(Known, Vec<f64>)> {
        let known = |known: &JsonKnown| match known {
            JsonKnown::One(class) => Known::One(*class),
            JsonKnown::Each(each) => Known::Each(each.clone()),
        };
        match self.rows {
            None => self.known.iter().map(known).zip(self.scores.iter().cloned()).collect(),
            Some(rows) if self.is_of_each => self.generated_each(rows),
            Some(rows) => self.generated_one(rows),
        }
    }

    fn generated_one(&self, rows: usize) -> Vec<(Known, Vec<f64>)> {
        let classes = self.labels.len();
        let [scores, truth, other] =
            [("scores", rows * classes), ("truth", rows), ("other", rows)].map(|(name, count)| uniform(name, self.seed, count));
        let weights = scores.chunks_exact(classes).map(|row| row.iter().map(|u| (u * 64.0).floor() + 1.0).collect::<Vec<f64>>());
        let picture = |(weights, (truth, other)): (Vec<f64>, (&f64, &f64))| {
            let sum: f64 = weights.iter().sum();
            let scores: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
            let best = (0..classes).reduce(|best, next| if scores[next] > scores[best] { next } else { best }).unwrap();
            (Known::One(if *truth < 0.6 { best } else { (other * classes as f64) as usize }), scores)
        };
        weights.zip(truth.iter().zip(&other)).map(picture).collect()
    }

    fn generated_each(&self, rows: usize) -> Vec<(Known, Vec<f64>)> {
        let classes = self.labels.len();
        let [scores, truth, unknown] = ["scores", "truth", "unknown"].map(|name| uniform(name, self.seed, rows * classes));
        let scores: Vec<f64> = scores.iter().map(|u| (u * 256.0).floor() / 256.0).collect();
        let known = |cell: usize| (unknown[cell] >= 0.125).then(|| truth[cell] < 0.75 * scores[cell]);
        let picture = |row: usize| {
            let cells = row * classes..(row + 1) * classes;
            (Known::Each(cells.clone().map(known).collect()), scores[cells].to_vec())
        };
        (0..rows).map(picture).collect()
    }
}
