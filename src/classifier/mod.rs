//! From pictures to answers: a trained network, its preprocessing, its labels and the devices that run it, in one object.
//!
//! ```
//! use densenet_wgpu::{Classifier, ClassifierOptions};
//!
//! let classifier = Classifier::open("digits", ClassifierOptions::default())?; // or "runs/best.pth"; with the feature `hub` "densenet121"
//! classifier.assumed().iter().for_each(|assumption| eprintln!("{assumption}")); // what was assumed about the model
//! for prediction in classifier.classify_all(["examples/digits/7-1442-8.png", "examples/digits/0-1445-8.png", "README.md"])? {
//!     match prediction {
//!         Ok(prediction) => println!("{}", prediction.top_k(1)?[0].label),
//!         Err(error) => println!("{error}"), // README.md: not a picture; …
//!     }
//! }
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```
//!
//! # Internals
//!
//! A [`Source`] is read by the [`Preparation`](preparation::Preparation) on one of the classifier's [`Threads`](threads::Threads):
//! decoded, resized and cropped to 8-bit samples. A [`Runner`](runner::Runner) for each device runs them; the
//! [`Network`](network::Network) knows which of its outputs are logits, features and class maps, which become a [`Prediction`].
//! [`Classifier::classify`] does that for one source on the caller's thread; a [stream](stream) has a [`Reader`](reader::Reader) ahead of
//! the devices, and two [batches](batch) on each.

mod batch;
mod class_maps;
mod device;
mod images;
mod inner;
mod network;
mod options;
mod picture_summary;
mod prediction;
mod preparation;
mod reader;
mod runner;
mod source;
mod stream;
mod threads;
mod turn;

use std::ffi::OsStr;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crate::arch::Config;
use crate::error::{Error, Result};
use crate::gpu::WasmNotSend;
use crate::image::Picture;
use crate::labels::Postprocessing;
use crate::models;
use crate::shape::Shape;
use crate::weights::{Assumption, Checkpoint, Preprocessing};

pub use class_maps::ClassMaps;
pub use device::Device;
pub use network::FEATURES;
pub use options::ClassifierOptions;
pub use picture_summary::PictureSummary;
pub use prediction::Prediction;
pub use runner::{engine_in_range, faulty_tiles, run_reference};
pub use source::Source;
pub use stream::{Predictions, StreamOptions};

use device::Opened;
use inner::Inner;
use network::Network;
use preparation::Preparation;
use runner::Runner;
use threads::{Threads, on_every_core, on_its_own};

/// Height and width for a model that does not specify them.
pub const DEFAULT_SIZE: [usize; 2] = [224, 224];

/// The maximum input size of a batch in bytes, whatever batch size is requested. It does not affect answers.
const MAX_BATCH_BYTES: usize = 1 << 30;

/// A trained network that takes pictures and gives answers. A clone is the same classifier; threads may share one.
///
/// ```
/// use densenet_wgpu::{Classifier, ClassifierOptions};
///
/// let classifier = Classifier::open("digits", ClassifierOptions::default())?;
/// let prediction = classifier.classify("examples/digits/7-1442-8.png")?;
/// for class in prediction.top_k(3)? {
///     println!("{class}"); //  96.90 %  7
/// }
/// # assert_eq!(prediction.top_k(1)?[0].label, "7");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
///
/// It has a thread per core for decoding pictures. They end when the last clone and the last of its [`Predictions`] are dropped and current
/// work is done.
#[derive(Debug, Clone)]
pub struct Classifier(Arc<Inner>);

impl Classifier {
    /// Makes a classifier from the name of a bundled or published model, an `hf://` address, or a checkpoint file ([`models::open`]).
    /// Downloads need the feature `hub`. Errors if there is no such model, it cannot be read, and as [`Classifier::new`] does.
    pub fn open(model: impl AsRef<OsStr>, options: ClassifierOptions) -> Result<Self> {
        Self::new(models::open(model)?, options)
    }

    /// Like [`Classifier::open`], on a thread, for callers that must not block.
    pub fn open_async(model: impl AsRef<OsStr>, options: ClassifierOptions) -> impl Future<Output = Result<Self>> + Send + 'static {
        let model = model.as_ref().to_owned();
        on_its_own(move || Self::open(model, options))
    }

    /// Makes a classifier from the content of a checkpoint file, called `name` ([`Checkpoint::from_bytes`]). Errors if it cannot be read,
    /// and as [`Classifier::new`] does.
    pub fn from_bytes(bytes: &[u8], name: &str, options: ClassifierOptions) -> Result<Self> {
        Self::new(Checkpoint::from_bytes(bytes, name)?, options)
    }

    /// Makes a classifier from a checkpoint: completes its description ([`ClassifierOptions::describe`]), opens and tests the devices, and
    /// uploads the network.
    ///
    /// Errors if the options do not fit the model, the size is too small for it, or a device does not exist, refuses to open, or fails its
    /// test.
    #[tracing::instrument(name = "make classifier", skip_all, fields(model = %model.name))]
    pub fn new(mut model: Checkpoint, options: ClassifierOptions) -> Result<Self> {
        let description = options.describe(&mut model)?;
        let notes = model.origin.iter().flat_map(|origin| &origin.notes).map(|note| format!("{} {note}", model.name)).collect();
        let preprocessing = match options.size {
            Some([height, width]) => description.preprocessing.sized(height, width),
            None => description.preprocessing,
        };
        if options.ten_crops && preprocessing.crop.is_none() {
            let expected = "a preprocessing with a crop, of which there can be ten".into();
            return Err(Error::Options { expected, found: preprocessing.to_string() });
        }
        if options.ten_crops && options.mirror_images {
            let expected = "ten crops, of which five are mirrored, or each picture and its mirror image".into();
            return Err(Error::Options { expected, found: "both".into() });
        }
        let size = options.size.or(preprocessing.size()).unwrap_or(DEFAULT_SIZE);
        let postprocessing = Arc::new(model.postprocessing().with_averaging(options.averaging));
        let (network, weights) = Network::new(&mut model, size, &options)?;
        let opened = Opened::all(&options.devices, options.software)?;
        let devices = opened.iter().map(|device| device.name().to_owned()).collect();
        let (runners, warnings) = Runner::all(opened, network.graph(), &weights, &options)?;
        Ok(Self(Arc::new(Inner {
            postprocessing,
            assumed: model.assumed,
            notes,
            size,
            devices,
            warnings,
            batch: (images_at_once(options.batch, network.graph().input_shape()) / options.images_per_picture()).max(1),
            network,
            preparation: Arc::new(Preparation::new(preprocessing, &options)),
            runners,
            keeps_inputs: options.keeps_inputs,
            threads: Arc::new(Threads::new()?),
            taken: AtomicUsize::new(0),
            name: model.name,
            config: model.config,
        })))
    }

    /// Like [`Classifier::new`], on a thread, for callers that must not block.
    pub fn new_async(model: Checkpoint, options: ClassifierOptions) -> impl Future<Output = Result<Self>> + Send + 'static {
        on_its_own(move || Self::new(model, options))
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its architecture.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// What its outputs mean.
    pub fn postprocessing(&self) -> &Postprocessing {
        &self.0.postprocessing
    }

    /// How pictures are prepared.
    pub fn preprocessing(&self) -> &Preprocessing {
        self.0.preparation.preprocessing()
    }

    /// Height and width of the network's input. If the preprocessing does not determine them, the size that the network was built for.
    pub fn size(&self) -> [usize; 2] {
        self.0.size
    }

    /// The names of the devices; the reference is `cpu`.
    pub fn devices(&self) -> &[String] {
        &self.0.devices
    }

    /// What was assumed about the model or is unknown, sorted by field ([`Checkpoint::assumed`]).
    pub fn assumed(&self) -> &[Assumption] {
        &self.0.assumed
    }

    /// Choices made while reading the model, one sentence each: for example between weights and their average.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// Warnings about the devices, one sentence each: a software adapter, or wrong kernels.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// The failure of a device since it was opened, after which nothing more can run there, if any.
    pub fn failure(&self) -> Option<Error> {
        self.0.runners.iter().find_map(Runner::failure)
    }

    /// Whether nothing more can run on any of the devices.
    pub fn is_lost(&self) -> bool {
        self.0.runners.iter().all(|runner| runner.failure().is_some())
    }

    /// Destroys its GPUs, as a driver loses them. For tests of what comes after; not part of the public API.
    #[doc(hidden)]
    pub fn lose_devices(&self) {
        self.0.runners.iter().for_each(Runner::lose);
    }

    /// Classifies one source: the caller's thread decodes it and waits for the device.
    ///
    /// Errors if it is not a picture, or not one that the network can take, and if the device fails.
    pub fn classify(&self, source: impl Into<Source>) -> Result<Prediction> {
        let ready = self.0.preparation.read(source.into())?;
        self.0.run_on(&self.0.runners[self.0.turn()], ready)
    }

    /// Like [`Classifier::classify`], for callers that must not block, on any executor: one of the classifier's threads decodes the
    /// picture, and the device's own thread waits for the answer; the reference computes on rayon's threads. The future is `Send`, except
    /// in a browser.
    pub fn classify_async(&self, source: impl Into<Source>) -> impl Future<Output = Result<Prediction>> + WasmNotSend + 'static {
        let (inner, source) = (Arc::clone(&self.0), source.into());
        async move {
            let preparation = Arc::clone(&inner.preparation);
            let ready = inner.threads.run(move || preparation.read(source)).await?;
            let turn = inner.turn();
            match inner.runners[turn].run_async(&ready.images).await {
                Some(outputs) => inner.single(ready, &outputs?),
                None => on_every_core(move || inner.run_on(&inner.runners[turn], ready)).await,
            }
        }
    }

    /// Classifies many sources, and yields their predictions in order as soon as they are ready. Pictures are decoded on all cores while
    /// the devices work. A source that fails yields an error and does not affect the others.
    ///
    /// Memory holds at most three batches of prepared pictures per device, and per core one more prepared and one decoded picture. A thread
    /// takes the sources from the iterator, which may block.
    ///
    /// Errors if the system cannot start a thread.
    pub fn classify_all<I>(&self, sources: I) -> Result<impl Iterator<Item = Result<Prediction>> + use<I>>
    where
        I: IntoIterator<Item: Into<Source>, IntoIter: Send + 'static>,
    {
        let tagged = sources.into_iter().map(|source| ((), source.into()));
        Ok(self.stream(tagged, StreamOptions::default())?.map(|((), prediction)| prediction))
    }

    /// Like [`Classifier::classify_all`], for sources with tags, which are returned with the predictions; also for sources that arrive one
    /// by one, and with a way to end early ([`StreamOptions`]).
    ///
    /// After a device is lost, the other devices take over. Inputs that were on it fail, and without another device all further ones.
    ///
    /// ```
    /// use densenet_wgpu::predictions::StreamOptions;
    /// use densenet_wgpu::{Classifier, ClassifierOptions, Source};
    ///
    /// let classifier = Classifier::open("digits", ClassifierOptions::default())?;
    /// let (asks, questions) = std::sync::mpsc::channel::<(u32, Source)>();
    /// let mut answers = classifier.stream(questions.into_iter(), StreamOptions::default().with_live(true))?;
    /// for question in 1..4 {
    ///     asks.send((question, "examples/digits/7-1442-8.png".into())).expect("it listens");
    ///     let (answered, prediction) = answers.next().expect("it is answered before more is asked");
    ///     assert_eq!((answered, prediction?.top_k(1)?[0].label.as_str()), (question, "7"));
    /// }
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    pub fn stream<T: Send + 'static>(
        &self,
        inputs: impl IntoIterator<Item = (T, Source), IntoIter: Send + 'static>,
        options: StreamOptions,
    ) -> Result<Predictions<T>> {
        Predictions::begin(&self.0, inputs.into_iter(), options)
    }

    /// The picture of a source before preprocessing: decoded within the limits, and turned upright if requested. Errors if it is not a
    /// picture.
    pub fn picture(&self, source: impl Into<Source>) -> Result<Picture> {
        self.0.preparation.picture(source.into())
    }
}

/// The batch size for images of `shape`, at most `asked`.
pub fn images_at_once(asked: usize, shape: Shape) -> usize {
    let byte_image = shape.elements().saturating_mul(size_of::<f32>()).max(1);
    asked.min(MAX_BATCH_BYTES / byte_image).max(1)
}
