//! An evaluation as one HTML page and as pictures.

mod chart;
mod confusion;
mod curves;
mod html;
mod reliability;
mod shown_mistake;

use super::answers::Answers;
use super::evaluation::Evaluation;
use crate::image::Picture;
use shown_mistake::ShownMistake;

/// An evaluation for the eyes.
///
/// ```
/// use densenet_wgpu::evaluate::{Answers, EvaluationOptions, JudgedPicture, Known, Report};
/// use densenet_wgpu::preprocessing::Activation;
///
/// let mut answers = Answers::new(vec!["cat".into(), "dog".into()], Activation::Softmax);
/// for (path, class, cat) in [("a.png", 0, 0.9), ("b.png", 0, 0.4), ("c.png", 1, 0.2)] {
///     answers.push(JudgedPicture { path: path.into(), known: Known::One(class), scores: vec![cat, 1.0 - cat] })?;
/// }
/// let evaluation = answers.evaluate(&EvaluationOptions::default());
/// let report = Report::new("pets", &answers, &evaluation);
/// let names: Vec<&str> = report.plots().iter().map(|(name, _)| *name).collect();
/// assert_eq!(names, ["confusion", "roc", "precision-recall", "reliability"]);
/// assert!(report.html().contains("<h1>pets</h1>"));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug)]
pub struct Report<'a> {
    title: String,
    evaluation: &'a Evaluation,
    plots: Vec<(&'static str, String)>,
    mistakes: Vec<ShownMistake>,
}

impl<'a> Report<'a> {
    /// A report without pictures of mistakes.
    pub fn new(title: impl Into<String>, answers: &Answers, evaluation: &'a Evaluation) -> Self {
        let plots = [
            ("confusion", confusion::plot(evaluation)),
            ("roc", curves::roc(answers, evaluation)),
            ("precision-recall", curves::precision_recall(answers, evaluation)),
            ("reliability", reliability::plot(evaluation)),
        ];
        let plots = plots.into_iter().filter_map(|(name, plot)| Some((name, plot?))).collect();
        Self { title: title.into(), evaluation, plots, mistakes: Vec::new() }
    }

    /// Adds a mistake: what is wrong, where the picture is, and the picture, and its heatmap, where there are any. Errors if one
    /// cannot be written as PNG.
    pub fn add_mistake(&mut self, caption: String, path: String, pictures: &[Picture]) -> crate::Result<()> {
        self.mistakes.push(ShownMistake::new(caption, path, pictures)?);
        Ok(())
    }

    /// Each plot's name and SVG: those of what exists.
    pub fn plots(&self) -> &[(&'static str, String)] {
        &self.plots
    }

    /// One page with everything in it, which asks nothing of anyone.
    pub fn html(&self) -> String {
        html::page(&self.title, self.evaluation, &self.plots, &self.mistakes)
    }
}
