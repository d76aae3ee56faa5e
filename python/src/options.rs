//! The arguments of a classifier, as Python states them.

use densenet_wgpu::checkpoint::{HeadStep, NewChannels, ReadOptions, StemDownsampling};
use densenet_wgpu::devices::{Device, Software};
use densenet_wgpu::image::{Decoding, SampleRange};
use densenet_wgpu::labels::Averaging;
use densenet_wgpu::preprocessing::{Activation, Preset};
use densenet_wgpu::{ClassifierOptions, Error, Precision};
use pyo3::prelude::*;

use crate::error::refused;
use crate::labels::Labels;

/// The arguments of `densenet_wgpu.Classifier` behind the model, a dictionary with all of these keys.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    pub(crate) device: Option<String>,
    pub(crate) software: String,
    pub(crate) precision: String,
    pub(crate) batch: usize,
    pub(crate) batch_invariant: bool,
    pub(crate) self_test: bool,
    /// A preset's name, or a preprocessing as JSON.
    pub(crate) preprocess: Option<String>,
    pub(crate) activation: Option<String>,
    pub(crate) size: Option<[usize; 2]>,
    pub(crate) labels: Option<Labels>,
    pub(crate) ten_crops: bool,
    pub(crate) flip: bool,
    pub(crate) average: String,
    pub(crate) upright: bool,
    pub(crate) truncated: bool,
    pub(crate) voi_lut: bool,
    pub(crate) sample_range: Option<(i32, i32)>,
    pub(crate) own_sample_range: bool,
    pub(crate) max_pixels: Option<u64>,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) root: Option<String>,
    pub(crate) head: Option<String>,
    pub(crate) head_layers: Option<Vec<String>>,
    pub(crate) stem: Option<String>,
    pub(crate) new_channels: Option<String>,
    pub(crate) features_only: bool,
    pub(crate) final_relu: bool,
    pub(crate) blur: bool,
    pub(crate) epsilon: Option<f32>,
}

impl Options {
    /// The devices to run on.
    pub(crate) fn devices(&self) -> Vec<Device> {
        self.device.as_deref().map_or(vec![Device::Best], Device::list)
    }

    /// What is done with software adapters.
    pub(crate) fn software(&self, py: Python<'_>) -> PyResult<Software> {
        match self.software.as_str() {
            "warn" => Ok(Software::Warn),
            "refuse" => Ok(Software::Refuse),
            "allow" => Ok(Software::Allow),
            found => Err(refused(py, &format!("software: expected \"warn\", \"refuse\" or \"allow\", found {found:?}"))),
        }
    }

    /// The precision; `None` for the best.
    pub(crate) fn precision(&self, py: Python<'_>) -> PyResult<Option<Precision>> {
        match self.precision.as_str() {
            "f32" => Ok(Some(Precision::F32)),
            "f16" => Ok(Some(Precision::F16)),
            "auto" => Ok(None),
            found => Err(refused(py, &format!("precision: expected \"f32\", \"f16\" or \"auto\", found {found:?}"))),
        }
    }

    /// How the model's file is read.
    pub(crate) fn read_options(&self, py: Python<'_>) -> PyResult<ReadOptions> {
        let wrong = |name: &str, error: Error| refused(py, &format!("{name}: {}", without_file(&error)));
        let mut options = ReadOptions::default().with_features_only(self.features_only);
        options.root.clone_from(&self.root);
        options.head.clone_from(&self.head);
        if let Some(layers) = &self.head_layers {
            let layers = layers.iter().map(|layer| layer.parse::<HeadStep>()).collect::<Result<Vec<_>, _>>();
            options.head_layers = Some(layers.map_err(|error| wrong("head_layers", error))?);
        }
        if let Some(stem) = &self.stem {
            options.stem = stem.parse::<StemDownsampling>().map_err(|error| wrong("stem", error))?;
        }
        if let Some(place) = &self.new_channels {
            options.new_channels = Some(place.parse::<NewChannels>().map_err(|error| wrong("new_channels", error))?);
        }
        Ok(options)
    }

    /// The library's options, but for labels, which need the model.
    pub(crate) fn of_classifier(&self, py: Python<'_>) -> PyResult<ClassifierOptions> {
        let mut options = ClassifierOptions::default()
            .with_devices(self.devices())
            .with_software(self.software(py)?)
            .with_batch(self.batch)
            .with_batch_invariant(self.batch_invariant)
            .with_self_test(self.self_test)
            .with_ten_crops(self.ten_crops)
            .with_mirror_images(self.flip)
            .with_upright(self.upright)
            .with_decoding(self.decoding());
        options.precision = self.precision(py)?;
        options.averaging = averaging(py, &self.average)?;
        options.size = self.size;
        if let Some(preprocess) = &self.preprocess {
            options = match Preset::named(preprocess) {
                Some(preset) => options.with_preset(preset),
                None => options.with_preprocessing(serde_json::from_str(preprocess).map_err(|error| {
                    let expected = "expected a preset or a preprocessing, as inspect() shows it";
                    refused(py, &format!("preprocess: {expected}, found something else ({error})"))
                })?),
            };
        }
        if let Some(name) = &self.activation {
            options = options.with_activation(activation(py, name)?);
        }
        Ok(options)
    }

    fn decoding(&self) -> Decoding {
        let mut decoding = Decoding::default().with_truncated(self.truncated).with_voi_lut(self.voi_lut);
        if let Some(pixels) = self.max_pixels {
            decoding = decoding.with_max_pixels(pixels);
        }
        if let Some(bytes) = self.max_bytes {
            decoding = decoding.with_max_file_bytes(bytes).with_max_decoder_bytes(bytes);
        }
        match self.sample_range {
            Some((least, most)) => decoding.with_sample_range(SampleRange::Between { least, most }),
            None if self.own_sample_range => decoding.with_sample_range(SampleRange::Own),
            None => decoding,
        }
    }
}

fn averaging(py: Python<'_>, name: &str) -> PyResult<Averaging> {
    match name {
        "probabilities" => Ok(Averaging::Probabilities),
        "logits" => Ok(Averaging::Logits),
        found => Err(refused(py, &format!("average: expected \"probabilities\" or \"logits\", found {found:?}"))),
    }
}

fn activation(py: Python<'_>, name: &str) -> PyResult<Activation> {
    let all = [Activation::Softmax, Activation::Sigmoid, Activation::None];
    all.into_iter()
        .find(|activation| activation.name() == name)
        .ok_or_else(|| refused(py, &format!("activation: expected \"softmax\", \"sigmoid\" or \"none\", found {name:?}")))
}

/// What is wrong, without the name of a file.
fn without_file(error: &Error) -> String {
    match error {
        Error::Checkpoint { reason, .. } => reason.clone(),
        error => error.to_string(),
    }
}
