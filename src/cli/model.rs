//! `--model M`: a bundled model, one from the hub, or a file.

use std::path::Path;

use clap::Args;
use densenet_wgpu::weights::{Checkpoint, Preprocessing};
use densenet_wgpu::{Config, models};

use super::exit::Stop;
use super::hub;
use super::message;
use super::size::Size;

/// Which model to run.
#[derive(Args)]
pub(crate) struct ModelOptions {
    /// The bundled model, digits; one that is fetched once, such as densenet121 or `hf://OWNER/REPOSITORY[@REVISION][/FILE]`;
    /// or a checkpoint file (.safetensors), with ./ before it where it has the name of a model
    #[arg(long, short, value_name = "M")]
    pub(crate) model: Option<String>,
}

/// Height and width for a model that does not say its own.
const DEFAULT_SIZE: Size = Size { height: 224, width: 224 };

impl ModelOptions {
    /// Opens the model; without `--model` says which one is always there.
    pub(crate) fn open(&self) -> Result<Checkpoint, Stop> {
        match &self.model {
            Some(name) => open(name),
            None => Err(Stop::refused("--model M is missing; M is a checkpoint file (.safetensors) or the bundled model: --model digits")),
        }
    }

    /// Opens the model; without `--model` that of the given name.
    pub(crate) fn open_or(&self, name: &str) -> Result<Checkpoint, Stop> {
        open(self.model.as_deref().unwrap_or(name))
    }
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
    if path.is_dir() {
        return Err(Stop::refused(format!("{name}: expected a checkpoint file (.safetensors), found a folder")));
    }
    let spelled_as_path = path.extension().is_some() || path.components().count() > 1;
    if path.exists() || spelled_as_path {
        let opened = Checkpoint::open(path);
        return opened.map_err(|error| match error.to_string() {
            named if named.contains(name) => Stop::refused(named),
            unnamed => Stop::refused(format!("{name}: {unnamed}")),
        });
    }
    if Config::named(name).is_some() {
        let remedy = "give the path of its checkpoint (.safetensors) instead, or try --model digits";
        return Err(Stop::refused(format!("{name} is neither bundled nor known on the hub; {remedy}")));
    }
    let known: Vec<&str> = models::names().chain(models::published_names()).collect();
    let suggestion = nearest(name, known.iter().copied()).map_or(".".to_owned(), |near| format!("; did you mean {near}?"));
    let known = known.join(", ");
    Err(Stop::refused(format!("no model or file is called {name:?}{suggestion} Known: {known}. A path to a .safetensors file works too")))
}

/// The name most like `name`, where one is like it at all.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::jaro_winkler(&name.to_lowercase(), candidate);
    let (near, likeness) = known.map(|known| (known, likeness(known))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    (likeness > 0.75).then_some(near)
}

/// How `model` wants its pictures: what it says, else torchvision's way, which is said on standard error.
pub(crate) fn preprocessing(model: &Checkpoint) -> Preprocessing {
    model.preprocessing.clone().unwrap_or_else(|| {
        message::note(&format!("{} does not say how pictures are prepared: assuming torchvision's (256, crop 224, ImageNet)", model.name));
        Preprocessing::torchvision(model.config.in_channels)
    })
}

/// The size to plan for: `--size`, else the model's own, else 224x224.
pub(crate) fn size(asked: Option<Size>, preprocessing: Option<&Preprocessing>) -> Size {
    let own = || preprocessing?.size().map(|[height, width]| Size { height, width });
    asked.or_else(own).unwrap_or(DEFAULT_SIZE)
}
