//! What is true of pictures, as folders, tables and file names say it.

mod cell;
mod columns;
mod folders;
mod json_lines;
mod pattern;
mod said;
mod table;

use std::path::PathBuf;

use super::answers::Known;

pub use table::TableOptions;

/// What is true of pictures, in the words of whoever says it: no model is asked.
///
/// ```
/// use densenet_wgpu::evaluate::{Known, Truth};
/// use std::path::Path;
///
/// let pictures = ["root/dog/b.jpg", "root/cat/a.jpg", "root/cat/more/c.jpg", "root/d.jpg"];
/// let truth = Truth::of_folders(Path::new("root"), pictures.map(Into::into))?;
/// assert_eq!(truth.classes, ["cat", "dog"]); // ImageFolder's order
/// assert_eq!((truth.pictures.len(), &truth.pictures[0].known), (3, &Known::One(1)));
/// assert_eq!(truth.notes, ["1 picture beside the folders of classes is left out: root/d.jpg"]);
///
/// let named = Truth::of_file_names("{label}-*.png", ["examples/digits/7-1442-8.png"].map(Into::into))?;
/// assert_eq!(named.classes, ["7"]);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Truth {
    /// The names of the classes: those of folders in the order of their code points, as torchvision's `ImageFolder` numbers them; those
    /// of columns in their order.
    pub classes: Vec<String>,
    /// The pictures, in the order in which they are said.
    pub pictures: Vec<TruePicture>,
    /// Rows that say nothing.
    pub unreadable: Vec<UnreadableRow>,
    /// What was assumed or left out, one sentence each.
    pub notes: Vec<String>,
    /// Whether classes are folders, whose order numbers them.
    pub is_of_folders: bool,
}

/// A picture and what is true of it; indices are those of [`Truth::classes`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruePicture {
    /// Where it is.
    pub path: PathBuf,
    /// What is true of it.
    pub known: Known,
    /// What it belongs to together with others, such as a patient; `None` if that is not said.
    pub group: Option<String>,
}

/// A row of a table that says nothing of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    /// The line where it begins, counted from 1.
    pub line: u64,
    /// What was expected, and what was found.
    pub reason: String,
}

impl Truth {
    /// For each class how many pictures are of it.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for picture in &self.pictures {
            match &picture.known {
                Known::One(class) => counts[*class] += 1,
                Known::Each(each) => each.iter().zip(&mut counts).for_each(|(known, count)| *count += usize::from(*known == Some(true))),
            }
        }
        counts
    }

    /// Whether any number of classes may be true of a picture.
    pub fn is_of_each(&self) -> bool {
        self.pictures.iter().any(|picture| matches!(picture.known, Known::Each(_)))
    }
}

/// The first few of some things, and how many more there are.
pub(super) fn some(things: impl IntoIterator<Item = String>) -> String {
    const SHOWN: usize = 5;
    let all: Vec<String> = things.into_iter().collect();
    let more = all.len().saturating_sub(SHOWN);
    let shown = all.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown}, and {more} more") } else { shown }
}
