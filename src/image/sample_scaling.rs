//! Samples of more than 8 bits: the range they are scaled from, and what is lost in the conversion to 8 bits.

/// Which values become 0 and 255, for samples of more than 8 bits. 8-bit samples do not change.
///
/// Files with 10, 12 or 14 bits in 16 seldom say so: scaled from the full range of 16 bits, 12-bit samples keep 17 of 256 levels.
///
/// ```
/// use densenet_wgpu::image::{Decoding, SampleRange};
///
/// let twelve_bits = b"P5 2 1 65535 \x07\xff\x0f\xff"; // 2047 and 4095
/// let levels = |range| Decoding::default().with_sample_range(range).decode(twelve_bits).map(|picture| picture.grey().samples().to_vec());
/// assert_eq!(levels(SampleRange::Whole)?, [8, 16]);
/// assert_eq!(levels(SampleRange::Between { least: 0, most: 4095 })?, [127, 255]);
/// assert_eq!(levels(SampleRange::Own)?, [0, 255]);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SampleRange {
    /// The full range of the file's samples: 0 to 65535, or what the file states (significant bits in PNG, stored bits in DICOM).
    #[default]
    Whole,
    /// This range, whatever the file says; values outside are clipped. In DICOM files the values are those after the Modality LUT, such as
    /// Hounsfield units.
    Between {
        /// Becomes 0.
        least: i32,
        /// Becomes 255.
        most: i32,
    },
    /// Each picture's own minimum and maximum.
    Own,
}

/// How the samples of a picture with more than 8 bits became 8 bits: which there were, and the range they were scaled from.
///
/// ```
/// use densenet_wgpu::image::Picture;
///
/// let scaling = Picture::decode(b"P5 2 1 65535 \x07\xff\x0f\xff")?.sample_scaling().expect("16 bits");
/// assert_eq!((scaling.used, scaling.range), ([2047.0, 4095.0], [0.0, 65535.0]));
/// assert!(scaling.is_narrow() && !scaling.is_cut_off());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SampleScaling {
    /// Whether the samples are scaled grey; otherwise they are colour, or grey with alpha, of which the high byte was kept.
    pub is_grey: bool,
    /// The smallest and the largest sample; in DICOM files after the Modality LUT.
    pub used: [f64; 2],
    /// Which values became 0 and 255.
    pub range: [f64; 2],
}

impl SampleScaling {
    /// Whether the samples use at most half of their range, so that at most half of the 256 levels are left.
    pub fn is_narrow(&self) -> bool {
        let [used, range] = [self.used, self.range].map(width);
        used > 0.0 && 2.0 * used <= range
    }

    /// Whether some samples are outside their range.
    pub fn is_cut_off(&self) -> bool {
        self.used[0] < self.range[0] || self.used[1] > self.range[1]
    }

    /// Upper bound of the levels that are left of 256: from that of the smallest sample to that of the largest.
    pub fn levels(&self) -> u64 {
        let keeps_high_byte = !self.is_grey && self.range == WHOLE;
        let level = |sample: f64| if keeps_high_byte { (sample / 256.0) as u8 } else { fraction(sample, self.range) };
        let [least, most] = self.used.map(level);
        u64::from(most.saturating_sub(least)) + 1
    }
}

/// The full range of 16 bits.
pub(super) const WHOLE: [f64; 2] = [0.0, 65535.0];

fn width([least, most]: [f64; 2]) -> f64 {
    most - least
}

/// The smallest and the largest of `samples`; 0 and 0 if there are none.
pub(super) fn used(samples: impl Iterator<Item = u16>) -> [u16; 2] {
    let ends = samples.fold(None, |ends: Option<(u16, u16)>, sample| {
        Some(ends.map_or((sample, sample), |(least, most)| (least.min(sample), most.max(sample))))
    });
    ends.map_or([0, 0], |(least, most)| [least, most])
}

/// Whether `samples` have their significant bits at the bottom. PNG has them at the top, followed by zeros or a repetition; some writers
/// leave them unshifted.
pub(super) fn are_low(mut samples: impl Iterator<Item = u16>, most: u16, bits: u32) -> bool {
    let unused = 16 - bits;
    let is_high = |sample: u16| {
        let (high, low) = (u32::from(sample >> unused), u32::from(sample) & ((1 << unused) - 1));
        low == 0 || low.abs_diff(high * ((1 << unused) - 1) / ((1 << bits) - 1)) <= 1
    };
    u32::from(most) < 1 << bits && !samples.all(is_high)
}

/// The 8-bit sample for a number: `least` becomes 0, `most` 255, halves are rounded up, and numbers outside are clipped.
pub(super) fn level(number: i32, [least, most]: [i32; 2]) -> u8 {
    let width = (i64::from(most) - i64::from(least)).max(1);
    let above = (i64::from(number) - i64::from(least)).clamp(0, width);
    ((above * 255 + width / 2) / width) as u8
}

/// [`level`] for fractional numbers. In an empty range all that is not above it becomes 0.
pub(super) fn fraction(number: f64, [least, most]: [f64; 2]) -> u8 {
    ((number - least) / (most - least).max(f64::MIN_POSITIVE) * 255.0 + 0.5).clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_range_is_scaled_as_ever() {
        assert!((0..=u16::MAX).all(|wide| level(wide.into(), [0, 65535]) == ((u32::from(wide) + 128) / 257) as u8));
        assert_eq!([-5, -4, 0, 4, 9].map(|number| level(number, [-4, 4])), [0, 0, 128, 255, 255]);
        assert_eq!(level(7, [7, 7]), 0);
        assert!((0..=u16::MAX).all(|wide| level(wide.into(), [0, 65535]) == fraction(wide.into(), WHOLE)));
        assert_eq!([-1.0, 0.25, 0.5, 0.75, 2.0].map(|number| fraction(number, [0.25, 0.75])), [0, 0, 128, 255, 255]);
        assert_eq!([6.5, 7.0, 7.5].map(|number| fraction(number, [7.0, 7.0])), [0, 0, 255]);
    }

    #[test]
    fn bits_are_where_the_samples_have_them() {
        let is_low = |samples: &[u16], bits| are_low(samples.iter().copied(), samples.iter().copied().max().unwrap(), bits);
        let twelve: Vec<u16> = (0..4096).collect();
        assert!(is_low(&twelve, 12));
        // At the top, with their own beginning, zeros or a rounded product below.
        for widened in [|v: u16| v << 4 | v >> 8, |v| v << 4, |v| (u32::from(v) * 65535).div_ceil(4095) as u16] {
            let high: Vec<u16> = twelve.iter().map(|&v| widened(v)).collect();
            assert!(!is_low(&high, 12) && !is_low(&high[..200], 12));
        }
        assert!(!is_low(&[0, 5000], 12), "more than 12 bits are used");
        assert!(!is_low(&[0, 0], 12));
        assert!(!is_low(&twelve, 16));
    }

    #[test]
    fn what_is_left_is_counted() {
        let scaling =
            |used: [i32; 2], range: [i32; 2]| SampleScaling { is_grey: true, used: used.map(f64::from), range: range.map(f64::from) };
        for (used, range) in
            [([0, 4095], [0, 65535]), ([0, 4111], [0, 65535]), ([9, 9], [0, 4095]), ([-40, 5000], [0, 4095]), ([3, 3], [3, 3])]
        {
            let mut seen: Vec<u8> = (used[0]..=used[1]).map(|sample| level(sample, range)).collect();
            seen.dedup();
            assert_eq!(scaling(used, range).levels(), seen.len() as u64, "{used:?} of {range:?}");
        }
        assert_eq!(scaling([0, 4095], [0, 65535]).levels(), 17);
        let colour = SampleScaling { is_grey: false, ..scaling([0, 4095], [0, 65535]) };
        assert_eq!(colour.levels(), 16, "high bytes");
        assert!(scaling([0, 4095], [0, 65535]).is_narrow() && scaling([40_000, 44_000], [0, 65535]).is_narrow());
        assert!(!scaling([0, 40_000], [0, 65535]).is_narrow() && !scaling([0, 4095], [0, 4095]).is_narrow());
        assert!(!scaling([9, 9], [0, 65535]).is_narrow(), "a picture of one value has lost nothing");
        assert!(scaling([0, 4096], [0, 4095]).is_cut_off() && !scaling([1, 4095], [0, 4095]).is_cut_off());
    }
}
