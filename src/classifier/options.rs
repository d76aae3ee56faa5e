//! How a classifier is made.

use super::device::Device;
use crate::error::{Error, Result};
use crate::image::Decoding;
use crate::kernels::Precision;
use crate::models;
use crate::weights::{Activation, Checkpoint, Description, Field, Preprocessing, Preset};

/// How a [`Classifier`](super::Classifier) is made. The default is the best GPU, 32-bit floats, 16 pictures at once, and of the model
/// what it says of itself.
///
/// ```
/// use densenet_wgpu::devices::Device;
/// use densenet_wgpu::ClassifierOptions;
///
/// let options = ClassifierOptions::default().with_devices(Device::list("cpu")).with_batch(4).with_features(true);
/// assert_eq!((options.batch, options.features), (4, true));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClassifierOptions {
    /// Where to run. Several devices share the pictures.
    pub devices: Vec<Device>,
    /// The numbers to compute with; `None` is 16-bit floats where every device has them and passes a check
    /// ([`best_precision`](crate::verify::best_precision)), else 32-bit floats. The reference computes in 32-bit floats only.
    pub precision: Option<Precision>,
    /// Images that run at once, at the most; fewer where they would fill more than 1 GiB. Each of ten crops is one.
    pub batch: usize,
    /// Whether a picture's answer has the same bits in any batch; slower on GPUs.
    pub batch_invariant: bool,
    /// How pictures are prepared, in place of what the model says.
    pub preset: Option<Preset>,
    /// How pictures are prepared, in place of what the model or the preset says.
    pub preprocessing: Option<Preprocessing>,
    /// What turns logits into probabilities, in place of what the model, the preset or the preprocessing says.
    pub activation: Option<Activation>,
    /// Height and width that the network sees, in place of the preprocessing's own.
    pub size: Option<[usize; 2]>,
    /// What the classes are called, in place of what the model says ([`read_labels`](crate::labels::read_labels)).
    pub labels: Option<Vec<String>>,
    /// Whether the network sees ten crops of each picture, whose probabilities are averaged.
    pub ten_crops: bool,
    /// Whether pictures are turned as their EXIF orientation says; torchvision does not.
    pub upright: bool,
    /// What decoding a picture may cost.
    pub decoding: Decoding,
    /// Whether a GPU computes a small network beside the reference before its first use
    /// ([`self_test`](crate::verify::self_test)).
    pub self_test: bool,
    /// Whether predictions have features: what the classifier layer reads.
    pub features: bool,
    /// Whether predictions have class maps: where in the picture each class was seen.
    pub class_maps: bool,
    /// Pixels up to which a picture stays with its prediction as it was decoded; larger ones do too where they cannot be read
    /// again, as those from bytes and pipes. `None` keeps none.
    pub kept_pixels: Option<usize>,
    /// Whether what went into the network stays with the prediction.
    pub keeps_inputs: bool,
}

impl Default for ClassifierOptions {
    fn default() -> Self {
        Self {
            devices: vec![Device::Best],
            precision: Some(Precision::F32),
            batch: 16,
            batch_invariant: false,
            preset: None,
            preprocessing: None,
            activation: None,
            size: None,
            labels: None,
            ten_crops: false,
            upright: false,
            decoding: Decoding::default(),
            self_test: true,
            features: false,
            class_maps: false,
            kept_pixels: None,
            keeps_inputs: false,
        }
    }
}

impl ClassifierOptions {
    /// Runs on this device alone.
    #[must_use]
    pub fn with_device(self, device: impl Into<Device>) -> Self {
        Self { devices: vec![device.into()], ..self }
    }

    /// Runs on these devices, which share the pictures.
    #[must_use]
    pub fn with_devices(self, devices: Vec<Device>) -> Self {
        Self { devices, ..self }
    }

    /// Computes with these numbers.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision: Some(precision), ..self }
    }

    /// Computes with 16-bit floats where every device has them and passes a check, else with 32-bit floats.
    #[must_use]
    pub fn with_best_precision(self) -> Self {
        Self { precision: None, ..self }
    }

    /// Runs so many images at once, at least one.
    #[must_use]
    pub fn with_batch(self, batch: usize) -> Self {
        Self { batch, ..self }
    }

    /// Gives a picture the same bits in any batch, or not.
    #[must_use]
    pub fn with_batch_invariant(self, batch_invariant: bool) -> Self {
        Self { batch_invariant, ..self }
    }

    /// Prepares pictures as this preset does.
    #[must_use]
    pub fn with_preset(self, preset: Preset) -> Self {
        Self { preset: Some(preset), ..self }
    }

    /// Prepares pictures so.
    #[must_use]
    pub fn with_preprocessing(self, preprocessing: Preprocessing) -> Self {
        Self { preprocessing: Some(preprocessing), ..self }
    }

    /// Turns logits into probabilities so.
    #[must_use]
    pub fn with_activation(self, activation: Activation) -> Self {
        Self { activation: Some(activation), ..self }
    }

    /// Shows the network pictures of `[height, width]` pixels.
    #[must_use]
    pub fn with_size(self, size: [usize; 2]) -> Self {
        Self { size: Some(size), ..self }
    }

    /// Calls the classes so, in their order.
    #[must_use]
    pub fn with_labels(self, labels: Vec<String>) -> Self {
        Self { labels: Some(labels), ..self }
    }

    /// Shows the network ten crops of each picture, or one.
    #[must_use]
    pub fn with_ten_crops(self, ten_crops: bool) -> Self {
        Self { ten_crops, ..self }
    }

    /// Turns pictures as their EXIF orientation says, or not.
    #[must_use]
    pub fn with_upright(self, upright: bool) -> Self {
        Self { upright, ..self }
    }

    /// Decodes pictures within these limits.
    #[must_use]
    pub fn with_decoding(self, decoding: Decoding) -> Self {
        Self { decoding, ..self }
    }

    /// Tests a GPU before its first use, or trusts it.
    #[must_use]
    pub fn with_self_test(self, self_test: bool) -> Self {
        Self { self_test, ..self }
    }

    /// Gives predictions features, or not.
    #[must_use]
    pub fn with_features(self, features: bool) -> Self {
        Self { features, ..self }
    }

    /// Gives predictions class maps, or not.
    #[must_use]
    pub fn with_class_maps(self, class_maps: bool) -> Self {
        Self { class_maps, ..self }
    }

    /// Keeps decoded pictures of at most so many pixels with their predictions, and larger ones that cannot be read again.
    #[must_use]
    pub fn with_kept_pixels(self, pixels: usize) -> Self {
        Self { kept_pixels: Some(pixels), ..self }
    }

    /// Keeps what went into the network with the predictions, or not.
    #[must_use]
    pub fn with_inputs(self, keeps_inputs: bool) -> Self {
        Self { keeps_inputs, ..self }
    }

    /// Completes the model's description as these options say, else as its name or its file says, else with what is likely,
    /// which the model then tells ([`Checkpoint::assumed`]). [`Classifier::new`](super::Classifier::new) begins with it; a program
    /// that looks at a model before it opens a device calls it first, and changes nothing by that.
    ///
    /// Errors where labels, preprocessing or activation do not belong to the network.
    pub fn describe(&self, model: &mut Checkpoint) -> Result<Description> {
        if let Some(labels) = &self.labels {
            model.labels = Some(labels.clone());
            model.settle(Field::Labels);
        }
        let by_name = models::preset(model);
        let is_fetched = model.origin.as_ref().is_some_and(|origin| origin.repository.is_some());
        let (said, likely) = match &self.preprocessing {
            Some(preprocessing) => {
                model.preprocessing = Some(preprocessing.clone());
                model.settle(Field::Preprocessing);
                model.settle(Field::Activation);
                (None, None)
            }
            None => (self.preset.or(by_name.filter(|_| is_fetched)), by_name),
        };
        let mut description = model.complete(said, likely);
        if let Some(activation) = self.activation {
            if model.config.num_classes == Some(1) && activation == Activation::Softmax {
                let expected = "sigmoid or none for a model of one output, whose softmax is always 1".into();
                return Err(Error::Options { expected, found: activation.name().into() });
            }
            description.preprocessing.activation = activation;
            model.preprocessing = Some(description.preprocessing.clone());
            model.settle(Field::Activation);
        }
        model.check()?;
        Ok(description)
    }
}
