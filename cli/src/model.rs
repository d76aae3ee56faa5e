//! `--model M`: a bundled model, one from the hub, or a file.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use densenet_wgpu::checkpoint::Description;
use densenet_wgpu::internal::{nearest, suggestion};
use densenet_wgpu::labels::read_labels;
use densenet_wgpu::network::Stem;
use densenet_wgpu::preprocessing::{Preprocessing, Preset};
use densenet_wgpu::{Checkpoint, Config, models};

use super::exit::Stop;
use super::hub;
use super::known::{MODELS, PRESETS};
use super::message;
use super::remedy::noted;
use super::size::Size;

/// Which model to run.
#[derive(Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelOptions {
    /// A checkpoint file, or the name of a model
    ///
    /// Files are those of PyTorch, Keras or safetensors, known by their content; one that has the name of a model needs ./
    /// before it. The model digits is inside the program; published ones, such as densenet121, and
    /// `hf://OWNER/REPOSITORY[@REVISION][/FILE]` are fetched once.
    #[arg(long, short, value_name = "M", value_parser = MODELS, hide_possible_values = true)]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) variant: VariantOptions,
}

/// What a checkpoint cannot tell about its network.
#[derive(Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct VariantOptions {
    /// The network has no ReLU after its last batch norm
    ///
    /// Keras Applications had none until August 2018, and weights alone do not tell.
    #[arg(long)]
    no_final_relu: bool,
    /// The pool of the network's deep stem does not blur, as that of densenet264d
    ///
    /// A pool that blurs has no weights that would tell it from one that does not.
    #[arg(long)]
    no_blur: bool,
    /// Batch norm's epsilon
    ///
    /// For weights alone, of a network that was built with another epsilon than its framework's models.
    #[arg(long, value_name = "E")]
    epsilon: Option<f32>,
}

/// How pictures are prepared.
#[derive(Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct PreprocessingOptions {
    /// How pictures are prepared: a preset or a JSON file
    ///
    /// Presets are torchvision, timm, keras, xrv, chexnet, monai and cifar. A JSON file has the words in which a converted
    /// checkpoint describes its preprocessing. Default: what the model says, else the preset that fits its origin.
    #[arg(long, value_name = "P", value_parser = PRESETS, hide_possible_values = true)]
    preprocess: Option<String>,
}

/// How pictures are prepared and what the classes are called.
#[derive(Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct DescriptionOptions {
    #[command(flatten)]
    preprocessing: PreprocessingOptions,
    /// A text file with one label a line, in place of the model's own
    ///
    /// Lines are in the order of the classes; an empty line hides an output.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Model")]
    labels: Option<PathBuf>,
}

/// Height and width for a model that does not say its own.
const DEFAULT_SIZE: Size = Size { height: 224, width: 224 };

impl ModelOptions {
    /// Opens the model; without `--model` says which one is always there.
    pub(crate) fn open(&self) -> Result<Checkpoint, Stop> {
        match &self.model {
            Some(name) => self.variant.open(name),
            None => Err(Stop::refused("--model M is missing; M is a checkpoint file or the name of a model: --model digits")),
        }
    }

    /// Opens the model; without `--model` that of the given name.
    pub(crate) fn open_or(&self, name: &str) -> Result<Checkpoint, Stop> {
        self.variant.open(self.model.as_deref().unwrap_or(name))
    }
}

impl VariantOptions {
    /// Opens the model of that name; says what was assumed while reading it.
    pub(crate) fn open(&self, name: &str) -> Result<Checkpoint, Stop> {
        let mut model = open(name)?;
        if let Some(origin) = &model.origin {
            origin.notes.iter().for_each(|note| message::note(&format!("{} {note}{}", model.name, noted(origin.dialect))));
        }
        if self.no_final_relu {
            model.config.final_relu = false;
        }
        match &mut model.config.stem {
            Stem::Deep { blur, .. } if self.no_blur => *blur = false,
            _ if self.no_blur => {
                return Err(Stop::refused(format!(
                    "--no-blur: expected a model with a deep stem, found {}; leave --no-blur away",
                    model.config
                )));
            }
            _ => {}
        }
        if let Some(epsilon) = self.epsilon {
            model.config.epsilon = epsilon;
            model.check()?;
        }
        Ok(model)
    }
}

/// What a model is used with.
pub(crate) struct Described {
    /// How its pictures are prepared.
    pub(crate) preprocessing: Preprocessing,
    /// Who said so.
    pub(crate) source: String,
}

impl DescriptionOptions {
    /// Completes the model's description: what was asked for, else what it says, else what is likely, which is said on
    /// standard error.
    pub(crate) fn describe(&self, model: &mut Checkpoint) -> Result<Described, Stop> {
        if let Some(path) = &self.labels {
            model.labels = Some(read_labels(path, model.config.num_classes.unwrap_or(0))?);
        }
        self.preprocessing.describe(model)
    }
}

impl PreprocessingOptions {
    /// Completes the model's description, as [`DescriptionOptions::describe`] does.
    pub(crate) fn describe(&self, model: &mut Checkpoint) -> Result<Described, Stop> {
        let published = models::published(&model.name).map(|published| published.preset);
        let (preset, source) = match &self.preprocess {
            Some(name) => match Preset::named(name) {
                Some(preset) => (Some(preset), Some(format!("--preprocess {name}"))),
                None => {
                    model.preprocessing = Some(written_preprocessing(name)?);
                    (None, Some(name.clone()))
                }
            },
            None => match (published, model.origin.as_ref().and_then(|origin| origin.described_by)) {
                (Some(Preset::Torchvision), _) => (published, Some("the model's name: the preset torchvision".into())),
                (_, Some(by)) => (None, Some(by.to_owned())),
                (Some(preset), None) => (published, Some(format!("the model's name: the preset {}", preset.name()))),
                (None, None) => (None, None),
            },
        };
        let Description { preprocessing, preset, assumed, .. } = model.complete_description(preset);
        for sentence in assumed {
            message::note(&format!("{} {sentence}", model.name));
        }
        model.check()?;
        let source = source.unwrap_or_else(|| preset.map_or("assumed".into(), |preset| format!("assumed: the preset {}", preset.name())));
        Ok(Described { preprocessing, source })
    }
}

/// A preprocessing from a JSON file, in the words of the metadata.
fn written_preprocessing(path: &str) -> Result<Preprocessing, Stop> {
    let text = fs::read_to_string(path).map_err(|error| {
        let known = Preset::names().collect::<Vec<_>>().join(", ");
        let suggestion = suggestion(path, Preset::names());
        Stop::refused(format!("--preprocess {path}: expected {known} or a JSON file, found neither ({error}){suggestion}"))
    })?;
    serde_json::from_str(&text).map_err(|error| {
        let expected = "expected a preprocessing, as `densenet inspect M --format json` shows one, found something else";
        Stop::refused(format!("--preprocess {path}: {expected} ({error})"))
    })
}

/// Opens a bundled model, else one from the hub, else a file of that name.
fn open(name: &str) -> Result<Checkpoint, Stop> {
    if let Some(model) = models::bundled(name) {
        return Ok(model?);
    }
    if let Some(path) = hub::fetch(name)? {
        let model = Checkpoint::open(path).map_err(|error| Stop::refused(format!("{name}: {error}")))?;
        return Ok(Checkpoint { name: name.to_owned(), ..model });
    }
    let path = Path::new(name);
    let spelled_as_path = path.extension().is_some() || path.components().count() > 1;
    if path.exists() || spelled_as_path {
        let opened = Checkpoint::open(path);
        let near = || if path.exists() { String::new() } else { near_file(path) };
        return opened.map_err(|error| match error.to_string() {
            named if named.contains(name) => Stop::refused(named + &near()),
            unnamed => Stop::refused(format!("{name}: {unnamed}")),
        });
    }
    if Config::named(name).is_some() {
        let remedy = "give the path of its checkpoint instead, or try --model digits";
        return Err(Stop::refused(format!("{name} is neither bundled nor known on the hub; {remedy}")));
    }
    let known: Vec<&str> = models::names().chain(models::published_names()).collect();
    let suggestion = match suggestion(name, known.iter().copied()) {
        none if none.is_empty() => near_file(path),
        some => some,
    };
    let end = if suggestion.is_empty() { "." } else { "" };
    let known = known.join(", ");
    Err(Stop::refused(format!(
        "no model or file is called {name:?}{suggestion}{end} Known: {known}. A path to a checkpoint file works too"
    )))
}

/// Which file beside `path`, which does not exist, was probably meant, for the end of a message.
fn near_file(path: &Path) -> String {
    let folder = path.parent().unwrap_or(Path::new(""));
    let (Some(name), Ok(entries)) = (path.file_name(), fs::read_dir(if folder == "" { Path::new(".") } else { folder })) else {
        return String::new();
    };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    let near = nearest(&name.to_string_lossy(), names.iter().map(String::as_str));
    near.map_or(String::new(), |near| format!("; did you mean {}?", folder.join(near).display()))
}

/// The size to plan for: `--size`, else the model's own, else 224x224.
pub(crate) fn size(asked: Option<Size>, preprocessing: Option<&Preprocessing>) -> Size {
    let own = || preprocessing?.size().map(|[height, width]| Size { height, width });
    asked.or_else(own).unwrap_or(DEFAULT_SIZE)
}
