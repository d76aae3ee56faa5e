//! What checks found on a device, kept from one start to the next.
//!
//! The check of a tile is noted before it begins: one that took its process with it twice is as bad as one that failed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cache::SealedFile;

/// Checks that may end with their process before the tile is blamed: somebody may have stopped the process.
const MOST_LOST: u32 = 2;

/// What is known of one tile in one variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Right,
    Wrong,
    /// Begun so often, and not ended.
    Lost(u32),
}

#[derive(Debug)]
pub(crate) struct Verdicts {
    file: Option<SealedFile>,
    verdicts: BTreeMap<String, Verdict>,
}

impl Verdicts {
    /// What is known of a device; nothing where no file keeps it.
    pub(crate) fn open(file: Option<SealedFile>) -> Self {
        let kept = file.as_ref().and_then(SealedFile::read);
        let verdicts = kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default();
        Self { file, verdicts }
    }

    /// Whether the tile is right; `None` where it has to be checked.
    pub(crate) fn of(&self, label: &str) -> Option<bool> {
        match self.verdicts.get(label)? {
            Verdict::Right => Some(true),
            Verdict::Wrong => Some(false),
            Verdict::Lost(times) => (*times >= MOST_LOST).then_some(false),
        }
    }

    /// Notes that checks begin.
    pub(crate) fn begin<'a>(&mut self, labels: impl Iterator<Item = &'a str>) {
        for label in labels {
            let verdict = self.verdicts.entry(label.to_owned()).or_insert(Verdict::Lost(0));
            if let Verdict::Lost(times) = verdict {
                *times += 1;
            }
        }
        self.keep();
    }

    /// Notes how checks ended.
    pub(crate) fn end<'a>(&mut self, found: impl Iterator<Item = (&'a str, bool)>) {
        self.verdicts.extend(found.map(|(label, right)| (label.to_owned(), if right { Verdict::Right } else { Verdict::Wrong })));
        self.keep();
    }

    fn keep(&self) {
        if let (Some(file), Ok(content)) = (&self.file, serde_json::to_vec(&self.verdicts)) {
            file.write(&content);
        }
    }
}
