//! Where a model was surest and wrong.

use super::answers::{Answers, JudgedPicture, Known};
use crate::activation::Activation;

/// A picture for which a model was wrong about a class.
///
/// ```
/// use densenet_wgpu::evaluate::{Answers, JudgedPicture, Known};
/// use densenet_wgpu::preprocessing::Activation;
///
/// let mut answers = Answers::new(vec!["cat".into(), "dog".into()], Activation::Softmax);
/// for (path, cat) in [("a.png", 0.9), ("b.png", 0.4), ("c.png", 0.2)] {
///     answers.push(JudgedPicture { path: path.into(), known: Known::One(0), scores: vec![cat, 1.0 - cat] })?;
/// }
/// let worst = answers.mistakes();
/// assert_eq!((worst.len(), worst[0].picture.path.to_str(), worst[0].class), (2, Some("c.png"), 1));
/// assert_eq!(worst[0].to_string(), "cat, taken for dog: 80.00 %");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Mistake<'a> {
    /// The picture.
    pub picture: &'a JudgedPicture,
    /// The class that was predicted and is not there, or is there and was not predicted.
    pub class: usize,
    /// How far the scores are from the truth; comparable within the answers of one model.
    pub distance: f64,
    answers: &'a Answers,
}

impl Answers {
    /// All mistakes, the worst first. Of classes of which any number may be true a score of a half decides, and of logits 0.
    pub fn mistakes(&self) -> Vec<Mistake<'_>> {
        let mut mistakes: Vec<Mistake<'_>> = self.pictures().iter().flat_map(|picture| self.mistakes_in(picture)).collect();
        mistakes.sort_by(|a, b| b.distance.total_cmp(&a.distance).then_with(|| a.picture.path.cmp(&b.picture.path)));
        mistakes
    }

    fn mistakes_in<'a>(&'a self, picture: &'a JudgedPicture) -> Vec<Mistake<'a>> {
        let mistake = |class, distance| Mistake { picture, class, distance, answers: self };
        let scores = &picture.scores;
        match (&picture.known, picture.predicted()) {
            (Known::One(truth), Some(predicted)) if *truth != predicted => vec![mistake(predicted, scores[predicted] - scores[*truth])],
            (Known::One(_), _) => Vec::new(),
            (Known::Each(each), _) => {
                let border = if self.activation() == Activation::None { 0.0 } else { 0.5 };
                let is_wrong = |&(class, known): &(usize, &Option<bool>)| known.is_some_and(|known| known != (scores[class] >= border));
                let wrong = each.iter().enumerate().filter(is_wrong);
                wrong.map(|(class, _)| mistake(class, (scores[class] - border).abs())).collect()
            }
        }
    }
}

/// What is true and what was said, in a line.
impl std::fmt::Display for Mistake<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { picture, class, answers, .. } = self;
        let label = &answers.labels()[*class];
        match picture.known {
            Known::One(truth) => write!(f, "{}, taken for {label}: ", answers.labels()[truth])?,
            Known::Each(_) if picture.known.has(*class) == Some(true) => write!(f, "{label}, not found: ")?,
            Known::Each(_) => write!(f, "{label} found where it is not: ")?,
        }
        match answers.activation() {
            Activation::None => write!(f, "logit {:.4}", picture.scores[*class]),
            _ => write!(f, "{:.2} %", 100.0 * picture.scores[*class]),
        }
    }
}
