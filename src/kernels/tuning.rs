//! Which tile computes a convolution on a device: a rule, and what was found out about the device beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Convolution, Precision, Shader, Tile, Workgroup};

/// What a device can do, as far as the choice of kernels depends on it. The default is what every WebGPU device can.
///
/// ```
/// use densenet_wgpu::tuning::{Capabilities, Tuning};
/// use densenet_wgpu::{Config, Plan, PlanOptions};
///
/// // What DenseNet-121 would run on a discrete GPU that is not in this machine.
/// let capabilities = Capabilities { discrete: true, subgroup: Some([32, 32]), f16: true, ..Capabilities::default() };
/// let tuning = Tuning { capabilities, ..Tuning::default() };
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions { tuning, ..PlanOptions::default() })?;
/// assert!(plan.steps().iter().filter_map(|step| step.tile).all(|(tile, _)| tile.runs_on(&capabilities, Default::default())));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Whether it is a processor that plays a GPU.
    pub software: bool,
    /// The smallest and the largest subgroup, where shaders may use subgroups.
    pub subgroup: Option<[u32; 2]>,
    /// Whether shaders may use 16-bit floats.
    pub f16: bool,
    /// Whether it has memory and cores of its own: a discrete GPU.
    pub discrete: bool,
    /// The side of the square matrices of 16-bit floats that a subgroup can multiply, with sums of 32 bits.
    pub matrix: Option<u32>,
    /// The largest workgroup.
    pub workgroup: Workgroup,
}

/// Invocations that hand round what each of them loaded.
const LANES: u32 = 8;

impl Capabilities {
    /// Whether its subgroups are made of groups of [`LANES`].
    pub(super) fn has_lanes(&self) -> bool {
        self.subgroup.is_some_and(|[least, _]| least.is_multiple_of(LANES) && least > 0)
    }

    /// Invocations that keep it busy.
    fn invocations(&self) -> f64 {
        if self.discrete { 131_072.0 } else { 16_384.0 }
    }
}

/// How convolutions are computed on a device.
///
/// ```
/// use densenet_wgpu::{Config, Plan, PlanOptions};
///
/// let graph = Config::densenet121().graph(224, 224)?;
/// let plan = Plan::new(&graph, PlanOptions::default())?;
/// let (tile, convolution) = plan.steps()[0].tile.expect("the stem is a convolution");
/// let mut tuning = plan.options().tuning.clone();
/// assert_eq!(tuning.tile(&convolution), Some(tile));
/// assert_eq!(tuning.class(&convolution), "7x7 to 64x112x112 x 1");
///
/// tuning.excluded.insert(tile); // it computed something else on the device
/// let other = tuning.tile(&convolution).expect("there are more");
/// assert!(other != tile && tuning.tiles(&convolution).any(|tile| tile == other));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tuning {
    /// What the device can do.
    pub capabilities: Capabilities,
    /// The numbers that activations and weights are stored in. Sums are always 32-bit floats.
    pub precision: Precision,
    /// Whether tiles are chosen as for one image whatever the batch: then an image's results have the same bits in any
    /// batch. Otherwise the last bits may depend on the batch's size, except with the tiles for software devices.
    pub batch_invariant: bool,
    /// Tiles not to be used: their results were wrong on the device.
    pub excluded: BTreeSet<Tile>,
    /// Tiles that were measured to be the fastest, by [`Tuning::class`].
    pub fastest: BTreeMap<String, Tile>,
}

impl Tuning {
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

    /// What convolutions have in common that one tile is the best for: kernel, output channels, size of the picture, and
    /// the batch, which is 1 where it must not count.
    pub fn class(&self, convolution: &Convolution) -> String {
        let [height, width] = convolution.window.kernel;
        let target = convolution.target;
        let prologue = if convolution.prologue.is_some() { " after norm" } else { "" };
        format!("{height}x{width}{prologue} to {} x {}", target.shape, if self.batch_invariant { 1 } else { target.batch })
    }

    /// Lanes for software, as its loads cost much more than its arithmetic, the most special shader first, and matrices
    /// last, which it has no units for; else the tile of the least estimated cost.
    fn by_rule(&self, convolution: &Convolution) -> Option<Tile> {
        let cost = |tile: &Tile| match tile.shader {
            Shader::Conv1x1 | Shader::Conv3x3 | Shader::Conv if !self.capabilities.software => f64::MAX,
            Shader::Conv1x1 => 0.0,
            Shader::Conv3x3 => 1.0,
            Shader::Conv => 2.0,
            Shader::ConvMatrix if self.capabilities.software => f64::MAX,
            _ => 3.0 + tile.cost(convolution, self.capabilities.invocations()),
        };
        self.tiles(convolution).min_by(|a, b| cost(a).total_cmp(&cost(b)))
    }

    fn may_use(&self, tile: Tile, convolution: &Convolution) -> bool {
        tile.runs_on(&self.capabilities, self.precision) && tile.computes(convolution) && !self.excluded.contains(&tile)
    }
}
