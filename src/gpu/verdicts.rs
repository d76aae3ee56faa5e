//! What a device gets right, as checks found it: its tiles, 16-bit floats, the device as a whole. Kept from one start to the next.
//!
//! A check may be noted before it begins: one that took its process with it twice is as bad as one that failed.
//! Notes are taken under a lock, which ends with its process: so one that is there without a lock is of a process that is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::cache::SealedFile;

/// Checks that may end with their process before what they check is blamed: somebody may have stopped the process.
const MOST_LOST: u32 = 2;

/// What is known of what one check is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Right,
    Wrong(Fault),
    /// Begun this often, and never ended.
    Lost(u32),
    /// Begun, and lost this often before.
    Begun(u32),
}

/// The verdicts on one device, each under the label of its check.
#[derive(Debug)]
pub(crate) struct Verdicts {
    file: Option<SealedFile>,
    verdicts: BTreeMap<String, Verdict>,
    /// What was begun here and has not ended.
    begun: BTreeSet<String>,
    notes: Notes,
}

/// Who writes to the file.
#[derive(Debug)]
enum Notes {
    /// We do, until this is dropped.
    Ours { _lock: File },
    /// Another process or engine does, and what we find is found again another time.
    Theirs,
    /// Nobody, or everybody: there are no locks here. Then what was found is kept, but not what was begun.
    Nobodys,
}

impl Notes {
    fn of(file: Option<&SealedFile>) -> Self {
        match file.map(SealedFile::try_lock) {
            Some(Ok(lock)) => Self::Ours { _lock: lock },
            Some(Err(TryLockError::WouldBlock)) => Self::Theirs,
            Some(Err(TryLockError::Error(_))) | None => Self::Nobodys,
        }
    }
}

impl Verdicts {
    /// What is known of a device; nothing where no file keeps it.
    pub(crate) fn open(file: Option<SealedFile>) -> Self {
        let mut verdicts = Self { file, verdicts: BTreeMap::new(), begun: BTreeSet::new(), notes: Notes::Nobodys };
        verdicts.read();
        verdicts.notes = Notes::Nobodys;
        verdicts
    }

    /// Reads what is kept, and takes the notes where nobody else has them.
    fn read(&mut self) {
        self.notes = Notes::of(self.file.as_ref());
        let kept = self.file.as_ref().and_then(SealedFile::read);
        let mut kept: BTreeMap<String, Verdict> = kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default();
        for verdict in kept.values_mut() {
            if let Verdict::Begun(before) = *verdict {
                // Whoever began is gone, or else still at it.
                *verdict = Verdict::Lost(before + u32::from(matches!(self.notes, Notes::Ours { .. })));
            }
        }
        self.verdicts.extend(kept);
    }

    /// What is wrong there, if anything is; `None` where it has to be checked.
    pub(crate) fn of(&self, label: &str) -> Option<Result<(), Fault>> {
        match self.verdicts.get(label)? {
            Verdict::Right => Some(Ok(())),
            Verdict::Wrong(fault) => Some(Err(fault.clone())),
            Verdict::Lost(times) | Verdict::Begun(times) => (*times >= MOST_LOST).then_some(Err(Fault::Lost)),
        }
    }

    /// Whether a check has ended with its process before.
    pub(crate) fn is_suspect(&self, label: &str) -> bool {
        matches!(self.verdicts.get(label), Some(Verdict::Lost(1..) | Verdict::Begun(1..)))
    }

    /// Notes that checks begin.
    pub(crate) fn begin<'a>(&mut self, labels: impl Iterator<Item = &'a str>) {
        if self.begun.is_empty() {
            self.read();
        }
        self.begun.extend(labels.map(str::to_owned));
        // Without a lock nobody could tell what is lost from what is under way.
        if matches!(self.notes, Notes::Ours { .. }) {
            self.keep();
        }
    }

    /// Notes how a check ended, whether or not its beginning was noted.
    pub(crate) fn end(&mut self, label: &str, found: Result<(), Fault>) {
        if self.begun.is_empty() {
            self.read();
        }
        let verdict = found.map_or_else(Verdict::Wrong, |()| Verdict::Right);
        self.verdicts.insert(label.to_owned(), verdict);
        self.give_up(std::iter::once(label));
    }

    /// Notes that checks ended without a verdict.
    pub(crate) fn give_up<'a>(&mut self, labels: impl Iterator<Item = &'a str>) {
        for label in labels {
            self.begun.remove(label);
        }
        self.keep();
        if self.begun.is_empty() {
            self.notes = Notes::Nobodys;
        }
    }

    fn keep(&self) {
        let mut verdicts = self.verdicts.clone();
        let begun = |label: &String| match self.verdicts.get(label) {
            None => Some(Verdict::Begun(0)),
            Some(Verdict::Lost(times)) => Some(Verdict::Begun(*times)),
            Some(_) => None,
        };
        if matches!(self.notes, Notes::Ours { .. }) {
            verdicts.extend(self.begun.iter().filter_map(|label| Some((label.clone(), begun(label)?))));
        }
        if let (Some(file), Ok(content)) = (&self.file, serde_json::to_vec(&verdicts))
            && !matches!(self.notes, Notes::Theirs)
        {
            file.write(&content);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;

    fn open(folder: &tempfile::TempDir) -> Verdicts {
        Verdicts::open(Cache::at(folder.path()).file("verdicts", "a device", &["its driver"]))
    }

    fn begin(verdicts: &mut Verdicts, label: &str) {
        verdicts.begin(std::iter::once(label));
    }

    fn end(verdicts: &mut Verdicts, label: &str, right: bool) {
        verdicts.end(label, if right { Ok(()) } else { Err(wrong()) });
    }

    fn wrong() -> Fault {
        Fault::Difference("expected 1, found 2".into())
    }

    #[test]
    fn a_check_that_never_ends_is_not_tried_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        for lost in 0..MOST_LOST {
            let mut verdicts = open(&folder);
            assert_eq!(verdicts.of("a tile"), None, "after {lost} lost checks");
            begin(&mut verdicts, "a tile");
        }
        let mut verdicts = open(&folder);
        assert_eq!((verdicts.of("a tile"), verdicts.of("another")), (Some(Err(Fault::Lost)), None));
        end(&mut verdicts, "a tile", true);
        assert_eq!(open(&folder).of("a tile"), Some(Ok(())));
    }

    #[test]
    fn what_ends_without_a_verdict_is_neither_lost_nor_known() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..=MOST_LOST {
            let mut verdicts = open(&folder);
            verdicts.begin(["a tile", "another"].into_iter());
            verdicts.give_up(["a tile", "another"].into_iter());
            assert!(!verdicts.is_suspect("a tile"));
        }
        begin(&mut open(&folder), "a tile");
        let verdicts = open(&folder);
        assert_eq!(["a tile", "another"].map(|label| (verdicts.of(label), verdicts.is_suspect(label))), [(None, true), (None, false)]);
    }

    #[test]
    fn checks_at_the_same_time_are_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        // One was lost before: what the next one notes must not be taken for a second loss while it is at work.
        begin(&mut open(&folder), "a tile");
        let mut all: Vec<Verdicts> = Vec::new();
        for _ in 0..5 {
            let mut verdicts = open(&folder);
            assert_eq!(verdicts.of("a tile"), None);
            begin(&mut verdicts, "a tile");
            assert_eq!(verdicts.of("a tile"), None);
            all.push(verdicts);
        }
        // Those that could not take notes leave nothing, and disturb nothing.
        all[1..].iter_mut().for_each(|verdicts| end(verdicts, "a tile", false));
        end(&mut all[0], "a tile", true);
        assert_eq!(open(&folder).of("a tile"), Some(Ok(())));
    }

    #[test]
    fn what_was_lost_too_often_stays_lost_while_others_check() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..MOST_LOST {
            begin(&mut open(&folder), "a deadly tile");
        }
        let mut busy = open(&folder);
        begin(&mut busy, "another");
        begin(&mut busy, "a third, at the same time");
        assert_eq!(open(&folder).of("a deadly tile"), Some(Err(Fault::Lost)));
        end(&mut busy, "another", true);
        assert_eq!(["another", "a third, at the same time"].map(|label| open(&folder).of(label)), [Some(Ok(())), None]);
        drop(busy); // and with it the third check
        begin(&mut open(&folder), "a third, at the same time");
        assert_eq!(open(&folder).of("a third, at the same time"), Some(Err(Fault::Lost)), "lost twice");
    }

    #[test]
    fn what_others_found_meanwhile_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (mut ours, mut theirs) = (open(&folder), open(&folder));
        begin(&mut theirs, "a tile");
        end(&mut theirs, "a tile", false);
        begin(&mut ours, "another");
        end(&mut ours, "another", true);
        end(&mut theirs, "a third", true);
        let kept = open(&folder);
        assert_eq!(["a tile", "another", "a third"].map(|label| kept.of(label)), [Some(Err(wrong())), Some(Ok(())), Some(Ok(()))]);
    }
}
