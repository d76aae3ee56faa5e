//! `densenet evaluate`: how good a model is on pictures of which the truth is known.

mod judgement;
mod options;
mod outcome;
mod predictions;
mod report;
mod row;
mod text;
mod truth;

use std::io::Write;
use std::path::Path;

use densenet_wgpu::internal::WholeFile;

use crate::exit::{FAILED, SUCCESS, Stop};
use crate::message;
use crate::output::{Output, ReportFormat};
use judgement::Judgement;
pub(crate) use options::Options;
use outcome::Outcome;
use predictions::merged;
use report::ReportFolder;

/// Judges every picture, and says how good the model is.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let predictions = options.predictions.as_deref().map(Predictions::create).transpose()?;
    let report = options.report.as_deref().map(ReportFolder::create).transpose()?;
    let (judgement, source) = if options.merge.is_empty() {
        match Judgement::of(&options, options.model.open_or_default()?)? {
            Ok(judgement) => (judgement, options.truth_path().display().to_string()),
            Err(interrupted) => return Ok(interrupted),
        }
    } else {
        let (layout, rows) = merged(&options.merge)?;
        (Judgement::read(layout, rows), options.merge.iter().map(|part| part.display().to_string()).collect::<Vec<_>>().join(", "))
    };
    predictions.map_or(Ok(()), |file| file.write(&judgement))?;
    let mut outcome = Outcome::of(judgement, source.clone(), &options.evaluation())?;
    if let Some(second) = &options.compare {
        match Judgement::of(&options, options.model.variant.open(second)?)? {
            Ok(judgement) => {
                let second = Outcome::of(judgement, source, &options.evaluation())?;
                outcome = outcome.compared_with(second, &options.evaluation())?;
            }
            Err(interrupted) => return Ok(interrupted),
        }
    }
    report.map_or(Ok(()), |folder| folder.write(&outcome))?;
    match options.format {
        ReportFormat::Text => Output::new().text(&text::text(&outcome))?,
        ReportFormat::Json => Output::new().json(&outcome)?,
    }
    let of_second = outcome.comparison.as_ref().map_or(0, |compared| compared.second.failures.len());
    let failed = outcome.failures.len().max(of_second);
    if failed > 0 {
        message::error(&format!("{failed} of {} inputs failed", failed + outcome.evaluation.count));
    }
    Ok(if failed > 0 { FAILED } else { SUCCESS })
}

/// The file of --predictions, which appears when it is complete.
struct Predictions<'a> {
    path: &'a Path,
    file: WholeFile,
}

impl<'a> Predictions<'a> {
    fn create(path: &'a Path) -> Result<Self, Stop> {
        let file = WholeFile::create(path).map_err(|error| Stop::in_file(path, error))?;
        Ok(Self { path, file })
    }

    fn write(mut self, judgement: &Judgement) -> Result<(), Stop> {
        let mut content = judgement.layout.header()?;
        for row in &judgement.rows {
            content.extend(judgement.layout.line(row)?);
        }
        let written = self.file.write_all(&content).and_then(|()| self.file.finish());
        written.map_err(|error| Stop::unwritten(self.path, error))
    }
}
