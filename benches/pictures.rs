//! A 12-megapixel picture on its way to DenseNet-121's input, each part alone: decoding, resizing by filter, cropping,
//! normalising. On one thread.
//!
//!     cargo bench --bench pictures
//!     cargo bench --bench pictures -- bicubic

use criterion::{Criterion, criterion_group, criterion_main};
use densenet_wgpu::Result;
use densenet_wgpu::image::{Picture, resize};
use densenet_wgpu::preprocessing::{Filter, Preprocessing};
use libjpeg_turbo_rs::{PixelFormat, Subsampling};

const WIDTH: usize = 4000;
const HEIGHT: usize = 3000;

/// Samples `[HEIGHT, WIDTH, 3]` with smooth parts, detail and noise.
fn photograph() -> Vec<u8> {
    let mut state = 77_u64;
    let mut noise = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        (state >> 60) as f32 - 7.5
    };
    let mut samples = Vec::with_capacity(WIDTH * HEIGHT * 3);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            for channel in 1..=3 {
                let (x, y, channel) = (x as f32, y as f32, channel as f32);
                let wave = 60.0 * (x * 0.013 * channel).sin() * (y * 0.011).cos() + 20.0 * (x * 0.31 + y * 0.17 * channel).sin();
                samples.push((127.0 + wave + noise()) as u8);
            }
        }
    }
    samples
}

fn parts(criterion: &mut Criterion) -> Result<()> {
    let samples = photograph();
    let jpeg = libjpeg_turbo_rs::compress(&samples, WIDTH, HEIGHT, PixelFormat::Rgb, 90, Subsampling::S420);
    let jpeg = jpeg.unwrap_or_else(|error| panic!("the picture could not be written: {error}"));
    let picture = Picture::new(HEIGHT, WIDTH, 3, samples)?;
    let grey = picture.grey();
    let preprocessing = Preprocessing::torchvision(3);
    let mut group = criterion.benchmark_group("4000x3000");
    group.sample_size(10);
    group.bench_function("decode JPEG 4:2:0", |bencher| bencher.iter(|| Picture::decode(&jpeg)));
    for (name, filter) in [("bilinear", Filter::Bilinear), ("bicubic", Filter::Bicubic), ("Lanczos", Filter::Lanczos)] {
        group.bench_function(format!("resize to 341x256, {name}"), |bencher| bencher.iter(|| resize(&picture, 256, 341, filter)));
    }
    group.bench_function("resize grey to 341x256, bilinear", |bencher| bencher.iter(|| resize(&grey, 256, 341, Filter::Bilinear)));
    group.bench_function("resize and crop, bilinear", |bencher| bencher.iter(|| preprocessing.prepare(&picture)));
    group.bench_function("resize, crop and normalise, bilinear", |bencher| bencher.iter(|| preprocessing.apply(&picture)));
    group.finish();
    Ok(())
}

fn pictures(criterion: &mut Criterion) {
    parts(criterion).unwrap_or_else(|error| panic!("{error}"));
}

criterion_group!(benches, pictures);
criterion_main!(benches);
