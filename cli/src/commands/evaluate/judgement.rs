//! One model's answers for all pictures.

use densenet_wgpu::evaluate::{Known, Matching, Outputs};
use densenet_wgpu::{Checkpoint, Classifier, Prediction};

use super::options::Options;
use super::predictions::{Layout, Resumed};
use super::row::Row;
use super::truth::Judgeable;
use crate::arguments::Size;
use crate::exit::Stop;
use crate::inputs::{Input, Inputs};
use crate::interrupt;
use crate::message;
use crate::model::{Described, assumed};
use crate::rows::resume::Expected;
use crate::rows::{Model, RowFormat, Settings};
use crate::stream::{Finished, Stream};
use crate::terminal::progress::Progress;

/// One model's answers for all pictures.
pub(super) struct Judgement {
    /// What rows share.
    pub(super) layout: Layout,
    /// What came of each picture, in the order of the truth.
    pub(super) rows: Vec<Row>,
    /// Rows of the truth that cannot be read: where, and why.
    pub(super) unreadable: Vec<(String, String)>,
    /// Classes of the truth that the model has not, each with its number of pictures.
    pub(super) unmatched: Vec<(String, usize)>,
    /// What was assumed about the model.
    pub(super) assumed: Vec<&'static str>,
    /// What made the answers, for heatmaps of mistakes.
    pub(super) judge: Option<Judge>,
}

/// A classifier whose predictions may have class maps, and which of its classes is which.
pub(super) struct Judge {
    pub(super) classifier: Classifier,
    pub(super) matching: Matching,
}

impl Judgement {
    /// That of rows in files.
    pub(super) fn read(layout: Layout, rows: Vec<Row>) -> Self {
        Self { layout, rows, unreadable: Vec::new(), unmatched: Vec::new(), assumed: Vec::new(), judge: None }
    }

    /// Runs the model on all pictures; if a signal ends that early, its exit status.
    pub(super) fn of(options: &Options, mut model: Checkpoint) -> Result<Result<Self, u8>, Stop> {
        let Some(classes) = model.config.num_classes else {
            let found = "expected a model with a classifier, found one that ends in features";
            return Err(Stop::refused(format!("{}: {found}", model.name)));
        };
        let Described { preprocessing, options: described, .. } = options.description.describe(&mut model)?;
        let preprocessing = options.pictures.sized(preprocessing);
        options.views.check(&preprocessing)?;
        let Size { height, width } = options.pictures.size.unwrap_or_else(|| Size::of(Some(&preprocessing)));
        // Fails early if the size is too small, before anything is written or opened.
        model.graph(height, width)?;
        let outputs = Outputs::of(&model.postprocessing(), classes)?;
        let Judgeable { inputs, known, matching, unreadable } = options.truth.read(options.truth_path(), outputs)?;

        let has_maps = options.report.is_some() && !options.views.are_several() && model.config.head.is_empty();
        let classifier_options = options.applied_to(described).with_class_maps(has_maps);
        let settings = Settings::of(&model, &preprocessing, &classifier_options)?;
        let is_of_each = matches!(known.first(), Some(Known::Each(_)));
        let layout = Layout::new(&matching.answers(), is_of_each, Model::from(&model), settings.to_string());
        let assumed = assumed::names(&model);
        let unmatched = matching.unmatched().to_vec();

        let mut judging = Judging { layout, known, matching, classes, rows: Vec::new(), resumed: None };
        let (total, left) = judging.begin(options, inputs, &settings)?;
        let mut classifier = None;
        if !left.is_empty() || options.report.is_some() {
            let classifier = classifier.insert(options.device.classifier(model, classifier_options)?);
            let progress = Progress::begin(Some(total), total - left.len());
            let stream = Stream { classifier, inputs: Inputs::Listed(left.into_iter()), dump: None, progress };
            if let Some(failure) = stream.run(|finished| judging.add(finished))? {
                return Err(failure);
            }
        }
        if let Some(status) = interrupt::status() {
            let done = judging.rows.iter().flatten().count();
            let remedy = match options.resume {
                Some(_) => "the same command continues",
                None => "--resume FILE keeps predictions and continues where they end",
            };
            message::note(&format!("stopped by a signal: {done} of {total} pictures are judged; {remedy}"));
            return Ok(Err(status));
        }
        let Judging { layout, matching, rows, .. } = judging;
        let judge = classifier.map(|classifier| Judge { classifier, matching });
        Ok(Ok(Self { layout, rows: rows.into_iter().flatten().collect(), unreadable, unmatched, assumed, judge }))
    }
}

/// Rows as they come.
struct Judging {
    layout: Layout,
    known: Vec<Known>,
    matching: Matching,
    /// The model's classes, those that were not trained too.
    classes: usize,
    /// By the number of the picture.
    rows: Vec<Option<Row>>,
    resumed: Option<Resumed>,
}

impl Judging {
    /// Opens the file to resume, if any. Returns how many of `inputs` are in this shard, and those that have no row.
    fn begin(&mut self, options: &Options, inputs: Vec<Input>, settings: &Settings) -> Result<(usize, Vec<Input>), Stop> {
        self.rows = inputs.iter().map(|_| None).collect();
        let all = inputs.len();
        let own = |input: &Input| options.shard.shard.is_none_or(|shard| shard.has(&input.subject.name()));
        let inputs: Vec<Input> = inputs.into_iter().filter(own).collect();
        let total = inputs.len();
        if options.shard.shard.is_some() {
            message::note(&format!("{total} of {all} inputs are in this shard"));
        }
        let Some(path) = &options.resume else { return Ok((total, inputs)) };
        let expected = Expected { format: RowFormat::Csv, model: &self.layout.model, settings, classes: self.classes };
        let mut resumed = Resumed::open(path, &self.layout, &expected)?;
        let mut left = Vec::new();
        for input in inputs {
            let Some(row) = resumed.take(&input) else {
                left.push(input);
                continue;
            };
            let known = &self.known[input.number];
            if row.known != *known {
                let remedy = "the truth has changed; give another file";
                return Err(Stop::refused(format!(
                    "--resume {}: {}: expected a row of the same truth, found another: {remedy}",
                    path.display(),
                    row.path
                )));
            }
            self.rows[input.number] = Some(row);
        }
        message::note(&format!("{}: {} rows exist, {} inputs are left", path.display(), total - left.len(), left.len()));
        self.resumed = Some(resumed);
        Ok((total, left))
    }

    /// Adds the rows of a batch.
    fn add(&mut self, finished: Vec<Finished>) -> Result<(), Stop> {
        for Finished { number, subject, prediction } in finished {
            let scores = prediction.and_then(|prediction| self.scores(&prediction));
            let row = Row { path: subject.name().to_string_lossy().into_owned(), known: self.known[number].clone(), scores };
            if let Some(resumed) = &mut self.resumed {
                resumed.output.write(&self.layout.line(&row)?)?;
            }
            self.rows[number] = Some(row);
        }
        Ok(())
    }

    /// The scores of the classes that are evaluated.
    fn scores(&self, prediction: &Prediction) -> Result<Vec<f64>, String> {
        let ranked = prediction.top_k(self.classes).map_err(|error| error.to_string())?;
        let mut scores = vec![0.0; self.classes];
        ranked.iter().for_each(|class| scores[class.index] = class.probability.unwrap_or(f64::from(class.logit)));
        Ok(self.matching.scores(&scores))
    }
}
