//! Lookup tables: a descriptor of three numbers, and entries (PS3.3, C.11.1.1 and C.7.6.3.1.5).

use dicom_core::{Tag, VR};

use super::data_set::DataSet;
use crate::error::Result;
use crate::image::refusal::damaged;

/// A table of numbers.
pub(super) struct Lookup {
    /// The number that the first entry is for.
    first: i64,
    entries: Vec<u16>,
    /// Bits per entry.
    pub(super) bits: u32,
}

impl Lookup {
    /// The table of `descriptor` and `data`, inside a sequence or not; `None` if there is none. Errors if it is damaged.
    pub(super) fn of(data_set: &DataSet, sequence: Tag, [descriptor, data]: [Tag; 2], is_signed: bool) -> Result<Option<Self>> {
        let Some(element) = data_set.get(sequence, descriptor) else { return Ok(None) };
        let [count, first, bits] = element.words().collect::<Vec<_>>()[..] else {
            return Err(damaged("a lookup table is not described by three numbers"));
        };
        let first = if is_signed || element.vr == VR::SS { i64::from(first as i16) } else { first.into() };
        let count = if count == 0 { 1 << 16 } else { usize::from(count) };
        let data = data_set.get(sequence, data).ok_or_else(|| damaged("a lookup table has no entries"))?;
        // 8-bit entries may be stored in 16 bits.
        let entries: Vec<u16> = if data.bytes.len() >= 2 * count {
            data.words().take(count).collect()
        } else {
            data.bytes.iter().take(count).map(|&byte| byte.into()).collect()
        };
        if entries.len() < count || !(1..=16).contains(&bits) {
            return Err(damaged(format!("a lookup table has {} of {count} entries, of {bits} bits", entries.len())));
        }
        Ok(Some(Self { first, entries, bits: bits.into() }))
    }

    /// The entry for a number, or the nearest entry; at most [`Lookup::max`].
    pub(super) fn at(&self, number: f64) -> u16 {
        let place = (number.round() as i64).saturating_sub(self.first).clamp(0, self.entries.len() as i64 - 1);
        self.entries[place as usize].min(self.max())
    }

    /// The largest possible entry.
    pub(super) fn max(&self) -> u16 {
        u16::MAX >> (16 - self.bits)
    }
}
