//! A head for ten classes, fitted to the features of 10,000 pictures as DenseNet-121 has them, 1024 each: holding out, cross-validation,
//! the fit and its figures; all but computing the features.
//!
//!     cargo bench --bench fit

use criterion::{Criterion, criterion_group, criterion_main};
use densenet_wgpu::Result;
use densenet_wgpu::evaluate::Known;
use densenet_wgpu::fit::{ContentHash, Example, Examples, FitOptions};

const PICTURES: usize = 10_000;
const FEATURES: usize = 1024;
const CLASSES: usize = 10;

/// Features that tell classes apart, but not all of them: sums of a few parts that many features share, as those of networks are, none
/// below 0.
fn examples() -> Result<Examples> {
    const PARTS: usize = 40;
    let mut state = 77_u64;
    let mut noise = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let shares: Vec<f32> = (0..PARTS * FEATURES).map(|_| noise()).collect();
    let means: Vec<f32> = (0..CLASSES * PARTS).map(|_| noise() * 0.5).collect();
    let mut examples = Examples::new((0..CLASSES).map(|class| class.to_string()).collect(), FEATURES);
    for number in 0..PICTURES {
        let class = number % CLASSES;
        let parts: Vec<f32> = means[class * PARTS..][..PARTS].iter().map(|mean| mean + noise()).collect();
        let feature = |feature: usize| parts.iter().enumerate().map(|(part, value)| value * shares[part * FEATURES + feature]).sum::<f32>();
        let features: Vec<f32> = (0..FEATURES).map(|it| (0.3 * feature(it) + 0.3 * noise()).max(0.0)).collect();
        let content = ContentHash::of(&number.to_le_bytes());
        examples.push(Example { path: number.to_string().into(), known: Known::One(class), group: None, content, features: &features })?;
    }
    Ok(examples)
}

fn fit(criterion: &mut Criterion) {
    let examples = examples().unwrap_or_else(|error| panic!("{error}"));
    let mut group = criterion.benchmark_group("10000 pictures, 1024 features, 10 classes");
    group.sample_size(10);
    let mut found = None;
    group.bench_function("fit", |bencher| bencher.iter(|| found = Some(examples.fit(&FitOptions::default()))));
    group.finish();
    match found {
        Some(Ok(fitted)) => println!("{:?} right of those held out, C = {}", fitted.holdout_top1(), fitted.regularisation),
        Some(Err(error)) => panic!("{error}"),
        None => {}
    }
}

criterion_group!(benches, fit);
criterion_main!(benches);
