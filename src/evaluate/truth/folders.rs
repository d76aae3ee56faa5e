//! Classes that are folders.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use super::said::Said;
use super::{Truth, some};
use crate::error::{Error, Result};

impl Truth {
    /// The class of each of `pictures` is the folder right below `root` in which it lies, however deep, as in torchvision's `ImageFolder`.
    /// Pictures that lie in `root` itself, or in a folder whose name begins with a point, are left out.
    ///
    /// Errors if no picture is in a folder.
    pub fn of_folders(root: &Path, pictures: impl IntoIterator<Item = PathBuf>) -> Result<Self> {
        let (mut rows, mut beside, mut hidden) = (Vec::new(), Vec::new(), Vec::new());
        for path in pictures {
            match class(root, &path) {
                Some(name) if name.starts_with('.') => hidden.push(path),
                Some(name) => rows.push((path, Said::One(name))),
                None => beside.push(path),
            }
        }
        if rows.is_empty() {
            let expected = "a folder for each class, with pictures in them".into();
            let found = match beside.len() {
                0 => "no picture".into(),
                count => format!("{count} pictures, none of them in such a folder"),
            };
            return Err(Error::Truth { path: root.into(), expected, found });
        }
        let left_out = |paths: Vec<PathBuf>, place: &str| {
            let (noun, verb) = if paths.len() == 1 { ("picture", "is") } else { ("pictures", "are") };
            let named = some(paths.iter().map(|path| path.display().to_string()));
            (!paths.is_empty()).then(|| format!("{} {noun} {place} {verb} left out: {named}", paths.len()))
        };
        let notes =
            [left_out(beside, "beside the folders of classes"), left_out(hidden, "in hidden folders")].into_iter().flatten().collect();
        Ok(Self { notes, is_of_folders: true, ..Self::gathered(rows) })
    }
}

/// The folder right below `root` in which `path` lies; `None` if that is `root` itself.
fn class(root: &Path, path: &Path) -> Option<String> {
    let mut below = path.strip_prefix(root).ok()?.components().filter(|part| *part != Component::CurDir);
    let folder = below.next().map(Component::as_os_str).map(OsStr::to_string_lossy)?;
    below.next().map(|_| folder.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_the_first_folder() {
        for (path, expected) in [("r/a/b.png", Some("a")), ("r/a/b/c.png", Some("a")), ("r/b.png", None), ("elsewhere/a/b.png", None)] {
            assert_eq!(class(Path::new("r"), Path::new(path)).as_deref(), expected, "{path}");
        }
        assert_eq!(class(Path::new("."), Path::new("./a/b.png")).as_deref(), Some("a"));
    }

    #[test]
    fn traps_are_left_out_and_named() {
        let paths = ["r/Größe/1.png", "r/.ipynb_checkpoints/1.png", "r/10/1.png", "r/9/1.png", "r/loose.png"].map(PathBuf::from);
        let truth = Truth::of_folders(Path::new("r"), paths).unwrap();
        assert_eq!(truth.classes, ["10", "9", "Größe"]);
        assert!(truth.notes[0].contains("r/loose.png") && truth.notes[1].contains(".ipynb_checkpoints"), "{:?}", truth.notes);
        let error = Truth::of_folders(Path::new("r"), ["r/a.png".into()]).unwrap_err().to_string();
        assert_eq!(error, "r: expected a folder for each class, with pictures in them, found 1 pictures, none of them in such a folder");
    }
}
