//! Opens models by name, with a progress bar for downloads from the Hugging Face hub.

use densenet_wgpu::checkpoint::ReadOptions;
use densenet_wgpu::{Checkpoint, Error};

use crate::exit::Stop;
use crate::remedy::explained;
use remote::open_and_show;

/// Opens the model of that name, or the checkpoint in that file. The error says what else would work.
pub(crate) fn open(name: &str, options: &ReadOptions) -> Result<Checkpoint, Stop> {
    open_and_show(name, options).map_err(|error| {
        let text = explained(&error);
        Stop::refused(match error {
            Error::NoWeights { .. } => format!("{text}, or try --model digits"),
            #[cfg(feature = "hub")]
            Error::Hub { .. } => remote::not_fetched(name, &text),
            Error::MissingFeature { .. } => format!("{text}; a file downloaded by hand works too: --model PATH; --model digits is bundled"),
            _ if text.contains(name) => text,
            _ => format!("{name}: {text}"),
        })
    })
}

#[cfg(feature = "hub")]
mod remote {
    use densenet_wgpu::checkpoint::ReadOptions;
    use densenet_wgpu::hub::Remote;
    use densenet_wgpu::{Checkpoint, models};
    use indicatif::{DecimalBytes, ProgressBar, ProgressStyle};

    use crate::message;

    const BAR: &str = "{msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec}";

    pub(super) fn open_and_show(name: &str, options: &ReadOptions) -> densenet_wgpu::Result<Checkpoint> {
        let mut begun: Option<ProgressBar> = None;
        let begin = |total| {
            let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(0).with_style(style).with_message(format!("fetching {name}"));
            if bar.is_hidden() {
                let remote = models::published(name).map_or(name.to_owned(), |model| Remote::from(model).to_string());
                message::note(&format!("fetching {remote} ({})", DecimalBytes(total)));
            }
            bar
        };
        models::open_with_options(name, options, &mut |done, total| {
            let bar = begun.get_or_insert_with(|| begin(total));
            bar.set_length(total);
            bar.set_position(done);
            if done == total {
                bar.finish_and_clear();
            }
        })
        .inspect_err(|_| begun.iter().for_each(ProgressBar::finish_and_clear))
    }

    pub(super) fn not_fetched(name: &str, error: &str) -> String {
        match name.parse::<Remote>() {
            Err(_) if name.starts_with("hf://") => error.to_owned(),
            _ => format!(
                "{name} could not be fetched. {error}. A file downloaded by hand works too: --model PATH; the bundled --model digits needs no network"
            ),
        }
    }
}

#[cfg(not(feature = "hub"))]
mod remote {
    use densenet_wgpu::checkpoint::ReadOptions;
    use densenet_wgpu::{Checkpoint, models};

    pub(super) fn open_and_show(name: &str, options: &ReadOptions) -> densenet_wgpu::Result<Checkpoint> {
        models::open_with_options(name, options, &mut |_, _| {})
    }
}
