//! `densenet fit`: teaches a network new classes.

mod data;
mod date;
mod features;
mod learnable;
mod options;
mod outcome;

use densenet_wgpu::fit::{Examples, FitOptions, Fitted};

use crate::exit::{FAILED, SUCCESS, Stop};
use crate::message;
use crate::model::Described;
use crate::output::{Output, ReportFormat};
use crate::terminal::progress::Progress;
use data::Data;
use features::PictureFeatures;
use learnable::Learnable;
pub(crate) use options::Options;
use outcome::Outcome;

/// Writes the checkpoint.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    options.check_output()?;
    let date = date::today()?;
    let mut base = options.model.open_features_or_default()?;
    let Described { preprocessing, options: described, .. } = options.preprocessing.describe(&mut base)?;
    let preprocessing = options.pictures.sized(preprocessing);
    let data = Data::read(&options.data, &options.truth, options.group_column.as_deref())?;
    let mut features = PictureFeatures::open(&options, &base, &preprocessing, &described)?;
    if let Some(interrupted) = features.compute(&options, base.clone(), described, &data)? {
        return Ok(interrupted);
    }
    let Learnable { examples, failed } = Learnable::of(&data, &features)?;
    let failed = failed + data.unreadable;
    for duplicates in examples.duplicates().iter().filter(|duplicates| duplicates.contradict) {
        let paths: Vec<String> = duplicates.paths.iter().map(|path| path.display().to_string()).collect();
        message::warning(&format!("copies of one picture are said to be of different classes: {}", paths.join(", ")));
    }
    let fitted = fitted(&examples, &options.fit())?;
    if !fitted.is_converged {
        message::warning("the fit ended before its minimum was found; a smaller --regularisation has one that is nearer");
    }
    // A size that was asked for is what the head was fitted at.
    base.preprocessing = Some(preprocessing);
    let model = fitted.model(base, &data.name, &date)?;
    model.save(&options.output)?;
    report(&options, &Outcome::of(&fitted, &examples, failed, &options.output))?;
    if failed > 0 {
        message::error(&format!("{failed} of {} inputs failed; the head was fitted to the others", failed + examples.len()));
    }
    Ok(if failed > 0 { FAILED } else { SUCCESS })
}

/// Fits, with a bar for the regularisations that are tried.
fn fitted(examples: &Examples, options: &FitOptions) -> Result<Fitted, Stop> {
    let mut progress = None;
    let watch = |done: usize, parts: usize| {
        progress.get_or_insert_with(|| Progress::begin_parts(parts, 0)).at(done, "fitting");
    };
    Ok(examples.fit_watched(options, watch)?)
}

fn report(options: &Options, outcome: &Outcome) -> Result<(), Stop> {
    match options.format {
        ReportFormat::Text => Output::new().text(&outcome.text()),
        ReportFormat::Json => Output::new().json(outcome),
    }
}
