//! The zip archive that `torch.save` writes since version 1.6: `<name>/data.pkl`, `<name>/data/<key>`.

use super::storage::{References, Storages};
use super::walk::contents;
use crate::error::{Error, Result};
use crate::weights::container::archive::Archive;
use crate::weights::container::pickle::Pickle;
use crate::weights::container::{Container, Contents};

/// Reads an archive.
pub(in crate::weights::container) fn read<'a>(mut archive: Archive<'a>, prefix: &str, container: Container) -> Result<Contents<'a>> {
    if let Some(order) = archive.entry(&format!("{prefix}byteorder"))?
        && order.trim_ascii() != b"little"
    {
        let found = String::from_utf8_lossy(&order).into_owned();
        return Err(Error::checkpoint(format!("byte order: expected little, found {found:?}; save it again on a little-endian machine")));
    }
    let data = archive.entry(&format!("{prefix}data.pkl"))?;
    let data = data.ok_or_else(|| Error::checkpoint("zip: expected an entry data.pkl, found none"))?;
    let (pickle, _) = Pickle::read(&data)?;
    let references = References::of(&pickle)?;
    let mut storages = Storages::default();
    for (key, storage) in references.storages() {
        let name = format!("{prefix}data/{key}");
        let Some(bytes) = archive.entry(&name)? else {
            return Err(Error::checkpoint(format!("zip: expected an entry {name:?}, found none; the file is cut, get it again")));
        };
        storages.insert(key, storage, bytes)?;
    }
    contents(container, &pickle, &references, &storages)
}
