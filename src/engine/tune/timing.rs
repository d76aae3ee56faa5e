//! How long a tile takes.

use crate::kernels::Tile;

/// What was measured of one tile.
///
/// ```no_run
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// for (class, timings) in engine.tune(1, 64, 64)?.timings {
///     println!("{class}: {} in {:.1} µs", timings[0].tile, 1e6 * timings[0].seconds);
///     assert!(timings.is_sorted_by(|a, b| a.seconds <= b.seconds) && !timings[0].given_up);
/// }
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Timing {
    /// The tile.
    pub tile: Tile,
    /// One step, in seconds.
    pub seconds: f64,
    /// Whether it was so much slower than another tile that it was not measured further: then `seconds` is about right.
    pub given_up: bool,
}
