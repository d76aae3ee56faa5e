//! A checkpoint as one safetensors file.

use std::io::{self, Write};
use std::path::Path;

use super::{Checkpoint, Metadata};
use crate::arch::{Config, Stem};
use crate::error::{Error, Result};
use crate::weights::read_options::StemDownsampling;
use crate::weights::{AssumedField, container};
use crate::whole_file::WholeFile;

impl Checkpoint {
    /// What a file of it says beside its tensors: all that is known of it, what was assumed too.
    ///
    /// ```
    /// use densenet_wgpu::{Checkpoint, Config};
    ///
    /// let config = Config::imagenet(4, &[2, 2], 8).with_classes(Some(2)).with_epsilon(1e-3);
    /// let metadata = Checkpoint::init(config, 1)?.with_labels(vec!["cat".into(), "dog".into()]).metadata();
    /// assert_eq!((metadata.epsilon, metadata.labels.map(|labels| labels.len()), metadata.blur), (Some(1e-3), Some(2), None));
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    pub fn metadata(&self) -> Metadata {
        let default = Config::densenet121();
        Metadata {
            // Labels that are open need no mention: the file has none.
            assumed: self.assumed.iter().filter(|it| it.field != AssumedField::Labels || it.value.is_some()).map(|it| it.field).collect(),
            blur: match self.config.stem {
                Stem::Deep { blur, .. } => Some(blur),
                Stem::ImageNet | Stem::Cifar | Stem::Single { .. } => None,
            },
            card: self.card.clone(),
            epsilon: Some(self.config.epsilon).filter(|&epsilon| epsilon != default.epsilon),
            final_relu: Some(self.config.final_relu).filter(|&relu| relu != default.final_relu),
            head: Some(self.config.head.iter().map(|layer| layer.word()).collect()).filter(|words: &Vec<_>| !words.is_empty()),
            labels: self.labels.clone(),
            name: Some(self.name.clone()),
            preprocessing: self.preprocessing.clone(),
            stem: match self.config.stem {
                Stem::Single { stride, pool, .. } => Some(StemDownsampling { stride: Some(stride), pool: Some(pool) }),
                Stem::Deep { .. } | Stem::ImageNet | Stem::Cifar => None,
            },
            thresholds: self.thresholds.clone(),
            transition_relu: Some(self.config.transition_relu).filter(|&relu| relu != default.transition_relu),
        }
    }

    /// The content of a safetensors file with everything in it: the same checkpoint gives the same bytes.
    /// Errors where [`Checkpoint::check`] does.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.check()?;
        let metadata = serde_json::to_string(&self.metadata()).map_err(|e| Error::checkpoint(format!("metadata: {e}")))?;
        container::safetensors::write(&self.weights, metadata)
    }

    /// Whether the file at `path` is one that [`Checkpoint::save`] wrote, by its metadata. Errors where it cannot be read.
    ///
    /// ```
    /// use densenet_wgpu::Checkpoint;
    ///
    /// assert!(Checkpoint::wrote("models/digits.safetensors")?);
    /// assert!(!Checkpoint::wrote("Cargo.toml")?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wrote(path: impl AsRef<Path>) -> io::Result<bool> {
        container::safetensors::is_ours(path.as_ref())
    }

    /// Writes a safetensors file at once: `path` always holds what was there before, or all of the new file.
    /// Errors where [`Checkpoint::to_bytes`] does, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.to_bytes()?;
        let written = WholeFile::create(path).and_then(|mut file| file.write_all(&bytes).and_then(|()| file.finish()));
        written.map_err(|source| Error::File { path: path.into(), source })
    }
}
