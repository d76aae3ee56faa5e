//! Tiles: the ways to compute a convolution.

use std::fmt;

use super::{
    Capabilities, Kernel, Precision, Region, Shader, Types, Variant, WeightRows, Workgroup, conv, conv_matrix, conv_tiled, conv1x1, conv3x3,
};
use crate::shape::Window;

/// A convolution between two regions.
///
/// ```
/// use densenet_wgpu::network::Window;
/// use densenet_wgpu::{Config, Plan, PlanOptions};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
/// let (_, stem) = plan.steps()[0].tile.expect("the stem is a convolution");
/// assert_eq!((stem.window, stem.relu, stem.prologue), (Window::square(7, 2, 3), true, None));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Convolution {
    /// What it reads.
    pub source: Region,
    /// What it writes, in planes.
    pub target: Region,
    /// Its weights and bias.
    pub weights: WeightRows,
    /// Its kernel, stride and padding.
    pub window: Window,
    /// The ReLU of a batch norm before it, where there is one; of 1x1 convolutions only.
    pub prologue: Option<bool>,
    /// Whether a ReLU follows.
    pub relu: bool,
}

impl Convolution {
    /// The same of a batch's first image.
    pub(super) fn of_one_image(&self) -> Self {
        let one = |region| Region { batch: 1, ..region };
        Self { source: one(self.source), target: one(self.target), ..*self }
    }

    /// Types of source, weights and target.
    pub(super) const fn types(&self) -> Types {
        Types { source: self.source.precision, weights: self.weights.precision, target: self.target.precision }
    }
}

/// One way to compute convolutions: a shader and the sizes of its tile.
///
/// ```
/// use densenet_wgpu::tuning::{Capabilities, Tile, Workgroup};
/// use densenet_wgpu::Precision;
///
/// let anywhere = Capabilities::default(); // what every WebGPU device can do
/// let tile = Tile::all().find(|tile| tile.runs_on(&anywhere, Precision::F32)).expect("there is one for every device");
/// assert_eq!(Tile::named(&tile.to_string()), Some(tile));
/// assert!(tile.workgroup().fits(Workgroup::default()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// The shader.
    pub shader: Shader,
    /// The constants at its top that are sizes, in the shader's order.
    pub sizes: &'static [(&'static str, u32)],
}

impl Tile {
    /// Every tile.
    pub fn all() -> impl Iterator<Item = Self> {
        conv1x1::TILES
            .into_iter()
            .chain(conv3x3::TILES)
            .chain(conv::TILES)
            .chain(conv_tiled::TILES)
            .chain(conv_matrix::TILES.into_iter().flatten())
    }

    /// The tile that prints itself as `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|tile| tile.to_string() == name)
    }

    /// The size of that name.
    ///
    /// # Panics
    /// Where the tile has none: a mistake in this crate, which planning any convolution would show.
    pub(super) fn size(self, name: &str) -> usize {
        let found = self.sizes.iter().find(|(size, _)| *size == name);
        found.unwrap_or_else(|| panic!("{self} has no {name}")).1 as usize
    }

    /// Whether a device can run it with those numbers.
    pub fn runs_on(self, capabilities: &Capabilities, precision: Precision) -> bool {
        let has_types = precision == Precision::F32 || capabilities.f16;
        has_types
            && match self.shader {
                Shader::ConvTiled => true,
                Shader::ConvMatrix => precision == Precision::F16 && conv_matrix::runs_on(self, capabilities),
                _ => capabilities.has_lanes(),
            }
    }

    /// Whether it computes only what lies in planes.
    pub(crate) fn needs_planes(self) -> bool {
        self.shader == Shader::Conv1x1
    }

    /// What its workgroups ask for at the most.
    pub fn workgroup(self) -> Workgroup {
        match self.shader {
            Shader::ConvMatrix => conv_matrix::workgroup(self),
            _ => Workgroup::default(),
        }
    }

    /// Whether it computes this convolution.
    pub fn computes(self, convolution: &Convolution) -> bool {
        match self.shader {
            Shader::Conv1x1 => conv1x1::computes(convolution),
            Shader::Conv3x3 => conv3x3::computes(convolution),
            Shader::Conv => convolution.prologue.is_none(),
            _ => true,
        }
    }

    /// The convolution as a kernel.
    pub fn kernel(self, convolution: &Convolution) -> Kernel {
        match self.shader {
            Shader::Conv1x1 => conv1x1::kernel(self, convolution),
            Shader::Conv3x3 => conv3x3::kernel(self, convolution),
            Shader::Conv => conv::kernel(self, convolution),
            Shader::ConvMatrix => conv_matrix::kernel(self, convolution),
            _ => conv_tiled::kernel(self, convolution),
        }
    }

    /// What an estimate of its time on a GPU is proportional to, for this convolution: the multiply-adds it does, those on
    /// padding too, each dearer the fewer of them share a load, over the share of `invocations` that it keeps busy.
    pub(super) fn cost(self, convolution: &Convolution, invocations: f64) -> f64 {
        match self.shader {
            Shader::ConvMatrix => conv_matrix::cost(self, convolution, invocations),
            _ => conv_tiled::cost(self, convolution, invocations),
        }
    }

    /// The variant with these sizes.
    pub(super) fn variant(self, types: Types) -> Variant {
        self.sizes.iter().fold(Variant::new(self.shader).types(types), |variant, &(name, size)| variant.size(name, size))
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<String> = self.sizes.iter().map(|(_, size)| size.to_string()).collect();
        write!(f, "{} {}", self.shader.name(), sizes.join("x"))
    }
}
