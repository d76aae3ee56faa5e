//! The features of the pictures, computed once and kept beside the output.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use densenet_wgpu::fit::{ContentHash, FeatureFile};
use densenet_wgpu::internal::FEATURES;
use densenet_wgpu::preprocessing::Preprocessing;
use densenet_wgpu::{Checkpoint, ClassifierOptions};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::data::Data;
use super::options::Options;
use crate::arguments::Size;
use crate::exit::Stop;
use crate::inputs::{Content, Input, Inputs, Subject};
use crate::interrupt;
use crate::message;
use crate::remedy::explained_in_row;
use crate::rows::Settings;
use crate::stream::{Finished, Stream};
use crate::terminal::progress::Progress;

/// The features of the pictures.
pub(super) struct PictureFeatures {
    /// How many features a picture has.
    pub(super) columns: usize,
    file: FeatureFile,
    path: PathBuf,
    /// What tells the content of each picture from others, or why it cannot be read.
    contents: HashMap<PathBuf, Result<ContentHash, String>>,
    /// Why a picture has no features.
    failures: HashMap<ContentHash, String>,
}

impl PictureFeatures {
    /// Opens the file beside OUT. What is in it counts for the same network, preprocessing and flags alone.
    pub(super) fn open(
        options: &Options,
        base: &Checkpoint,
        preprocessing: &Preprocessing,
        described: &ClassifierOptions,
    ) -> Result<Self, Stop> {
        let Size { height, width } = options.pictures.size.unwrap_or_else(|| Size::of(Some(preprocessing)));
        // Fails early if the size is too small.
        let graph = base.graph(height, width)?;
        let columns = graph.shape(graph.find(FEATURES)?).channels;
        let settings = Settings::of(base, preprocessing, &options.pictures.applied_to(described.clone()))?;
        let path = options.output.with_extension("features");
        let made_by = format!("{} {settings} {}", base.weights.identity(), options.device.precision_name());
        let file = FeatureFile::open(&path, &made_by, columns)?;
        Ok(Self { columns, file, path, contents: HashMap::new(), failures: HashMap::new() })
    }

    /// Computes what is missing. Returns the exit status if a signal ends that early.
    pub(super) fn compute(
        &mut self,
        options: &Options,
        base: Checkpoint,
        described: ClassifierOptions,
        data: &Data,
    ) -> Result<Option<u8>, Stop> {
        let hash = |path: &PathBuf| {
            let hash = match data.content(path) {
                Content::File(path) => ContentHash::of_file(&path).map_err(|error| explained_in_row(&error)),
                Content::Bytes(bytes) => Ok(ContentHash::of(&bytes)),
                Content::Refused(why) => Err(why),
            };
            (path.clone(), hash)
        };
        let paths: Vec<PathBuf> = data.pictures.iter().map(|picture| picture.path.clone()).collect();
        self.contents = paths.par_iter().map(hash).collect();
        let (mut pending, mut inputs) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        let mut kept = 0;
        for path in &paths {
            let Some(Ok(content)) = self.contents.get(path) else { continue };
            if !seen.insert(*content) {
                continue;
            }
            if self.file.get(content).is_some() {
                kept += 1;
                continue;
            }
            inputs.push(Input { number: pending.len(), subject: Subject::file(path), content: data.content(path) });
            pending.push(*content);
        }
        if kept > 0 {
            message::note(&format!("{}: the features of {kept} pictures are there, {} are left", self.path.display(), pending.len()));
        }
        if pending.is_empty() {
            return Ok(None);
        }
        let classifier_options = options.batch.applied_to(options.pictures.applied_to(described)).with_features(true);
        let classifier = options.device.classifier(base, classifier_options)?;
        let progress = Progress::begin(Some(kept + pending.len()), kept);
        let mut done = kept;
        let stream = Stream { classifier: &classifier, inputs: Inputs::Listed(inputs.into_iter()), dump: None, progress };
        let failure = stream.run(|finished| {
            done += finished.len();
            finished.into_iter().try_for_each(|finished| self.add(&pending, finished))
        })?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        if let Some(status) = interrupt::status() {
            let total = kept + pending.len();
            message::note(&format!("stopped by a signal: {done} of {total} pictures have features; the same command continues"));
            return Ok(Some(status));
        }
        Ok(None)
    }

    fn add(&mut self, pending: &[ContentHash], Finished { number, prediction, .. }: Finished) -> Result<(), Stop> {
        let content = pending[number];
        let features = match &prediction {
            Ok(prediction) => prediction.features().unwrap_or_default(),
            Err(error) => {
                self.failures.insert(content, error.clone());
                return Ok(());
            }
        };
        if let Some(index) = features.iter().position(|feature| !feature.is_finite()) {
            let error = format!("expected a picture with finite features, found {} for feature {index}", features[index]);
            self.failures.insert(content, error);
            return Ok(());
        }
        self.file.add(content, features)?;
        Ok(())
    }

    /// The content and the features of the picture at `path`. Errors with why it has none.
    pub(super) fn of(&self, path: &Path) -> Result<(ContentHash, &[f32]), String> {
        let content = match self.contents.get(path) {
            Some(content) => content.clone()?,
            None => return Err("was not looked at".into()),
        };
        self.file
            .get(&content)
            .map(|features| (content, features))
            .ok_or_else(|| self.failures.get(&content).cloned().unwrap_or_else(|| "has no features".into()))
    }
}
