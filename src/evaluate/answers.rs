//! What a model answered for pictures of which the truth is known.

use std::path::PathBuf;

use crate::activation::Activation;
use crate::error::{Error, Result};

/// What is true of a picture: indices are those of the [labels](Answers::labels).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It is of this class, and of no other.
    One(usize),
    /// For each class whether it is there; `None` if nobody knows.
    Each(Vec<Option<bool>>),
}

/// A picture with the model's scores and what is true of it.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedPicture {
    /// Where it is.
    pub path: PathBuf,
    /// What is true of it.
    pub known: Known,
    /// The probability of each class, `[classes]`; logits if the model has no probabilities.
    pub scores: Vec<f64>,
}

/// What a model answered for pictures of which the truth is known.
///
/// ```
/// use densenet_wgpu::evaluate::{Answers, EvaluationOptions, JudgedPicture, Known};
/// use densenet_wgpu::preprocessing::Activation;
///
/// let mut answers = Answers::new(vec!["cat".into(), "dog".into()], Activation::Softmax);
/// for (path, class, cat) in [("a.png", 0, 0.9), ("b.png", 0, 0.4), ("c.png", 1, 0.2)] {
///     answers.push(JudgedPicture { path: path.into(), known: Known::One(class), scores: vec![cat, 1.0 - cat] })?;
/// }
/// let evaluation = answers.evaluate(&EvaluationOptions::default());
/// assert_eq!((evaluation.count, evaluation.top1), (3, Some(2.0 / 3.0)));
/// assert_eq!(evaluation.confusion, Some(vec![vec![1, 1], vec![0, 1]])); // rows are the truth
/// assert_eq!(evaluation.per_class[1].precision, Some(0.5));
///
/// let of_another = JudgedPicture { path: "d.png".into(), known: Known::One(2), scores: vec![0.5, 0.5] };
/// assert!(answers.push(of_another).unwrap_err().to_string().contains("d.png"));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    labels: Vec<String>,
    activation: Activation,
    pictures: Vec<JudgedPicture>,
}

impl Answers {
    /// No answer yet, of a model whose scores are of these classes and come from this activation.
    pub fn new(labels: Vec<String>, activation: Activation) -> Self {
        Self { labels, activation, pictures: Vec::new() }
    }

    /// Adds a picture. Errors if a score is missing or not finite, or the truth is not of these classes or not of the kind of the
    /// pictures before.
    pub fn push(&mut self, picture: JudgedPicture) -> Result<()> {
        let JudgedPicture { path, known, scores } = &picture;
        let classes = self.labels.len();
        let refused = |expected: String, found: String| {
            let expected = format!("{expected} of {}", path.display());
            Err(Error::Input { expected, found })
        };
        if scores.len() != classes {
            return refused(format!("{classes} scores"), scores.len().to_string());
        }
        if let Some(class) = scores.iter().position(|score| !score.is_finite()) {
            return refused("finite scores".into(), format!("{} for {}", scores[class], self.labels[class]));
        }
        match known {
            Known::One(class) if *class >= classes => refused(format!("one of {classes} classes"), format!("class {class}")),
            Known::Each(each) if each.len() != classes => refused(format!("the truth of {classes} classes"), each.len().to_string()),
            Known::One(_) if self.is_of_each() == Some(true) => refused("the truth of each class".into(), "one class".into()),
            Known::Each(_) if self.is_of_each() == Some(false) => refused("one class".into(), "the truth of each class".into()),
            _ => {
                self.pictures.push(picture);
                Ok(())
            }
        }
    }

    /// The names of the classes.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// What made scores of logits.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The pictures, in the order in which they were added.
    pub fn pictures(&self) -> &[JudgedPicture] {
        &self.pictures
    }

    /// Whether any number of classes may be true of a picture; `None` without a picture.
    pub(super) fn is_of_each(&self) -> Option<bool> {
        self.pictures.first().map(|picture| matches!(picture.known, Known::Each(_)))
    }

    /// For each picture of which it is known: its index, its score for a class, and whether it is of the class.
    pub(super) fn of_class(&self, class: usize) -> impl Iterator<Item = (u32, f64, bool)> {
        let of_class = move |(index, picture): (u32, &JudgedPicture)| Some((index, picture.scores[class], picture.known.has(class)?));
        (0..).zip(&self.pictures).filter_map(of_class)
    }
}

impl Known {
    /// Whether the picture is of a class; `None` if nobody knows.
    pub fn has(&self, class: usize) -> Option<bool> {
        match self {
            Self::One(own) => Some(*own == class),
            Self::Each(each) => each.get(class).copied().flatten(),
        }
    }
}

impl JudgedPicture {
    /// The class with the largest score; of equal ones the first.
    pub fn predicted(&self) -> Option<usize> {
        (0..self.scores.len()).reduce(|best, next| if self.scores[next] > self.scores[best] { next } else { best })
    }
}
