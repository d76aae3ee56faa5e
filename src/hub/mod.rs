//! Models from the Hugging Face hub, in the cache that other clients share.
//!
//! [`Remote`] says what to download, [`Hub`] from where and into which folder. Files in the cache are not requested again.
//!
//! ```no_run
//! use densenet_wgpu::Checkpoint;
//! use densenet_wgpu::hub::{Hub, Remote};
//!
//! let remote: Remote = "hf://timm/densenet121.ra_in1k".parse()?;
//! let path = Hub::from_env()?.fetch(&remote, &mut |come, all| eprintln!("{come} of {all} bytes"))?;
//! let model = Checkpoint::open(path)?;
//! assert_eq!(model.config.num_classes, Some(1000));
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod cache;
mod remote;
mod server;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::environment::{variable, xdg_caches};
use crate::error::{Error, Result};

use cache::Cache;
pub use remote::Remote;
use server::{Announced, Server};

/// Files that hold a repository's weights, in order of preference.
const WEIGHTS: [&str; 4] = ["model.safetensors", "pytorch_model.bin", "model.pt", "model.keras"];
/// The file in which a repository describes its model.
const CONFIG: &str = "config.json";
/// In bytes.
const LARGEST_CONFIG: u64 = 4 << 20;

/// A hub, and the cache folder of its files.
///
/// ```
/// use densenet_wgpu::hub::{Hub, Remote};
///
/// let folder = tempfile::tempdir().expect("a folder");
/// let hub = Hub::new(folder.path()).with_offline(true);
/// let remote: Remote = "hf://timm/densenet121.ra_in1k".parse()?;
/// let error = hub.fetch(&remote, &mut |_, _| {}).unwrap_err(); // the folder is empty
/// assert!(error.to_string().starts_with("hf://timm/densenet121.ra_in1k: not in "));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hub {
    /// The server, `https://huggingface.co` or a mirror of it.
    pub endpoint: String,
    /// The cache folder, with a subfolder for each repository.
    pub cache: PathBuf,
    /// Whether to use the cache only, without opening a socket.
    pub offline: bool,
    /// The token for private and gated repositories. It is sent only to the endpoint's own host.
    pub token: Option<String>,
    /// How long to wait for a server that sends nothing.
    pub patience: Duration,
}

impl Hub {
    /// The public hub, with this cache folder.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        let endpoint = "https://huggingface.co".to_owned();
        Self { endpoint, cache: cache.into(), offline: false, token: None, patience: Duration::from_secs(30) }
    }

    /// The same with this [`Hub::endpoint`].
    pub fn with_endpoint(self, endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), ..self }
    }

    /// The same with this [`Hub::cache`].
    pub fn with_cache(self, cache: impl Into<PathBuf>) -> Self {
        Self { cache: cache.into(), ..self }
    }

    /// The same with this [`Hub::offline`].
    pub fn with_offline(self, offline: bool) -> Self {
        Self { offline, ..self }
    }

    /// The same with a [`Hub::token`].
    pub fn with_token(self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self }
    }

    /// The same with this [`Hub::patience`].
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Configured by the environment variables that other clients of the hub read: `HF_ENDPOINT`, `HF_HUB_OFFLINE`
    /// (`1`, `true`, `yes` or `on`), `HF_HOME`, `HF_HUB_CACHE`, and `HF_TOKEN`, otherwise the file `token` in `HF_HOME`.
    /// Errors if neither they nor a home directory determine the cache folder.
    pub fn from_env() -> Result<Self> {
        let text = |name| variable(name).map(|value| value.to_string_lossy().trim().to_owned());
        let home = variable("HF_HOME").map(PathBuf::from).or_else(|| {
            // On every platform, as in other clients of the hub.
            Some(xdg_caches()?.join("huggingface"))
        });
        let cache = variable("HF_HUB_CACHE").map(PathBuf::from).or_else(|| Some(home.as_ref()?.join("hub")));
        let Some(cache) = cache else {
            let reason = "expected a folder to keep models in, found neither this variable nor a home directory".to_owned();
            return Err(Error::Hub { address: "HF_HOME".to_owned(), reason });
        };
        let saved = || fs::read_to_string(home.as_ref()?.join("token")).ok().map(|token| token.trim().to_owned());
        let on = |value: String| ["1", "true", "yes", "on"].contains(&value.to_lowercase().as_str());
        let hub = Self::new(cache);
        Ok(Self {
            endpoint: text("HF_ENDPOINT").unwrap_or(hub.endpoint),
            offline: text("HF_HUB_OFFLINE").is_some_and(on),
            token: text("HF_TOKEN").or_else(saved).filter(|token| !token.is_empty()),
            ..hub
        })
    }

    /// The path of `remote`'s file in the cache. Downloads it first if necessary, with the repository's `config.json`, if it has one, into
    /// the same folder. `progress` gets the bytes received and the total; it is not called if nothing is downloaded.
    ///
    /// A file in the cache is complete: it has the announced length, and the announced SHA-256 if there is one. Any number of processes may
    /// download the same file.
    ///
    /// Errors if `remote` is malformed, the cache cannot be written, or with [`Error::Hub`] if the response is not the file.
    #[tracing::instrument(name = "fetch", skip_all, fields(%remote))]
    pub fn fetch(&self, remote: &Remote, progress: &mut dyn FnMut(u64, u64)) -> Result<PathBuf> {
        remote.check()?;
        let cache = Cache::of(&self.cache, &remote.repository);
        let wanted = remote.file.as_deref().map_or(WEIGHTS.to_vec(), |file| vec![file]);
        if let Some(path) = wanted.iter().find_map(|file| cache.find(&remote.revision, file)) {
            return Ok(path);
        }
        if self.offline {
            let reason = format!("not in {}, and HF_HUB_OFFLINE is set", self.cache.display());
            return Err(Error::Hub { address: remote.to_string(), reason });
        }
        let server = Server::new(&self.endpoint, self.token.clone(), self.patience);
        for file in &wanted {
            if let Some(announced) = server.announce(&remote.repository, &remote.revision, file)? {
                let commit = &announced.commit;
                // timm's configurations are never larger.
                if let Some(config) = server.announce(&remote.repository, commit, CONFIG)?.filter(|config| config.length <= LARGEST_CONFIG)
                {
                    keep(&server, &cache, &config, &mut |_, _| {})?;
                    cache.link(&config.etag, commit, CONFIG)?;
                }
                keep(&server, &cache, &announced, progress)?;
                let path = cache.link(&announced.etag, commit, file)?;
                cache.point(&remote.revision, commit)?;
                return Ok(path);
            }
        }
        let address = server.url(&remote.repository, &remote.revision, wanted[0]);
        let others = if wanted.len() > 1 { format!(", nor {}", wanted[1..].join(", ")) } else { String::new() };
        Err(Error::Hub { address, reason: format!("there is no such file, revision or repository (404){others}") })
    }
}

/// Downloads an announced file into the cache, unless it is there.
fn keep(server: &Server, cache: &Cache, announced: &Announced, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
    if cache.holds(&announced.etag, announced.length) {
        return Ok(());
    }
    let mut part = cache.part(&announced.etag)?;
    server.download(announced, &mut part, progress)?;
    cache.keep(part, &announced.etag)
}
