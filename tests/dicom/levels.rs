//! Windows, Modality LUTs and ranges: which number becomes which level.

use densenet_wgpu::image::{Decoding, Dicom, Picture, SampleRange};

use crate::{FILES, NATIVE, decoded, element, file, radiograph};

#[test]
fn a_narrow_window_has_every_level() {
    let samples: Vec<u16> = (0..4096).collect();
    let bytes = file(NATIVE, &radiograph(64, 64, ["1000.5", "257"], &samples));
    let levels = |voi_lut| {
        let picture = Decoding::default().with_voi_lut(voi_lut).decode(&bytes).unwrap();
        picture.samples().iter().step_by(3).copied().collect::<Vec<u8>>()
    };
    // Values 872 to 1128 are the window; before, below and behind it there is nothing to tell apart.
    let window = levels(true);
    assert!(window[..=872].iter().all(|&level| level == 0) && window[1128..].iter().all(|&level| level == 255));
    let mut seen = window.clone();
    seen.dedup();
    assert_eq!(seen, (0..=255).collect::<Vec<u8>>());
    let whole: Vec<u8> = (0..4096_u32).map(|value| ((value * 255 + 2047) / 4095) as u8).collect();
    assert_eq!(levels(false), whole);
}

/// The same with a Modality LUT.
fn rescaled(data_set: &[u8], intercept: &str, slope: &str) -> Vec<u8> {
    let at = data_set.windows(4).position(|window| window == [0xe0, 0x7f, 0x10, 0x00]).unwrap();
    let [intercept, slope] = [(0x1052, intercept), (0x1053, slope)].map(|(tag, text)| element(0x28, tag, "DS", text.as_bytes()));
    [&data_set[..at], &intercept, &slope, &data_set[at..]].concat()
}

/// As of PET, where a slope is a small part of 1.
#[test]
fn darkest_and_brightest_need_not_be_whole_numbers() {
    let samples: Vec<u16> = (100..1124).collect();
    let expected: Vec<u8> = (0..1024_u32).map(|value| ((value * 255 + 511) / 1023) as u8).collect();
    for (intercept, slope) in [("0 ", "0.5 "), ("-3.25 ", "0.003 "), ("0 ", "1E-6"), ("0.5 ", "7.25")] {
        let bytes = file(NATIVE, &rescaled(&radiograph(32, 32, ["1", "2"], &samples), intercept, slope));
        let decode = |range| Decoding::default().with_sample_range(range).decode(&bytes).unwrap();
        let own = decode(SampleRange::Own);
        let levels: Vec<u8> = own.samples().iter().step_by(3).copied().collect();
        // A value that lies between two levels may be rounded to either.
        assert!(levels.iter().zip(&expected).all(|(level, other)| level.abs_diff(*other) <= 1), "{slope}");
        assert_eq!((levels[0], levels[1023]), (0, 255), "{slope}");
        let [intercept, slope] = [intercept, slope].map(|text| text.trim().parse::<f64>().unwrap());
        let ends = [100.0, 1123.0].map(|stored| slope * stored + intercept);
        assert_eq!(own.sample_scaling().map(|scaling| (scaling.used, scaling.range, scaling.levels())), Some((ends, ends, 256)), "{slope}");
        let whole = decode(SampleRange::Whole).sample_scaling().unwrap();
        assert!(whole.used == ends && whole.is_narrow() && whole.levels() <= 66, "{slope}: {whole:?}");
    }
}

#[test]
fn a_range_is_of_what_the_modality_makes() {
    // Twelve bits of which ten are used, in Hounsfield units from -1024.
    let samples: Vec<u16> = (0..1024).collect();
    let bytes = file(NATIVE, &rescaled(&radiograph(32, 32, ["1", "2"], &samples), "-1024 ", "1 "));
    let levels = |range| {
        let picture = Decoding::default().with_sample_range(range).decode(&bytes).unwrap();
        (picture.samples().iter().step_by(3).copied().collect::<Vec<u8>>(), picture.sample_scaling().unwrap())
    };
    let (whole, scaling) = levels(SampleRange::Whole);
    assert_eq!((whole[1023], scaling.used, scaling.range), (64, [-1024.0, -1.0], [-1024.0, 3071.0]));
    assert!(scaling.is_narrow());
    let expected: Vec<u8> = (0..1024_u32).map(|value| ((value * 255 + 511) / 1023) as u8).collect();
    for range in [SampleRange::Own, SampleRange::Between { least: -1024, most: -1 }] {
        let (levels, scaling) = levels(range);
        assert_eq!((levels, scaling.range), (expected.clone(), [-1024.0, -1.0]));
    }
    let (cut, scaling) = levels(SampleRange::Between { least: -1000, most: -900 });
    assert!(scaling.is_cut_off() && cut[..=24].iter().all(|&level| level == 0) && cut[124..].iter().all(|&level| level == 255));
    // A window is what was asked for.
    assert_eq!(Decoding::default().with_voi_lut(true).decode(&bytes).unwrap().sample_scaling(), None);
}

#[test]
fn a_file_without_a_window_says_so_where_one_is_asked_for() {
    let decoding = Decoding::default().with_voi_lut(true);
    let found = decoding.decode(&FILES["grey-12"]).unwrap();
    assert!(matches!(found.dicom(), Some(Dicom { frames: 1, lacks_voi_lut: true, .. })));
    assert_eq!(found.samples(), decoded("grey-12").samples());
    assert_eq!(Picture::decode(b"P5 1 1 255 x").unwrap().dicom(), None);
}
