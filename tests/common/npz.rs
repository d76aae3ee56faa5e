//! NumPy's `.npz`: a zip archive of `.npy` files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Name and content of every `.npy` file in the archive; the names are NumPy's, without the ending.
pub(crate) fn read(path: &Path) -> Vec<(String, Vec<u8>)> {
    let file = File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut archive = zip::ZipArchive::new(file).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let entries = archive.len();
    let read = |index| {
        let mut entry = archive.by_index(index).unwrap_or_else(|e| panic!("{} entry {index}: {e}", path.display()));
        let name = entry.name().unwrap_or_else(|e| panic!("{} entry {index}: {e}", path.display())).trim_end_matches(".npy").to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap_or_else(|e| panic!("{} entry {index}: {e}", path.display()));
        (name, content)
    };
    (0..entries).map(read).collect()
}
