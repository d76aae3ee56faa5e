//! `--report DIR`: a page for the browser, and its plots.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use densenet_wgpu::evaluate::{Mistake, Report};
use densenet_wgpu::image::Picture;
use densenet_wgpu::internal::WholeFile;

use super::judgement::Judge;
use super::outcome::Outcome;
use crate::exit::Stop;
use crate::message;

/// Mistakes with their pictures.
const SHOWN: usize = 24;

/// The folder of a report.
pub(super) struct ReportFolder<'a>(&'a Path);

impl<'a> ReportFolder<'a> {
    /// Creates the folder. Stops if nothing can be written to it.
    pub(super) fn create(folder: &'a Path) -> Result<Self, Stop> {
        let ready = fs::create_dir_all(folder).and_then(|()| WholeFile::create(&folder.join(".densenet")).map(drop));
        ready.map_err(|error| Stop::refused(format!("--report {}: expected a folder to write to ({error})", folder.display())))?;
        Ok(Self(folder))
    }

    /// Writes `report.html` and an SVG for each plot.
    pub(super) fn write(&self, outcome: &Outcome) -> Result<(), Stop> {
        let title = format!("{} on {}", outcome.model, outcome.source);
        let mut report = Report::new(title, &outcome.answers, &outcome.evaluation);
        let mistakes = outcome.answers.mistakes();
        for mistake in mistakes.iter().take(SHOWN) {
            let path = mistake.picture.path.display().to_string();
            let pictures = pictures(mistake, outcome.judge.as_ref()).unwrap_or_else(|error| {
                message::warning(&format!("{path}: it is not shown in the report: {error}"));
                Vec::new()
            });
            report.add_mistake(mistake.to_string(), path, &pictures)?;
        }
        for (name, svg) in report.plots() {
            self.file(&format!("{name}.svg"), svg)?;
        }
        let page = self.file("report.html", &report.html())?;
        message::note(&format!("{}: the report", page.display()));
        Ok(())
    }

    fn file(&self, name: &str, content: &str) -> Result<PathBuf, Stop> {
        let path = self.0.join(name);
        let write = |path: &Path| -> io::Result<()> {
            let mut file = WholeFile::create(path)?;
            file.write_all(content.as_bytes())?;
            file.finish()
        };
        write(&path).map_err(|error| Stop::unwritten(&path, error))?;
        Ok(path)
    }
}

/// The picture of a mistake, and its heatmap of the class that was wrong, if there is one.
fn pictures(mistake: &Mistake<'_>, judge: Option<&Judge>) -> densenet_wgpu::Result<Vec<Picture>> {
    let path = &mistake.picture.path;
    let Some(Judge { classifier, matching }) = judge else { return Ok(vec![Picture::open(path)?]) };
    let picture = classifier.picture(path)?;
    let prediction = classifier.classify(path)?;
    let (Some(maps), Some(summary), Some(output)) = (prediction.class_maps(), prediction.picture_summary(), matching.output(mistake.class))
    else {
        return Ok(vec![picture]);
    };
    let heatmap = maps.heatmap(output)?.overlay(&picture, summary.view);
    Ok(vec![picture, heatmap])
}
