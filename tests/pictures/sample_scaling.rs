//! Samples of 16 bits, and what of their range is used.

use densenet_wgpu::image::{Decoding, Picture, SampleRange};

use crate::fixture;

/// A PNG of one row of 16-bit samples, of one channel or three, with an sBIT chunk.
fn wide_png(channels: usize, samples: &[u16], significant: &[u8]) -> Vec<u8> {
    let pixels = samples.len() / channels;
    // Filter 0, and zlib with one stored block.
    let row: Vec<u8> = [0].into_iter().chain(samples.iter().flat_map(|sample| sample.to_be_bytes())).collect();
    let length = row.len() as u16;
    let (a, b) = row.iter().fold((1_u32, 0_u32), |(a, b), &byte| ((a + u32::from(byte)) % 65521, (a + u32::from(byte) + b) % 65521));
    let stored = [&[0x78, 1, 1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), &row, &((b << 16) | a).to_be_bytes()].concat();
    let chunk = |kind: &[u8; 4], content: &[u8]| {
        let body = [kind, content].concat();
        let crc = body.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
        });
        [&(content.len() as u32).to_be_bytes()[..], &body, &(!crc).to_be_bytes()].concat()
    };
    let header = [&(pixels as u32).to_be_bytes()[..], &1_u32.to_be_bytes(), &[16, if channels == 3 { 2 } else { 0 }, 0, 0, 0]].concat();
    let bits = if significant.is_empty() { Vec::new() } else { chunk(b"sBIT", significant) };
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), bits, chunk(b"IDAT", &stored), chunk(b"IEND", b"")].concat()
}

/// A TIFF of one row of grey.
fn wide_tiff(samples: &[u16]) -> Vec<u8> {
    let pixels: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let entry = |tag: u16, value: u32| [&tag.to_le_bytes()[..], &[4, 0, 1, 0, 0, 0], &value.to_le_bytes()].concat();
    let width = samples.len() as u32;
    let entries: Vec<u8> = [(256, width), (257, 1), (258, 16), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 2 * width)]
        .into_iter()
        .flat_map(|(tag, value)| entry(tag, value))
        .collect();
    let directory = 8 + pixels.len() as u32;
    [b"II*\0", &directory.to_le_bytes()[..], &pixels, &9_u16.to_le_bytes(), &entries, &[0; 4]].concat()
}

/// Each sample of a picture of one row, of one channel of grey or of all three.
fn levels(decoding: &Decoding, bytes: &[u8], channels: usize) -> Vec<u8> {
    decoding.decode(bytes).unwrap().samples().iter().step_by(if channels == 1 { 3 } else { 1 }).copied().collect()
}

#[test]
fn bits_within_16_are_scaled_by_what_is_said_of_them() {
    let twelve: Vec<u16> = (0..4096).collect();
    let of = |most: u32| (0..4096_u32).map(|value| ((value.min(most) * 255 + most / 2) / most) as u8).collect::<Vec<u8>>();
    let [whole, asked, own, fourteen] = [
        SampleRange::Whole,
        SampleRange::Between { least: 0, most: 4095 },
        SampleRange::Own,
        SampleRange::Between { least: 0, most: 16383 },
    ]
    .map(|range| Decoding::default().with_sample_range(range));
    let pgm = [&b"P5 4096 1 65535 "[..], &twelve.iter().flat_map(|sample| sample.to_be_bytes()).collect::<Vec<u8>>()].concat();
    for (what, bytes) in [("PNG", wide_png(1, &twelve, &[])), ("TIFF", wide_tiff(&twelve)), ("PGM", pgm)] {
        assert_eq!(levels(&whole, &bytes, 1).last(), Some(&16), "{what}");
        assert_eq!(levels(&whole, &bytes, 1), of(65535), "{what}");
        assert_eq!(levels(&asked, &bytes, 1), of(4095), "{what}");
        assert_eq!(levels(&fourteen, &bytes, 1), of(16383), "{what}");
        assert_eq!(levels(&own, &bytes, 1), of(4095), "{what}");
        let scaling = Picture::decode(&bytes).unwrap().sample_scaling().unwrap();
        assert!(scaling.is_grey && scaling.is_narrow() && !scaling.is_cut_off(), "{what}");
        assert_eq!((scaling.used, scaling.range, scaling.levels()), ([0.0, 4095.0], [0.0, 65535.0], 17), "{what}");
        let scaling = Decoding::default()
            .with_sample_range(SampleRange::Between { least: 16, most: 1023 })
            .decode(&bytes)
            .unwrap()
            .sample_scaling()
            .unwrap();
        assert!(scaling.is_cut_off() && !scaling.is_narrow(), "{what}");
    }
    // Significant bits, at the bottom as some writers leave them, or at the top, where PNG has them.
    let high: Vec<u16> = twelve.iter().map(|&value| value << 4 | value >> 8).collect();
    assert_eq!(levels(&whole, &wide_png(1, &twelve, &[12]), 1), of(4095));
    assert_eq!(levels(&whole, &wide_png(1, &high, &[12]), 1), of(4095));
    assert_eq!(levels(&whole, &wide_png(1, &high[..200], &[12]), 1), levels(&whole, &wide_png(1, &high[..200], &[]), 1));
    assert_eq!(levels(&own, &wide_png(1, &twelve[100..200], &[12]), 1).last(), Some(&255));
    assert!(!Picture::decode(&wide_png(1, &twelve, &[12])).unwrap().sample_scaling().unwrap().is_narrow());
    // A largest value that a header says, in as many bits as there may be.
    let pgm =
        [&b"P5 4096 1\n# of 12 bits\n4095\n"[..], &twelve.iter().flat_map(|sample| sample.to_be_bytes()).collect::<Vec<u8>>()].concat();
    assert_eq!(levels(&whole, &pgm, 1), of(4095));
    assert_eq!(levels(&whole, b"P5 3 1 15 \x00\x07\x0f", 1), [0, 119, 255]);
    assert_eq!(levels(&whole, b"P3 1 1 15 0 7 15", 3), [0, 119, 255]);
}

#[test]
fn wide_colour_keeps_its_high_byte_unless_something_is_said() {
    let samples = [0, 255, 4095, 2048, 1024, 16];
    let decoding = |range| Decoding::default().with_sample_range(range);
    let asked = decoding(SampleRange::Between { least: 0, most: 4095 });
    assert_eq!(levels(&Decoding::default(), &wide_png(3, &samples, &[]), 3), [0, 0, 15, 8, 4, 0]);
    for scaled in [levels(&asked, &wide_png(3, &samples, &[]), 3), levels(&Decoding::default(), &wide_png(3, &samples, &[12, 12, 12]), 3)] {
        assert_eq!(scaled, [0, 16, 255, 128, 64, 1]);
    }
    let picture = Picture::decode(&wide_png(3, &samples, &[])).unwrap();
    let scaling = picture.sample_scaling().unwrap();
    assert!(!picture.has_scaled_grey() && !scaling.is_grey && scaling.is_narrow());
    assert_eq!(scaling.levels(), 16);
    // Eight bits stay what they are.
    let png = std::fs::read(fixture("RGB.png")).unwrap();
    assert_eq!(asked.decode(&png).unwrap(), Picture::decode(&png).unwrap());
    assert_eq!(Picture::decode(&png).unwrap().sample_scaling(), None);
}

#[test]
fn tiff_that_is_not_read_is_told_by_what_its_samples_are() {
    let tiff = wide_tiff(&[0, 4095]);
    // Changes the tag of an entry, or its value.
    let with = |tag: u16, as_tag: u16, value: u16| {
        let mut bytes = tiff.clone();
        let at = bytes.windows(4).position(|window| window[..2] == tag.to_le_bytes() && window[2..] == [4, 0]).unwrap();
        bytes[at..at + 2].copy_from_slice(&as_tag.to_le_bytes());
        bytes[at + 8..at + 10].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    for (bytes, told) in [
        (with(278, 339, 3), "TIFF with floats of 16 bits"),
        (with(278, 339, 2), "TIFF with numbers of 16 bits that have a sign"),
        (with(258, 258, 32), "TIFF with 32 bits a sample"),
        (with(277, 277, 2), "TIFF with two samples a pixel"),
    ] {
        let error = Picture::decode(&bytes).unwrap_err().to_string();
        assert!(error.contains(told) && error.contains("convert it to PNG"), "{error}");
    }
    assert!(Picture::decode(&tiff).is_ok());
}
