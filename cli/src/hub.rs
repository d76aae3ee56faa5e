//! Models from the Hugging Face hub: published names and `hf://` addresses.

use std::path::PathBuf;

use densenet_wgpu::models;

use super::exit::Stop;

/// The file of a published model or of an `hf://` address, fetched if it is not here yet; `None` where `name` is neither.
pub(crate) fn fetch(name: &str) -> Result<Option<PathBuf>, Stop> {
    let published = models::published(name);
    if published.is_none() && !name.starts_with("hf://") {
        return Ok(None);
    }
    remote::fetch(name, published).map(Some)
}

#[cfg(feature = "hub")]
mod remote {
    use std::path::PathBuf;

    use densenet_wgpu::Error;
    use densenet_wgpu::hub::{Hub, Remote};
    use densenet_wgpu::models::Published;
    use indicatif::{DecimalBytes, ProgressBar, ProgressStyle};

    use crate::exit::Stop;
    use crate::message;

    const BAR: &str = "{msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec}";

    pub(super) fn fetch(name: &str, published: Option<&Published>) -> Result<PathBuf, Stop> {
        let remote = published.map_or_else(|| name.parse(), |model| Ok(Remote::from(model)))?;
        let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(0).with_style(style).with_message(format!("fetching {name}"));
        let mut begun = false;
        let path = Hub::from_env()?.fetch(&remote, &mut |done, total| {
            if bar.is_hidden() && !begun {
                message::note(&format!("fetching {remote} ({})", DecimalBytes(total)));
            }
            begun = true;
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        path.map_err(|error| match error {
            Error::Hub { .. } => Stop::refused(format!(
                "{name} could not be fetched. {error}. A file fetched by hand works too: --model PATH; the bundled --model digits needs no network"
            )),
            other => other.into(),
        })
    }
}

#[cfg(not(feature = "hub"))]
mod remote {
    use std::path::PathBuf;

    use densenet_wgpu::models::Published;

    use crate::exit::Stop;

    pub(super) fn fetch(name: &str, published: Option<&Published>) -> Result<PathBuf, Stop> {
        let file = published.map_or("its file".to_owned(), |model| format!("{} of {}", model.file, model.repository));
        Err(Stop::refused(format!(
            "{name} is on the Hugging Face hub, and this densenet was built without the feature `hub`: build it with \
             `cargo install --path cli --features hub`, or fetch {file} by hand and give its path; --model digits is bundled"
        )))
    }
}
