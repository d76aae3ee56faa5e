//! Samples of more than 8 bits: what they are scaled from, and what was lost on the way to 8 bits.

/// What becomes 0 and 255 of samples that have more than 8 bits; those of 8 bits stay as they are.
///
/// Files of 10, 12 or 14 bits in 16 seldom say so: scaled from all that 16 bits can be, 12 of them keep 17 of 256 levels.
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
    /// All that the file's samples can be: 0 to 65535, or what the file says (PNG's significant bits, DICOM's
    /// stored bits).
    #[default]
    Whole,
    /// These, whatever the file says; what lies outside is cut off. Of DICOM files it is what the Modality LUT makes of stored
    /// values, Hounsfield units say.
    Between {
        /// What becomes 0.
        least: i32,
        /// What becomes 255.
        most: i32,
    },
    /// Each picture's own darkest and brightest.
    Own,
}

/// What the samples of a picture were that had more than 8 bits.
///
/// ```
/// use densenet_wgpu::image::Picture;
///
/// let wide = Picture::decode(b"P5 2 1 65535 \x07\xff\x0f\xff")?.wide().expect("16 bits");
/// assert_eq!((wide.used, wide.range), ([2047, 4095], [0, 65535]));
/// assert!(wide.is_narrow() && !wide.is_cut_off());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wide {
    /// Whether they are grey, which is scaled; else colour, or grey with alpha of which the high byte was kept.
    pub is_grey: bool,
    /// The least and the largest among them.
    pub used: [i32; 2],
    /// What became 0 and 255.
    pub range: [i32; 2],
}

impl Wide {
    /// Whether they use at most half of their range, so that at most half of 256 levels are left.
    pub fn is_narrow(&self) -> bool {
        let [used, range] = [self.used, self.range].map(width);
        used > 0 && 2 * used <= range
    }

    /// Whether some lie outside their range.
    pub fn is_cut_off(&self) -> bool {
        self.used[0] < self.range[0] || self.used[1] > self.range[1]
    }

    /// How many of 256 levels are left at the most.
    pub fn levels(&self) -> u64 {
        let [used, range] = [self.used, self.range].map(width);
        (used * 255 / range.max(1) + 1).clamp(1, 256) as u64
    }
}

fn width([least, most]: [i32; 2]) -> i64 {
    i64::from(most) - i64::from(least)
}

/// The least and the largest of `samples`; 0 and 0 where there are none.
pub(super) fn used(samples: impl Iterator<Item = u16>) -> [i32; 2] {
    let ends = samples.fold(None, |ends: Option<(u16, u16)>, sample| {
        Some(ends.map_or((sample, sample), |(least, most)| (least.min(sample), most.max(sample))))
    });
    ends.map_or([0, 0], |(least, most)| [least.into(), most.into()])
}

/// Whether `samples` have their significant bits at the bottom. PNG has them at the top, with their own beginning or zeros
/// below, which is looked at; some writers leave them as they came.
pub(super) fn are_low(mut samples: impl Iterator<Item = u16>, most: i32, bits: u32) -> bool {
    let unused = 16 - bits;
    let is_high = |sample: u16| {
        let (high, low) = (u32::from(sample >> unused), u32::from(sample) & ((1 << unused) - 1));
        low == 0 || low.abs_diff(high * ((1 << unused) - 1) / ((1 << bits) - 1)) <= 1
    };
    most < 1 << bits && !samples.all(is_high)
}

/// The 8-bit sample of each number: `least` becomes 0, `most` 255, halves upwards, and what lies outside is cut off.
pub(super) fn level(number: i32, [least, most]: [i32; 2]) -> u8 {
    let width = width([least, most]).max(1);
    let above = (i64::from(number) - i64::from(least)).clamp(0, width);
    ((above * 255 + width / 2) / width) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_range_is_scaled_as_ever() {
        assert!((0..=u16::MAX).all(|wide| level(wide.into(), [0, 65535]) == ((u32::from(wide) + 128) / 257) as u8));
        assert_eq!([-5, -4, 0, 4, 9].map(|number| level(number, [-4, 4])), [0, 0, 128, 255, 255]);
        assert_eq!(level(7, [7, 7]), 0);
    }

    #[test]
    fn bits_are_where_the_samples_have_them() {
        let is_low = |samples: &[u16], bits| are_low(samples.iter().copied(), samples.iter().copied().max().unwrap().into(), bits);
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
        let wide = |used, range| Wide { is_grey: true, used, range };
        assert_eq!(wide([0, 4095], [0, 65535]).levels(), 16);
        assert!(wide([0, 4095], [0, 65535]).is_narrow() && wide([40_000, 44_000], [0, 65535]).is_narrow());
        assert!(!wide([0, 40_000], [0, 65535]).is_narrow() && !wide([0, 4095], [0, 4095]).is_narrow());
        assert!(!wide([9, 9], [0, 65535]).is_narrow(), "a picture of one value has lost nothing");
        assert!(wide([0, 4096], [0, 4095]).is_cut_off() && !wide([1, 4095], [0, 4095]).is_cut_off());
    }
}
