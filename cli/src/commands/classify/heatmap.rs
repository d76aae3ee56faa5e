//! `classify --heatmap`: maps of where in a picture its classes were seen.

use std::fmt::Display;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use densenet_wgpu::image::{Picture, View};
use densenet_wgpu::internal::{WholeFile, nearest};
use densenet_wgpu::labels::{Postprocessing, RankedClass};
use densenet_wgpu::predictions::ClassMaps;
use densenet_wgpu::{Classifier, ClassifierOptions, Prediction};

use crate::exit::Stop;
use crate::inputs::Subject;
use crate::npy::Array;
use crate::remedy::explained_in_row;
use crate::rows::HeatmapFiles;

/// Whether heatmaps are written, and for which classes.
#[derive(Args)]
#[command(next_help_heading = "Heatmaps")]
pub(crate) struct HeatmapOptions {
    /// The folder for heatmaps, which show where each class was seen
    ///
    /// For each class: ROW-NAME.INDEX.npy, the map in units of the logit, and ROW-NAME.INDEX.png, the map over the picture.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["ten_crop", "flip"], value_hint = ValueHint::DirPath)]
    heatmap: Option<PathBuf>,
    /// Which classes to map: top, all, a number or a label
    ///
    /// `top` is the first class of the row. Can be given more than once.
    #[arg(long, value_name = "CLASS", default_value = "top", requires = "heatmap")]
    heatmap_class: Vec<String>,
}

/// Which classes to map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Top,
    All,
    Index(usize),
}

/// Characters of a picture's name that are used in the names of its heatmaps: a file name may have 255 bytes, a character four.
const NAME_LENGTH: usize = 48;

/// Writes heatmaps.
pub(crate) struct Heatmaps {
    folder: PathBuf,
    wanted: Vec<Wanted>,
    postprocessing: Postprocessing,
}

/// The largest picture, in pixels, that is kept after decoding; a larger one is decoded again when needed.
const KEPT_PIXELS: usize = 1 << 20;

impl HeatmapOptions {
    /// Whether heatmaps are written.
    pub(crate) fn is_enabled(&self) -> bool {
        self.heatmap.is_some()
    }

    /// A classifier's options with these flags applied.
    pub(crate) fn applied_to(&self, options: ClassifierOptions) -> ClassifierOptions {
        if self.is_enabled() { options.with_class_maps(true).with_kept_pixels(KEPT_PIXELS) } else { options }
    }

    /// Creates the folder if heatmaps are written, for a network with this number of classes. Stops if the folder is not writable, or
    /// the model lacks a class.
    pub(crate) fn begin(&self, postprocessing: &Postprocessing, classes: usize) -> Result<Option<Heatmaps>, Stop> {
        let Some(folder) = &self.heatmap else { return Ok(None) };
        let wanted = self.heatmap_class.iter().map(|name| wanted(name, postprocessing, classes)).collect::<Result<_, _>>()?;
        let ready = fs::create_dir_all(folder).and_then(|()| WholeFile::create(&folder.join(".densenet")).map(drop));
        ready.map_err(|error| Stop::refused(format!("--heatmap {}: expected a folder to write to ({error})", folder.display())))?;
        Ok(Some(Heatmaps { folder: folder.clone(), wanted, postprocessing: postprocessing.clone() }))
    }
}

/// The classes that a name stands for.
fn wanted(name: &str, postprocessing: &Postprocessing, classes: usize) -> Result<Wanted, Stop> {
    match name {
        "top" => return Ok(Wanted::Top),
        "all" => return Ok(Wanted::All),
        _ => {}
    }
    if let Ok(index) = name.parse() {
        let refused = || Stop::refused(format!("--heatmap-class {name}: expected a class from 0 to {}, found {name}", classes - 1));
        return if index < classes { Ok(Wanted::Index(index)) } else { Err(refused()) };
    }
    let labels: Vec<&str> = postprocessing.labels.iter().flatten().map(String::as_str).collect();
    let found = labels.iter().position(|label| *label == name).or_else(|| labels.iter().position(|label| label.eq_ignore_ascii_case(name)));
    found.map(Wanted::Index).ok_or_else(|| {
        let suggestion = nearest(name, labels.iter().copied()).map_or(String::new(), |near| format!("; did you mean {near:?}?"));
        let expected = "expected top, all, a class's number or a label of the model, found none of them";
        Stop::refused(format!("--heatmap-class {name}: {expected}{suggestion}"))
    })
}

impl Heatmaps {
    /// Writes the heatmaps of input `number`, whose row begins with `top`. Returns the files, and an error for each that could not be
    /// written.
    pub(crate) fn write(
        &self,
        classifier: &Classifier,
        number: usize,
        subject: &Subject,
        prediction: &Prediction,
        top: &[RankedClass],
    ) -> (Vec<HeatmapFiles>, Vec<String>) {
        let (Some(maps), Some(logits), Some(summary)) = (prediction.class_maps(), prediction.logits(), prediction.picture_summary()) else {
            return Default::default();
        };
        let decoded;
        let picture = match prediction.picture() {
            Some(kept) => kept,
            None => match classifier.picture(subject.name()) {
                Ok(picture) => {
                    decoded = picture;
                    &decoded
                }
                Err(error) => return (Vec::new(), vec![format!("no heatmap: {}", explained_in_row(&error))]),
            },
        };
        let stem = format!("{number:05}-{}", safe_stem(&subject.name()));
        let (mut files, mut errors) = (Vec::new(), Vec::new());
        for class in self.classes(logits, top) {
            match self.write_class(&stem, picture, summary.view, &class, maps) {
                Ok(written) => files.push(written),
                Err(error) => errors.push(format!("no heatmap of class {}: {error}", class.index)),
            }
        }
        (files, errors)
    }

    /// The classes to map, each once.
    fn classes(&self, logits: &[f32], top: &[RankedClass]) -> Vec<RankedClass> {
        let probabilities = self.postprocessing.probabilities(logits);
        let class = |index: usize| {
            let probability = probabilities.as_ref().map(|probabilities| probabilities[index]);
            RankedClass { index, label: self.postprocessing.label(index), logit: logits[index], probability }
        };
        let shown = self.postprocessing.top_k(logits, logits.len()).unwrap_or_default();
        let is_shown = |index: usize| shown.iter().any(|class| class.index == index);
        let mut classes: Vec<RankedClass> = Vec::new();
        for wanted in &self.wanted {
            let found: Vec<usize> = match *wanted {
                Wanted::Top => top.first().map(|class| class.index).into_iter().collect(),
                Wanted::All => (0..logits.len()).filter(|&index| is_shown(index)).collect(),
                Wanted::Index(index) => vec![index],
            };
            for index in found {
                if classes.iter().all(|class| class.index != index) {
                    classes.push(class(index));
                }
            }
        }
        classes
    }

    /// Writes the files of one class; their names begin with `stem`.
    fn write_class(
        &self,
        stem: &str,
        picture: &Picture,
        view: View,
        class: &RankedClass,
        maps: &ClassMaps,
    ) -> Result<HeatmapFiles, String> {
        let [npy, png] = ["npy", "png"].map(|ending| self.folder.join(format!("{stem}.{}.{ending}", class.index)));
        let in_file = |path: &Path, error: &dyn Display| format!("{}: {error}", path.display());
        let shape = [maps.height() as u64, maps.width() as u64];
        let mut array = Array::create(&npy, &shape).map_err(|error| in_file(&npy, &error))?;
        let map = maps.of(class.index).unwrap_or_default().to_vec();
        array.extend(map).and_then(|()| array.finish()).map_err(|error| in_file(&npy, &error))?;

        let figure = maps.heatmap(class.index).and_then(|heatmap| heatmap.figure(picture, view, &self.caption(class)));
        let figure = figure.map_err(|error| in_file(&png, &error))?;
        write_png(&png, &figure).map_err(|error| in_file(&png, &error))?;
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        Ok(HeatmapFiles { index: class.index, npy: text(npy), png: text(png) })
    }

    fn caption(&self, RankedClass { index, label, logit, probability }: &RankedClass) -> [String; 2] {
        let class = if *label == index.to_string() { format!("class {index}") } else { format!("{label} (class {index})") };
        let probability = probability.map_or(String::new(), |probability| format!("{:.2} %  ", 100.0 * probability));
        [class, format!("{probability}logit {logit:.4}")]
    }
}

/// Writes `figure` as PNG; the file appears only when complete.
fn write_png(path: &Path, figure: &Picture) -> Result<(), String> {
    let failed = |error: io::Error| error.to_string();
    let mut file = BufWriter::new(WholeFile::create(path).map_err(failed)?);
    figure.write_png(&mut file).map_err(|error| error.to_string())?;
    file.flush().map_err(failed)?;
    file.into_inner().map_err(|error| failed(error.into_error()))?.finish().map_err(failed)
}

/// The name of the file at `path` without its extension, with characters that are unsafe in file names replaced.
fn safe_stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let safe = |c: char| if c.is_alphanumeric() || "-_.+".contains(c) { c } else { '_' };
    stem.chars().map(safe).take(NAME_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use densenet_wgpu::preprocessing::Activation;

    use super::*;

    #[test]
    fn names_are_safe_anywhere() {
        for (path, expected) in [
            ("a/b.c.png", "b.c"),
            ("x:y*z?.png", "x_y_z_"),
            ("two\nlines \"quoted\".png", "two_lines__quoted_"),
            ("Größe-1.jpg", "Größe-1"),
            (".hidden", ".hidden"),
            ("..", ""),
        ] {
            assert_eq!(safe_stem(Path::new(path)), expected, "{path}");
        }
        assert_eq!(safe_stem(Path::new(&"字".repeat(100))).chars().count(), NAME_LENGTH);
    }

    #[test]
    fn classes_have_numbers_and_labels() {
        let postprocessing = Postprocessing::new(Activation::Softmax).with_labels(["cat", "Dog", "7", ""].map(str::to_owned).to_vec());
        let of = |name: &str| wanted(name, &postprocessing, 4).map_err(|stop| format!("{stop:?}"));
        assert_eq!(of("top"), Ok(Wanted::Top));
        assert_eq!(of("all"), Ok(Wanted::All));
        assert_eq!(of("3"), Ok(Wanted::Index(3)));
        assert_eq!(of("dog"), Ok(Wanted::Index(1)));
        assert!(of("7").unwrap_err().contains("expected a class from 0 to 3"));
        assert!(of("cats").unwrap_err().contains("did you mean \\\"cat\\\""), "{:?}", of("cats"));
        assert!(!of("giraffe").unwrap_err().contains("did you mean"));
    }
}
