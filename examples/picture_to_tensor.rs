//! How long a picture takes from its file to the tensor that goes into DenseNet-121, on one thread.
//!
//!     cargo run --release --example picture_to_tensor -- photo.jpg 10
//!
//! Prints the best of so many rounds in milliseconds: the file decoded, the tensor made of that, both. What
//! `scripts/compare_pictures.py` compares with Pillow.

use std::time::Instant;

use densenet_wgpu::Result;
use densenet_wgpu::image::Picture;
use densenet_wgpu::preprocessing::Preprocessing;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or("examples/digits/0-1445-8.png".into());
    let rounds: u32 = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(10);
    let preprocessing = Preprocessing::torchvision(3);
    let mut best = [f64::INFINITY; 3];
    for _ in 0..rounds {
        let begin = Instant::now();
        let picture = Picture::open(&path)?;
        let decoded = begin.elapsed();
        let input = preprocessing.apply(&picture)?;
        let both = begin.elapsed();
        assert_eq!(input.values.len(), 3 * 224 * 224);
        for (best, time) in best.iter_mut().zip([decoded, both - decoded, both]) {
            *best = best.min(1e3 * time.as_secs_f64());
        }
    }
    println!("{:.2} {:.2} {:.2}", best[0], best[1], best[2]);
    Ok(())
}
