//! From pictures to answers: a trained network, how its pictures are prepared, what its classes are called, and the devices that
//! run it, in one object.
//!
//! ```
//! use densenet_wgpu::{Classifier, ClassifierOptions};
//!
//! let classifier = Classifier::open("digits", ClassifierOptions::default())?; // or "runs/best.pth"; with the feature `hub` "densenet121"
//! classifier.assumed().iter().for_each(|assumption| eprintln!("{assumption}")); // what nothing said of the model
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
//! [`Classifier::classify`] does that for one source in the caller's own time; a [stream](stream) has a [`Reader`](reader::Reader)
//! ahead of the devices, and two [batches](batch) on each.

mod batch;
mod class_maps;
mod device;
mod images;
mod inner;
mod network;
mod options;
mod prediction;
mod preparation;
mod reader;
mod runner;
mod seen;
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
use crate::labels::Legend;
use crate::models;
use crate::shape::Shape;
use crate::weights::{Assumption, Checkpoint, Preprocessing};

pub use class_maps::ClassMaps;
pub use device::Device;
pub use network::FEATURES;
pub use options::ClassifierOptions;
pub use prediction::Prediction;
pub use runner::{engine_in_range, faulty_tiles, run_reference};
pub use seen::Seen;
pub use source::Source;
pub use stream::{Predictions, StreamOptions};

use device::Opened;
use inner::Inner;
use network::Network;
use preparation::Preparation;
use runner::Runner;
use threads::{Threads, on_every_core, on_its_own};

/// Height and width for a model that does not say its own.
pub const DEFAULT_SIZE: [usize; 2] = [224, 224];

/// Bytes of input that are in memory as one batch, whatever was asked for: no answer depends on it.
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
/// It has a thread for each core, which decode pictures. They end when the last clone, and the last of its [`Predictions`], are
/// dropped and what is under way is done.
#[derive(Debug, Clone)]
pub struct Classifier(Arc<Inner>);

impl Classifier {
    /// The classifier of a model's name, bundled or published, of an `hf://` address, or of a checkpoint's file
    /// ([`models::open`]); what is to be fetched takes the feature `hub`. Errors where there is none, it cannot be read, and as [`Classifier::new`] does.
    pub fn open(model: impl AsRef<OsStr>, options: ClassifierOptions) -> Result<Self> {
        Self::new(models::open(model)?, options)
    }

    /// [`Classifier::open`] for callers that may not block: a thread does it.
    pub fn open_async(model: impl AsRef<OsStr>, options: ClassifierOptions) -> impl Future<Output = Result<Self>> + Send + 'static {
        let model = model.as_ref().to_owned();
        on_its_own(move || Self::open(model, options))
    }

    /// The classifier of a checkpoint file's content, which `name` stands for ([`Checkpoint::from_bytes`]). Errors where it
    /// cannot be read, and as [`Classifier::new`] does.
    pub fn from_bytes(bytes: &[u8], name: &str, options: ClassifierOptions) -> Result<Self> {
        Self::new(Checkpoint::from_bytes(bytes, name)?, options)
    }

    /// The classifier of a checkpoint: completes its description ([`ClassifierOptions::describe`]), opens and tests the devices,
    /// and brings the network there.
    ///
    /// Errors where the options do not fit the model, where the size is too small for it, and where a device is not there,
    /// refuses, or fails its test.
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
        let size = options.size.or(preprocessing.size()).unwrap_or(DEFAULT_SIZE);
        let legend = Arc::new(model.legend());
        let (network, weights) = Network::new(&mut model, size, &options)?;
        let opened = Opened::all(&options.devices)?;
        let devices = opened.iter().map(|device| device.name().to_owned()).collect();
        let (runners, warnings) = Runner::all(opened, network.graph(), &weights, &options)?;
        let crops = if options.ten_crops { 10 } else { 1 };
        Ok(Self(Arc::new(Inner {
            legend,
            assumed: model.assumed,
            notes,
            size,
            devices,
            warnings,
            batch: (images_at_once(options.batch, network.graph().input_shape()) / crops).max(1),
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

    /// [`Classifier::new`] for callers that may not block: a thread does it.
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
    pub fn legend(&self) -> &Legend {
        &self.0.legend
    }

    /// How pictures are prepared.
    pub fn preprocessing(&self) -> &Preprocessing {
        self.0.preparation.preprocessing()
    }

    /// Height and width that the network sees; where the preprocessing has none of its own, those it was made for.
    pub fn size(&self) -> [usize; 2] {
        self.0.size
    }

    /// The names of the devices; the reference is `cpu`.
    pub fn devices(&self) -> &[String] {
        &self.0.devices
    }

    /// What nothing said of the model and was assumed, or stays open, sorted by field ([`Checkpoint::assumed`]).
    pub fn assumed(&self) -> &[Assumption] {
        &self.0.assumed
    }

    /// What was chosen while the model was read, a sentence each: of weights and their average, say, which.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// What a person should know about the devices, a sentence each: one only plays a GPU, kernels are wrong there.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// What went wrong with a device since it was opened, so that nothing more can run there, if anything did.
    pub fn failure(&self) -> Option<Error> {
        self.0.runners.iter().find_map(Runner::failure)
    }

    /// Whether nothing more can run on any of the devices.
    pub fn is_lost(&self) -> bool {
        self.0.runners.iter().all(|runner| runner.failure().is_some())
    }

    /// Classifies one source: the caller's thread decodes it and waits for the device.
    ///
    /// Errors where it is no picture, or none that the network can take, and where the device fails.
    pub fn classify(&self, source: impl Into<Source>) -> Result<Prediction> {
        let ready = self.0.preparation.read(source.into())?;
        self.0.run_on(&self.0.runners[self.0.turn()], ready)
    }

    /// [`Classifier::classify`] for callers that may not block, on whatever runs a program's futures: one of the classifier's
    /// threads decodes the picture, the device's own waits for the answer; the reference computes on rayon's threads. The future
    /// may be sent to other threads, but in a browser.
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

    /// Classifies many sources, and yields their predictions in their order, as soon as they are there: pictures are decoded on
    /// every core while the devices work. One that fails costs its own result and no other.
    ///
    /// In memory are at the most three batches of prepared pictures for each device, and for each core one more picture and one
    /// as it was decoded. A thread takes the sources from the iterator, which may block it.
    ///
    /// Errors where the system has no threads left.
    pub fn classify_all<I>(&self, sources: I) -> Result<impl Iterator<Item = Result<Prediction>> + use<I>>
    where
        I: IntoIterator<Item: Into<Source>, IntoIter: Send + 'static>,
    {
        let tagged = sources.into_iter().map(|source| ((), source.into()));
        Ok(self.stream(tagged, StreamOptions::default())?.map(|((), prediction)| prediction))
    }

    /// [`Classifier::classify_all`] of sources with tags, which come back with their predictions; also of sources that come one
    /// by one, and with a way to end early ([`StreamOptions`]).
    ///
    /// After a device was lost its inputs fail, or the other devices take them; where there is none, all that come do.
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

    /// The picture of a source as the classifier sees it before it prepares it: decoded within the limits, and upright where
    /// that was asked for. Errors where it is none.
    pub fn picture(&self, source: impl Into<Source>) -> Result<Picture> {
        self.0.preparation.picture(source.into())
    }
}

/// How many images of `shape` to run at once when `asked` were asked for.
pub fn images_at_once(asked: usize, shape: Shape) -> usize {
    let byte_image = shape.elements().saturating_mul(size_of::<f32>()).max(1);
    asked.min(MAX_BATCH_BYTES / byte_image).max(1)
}
