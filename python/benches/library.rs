//! The library alone, for `overhead.py`: for each line of standard input, a number of images, it runs as many and prints how many seconds
//! that took.

use std::collections::HashMap;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

use densenet_wgpu::predictions::StreamOptions;
use densenet_wgpu::{Classifier, ClassifierOptions, Result, Source};

const SIZE: [usize; 2] = [64, 64];
const ELEMENTS: usize = 3 * SIZE[0] * SIZE[1];

fn main() -> Result<()> {
    let classifier = Classifier::open("digits", ClassifierOptions::default().with_batch(64))?;
    let mut inputs = HashMap::new();
    for line in stdin().lock().lines().map_while(std::io::Result::ok) {
        let count: usize = line.trim().parse().unwrap_or(1);
        let values =
            inputs.entry(count).or_insert_with(|| (0..count * ELEMENTS).map(|index| (index as f32 * 0.37).sin()).collect::<Vec<f32>>());
        let start = Instant::now();
        let logits = logits(&classifier, values)?;
        let seconds = start.elapsed().as_secs_f64();
        assert_eq!(logits.len(), count * 10);
        println!("{seconds} {}", logits[0]);
        // Whoever asked waits for it.
        let _ = stdout().flush();
    }
    Ok(())
}

/// The logits of all images in `values`, as a program would have them.
fn logits(classifier: &Classifier, values: &[f32]) -> Result<Vec<f32>> {
    if values.len() == ELEMENTS {
        return Ok(classifier.classify(Source::values(values.to_vec(), SIZE))?.logits().unwrap_or_default().to_vec());
    }
    let sources: Vec<((), Source)> = values.chunks_exact(ELEMENTS).map(|image| ((), Source::values(image.to_vec(), SIZE))).collect();
    let mut logits = Vec::new();
    for (_, prediction) in classifier.stream(sources, StreamOptions::default())? {
        logits.extend_from_slice(prediction?.logits().unwrap_or_default());
    }
    Ok(logits)
}
