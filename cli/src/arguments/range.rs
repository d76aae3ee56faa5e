//! `--range LEAST:MOST` or `--range auto`.

use std::str::FromStr;

use densenet_wgpu::image::SampleRange;

/// Which values become black and white, for samples of more than 8 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range(pub(crate) SampleRange);

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" {
            return Ok(Self(SampleRange::Own));
        }
        let ends = text.split_once(':').and_then(|(least, most)| Some((least.parse().ok()?, most.parse().ok()?)));
        match ends {
            Some((least, most)) if least < most => Ok(Self(SampleRange::Between { least, most })),
            _ => Err("expected two whole numbers, the smaller one first, as in 0:4095, or auto".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_least_to_most() {
        assert_eq!("0:4095".parse(), Ok(Range(SampleRange::Between { least: 0, most: 4095 })));
        assert_eq!("-1024:3071".parse(), Ok(Range(SampleRange::Between { least: -1024, most: 3071 })));
        assert_eq!("auto".parse(), Ok(Range(SampleRange::Own)));
        for wrong in ["", "4095", "4095:0", "7:7", "0:", ":1", "0:1:2", "0:1e3", "Auto", "0:99999999999"] {
            assert!(wrong.parse::<Range>().is_err(), "{wrong}");
        }
    }
}
