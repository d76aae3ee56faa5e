//! Tiles: the ways to compute a convolution.

use std::fmt;

use super::conv_square::{CONV3X3, CONV7X7};
use super::{Capabilities, Convolution, Kernel, Precision, Shader, Workgroup, conv, conv_matrix, conv_square, conv_tiled, conv1x1};

/// One way to compute convolutions: a shader and the sizes of its tile.
///
/// There are no others than [`Tile::all`]: a shader is compiled without bounds checks, and other sizes might lead it beyond its
/// memory.
///
/// ```
/// use densenet_wgpu::tuning::{Capabilities, Tile, Workgroup};
/// use densenet_wgpu::Precision;
///
/// let anywhere = Capabilities::default(); // what every WebGPU device can do
/// let tile = Tile::all().find(|tile| tile.runs_on(&anywhere, Precision::F32)).expect("there is one for every device");
/// assert_eq!(Tile::named(&tile.to_string()), Some(tile));
/// assert!(tile.workgroup().fits(Workgroup::default()));
/// assert_eq!(Tile::named("conv_tiled 4x4x4x4x4x1024"), None);
/// ```
///
/// ```compile_fail,E0616
/// # use densenet_wgpu::tuning::Tile;
/// let Some(Tile::ConvTiled(mut sizes)) = Tile::named("conv_tiled 64x64x16x4x4x1") else { panic!() };
/// sizes.slices = 1024; // the field is private
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Tile {
    /// Of `shaders/conv1x1.wgsl`.
    Conv1x1(conv1x1::Sizes),
    /// Of `shaders/conv_square.wgsl` for 3x3.
    Conv3x3(conv_square::Sizes),
    /// Of `shaders/conv_square.wgsl` for 7x7 at stride 2.
    Conv7x7(conv_square::Sizes),
    /// Of `shaders/conv.wgsl`.
    Conv(conv::Sizes),
    /// Of `shaders/conv_tiled.wgsl`.
    ConvTiled(conv_tiled::Sizes),
    /// Of `shaders/conv_matrix.wgsl`.
    ConvMatrix(conv_matrix::Sizes),
}

impl Tile {
    /// Every tile.
    pub fn all() -> impl Iterator<Item = Self> {
        let lanes = conv1x1::Sizes::ALL.map(Self::Conv1x1).into_iter().chain(conv_square::Sizes::OF_3X3.map(Self::Conv3x3));
        let lanes = lanes.chain(conv_square::Sizes::OF_7X7.map(Self::Conv7x7)).chain(conv::Sizes::ALL.map(Self::Conv));
        lanes.chain(conv_tiled::Sizes::ALL.map(Self::ConvTiled)).chain(conv_matrix::Sizes::ALL.into_iter().flatten().map(Self::ConvMatrix))
    }

    /// The tile that prints itself as `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|tile| tile.to_string() == name)
    }

    /// The shader.
    pub const fn shader(self) -> Shader {
        match self {
            Self::Conv1x1(_) => Shader::Conv1x1,
            Self::Conv3x3(_) => Shader::Conv3x3,
            Self::Conv7x7(_) => Shader::Conv7x7,
            Self::Conv(_) => Shader::Conv,
            Self::ConvTiled(_) => Shader::ConvTiled,
            Self::ConvMatrix(_) => Shader::ConvMatrix,
        }
    }

    /// The constants at the top of its shader that are its sizes, in the shader's order.
    pub fn sizes(self) -> Vec<(&'static str, usize)> {
        match self {
            Self::Conv1x1(sizes) => sizes.constants().collect(),
            Self::Conv3x3(sizes) => sizes.constants().collect(),
            Self::Conv7x7(sizes) => sizes.constants().collect(),
            Self::Conv(sizes) => sizes.constants().collect(),
            Self::ConvTiled(sizes) => sizes.constants().collect(),
            Self::ConvMatrix(sizes) => sizes.constants().collect(),
        }
    }

    /// Whether a device can run it with this storage dtype.
    pub fn runs_on(self, capabilities: &Capabilities, precision: Precision) -> bool {
        let has_dtypes = precision == Precision::F32 || capabilities.f16;
        has_dtypes
            && match self {
                Self::Conv1x1(_) | Self::Conv3x3(_) | Self::Conv7x7(_) | Self::Conv(_) => capabilities.has_lanes(),
                Self::ConvTiled(sizes) => sizes.workgroup().fits(capabilities.workgroup),
                Self::ConvMatrix(sizes) => precision == Precision::F16 && sizes.runs_on(capabilities),
            }
    }

    /// Whether its invocations share what they load through their subgroup, which pays on software devices.
    pub(crate) fn is_of_lanes(self) -> bool {
        matches!(self, Self::Conv1x1(_) | Self::Conv3x3(_) | Self::Conv7x7(_) | Self::Conv(_))
    }

    /// Whether it computes only what lies in planes.
    pub(crate) fn needs_planes(self) -> bool {
        match self {
            Self::Conv1x1(_) => true,
            Self::Conv3x3(_) | Self::Conv7x7(_) | Self::Conv(_) | Self::ConvTiled(_) | Self::ConvMatrix(_) => false,
        }
    }

    /// The largest workgroup that it asks for.
    pub fn workgroup(self) -> Workgroup {
        match self {
            Self::Conv1x1(_) | Self::Conv3x3(_) | Self::Conv7x7(_) | Self::Conv(_) => Workgroup::ANYWHERE,
            Self::ConvTiled(sizes) => sizes.workgroup(),
            Self::ConvMatrix(sizes) => sizes.workgroup(),
        }
    }

    /// Whether it computes this convolution.
    pub fn computes(self, convolution: &Convolution) -> bool {
        match self {
            Self::Conv1x1(_) => conv1x1::computes(convolution),
            Self::Conv3x3(_) => CONV3X3.computes(convolution),
            Self::Conv7x7(_) => CONV7X7.computes(convolution),
            Self::Conv(_) => conv::computes(convolution),
            Self::ConvTiled(_) | Self::ConvMatrix(_) => true,
        }
    }

    /// The convolution as a kernel.
    pub(crate) fn kernel(self, convolution: &Convolution) -> Kernel {
        match self {
            Self::Conv1x1(sizes) => sizes.kernel(convolution),
            Self::Conv3x3(sizes) => CONV3X3.kernel(sizes, convolution),
            Self::Conv7x7(sizes) => CONV7X7.kernel(sizes, convolution),
            Self::Conv(sizes) => sizes.kernel(convolution),
            Self::ConvTiled(sizes) => sizes.kernel(convolution),
            Self::ConvMatrix(sizes) => sizes.kernel(convolution),
        }
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<String> = self.sizes().iter().map(|(_, size)| size.to_string()).collect();
        write!(f, "{} {}", self.shader().name(), sizes.join("x"))
    }
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;
    use crate::kernels::Variant;

    const NONSENSE: [usize; 14] = [0, 1, 2, 3, 4, 6, 8, 12, 20, 32, 48, 100, 128, 256];

    fn compiles(source: &str) -> bool {
        let module = naga::front::wgsl::parse_str(source);
        module.is_ok_and(|module| Validator::new(ValidationFlags::all(), Capabilities::all()).validate(&module).is_ok())
    }

    /// Gives the tile each size that is no size of its own, and sees that the shader says what `is_sound` does.
    fn refuses_nonsense<const N: usize>(tile: Tile, is_sound: impl Fn([usize; N]) -> bool) {
        let mut refused = 0;
        for (index, nonsense) in (0..N).flat_map(|index| NONSENSE.map(|nonsense| (index, nonsense))) {
            let mut sizes = tile.sizes();
            sizes[index].1 = nonsense;
            // Unrolled, some would be text without end; what the shader asserts is the same.
            let source = Variant::new(tile.shader()).sizes(sizes.iter().copied()).with_loops();
            let sound = is_sound(std::array::from_fn(|at| sizes[at].1));
            assert_eq!(compiles(&source), sound, "{tile} with {} of {nonsense}: the shader (left), `is_sound` (right)", sizes[index].0);
            refused += usize::from(!sound);
        }
        assert!(refused > 2 * N, "{tile}: {refused} refused");
    }

    #[test]
    fn sizes_that_do_not_go_together_are_refused_and_do_not_compile() {
        for tile in Tile::all() {
            match tile {
                Tile::Conv1x1(_) => refuses_nonsense(tile, |sizes| conv1x1::Sizes::new(sizes).is_some()),
                Tile::Conv3x3(_) | Tile::Conv7x7(_) => refuses_nonsense(tile, |sizes| conv_square::Sizes::new(sizes).is_some()),
                Tile::Conv(_) => refuses_nonsense(tile, |sizes| conv::Sizes::new(sizes).is_some()),
                Tile::ConvTiled(_) => refuses_nonsense(tile, |sizes| conv_tiled::Sizes::new(sizes).is_some()),
                Tile::ConvMatrix(_) => refuses_nonsense(tile, |sizes| conv_matrix::Sizes::new(sizes).is_some()),
            }
        }
        // So large that their products are no numbers any more.
        assert_eq!(conv_tiled::Sizes::new([usize::MAX / 4 * 4; 6]), None);
        assert_eq!(conv_matrix::Sizes::new([16, usize::MAX, 128, 128, 32, 64, 32, 1]), None);
    }

    #[test]
    fn tiles_have_names() {
        for tile in Tile::all() {
            assert_eq!(Tile::named(&tile.to_string()), Some(tile));
        }
        assert_eq!(
            Tile::all().map(|tile| tile.to_string()).take(4).collect::<Vec<_>>(),
            ["conv1x1 8x64x1x2", "conv1x1 8x32x2x4", "conv3x3 8x32x4", "conv3x3 8x32x8"]
        );
        assert_eq!(Tile::all().last().unwrap().to_string(), "conv_matrix 8x8x32x16x16x16x16x4");
    }
}
