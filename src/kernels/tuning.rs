//! Which tile computes a convolution on a device: by rule, or as measured.

use std::collections::{BTreeMap, BTreeSet};

use super::{Capabilities, Convolution, Precision, Tile};

/// How convolutions are computed on a device.
///
/// A tile is used only where the device can run it, even if it is named here; an engine refuses a tuning for a device
/// that can do more than its own.
///
/// ```
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let graph = Config::densenet121().graph(224, 224)?;
/// let plan = Plan::new(&graph, PlanOptions::default())?;
/// let (tile, convolution) = plan.steps()[0].tile.expect("the stem is a convolution");
/// let tuning = plan.options().tuning.clone();
/// assert_eq!(tuning.tile(&convolution), Some(tile));
/// assert_eq!(tuning.class(&convolution), "7x7 to 64x112x112 x 1");
///
/// let tuning = tuning.excluding([tile]); // it computed something else on the device
/// let other = tuning.tile(&convolution).expect("there are more");
/// assert!(other != tile && tuning.tiles(&convolution).any(|tile| tile == other));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
///
/// ```compile_fail,E0616
/// # use densenet_wgpu::tuning::Tuning;
/// let mut tuning = Tuning::default();
/// tuning.fastest.clear(); // the field is private
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tuning {
    capabilities: Capabilities,
    precision: Precision,
    batch_invariant: bool,
    excluded: BTreeSet<Tile>,
    fastest: BTreeMap<String, Tile>,
}

impl Tuning {
    /// By the rule alone, for a device with these capabilities, in 32-bit floats.
    pub fn new(capabilities: Capabilities) -> Self {
        Self { capabilities, ..Self::default() }
    }

    /// Sets the storage dtype of activations and weights. Sums are always 32-bit floats.
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Sets whether tiles are chosen as for one image, whatever the batch: then an image's results have the same bits in any
    /// batch. Otherwise the last bits may depend on the batch's size, except with the tiles for software adapters.
    pub fn with_batch_invariant(self, batch_invariant: bool) -> Self {
        Self { batch_invariant, ..self }
    }

    /// Excludes these tiles: their results were wrong on the device.
    pub fn excluding(mut self, tiles: impl IntoIterator<Item = Tile>) -> Self {
        self.excluded.extend(tiles);
        self
    }

    /// Excludes all tiles but this one.
    pub fn only(self, tile: Tile) -> Self {
        self.excluding(Tile::all().filter(|other| *other != tile))
    }

    /// Adds tiles that were measured to be the fastest, by [`Tuning::class`], in place of those of the same classes before.
    pub fn with_fastest(mut self, fastest: impl IntoIterator<Item = (String, Tile)>) -> Self {
        self.fastest.extend(fastest);
        self
    }

    /// Uses this tile for every one of `convolutions` that it may compute.
    pub(crate) fn preferring(self, tile: Tile, convolutions: &[Convolution]) -> Self {
        let everywhere = convolutions.iter().filter(|convolution| self.may_use(tile, convolution));
        let everywhere: Vec<(String, Tile)> = everywhere.map(|convolution| (self.class(convolution), tile)).collect();
        self.with_fastest(everywhere)
    }

    /// Forgets what was measured for the classes of these convolutions: the rule decides again.
    pub(crate) fn without(mut self, convolutions: &[Convolution]) -> Self {
        for convolution in convolutions {
            self.fastest.remove(&self.class(convolution));
        }
        self
    }

    /// What the device can do.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// The storage dtype of activations and weights.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Whether an image's results have the same bits in any batch.
    pub fn is_batch_invariant(&self) -> bool {
        self.batch_invariant
    }

    /// Tiles that are not used: their results were wrong on the device.
    pub fn excluded(&self) -> &BTreeSet<Tile> {
        &self.excluded
    }

    /// Tiles that were measured to be the fastest, by [`Tuning::class`].
    pub fn fastest(&self) -> &BTreeMap<String, Tile> {
        &self.fastest
    }

    /// The tile for this convolution; none where all that compute it are excluded.
    pub fn tile(&self, convolution: &Convolution) -> Option<Tile> {
        let convolution = if self.batch_invariant { &convolution.of_one_image() } else { convolution };
        let measured = self.fastest.get(&self.class(convolution)).copied();
        measured.filter(|tile| self.may_use(*tile, convolution)).or_else(|| self.by_rule(convolution))
    }

    /// Every tile that may compute this convolution.
    pub fn tiles(&self, convolution: &Convolution) -> impl Iterator<Item = Tile> {
        Tile::all().filter(|tile| self.may_use(*tile, convolution))
    }

    /// The tiles among them that are worth measuring. On a software adapter tiles of GPUs are not, where there are others: they took
    /// 3 to 229 times as long there (benches/LOG.md).
    pub(crate) fn candidates(&self, convolution: &Convolution) -> Vec<Tile> {
        let (lanes, others): (Vec<Tile>, Vec<Tile>) = self.tiles(convolution).partition(|tile| tile.is_of_lanes());
        if self.capabilities.software && !lanes.is_empty() { lanes } else { [lanes, others].concat() }
    }

    /// The class of convolutions for which one tile is the fastest: kernel, output channels, output size, and the batch, which is 1
    /// where results must not depend on it.
    pub fn class(&self, convolution: &Convolution) -> String {
        let [height, width] = convolution.window.kernel;
        let target = convolution.target;
        let prologue = if convolution.prologue.is_some() { " after norm" } else { "" };
        format!("{height}x{width}{prologue} to {} x {}", target.shape, if self.batch_invariant { 1 } else { target.batch })
    }

    /// On a software adapter the tiles of lanes, as its loads cost much more than its arithmetic, the most special shader first, and
    /// matrices never, for which it has no units; else the tile of the least estimated cost.
    fn by_rule(&self, convolution: &Convolution) -> Option<Tile> {
        let (software, deep) = (self.capabilities.software, self.capabilities.takes_deep_tiles());
        let invocations = self.capabilities.invocations();
        let cost = |tile: &Tile| match tile {
            tile if tile.is_of_lanes() && !software => f64::MAX,
            Tile::Conv1x1(sizes) => f64::from(!sizes.suits(deep)),
            Tile::Conv3x3(sizes) => f64::from(!sizes.suits(convolution.target.shape.width, deep)),
            // A compiler that keeps its window in memory compiles it for long, and gains little.
            Tile::Conv7x7(_) => {
                if deep {
                    0.0
                } else {
                    2.0
                }
            }
            Tile::Conv(_) => 1.0,
            Tile::ConvTiled(sizes) if sizes.sums() > 32 && self.capabilities.has_few_registers() => f64::MAX,
            Tile::ConvTiled(sizes) => 3.0 + sizes.cost(convolution, invocations),
            Tile::ConvMatrix(_) if software => f64::MAX,
            Tile::ConvMatrix(sizes) => 3.0 + sizes.cost(convolution, invocations),
        };
        self.tiles(convolution).min_by(|a, b| cost(a).total_cmp(&cost(b)))
    }

    fn may_use(&self, tile: Tile, convolution: &Convolution) -> bool {
        tile.runs_on(&self.capabilities, self.precision) && tile.computes(convolution) && !self.excluded.contains(&tile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_of_gpus_are_not_measured_on_software_devices_that_have_others() {
        use crate::plan::{Plan, PlanOptions};
        let plan = Plan::new(&crate::Config::densenet121().graph(64, 64).unwrap(), PlanOptions::default()).unwrap();
        let with = |software, subgroup| Tuning::new(Capabilities { software, subgroup, ..Capabilities::default() });
        for convolution in plan.steps().iter().filter_map(|step| Some(step.tile?.1)) {
            let lanes = |tuning: Tuning| {
                let candidates = tuning.candidates(&convolution);
                assert!(candidates.contains(&tuning.tile(&convolution).unwrap()), "the rule's is one of them");
                (candidates.iter().filter(|tile| tile.is_of_lanes()).count(), candidates.len())
            };
            let (software, all) = (lanes(with(true, Some([8, 8]))), Tile::all().filter(|tile| tile.is_of_lanes()).count());
            assert!(software.0 == software.1 && (1..=all).contains(&software.0), "{software:?}");
            assert_eq!(lanes(with(true, None)).0, 0);
            let gpu = lanes(with(false, Some([8, 8])));
            assert!(gpu.0 == software.0 && gpu.1 > gpu.0, "{gpu:?}");
        }
    }
}
