//! From a stored value to one of 256 levels of grey: the Modality LUT, then the VOI LUT if requested, then the polarity
//! (PS3.3, C.11.1 and C.11.2; PS3.4, N.2). All of it is one table, so that each value is rounded once.

use dicom_dictionary_std::tags;

use super::data_set::{DataSet, TOP};
use super::image_pixel::{ImagePixel, Photometric};
use super::lookup::Lookup;
use super::refusal::refused;
use crate::error::Result;
use crate::image::sample_scaling::{self, SampleScaling};
use crate::image::{Decoding, SampleRange};

/// The level of each stored value.
pub(super) struct Levels {
    /// Indexed by the stored bits, without sign.
    pub(super) table: Vec<u8>,
    /// Whether a VOI LUT was requested and the file has neither one nor a window.
    pub(super) lacks_voi_lut: bool,
    /// The values of the picture, and the range they are scaled from; `None` with a VOI LUT, and for at most 8 bits.
    pub(super) scaling: Option<SampleScaling>,
}

impl Levels {
    /// The levels of a grey picture with these stored `numbers`: by its VOI LUT or window if requested and there is one, otherwise from the
    /// requested range. Errors if one of the tables or numbers is damaged.
    pub(super) fn of(data_set: &DataSet, format: &ImagePixel, decoding: &Decoding, numbers: &[u16]) -> Result<Self> {
        let modality = Modality::of(data_set, format)?;
        let voi = if decoding.voi_lut { Voi::of(data_set, modality.least(format) < 0.0)? } else { None };
        let scaling = (voi.is_none() && format.bits_stored > 8).then(|| modality.scaling(format, decoding.sample_range, numbers));
        let level = |number: u16| match (&voi, scaling, decoding.sample_range) {
            (Some(voi), ..) => (voi.fraction(modality.value(format.signed(number))) * 255.0 + 0.5) as u8,
            (None, None, _) | (None, _, SampleRange::Whole) => modality.level(format, number),
            (None, Some(SampleScaling { range, .. }), _) => sample_scaling::fraction(modality.value(format.signed(number)), range),
        };
        let is_inverted = format.photometric == Photometric::Monochrome { is_inverted: true };
        let table = (0..=format.max()).map(level).map(|level| if is_inverted { 255 - level } else { level }).collect();
        Ok(Self { table, lacks_voi_lut: decoding.voi_lut && voi.is_none(), scaling })
    }
}

/// From stored values to measured ones (Modality LUT).
enum Modality {
    Table(Lookup),
    Rescale { slope: f64, intercept: f64 },
}

impl Modality {
    fn of(data_set: &DataSet, format: &ImagePixel) -> Result<Self> {
        let tags = [tags::LUT_DESCRIPTOR, tags::LUT_DATA];
        if let Some(table) = Lookup::of(data_set, tags::MODALITY_LUT_SEQUENCE, tags, format.is_signed)? {
            return Ok(Self::Table(table));
        }
        let number = |name: &str, tag, default| match data_set.get(TOP, tag) {
            None => Ok(default),
            Some(element) => element.decimal().ok_or_else(|| refused(format!("a number as {name}"), element.text())),
        };
        let slope = number("RescaleSlope", tags::RESCALE_SLOPE, 1.0)?;
        if slope == 0.0 {
            return Err(refused("a RescaleSlope other than 0", 0));
        }
        Ok(Self::Rescale { slope, intercept: number("RescaleIntercept", tags::RESCALE_INTERCEPT, 0.0)? })
    }

    fn value(&self, stored: i32) -> f64 {
        match self {
            Self::Table(table) => table.at(stored.into()).into(),
            Self::Rescale { slope, intercept } => slope * f64::from(stored) + intercept,
        }
    }

    /// The smallest measured value of any stored value.
    fn least(&self, format: &ImagePixel) -> f64 {
        self.ends(format).into_iter().fold(f64::INFINITY, f64::min)
    }

    /// The measured values of the smallest and the largest stored value.
    fn ends(&self, format: &ImagePixel) -> [f64; 2] {
        let ends = if format.is_signed { [format.max() / 2 + 1, format.max() / 2] } else { [0, format.max()] };
        ends.map(|number| self.value(format.signed(number)))
    }

    /// The measured values of these stored numbers, and the range they are scaled from.
    fn scaling(&self, format: &ImagePixel, asked: SampleRange, numbers: &[u16]) -> SampleScaling {
        let mut is_used = vec![false; usize::from(format.max()) + 1];
        numbers.iter().for_each(|&number| is_used[usize::from(number)] = true);
        let values = (0..=format.max()).filter(|&number| is_used[usize::from(number)]).map(|number| self.value(format.signed(number)));
        let used = between(values);
        let range = match (asked, self) {
            (SampleRange::Between { least, most }, _) => [least, most].map(f64::from),
            (SampleRange::Own, _) => used,
            (SampleRange::Whole, Self::Table(table)) => [0.0, table.max().into()],
            (SampleRange::Whole, Self::Rescale { .. }) => between(self.ends(format).into_iter()),
        };
        SampleScaling { is_grey: true, used, range }
    }

    /// The level of a value in the full range. A rescale maps both in the same way, so only its sign matters.
    fn level(&self, format: &ImagePixel, number: u16) -> u8 {
        let scaled = |number: i64, max: i64| ((number * 255 + max / 2) / max) as u8;
        let (max, least) = (i64::from(format.max()), if format.is_signed { i64::from(format.max() / 2) + 1 } else { 0 });
        let rank = i64::from(format.signed(number)) + least;
        match self {
            Self::Table(table) => scaled(table.at(format.signed(number).into()).into(), table.max().into()),
            Self::Rescale { slope, .. } if *slope < 0.0 => scaled(max - rank, max),
            Self::Rescale { .. } => scaled(rank, max),
        }
    }
}

/// The smallest and the largest of `values`.
fn between(values: impl Iterator<Item = f64>) -> [f64; 2] {
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[least, most], value| [least.min(value), most.max(value)])
}

/// Which measured values are of interest (VOI LUT).
enum Voi {
    Table(Lookup),
    Window { function: Function, centre: f64, width: f64 },
}

/// How a window rises (PS3.3, C.11.2.1.2 and C.11.2.1.3).
#[derive(Clone, Copy, PartialEq)]
enum Function {
    Linear,
    LinearExact,
    Sigmoid,
}

impl Voi {
    /// The file's first, with tables before windows; `None` if it has none. `is_signed` says whether its input may be negative, which
    /// determines the type of a table's first entry if the file does not.
    fn of(data_set: &DataSet, is_signed: bool) -> Result<Option<Self>> {
        let tags = [tags::LUT_DESCRIPTOR, tags::LUT_DATA];
        if let Some(table) = Lookup::of(data_set, tags::VOILUT_SEQUENCE, tags, is_signed)? {
            return Ok(Some(Self::Table(table)));
        }
        let [centre, width] = [tags::WINDOW_CENTER, tags::WINDOW_WIDTH].map(|tag| data_set.get(TOP, tag));
        let (Some(centre), Some(width)) = (centre, width) else { return Ok(None) };
        let name = data_set.get(TOP, tags::VOILUT_FUNCTION).map(|element| element.text());
        let function = match name.as_deref() {
            None | Some("LINEAR") => Function::Linear,
            Some("LINEAR_EXACT") => Function::LinearExact,
            Some("SIGMOID") => Function::Sigmoid,
            Some(other) => return Err(refused("LINEAR, LINEAR_EXACT or SIGMOID as VOILUTFunction", other)),
        };
        let number = |text| refused("a window's centre and width", text);
        let centre = centre.decimal().ok_or_else(|| number(centre.text()))?;
        let is_wide = |width: &f64| if function == Function::Linear { *width >= 1.0 } else { *width > 0.0 };
        let width = width.decimal().filter(is_wide).ok_or_else(|| number(width.text()))?;
        Ok(Some(Self::Window { function, centre, width }))
    }

    /// The brightness of a value, from 0 to 1.
    fn fraction(&self, value: f64) -> f64 {
        match self {
            Self::Table(table) => f64::from(table.at(value)) / f64::from(table.max()),
            Self::Window { function: Function::Linear, centre, width } => ramp(value, centre - 0.5, width - 1.0),
            Self::Window { function: Function::LinearExact, centre, width } => ramp(value, *centre, *width),
            Self::Window { function: Function::Sigmoid, centre, width } => 1.0 / (1.0 + (-4.0 * (value - centre) / width).exp()),
        }
    }
}

fn ramp(value: f64, centre: f64, width: f64) -> f64 {
    if value <= centre - width / 2.0 {
        0.0
    } else if value > centre + width / 2.0 {
        1.0
    } else {
        (value - centre) / width + 0.5
    }
}
