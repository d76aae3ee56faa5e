//! Resizing is Pillow's, and a plain sum at random sizes.

use densenet_wgpu::image::{Picture, resize};
use densenet_wgpu::internal::{Part, resize_part};
use densenet_wgpu::preprocessing::Filter;
use proptest::prelude::*;

use crate::{assert_same, fixture, npz, pictures, resampling, size};

pub(crate) fn filter(name: &str) -> Filter {
    match name {
        "nearest" => Filter::Nearest,
        "bilinear" => Filter::Bilinear,
        "bicubic" => Filter::Bicubic,
        "lanczos" => Filter::Lanczos,
        _ => panic!("{name}"),
    }
}

fn any_filter() -> impl Strategy<Value = Filter> {
    prop::sample::select(vec![Filter::Nearest, Filter::Bilinear, Filter::Bicubic, Filter::Lanczos])
}

/// A picture of noise, its edges and extremes more frequent than chance would have them.
fn noise(height: usize, width: usize, channels: usize, seed: u64) -> Picture {
    let mut state = seed;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        match state >> 60 {
            0..4 => 0,
            4..8 => 255,
            _ => (state >> 50) as u8,
        }
    });
    Picture::new(height, width, channels, noise.take(height * width * channels).collect()).unwrap()
}

#[test]
fn resizing_is_pillows() {
    let source = Picture::open(fixture("source.png")).unwrap();
    let expected = pictures("resized.npz");
    assert_eq!(expected.len(), 36);
    for (name, expected) in expected {
        let (filter_name, wanted) = name.split_once('-').unwrap();
        let [width, height] = size(wanted);
        assert_same(&name, &resize(&source, height, width, filter(filter_name)), &expected);
    }
}

proptest! {
    #[test]
    fn resizing_is_the_plain_sum(
        from in [1..70_usize, 1..70], to in [1..70_usize, 1..70], channels in prop::sample::select(vec![1_usize, 3]), seed: u64,
        filter in prop::sample::select(vec![Filter::Bilinear, Filter::Bicubic, Filter::Lanczos]),
    ) {
        let source = noise(from[0], from[1], channels, seed);
        prop_assert_eq!(resampling::differing(&source, to[0], to[1], filter), 0);
    }

    #[test]
    fn a_constant_picture_stays_constant(
        from in [1..80_usize, 1..80], to in [1..80_usize, 1..80], filter in any_filter(), channels in prop::sample::select(vec![1_usize, 3]), level: u8,
    ) {
        let source = Picture::new(from[0], from[1], channels, vec![level; from[0] * from[1] * channels]).unwrap();
        let resized = resize(&source, to[0], to[1], filter);
        prop_assert_eq!((resized.height(), resized.width(), resized.channels()), (to[0], to[1], channels));
        prop_assert!(resized.samples().iter().all(|&sample| sample == level));
    }

    #[test]
    fn a_region_is_a_part_of_the_whole(
        to in [2..60_usize, 2..60], filter in any_filter(), first in [0.0..1.0, 0.0..1.0], seed: u64,
    ) {
        let source = noise(23, 31, 3, seed);
        let from = [0, 1].map(|axis| (first[axis] * (to[axis] - 1) as f64) as usize);
        let region = Part { rows: from[0]..to[0], columns: from[1]..to[1] - usize::from(from[1] + 1 < to[1]) };
        let whole = resize(&source, to[0], to[1], filter);
        let part = resize_part(&source, to[0], to[1], &region, filter);
        for (y, row) in region.rows.clone().zip(part.samples().chunks_exact(region.columns.len() * 3)) {
            let at = (y * to[1] + region.columns.start) * 3;
            prop_assert_eq!(row, &whole.samples()[at..at + row.len()]);
        }
    }
}

/// Values of an array of float32.
pub(crate) fn floats(name: &str, content: &[u8]) -> (Vec<u64>, Vec<f32>) {
    let array = npyz::NpyFile::new(content).unwrap_or_else(|error| panic!("{name}: {error}"));
    (array.shape().to_vec(), array.into_vec().unwrap())
}

/// Ours are rounded, OpenCV's too, the others' are not; PyTorch and OpenCV do not cut off what a cubic overshoots in the same place.
#[test]
fn filters_that_do_not_antialias_are_their_sources_within_a_level() {
    let source = Picture::open(fixture("source.png")).unwrap();
    let mut seen = [0; 4];
    for (name, content) in npz::read(&fixture("interpolated.npz")) {
        let [filter_name, from, wanted] = name.split('-').collect::<Vec<_>>()[..] else { continue };
        let filters =
            [("linear", Filter::Linear), ("cubic", Filter::Cubic), ("area", Filter::Area), ("adaptive_area", Filter::AdaptiveArea)];
        let place = filters.iter().position(|(known, _)| *known == filter_name).unwrap();
        let [width, height] = size(wanted);
        let found = resize(&source, height, width, filters[place].1);
        let (shape, expected) = floats(&name, &content);
        assert_eq!(shape, [height as u64, width as u64, 3], "{name}");
        let off = found.samples().iter().zip(&expected).map(|(&a, b)| (f32::from(a) - b.clamp(0.0, 255.0)).abs()).fold(0.0, f32::max);
        assert!(off <= if from == "opencv" { 1.0 } else { 0.51 }, "{name}: {off} levels");
        let antialiased = resize(&source, height, width, Filter::Bilinear);
        assert!(width > 24 || filter_name != "linear" || found.samples() != antialiased.samples(), "{name}");
        seen[place] += 1;
    }
    assert_eq!(seen, [18, 12, 6, 6]);
}
