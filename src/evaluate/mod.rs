//! How good a model is on pictures of which the truth is known.
//!
//! A [`Truth`] is what folders, tables or file names say of pictures; a [`Matching`] finds a model's classes in it. [`Answers`] are what
//! the model said of the pictures, and what is true of them; an [`Evaluation`] is what follows: accuracy, precision and recall, areas
//! under curves, calibration, with 95 % intervals. A [`ModelComparison`] is of two models, a [`Report`] for the eyes.
//!
//! ```
//! use densenet_wgpu::evaluate::{EvaluationOptions, JudgedPicture, Matching, Outputs, Truth};
//! use densenet_wgpu::{Classifier, ClassifierOptions};
//!
//! let classifier = Classifier::open("digits", ClassifierOptions::default())?;
//! let pictures = ["examples/digits/7-1442-8.png", "examples/digits/0-1445-8.png"];
//! let truth = Truth::of_file_names("{label}-*.png", pictures.map(Into::into))?;
//! let matching = Matching::by_name(&truth, Outputs::of(classifier.postprocessing(), 10)?)?;
//! let mut answers = matching.answers();
//! for picture in &truth.pictures {
//!     let probabilities = classifier.classify(&picture.path)?.probabilities()?.expect("softmax gives some");
//!     let known = matching.known(&picture.known).expect("all of them are digits");
//!     answers.push(JudgedPicture { path: picture.path.clone(), known, scores: matching.scores(&probabilities) })?;
//! }
//! let evaluation = answers.evaluate(&EvaluationOptions::default());
//! assert_eq!((evaluation.top1, evaluation.per_class[7].recall, evaluation.per_class[1].recall), (Some(1.0), Some(1.0), None));
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod answers;
mod comparison;
mod evaluation;
mod matching;
mod metrics;
mod mistakes;
mod outputs;
mod report;
mod truth;

pub use answers::{Answers, JudgedPicture, Known};
pub use comparison::{AurocDifference, McNemar, ModelComparison};
pub use evaluation::{ClassEvaluation, Evaluation, EvaluationOptions, TopK};
pub use matching::Matching;
pub use metrics::{Interval, OperatingPoint, ReliabilityBin};
pub use mistakes::Mistake;
pub use outputs::Outputs;
pub use report::Report;
pub use truth::{TableOptions, TruePicture, Truth, UnreadableRow};
