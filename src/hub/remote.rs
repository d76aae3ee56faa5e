//! The address of a file on the hub.

use std::fmt::{self, Display};
use std::str::FromStr;

use crate::error::{Error, Result};

/// The beginning of an address.
const SCHEME: &str = "hf://";

/// A model on the hub: `hf://owner/repository[@revision][/file]`. A `/` in the revision is written `%2F`.
///
/// ```
/// use densenet_wgpu::hub::Remote;
/// use densenet_wgpu::models;
///
/// let remote: Remote = "hf://timm/densenet121.tv_in1k@main/model.safetensors".parse()?;
/// assert_eq!((remote.repository.as_str(), remote.revision.as_str()), ("timm/densenet121.tv_in1k", "main"));
/// assert_eq!(remote, Remote::from(models::published("densenet121").expect("it is published")));
/// assert_eq!(remote.to_string(), "hf://timm/densenet121.tv_in1k/model.safetensors");
/// assert!("hf://timm/../../secrets".parse::<Remote>().is_err());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Remote {
    /// Owner and repository: `timm/densenet121.tv_in1k`.
    pub repository: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// The path in the repository; with `None` the first file with a usual name for weights.
    pub file: Option<String>,
}

impl Remote {
    /// Errors if a part is not a valid name on the hub, or would leave the cache folder.
    pub fn check(&self) -> Result<()> {
        let letters = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        // The hub also forbids `--`, which represents `/` in the names of cache folders.
        let word = |text: &str| !text.is_empty() && !text.starts_with('.') && letters(text) && !text.contains("..") && !text.contains("--");
        let segment = |text: &str| !["", ".", ".."].contains(&text) && !text.contains([':', '\\']) && !text.contains(char::is_control);
        let repository = self.repository.split('/').collect::<Vec<_>>();
        let fits = repository.len() == 2
            && repository.into_iter().all(word)
            && self.revision.split('/').all(segment)
            && self.file.as_deref().is_none_or(|file| file.split('/').all(segment));
        if fits {
            return Ok(());
        }
        Err(Error::Hub { address: self.to_string(), reason: "expected hf://owner/repository[@revision][/file]".to_owned() })
    }
}

impl FromStr for Remote {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let path = text.strip_prefix(SCHEME).unwrap_or_default();
        let mut parts = path.splitn(3, '/');
        let (owner, named, file) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
        let (name, revision) = named.split_once('@').unwrap_or((named, "main"));
        let remote = Self {
            repository: format!("{owner}/{name}"),
            revision: revision.replace("%2F", "/").replace("%2f", "/"),
            file: file.map(str::to_owned),
        };
        let malformed = |_| Error::Hub { address: text.to_owned(), reason: "expected hf://owner/repository[@revision][/file]".to_owned() };
        remote.check().map_err(malformed)?;
        Ok(remote)
    }
}

impl Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.repository)?;
        if self.revision != "main" {
            write!(f, "@{}", self.revision.replace('/', "%2F"))?;
        }
        self.file.as_ref().map_or(Ok(()), |file| write!(f, "/{file}"))
    }
}
