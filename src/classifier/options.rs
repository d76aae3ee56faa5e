//! Options of a classifier.

use super::device::Device;
use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::gpu::Software;
use crate::image::Decoding;
use crate::kernels::Precision;
use crate::labels::Averaging;
use crate::models;
use crate::weights::{AssumedField, Checkpoint, Description, Preprocessing, Preset, Stated};

/// Options of a [`Classifier`](super::Classifier). The default is what [`Device::Best`] means, 32-bit floats, batches of 16 pictures, and the
/// model's own description.
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
    /// The devices to run on. Several devices share the pictures.
    pub devices: Vec<Device>,
    /// Whether software adapters among them are used.
    pub software: Software,
    /// The precision; `None` means 16-bit floats if every device has them and passes a check
    /// ([`best_precision`](crate::verify::best_precision)), otherwise 32-bit floats. The reference computes in 32-bit floats only.
    pub precision: Option<Precision>,
    /// Maximum number of images per batch; fewer if they would exceed 1 GiB. Each of ten crops counts, and each mirror image.
    pub batch: usize,
    /// Whether results are bit-identical in any batch; slower on GPUs.
    pub batch_invariant: bool,
    /// The preset for preprocessing, instead of the model's own description.
    pub preset: Option<Preset>,
    /// The preprocessing, instead of that of the model or the preset.
    pub preprocessing: Option<Preprocessing>,
    /// What turns logits into probabilities, instead of that of the model, the preset or the preprocessing.
    pub activation: Option<Activation>,
    /// Height and width of the network's input, instead of the preprocessing's own.
    pub size: Option<[usize; 2]>,
    /// The labels of the classes, instead of the model's own ([`read_labels`](crate::labels::read_labels)).
    pub labels: Option<Vec<String>>,
    /// Whether to average the probabilities of ten crops of each picture.
    pub ten_crops: bool,
    /// Whether to average each picture and its mirror image.
    pub mirror_images: bool,
    /// What is averaged over ten crops, or a picture and its mirror image.
    pub averaging: Averaging,
    /// Whether pictures are turned upright according to their EXIF orientation; torchvision does not.
    pub upright: bool,
    /// Options and limits of decoding.
    pub decoding: Decoding,
    /// Whether a GPU is tested against the reference before its first use ([`self_test`](crate::verify::self_test)).
    pub self_test: bool,
    /// Whether predictions have features: the input of the classifier layer.
    pub features: bool,
    /// Whether predictions have class maps: where in the picture each class was seen.
    pub class_maps: bool,
    /// The largest picture, in pixels, that is kept with its prediction after decoding. Larger ones are kept if they cannot be read again,
    /// such as those from bytes and pipes. `None` keeps none.
    pub kept_pixels: Option<usize>,
    /// Whether the network's input is kept with the prediction.
    pub keeps_inputs: bool,
}

impl Default for ClassifierOptions {
    fn default() -> Self {
        Self {
            devices: vec![Device::Best],
            software: Software::default(),
            precision: Some(Precision::F32),
            batch: 16,
            batch_invariant: false,
            preset: None,
            preprocessing: None,
            activation: None,
            size: None,
            labels: None,
            ten_crops: false,
            mirror_images: false,
            averaging: Averaging::Probabilities,
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
    /// Sets a single device.
    #[must_use]
    pub fn with_device(self, device: impl Into<Device>) -> Self {
        Self { devices: vec![device.into()], ..self }
    }

    /// Sets the devices, which share the pictures.
    #[must_use]
    pub fn with_devices(self, devices: Vec<Device>) -> Self {
        Self { devices, ..self }
    }

    /// Sets whether software adapters are used: with a warning, not at all, or as if they were GPUs.
    #[must_use]
    pub fn with_software(self, software: Software) -> Self {
        Self { software, ..self }
    }

    /// Sets the precision.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision: Some(precision), ..self }
    }

    /// Uses 16-bit floats if every device has them and passes a check, otherwise 32-bit floats.
    #[must_use]
    pub fn with_best_precision(self) -> Self {
        Self { precision: None, ..self }
    }

    /// Sets the batch size, at least one.
    #[must_use]
    pub fn with_batch(self, batch: usize) -> Self {
        Self { batch, ..self }
    }

    /// Sets whether results are bit-identical in any batch.
    #[must_use]
    pub fn with_batch_invariant(self, batch_invariant: bool) -> Self {
        Self { batch_invariant, ..self }
    }

    /// Sets a preset for preprocessing.
    #[must_use]
    pub fn with_preset(self, preset: Preset) -> Self {
        Self { preset: Some(preset), ..self }
    }

    /// Sets the preprocessing.
    #[must_use]
    pub fn with_preprocessing(self, preprocessing: Preprocessing) -> Self {
        Self { preprocessing: Some(preprocessing), ..self }
    }

    /// Sets what turns logits into probabilities.
    #[must_use]
    pub fn with_activation(self, activation: Activation) -> Self {
        Self { activation: Some(activation), ..self }
    }

    /// Sets the size of the network's input, `[height, width]`.
    #[must_use]
    pub fn with_size(self, size: [usize; 2]) -> Self {
        Self { size: Some(size), ..self }
    }

    /// Sets the labels of the classes, in their order.
    #[must_use]
    pub fn with_labels(self, labels: Vec<String>) -> Self {
        Self { labels: Some(labels), ..self }
    }

    /// Sets whether to average ten crops of each picture.
    #[must_use]
    pub fn with_ten_crops(self, ten_crops: bool) -> Self {
        Self { ten_crops, ..self }
    }

    /// Sets whether to average each picture and its mirror image.
    #[must_use]
    pub fn with_mirror_images(self, mirror_images: bool) -> Self {
        Self { mirror_images, ..self }
    }

    /// Sets what is averaged over ten crops, or a picture and its mirror image.
    #[must_use]
    pub fn with_averaging(self, averaging: Averaging) -> Self {
        Self { averaging, ..self }
    }

    /// Sets whether pictures are turned upright according to their EXIF orientation.
    #[must_use]
    pub fn with_upright(self, upright: bool) -> Self {
        Self { upright, ..self }
    }

    /// Sets options and limits of decoding.
    #[must_use]
    pub fn with_decoding(self, decoding: Decoding) -> Self {
        Self { decoding, ..self }
    }

    /// Sets whether a GPU is tested before its first use.
    #[must_use]
    pub fn with_self_test(self, self_test: bool) -> Self {
        Self { self_test, ..self }
    }

    /// Sets whether predictions have features.
    #[must_use]
    pub fn with_features(self, features: bool) -> Self {
        Self { features, ..self }
    }

    /// Sets whether predictions have class maps.
    #[must_use]
    pub fn with_class_maps(self, class_maps: bool) -> Self {
        Self { class_maps, ..self }
    }

    /// Keeps decoded pictures of at most this number of pixels with their predictions, and larger ones that cannot be read again.
    #[must_use]
    pub fn with_kept_pixels(self, pixels: usize) -> Self {
        Self { kept_pixels: Some(pixels), ..self }
    }

    /// Sets whether predictions keep the network's input.
    #[must_use]
    pub fn with_inputs(self, keeps_inputs: bool) -> Self {
        Self { keeps_inputs, ..self }
    }

    /// The number of images of each picture.
    pub(super) fn images_per_picture(&self) -> usize {
        match (self.ten_crops, self.mirror_images) {
            (true, _) => 10,
            (false, true) => 2,
            (false, false) => 1,
        }
    }

    /// Completes the model's description: from these options, otherwise from its name or its file, otherwise with likely values, which the
    /// model then lists as assumed ([`Checkpoint::assumed`]). [`Classifier::new`](super::Classifier::new) calls it first; a program that
    /// inspects a model before it opens a device may call it earlier, to the same effect.
    ///
    /// Errors if labels, preprocessing or activation do not belong to the network.
    pub fn describe(&self, model: &mut Checkpoint) -> Result<Description> {
        if let Some(labels) = &self.labels {
            model.labels = Some(labels.clone());
            model.mark_stated(AssumedField::Labels);
        }
        if let (Some(activation @ Activation::Softmax), Some(1)) = (self.activation, model.config.num_classes) {
            let expected = "sigmoid or none for a model of one output, whose softmax is always 1".into();
            return Err(Error::Options { expected, found: activation.name().into() });
        }
        let description = model.complete(&Stated {
            preprocessing: self.preprocessing.as_ref(),
            preset: self.preset,
            activation: self.activation,
            published: models::preset(model),
        });
        model.check()?;
        Ok(description)
    }
}
