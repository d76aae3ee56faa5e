//! The kernels: for each shader its parameters, its tiles and its workgroups. No device is needed for any of it.
//!
//! `shaders/x.wgsl` is described by `src/kernels/x.rs`: a [`Params`](Kernel::params) struct laid out as the shader's,
//! and a function from regions to a [`Kernel`] ready to dispatch.
//!
//! A [`Tile`] is one way to compute a convolution; a [`Tuning`] chooses among them by what a device can do
//! ([`Capabilities`]) and by what was measured on it.
//!
//! ```
//! use densenet_wgpu::internal::Shader;
//! use densenet_wgpu::tuning::Tile;
//! use densenet_wgpu::planning::PlanOptions;
//! use densenet_wgpu::{Config, Plan};
//!
//! let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
//! let (tile, convolution) = plan.steps()[0].tile.expect("the stem is a convolution");
//! assert_eq!(tile.shader(), Shader::ConvTiled); // which every WebGPU device runs
//! let others = Tile::all().filter(|tile| tile.computes(&convolution));
//! assert!(others.count() > 1);
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

pub(crate) mod blur_pool;
pub(crate) mod conv;
pub(crate) mod conv1x1;
pub(crate) mod conv_matrix;
pub(crate) mod conv_square;
pub(crate) mod conv_tiled;
pub(crate) mod copy;
pub(crate) mod fma;
pub(crate) mod global_pool;
pub(crate) mod linear;
pub(crate) mod nonlinearity;
pub(crate) mod norm_relu;
pub(crate) mod normalise;
pub(crate) mod pool;
pub(crate) mod stream;
pub(crate) mod strip_pool;
mod strips;
mod tile;
mod tuning;
mod unroll;
mod window;
mod workgroup;

use std::fmt;

use crate::shape::Shape;
use strips::Strips;
pub use tile::{Convolution, Tile};
pub use tuning::{Capabilities, Tuning};
use unroll::unroll;
pub use workgroup::Workgroup;

/// Declares the Rust twin of a shader's struct, and the table by which a test compares the two.
macro_rules! shader_struct {
    ($(#[$doc:meta])* struct $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
        #[repr(C)]
        pub(crate) struct $name {
            $($field: $type,)*
        }

        impl $name {
            pub(crate) const FIELDS: &[(&str, usize)] = &[$((stringify!($field), std::mem::offset_of!($name, $field)),)*];
        }
    };
}
use shader_struct;

/// Declares the sizes that a convolution's shader may be given, and their constants in the shader's order. What must hold
/// between them is for `is_sound` to say, and for the `const_assert`s of the shader.
macro_rules! shader_sizes {
    ($($size:ident: $constant:literal,)*) => {
        /// Sizes of a tile that its shader computes rightly with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct Sizes {
            $($size: usize,)*
        }

        impl Sizes {
            const CONSTANTS: [&str; [$($constant),*].len()] = [$($constant),*];

            /// Sizes in the order of their constants; `None` where the shader would not compute rightly with them.
            pub(super) const fn new([$($size),*]: [usize; Self::CONSTANTS.len()]) -> Option<Self> {
                // Before any are multiplied.
                let are_small = $(matches!($size, 1..=$crate::kernels::LARGEST_SIZE))&&*;
                let sizes = Self { $($size),* };
                if are_small && sizes.is_sound() { Some(sizes) } else { None }
            }

            /// Those of a tile: in a constant, so that others do not compile.
            const fn of_tile(sizes: [usize; Self::CONSTANTS.len()]) -> Self {
                Self::new(sizes).expect("sizes that are sound")
            }

            /// The shader's constants with these sizes, in its order.
            pub(super) fn constants(self) -> impl Iterator<Item = (&'static str, usize)> {
                Self::CONSTANTS.into_iter().zip([$(self.$size),*])
            }
        }
    };
}
use shader_sizes;

/// Channels in the weight rows are padded to a multiple of this, the widest channel tile there is.
pub(crate) const CHANNEL_TILE: usize = 8;

/// The largest size of a tile: no product of theirs overflows.
const LARGEST_SIZE: usize = 256;

/// Invocations that hand round what each of them loaded, in the kernels for software.
const LANES: usize = 8;

/// Whether a workgroup has all lanes to hand weights round, which own whole quads of a tile's channels.
const fn has_all_lanes(workgroup: usize, tile_channels: usize) -> bool {
    workgroup.is_multiple_of(LANES) && tile_channels.is_multiple_of(4)
}

/// Workgroups per dimension that every WebGPU device can dispatch.
const WORKGROUPS_PER_DIMENSION: usize = 65535;

/// How a shader begins that uses 16-bit floats.
const ENABLE_F16: &str = "enable f16;\n";

/// The smallest output of a step without ReLU.
const NO_FLOOR: f32 = f32::NEG_INFINITY;

/// The smallest output of a step with or without ReLU.
pub(crate) const fn floor(relu: bool) -> f32 {
    if relu { 0.0 } else { NO_FLOOR }
}

/// A file of `shaders/`, or one of the uses that a file has.
///
/// ```
/// use densenet_wgpu::internal::Shader;
///
/// assert_eq!(Shader::Conv1x1.name(), "conv1x1");
/// assert!(Shader::ALL.iter().all(|shader| shader.source().contains("@compute")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shader {
    /// `shaders/conv1x1.wgsl`
    Conv1x1,
    /// `shaders/conv_square.wgsl` for 3x3
    Conv3x3,
    /// `shaders/conv_square.wgsl` for 7x7 at stride 2
    Conv7x7,
    /// `shaders/conv.wgsl`
    Conv,
    /// `shaders/conv_tiled.wgsl`
    ConvTiled,
    /// `shaders/conv_matrix.wgsl`
    ConvMatrix,
    /// `shaders/norm_relu.wgsl`
    NormRelu,
    /// `shaders/nonlinearity.wgsl`
    Nonlinearity,
    /// `shaders/normalise.wgsl`
    Normalise,
    /// `shaders/strip_pool.wgsl`
    StripPool,
    /// `shaders/pool.wgsl`
    Pool,
    /// `shaders/blur_pool.wgsl`
    BlurPool,
    /// `shaders/copy.wgsl`
    Copy,
    /// `shaders/global_pool.wgsl`
    GlobalPool,
    /// `shaders/linear.wgsl`
    Linear,
    /// `shaders/fma.wgsl`
    Fma,
    /// `shaders/stream.wgsl`
    Stream,
}

impl Shader {
    /// Every shader.
    pub const ALL: [Self; 17] = [
        Self::Conv1x1,
        Self::Conv3x3,
        Self::Conv7x7,
        Self::Conv,
        Self::ConvTiled,
        Self::ConvMatrix,
        Self::NormRelu,
        Self::Nonlinearity,
        Self::Normalise,
        Self::StripPool,
        Self::Pool,
        Self::BlurPool,
        Self::Copy,
        Self::GlobalPool,
        Self::Linear,
        Self::Fma,
        Self::Stream,
    ];

    /// What it is called in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conv1x1 => "conv1x1",
            Self::Conv3x3 => "conv3x3",
            Self::Conv7x7 => "conv7x7",
            Self::Conv => "conv",
            Self::ConvTiled => "conv_tiled",
            Self::ConvMatrix => "conv_matrix",
            Self::NormRelu => "norm_relu",
            Self::Nonlinearity => "nonlinearity",
            Self::Normalise => "normalise",
            Self::StripPool => "strip_pool",
            Self::Pool => "pool",
            Self::BlurPool => "blur_pool",
            Self::Copy => "copy",
            Self::GlobalPool => "global_pool",
            Self::Linear => "linear",
            Self::Fma => "fma",
            Self::Stream => "stream",
        }
    }

    /// The name of its file, without the ending.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Conv3x3 | Self::Conv7x7 => "conv_square",
            _ => self.name(),
        }
    }

    /// The text: the file's own, and behind it those of `shaders/common/` that it uses, each under its name.
    ///
    /// # Panics
    /// Where the file uses one that is not there: a mistake in this crate, which the shader tests would see.
    pub fn source(self) -> String {
        let mut source = self.own_source().to_owned();
        let used = self.own_source().lines().find_map(|line| line.strip_prefix(USE));
        for name in used.into_iter().flat_map(|names| names.split(", ")) {
            let text = common(name).unwrap_or_else(|| panic!("{}.wgsl uses {name}, which is not in shaders/common", self.file()));
            source.push_str(&format!("// shaders/common/{name}.wgsl\n{text}"));
        }
        source
    }

    const fn own_source(self) -> &'static str {
        match self {
            Self::Conv1x1 => include_str!("../../shaders/conv1x1.wgsl"),
            Self::Conv3x3 | Self::Conv7x7 => include_str!("../../shaders/conv_square.wgsl"),
            Self::Conv => include_str!("../../shaders/conv.wgsl"),
            Self::ConvTiled => include_str!("../../shaders/conv_tiled.wgsl"),
            Self::ConvMatrix => include_str!("../../shaders/conv_matrix.wgsl"),
            Self::NormRelu => include_str!("../../shaders/norm_relu.wgsl"),
            Self::Nonlinearity => include_str!("../../shaders/nonlinearity.wgsl"),
            Self::Normalise => include_str!("../../shaders/normalise.wgsl"),
            Self::StripPool => include_str!("../../shaders/strip_pool.wgsl"),
            Self::Pool => include_str!("../../shaders/pool.wgsl"),
            Self::BlurPool => include_str!("../../shaders/blur_pool.wgsl"),
            Self::Copy => include_str!("../../shaders/copy.wgsl"),
            Self::GlobalPool => include_str!("../../shaders/global_pool.wgsl"),
            Self::Linear => include_str!("../../shaders/linear.wgsl"),
            Self::Fma => include_str!("../../shaders/fma.wgsl"),
            Self::Stream => include_str!("../../shaders/stream.wgsl"),
        }
    }

    /// Name and byte offset of each field of the Rust `Params`, and its size in bytes.
    pub fn params_layout(self) -> StructLayout {
        match self {
            Self::Conv1x1 => (conv1x1::Params::FIELDS, size_of::<conv1x1::Params>()),
            Self::Conv3x3 | Self::Conv7x7 => (conv_square::Params::FIELDS, size_of::<conv_square::Params>()),
            Self::Conv => (conv::Params::FIELDS, size_of::<conv::Params>()),
            Self::ConvTiled => (conv_tiled::Params::FIELDS, size_of::<conv_tiled::Params>()),
            Self::ConvMatrix => (conv_matrix::Params::FIELDS, size_of::<conv_matrix::Params>()),
            Self::NormRelu => (norm_relu::Params::FIELDS, size_of::<norm_relu::Params>()),
            Self::Nonlinearity => (nonlinearity::Params::FIELDS, size_of::<nonlinearity::Params>()),
            Self::Normalise => (normalise::Params::FIELDS, size_of::<normalise::Params>()),
            Self::StripPool => (strip_pool::Params::FIELDS, size_of::<strip_pool::Params>()),
            Self::Pool => (pool::Params::FIELDS, size_of::<pool::Params>()),
            Self::BlurPool => (blur_pool::Params::FIELDS, size_of::<blur_pool::Params>()),
            Self::Copy => (copy::Params::FIELDS, size_of::<copy::Params>()),
            Self::GlobalPool => (global_pool::Params::FIELDS, size_of::<global_pool::Params>()),
            Self::Linear => (linear::Params::FIELDS, size_of::<linear::Params>()),
            Self::Fma => (fma::Params::FIELDS, size_of::<fma::Params>()),
            Self::Stream => (stream::Params::FIELDS, size_of::<stream::Params>()),
        }
    }

    /// The same for the structs of `shaders/common/` that are parts of `Params`, with their names.
    pub const fn common_layouts() -> [(&'static str, StructLayout); 2] {
        [("Layout", (Layout::FIELDS, size_of::<Layout>())), ("Window", (window::Params::FIELDS, size_of::<window::Params>()))]
    }

    /// Every variant that a plan may contain or [`Peak`](crate::profile::Peak) measures with.
    pub fn variants(self) -> Vec<Variant> {
        match self {
            Self::Conv1x1 => conv1x1::variants(),
            Self::Conv3x3 => conv_square::CONV3X3.variants(),
            Self::Conv7x7 => conv_square::CONV7X7.variants(),
            Self::Conv => conv::variants(),
            Self::ConvTiled => conv_tiled::variants(),
            Self::ConvMatrix => conv_matrix::variants(),
            Self::NormRelu => norm_relu::variants(),
            Self::Nonlinearity => nonlinearity::variants(),
            Self::Normalise => vec![normalise::variant()],
            Self::StripPool => strip_pool::variants(),
            Self::Pool => pool::variants(),
            Self::BlurPool => blur_pool::variants(),
            Self::Copy => copy::variants(),
            Self::GlobalPool => global_pool::variants(),
            Self::Linear => linear::variants(),
            Self::Fma => fma::SUMS.map(fma::Sums::variant).to_vec(),
            Self::Stream => stream::TILE_QUADS.map(stream::variant).to_vec(),
        }
    }
}

/// How the line of a shader begins that names the files of `shaders/common/` that it uses.
const USE: &str = "// use: ";

/// The text of a file of `shaders/common/`.
fn common(name: &str) -> Option<&'static str> {
    Some(match name {
        "at_least" => include_str!("../../shaders/common/at_least.wgsl"),
        "larger" => include_str!("../../shaders/common/larger.wgsl"),
        "layout" => include_str!("../../shaders/common/layout.wgsl"),
        "pixel" => include_str!("../../shaders/common/pixel.wgsl"),
        "pixel_quad" => include_str!("../../shaders/common/pixel_quad.wgsl"),
        "quad_at_least" => include_str!("../../shaders/common/quad_at_least.wgsl"),
        "quad_stored" => include_str!("../../shaders/common/quad_stored.wgsl"),
        "stored" => include_str!("../../shaders/common/stored.wgsl"),
        "strip" => include_str!("../../shaders/common/strip.wgsl"),
        "window" => include_str!("../../shaders/common/window.wgsl"),
        _ => return None,
    })
}

/// Name and byte offset of each field of a struct, and its size in bytes.
pub type StructLayout = (&'static [(&'static str, usize)], usize);

/// The numbers that something is stored in.
///
/// ```
/// use densenet_wgpu::Precision;
///
/// assert_eq!((Precision::F16.name(), Precision::F16.bytes()), ("f16", 2));
/// assert_eq!(Precision::default(), Precision::F32);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// 16-bit floats.
    F16,
}

impl Precision {
    /// The type's name in WGSL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }

    /// Bytes of one element.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => size_of::<f32>(),
            Self::F16 => size_of::<half::f16>(),
        }
    }
}

/// The numbers that a kernel reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Types {
    source: Precision,
    weights: Precision,
    target: Precision,
}

impl Types {
    /// Those of a kernel between two regions, with weights or without.
    fn of(source: Region, target: Region, rows: Option<WeightRows>) -> Self {
        let (source, target) = (source.precision, target.precision);
        Self { source, weights: rows.map_or(source.max(target), |rows| rows.precision), target }
    }

    /// Those that plans contain: a network's input and output are f32 whatever is between them.
    fn all() -> impl Iterator<Item = Self> {
        use Precision::{F16, F32};
        [(F32, F32, F32), (F16, F16, F16), (F32, F16, F16), (F16, F16, F32), (F32, F16, F32)]
            .into_iter()
            .map(|(source, weights, target)| Self { source, weights, target })
    }
}

/// The value of a constant, or the type of an alias, at the top of a shader.
///
/// ```
/// use densenet_wgpu::internal::Constant;
///
/// let values = [Constant::Size(8), Constant::Named(3), Constant::Flag(true), Constant::Type("f16")];
/// assert_eq!(values.map(|constant| constant.to_string()), ["8u", "3u", "true", "f16"]); // as WGSL has them
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Constant {
    /// A `u32`: a workgroup's size or a tile's.
    Size(u32),
    /// A `u32` that the shader's name says already: a window's side.
    Named(u32),
    /// A `bool`: a part of the shader that is there or not.
    Flag(bool),
    /// A type: what an `alias` stands for.
    Type(&'static str),
}

impl Constant {
    /// How the line begins that declares `name`, up to the value.
    fn declaration(&self, name: &str) -> String {
        match self {
            Self::Size(_) | Self::Named(_) => format!("const {name}: u32 = "),
            Self::Flag(_) => format!("const {name}: bool = "),
            Self::Type(_) => format!("alias {name} = "),
        }
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(number) | Self::Named(number) => write!(f, "{number}u"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Type(ty) => f.write_str(ty),
        }
    }
}

/// A shader with its constants chosen: what one pipeline is made from.
///
/// ```
/// use densenet_wgpu::internal::Shader;
///
/// let variants = Shader::Pool.variants();
/// let half = variants.iter().find(|variant| variant.uses_f16()).expect("pools run in 16 bits too");
/// assert!(half.source().starts_with("enable f16;"));
/// assert!(half.to_string().starts_with("pool 64"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Variant {
    pub(crate) shader: Shader,
    constants: Vec<(&'static str, Constant)>,
}

impl Variant {
    pub(crate) fn new(shader: Shader) -> Self {
        Self { shader, constants: Vec::new() }
    }

    /// The shader.
    pub fn shader(&self) -> Shader {
        self.shader
    }

    /// The constants and aliases at its top that are given a value.
    pub fn constants(&self) -> &[(&'static str, Constant)] {
        &self.constants
    }

    pub(crate) fn size(mut self, name: &'static str, value: u32) -> Self {
        self.constants.push((name, Constant::Size(value)));
        self
    }

    /// The sizes of a tile.
    fn sizes(self, sizes: impl Iterator<Item = (&'static str, usize)>) -> Self {
        sizes.fold(self, |variant, (name, size)| variant.size(name, size as u32))
    }

    fn named(mut self, name: &'static str, value: u32) -> Self {
        self.constants.push((name, Constant::Named(value)));
        self
    }

    pub(crate) fn flag(mut self, name: &'static str, value: bool) -> Self {
        self.constants.push((name, Constant::Flag(value)));
        self
    }

    pub(crate) fn alias(mut self, name: &'static str, ty: &'static str) -> Self {
        self.constants.push((name, Constant::Type(ty)));
        self
    }

    /// The types of source, weights and target.
    fn types(self, types: Types) -> Self {
        self.copies(types.source, types.target).alias("Weight", types.weights.name())
    }

    /// The types of source and target, for a shader without weights.
    fn copies(self, source: Precision, target: Precision) -> Self {
        self.alias("Source", source.name()).alias("Target", target.name())
    }

    /// Whether the shader uses 16-bit floats.
    pub fn uses_f16(&self) -> bool {
        self.constants.iter().any(|(_, constant)| *constant == Constant::Type("f16"))
    }

    /// The shader's text with this variant's constants in their place, and loops that are marked so unrolled.
    ///
    /// # Panics
    /// Where the shader has no such constant, or a loop that is marked and cannot be unrolled: a mistake in this crate, which the
    /// shader tests would see.
    pub fn source(&self) -> String {
        let unrolled = unroll(&self.with_loops());
        let text =
            unrolled.unwrap_or_else(|line| panic!("{}.wgsl has a loop that cannot be unrolled: `{}`", self.shader.file(), line.trim()));
        if self.uses_f16() && !text.starts_with(ENABLE_F16) { format!("{ENABLE_F16}{text}") } else { text }
    }

    /// The shader's text with this variant's constants in their place, and all its loops.
    fn with_loops(&self) -> String {
        let varied = vary(&self.shader.source(), &self.constants);
        varied.unwrap_or_else(|missing| panic!("{}.wgsl has no line `{missing}…`", self.shader.file()))
    }
}

/// `source` with the constants in their place, or the beginning of a line that it lacks.
fn vary(source: &str, constants: &[(&str, Constant)]) -> Result<String, String> {
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    for (name, value) in constants {
        let declaration = value.declaration(name);
        let Some(line) = lines.iter_mut().find(|line| line.starts_with(&declaration)) else { return Err(declaration) };
        *line = format!("{declaration}{value};");
    }
    Ok(lines.join("\n") + "\n")
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shader.name())?;
        let sizes: Vec<String> =
            self.constants.iter().filter_map(|(_, c)| if let Constant::Size(n) = c { Some(n.to_string()) } else { None }).collect();
        if !sizes.is_empty() {
            write!(f, " {}", sizes.join("x"))?;
        }
        for (name, constant) in &self.constants {
            if *constant == Constant::Flag(true) {
                write!(f, " {}", name.to_lowercase())?;
            }
        }
        let mut types: Vec<&str> =
            self.constants.iter().filter_map(|(_, c)| if let Constant::Type(ty) = c { Some(*ty) } else { None }).collect();
        types.retain(|ty| !ty.starts_with("coop_mat")); // their side is one of the sizes
        if types.iter().all(|ty| *ty == types[0]) {
            types.truncate(1);
        }
        if !types.is_empty() && types != ["f32"] { write!(f, " {}", types.join(">")) } else { Ok(()) }
    }
}

/// A kernel ready to dispatch: which pipeline, with which parameters, how many workgroups.
///
/// ```
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
/// let kernel = &plan.steps()[0].kernel;
/// assert!(kernel.is_dispatchable());
/// println!("{}: {:?} workgroups, {} bytes of parameters", kernel.variant, kernel.workgroups, kernel.params.len());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Kernel {
    /// The shader and its constants.
    pub variant: Variant,
    /// The shader's `Params`, as bytes.
    pub params: Vec<u8>,
    /// Workgroups in x, y and z.
    pub workgroups: [u32; 3],
}

impl Kernel {
    /// A kernel over `pixel_groups` workgroups of pixels and `channel_groups` of channels.
    ///
    /// Workgroups of pixels go on in z where they exceed what x can hold on every device.
    fn new(variant: Variant, params: &impl bytemuck::Pod, pixel_groups: usize, channel_groups: usize) -> Self {
        let z = pixel_groups.div_ceil(WORKGROUPS_PER_DIMENSION);
        let x = pixel_groups.div_ceil(z);
        Self { variant, params: bytemuck::bytes_of(params).to_vec(), workgroups: [x as u32, channel_groups as u32, z as u32] }
    }

    /// The same with neighbouring workgroups for other channels of the same pixels.
    fn channels_first(mut self) -> Self {
        self.workgroups.swap(0, 1);
        self
    }

    /// The same in dispatches of at most one of so many parts, one behind the other: of convolutions, whose shaders take the group of
    /// pixels that is their first; the same alone otherwise.
    pub(crate) fn split(&self, count: u64) -> Vec<Self> {
        let [_, channel_groups, _] = self.workgroups;
        let Some(first) = conv_tiled::first_group(self).filter(|_| count > 1) else { return vec![self.clone()] };
        let pixel_groups = self.pixel_groups();
        let each = (u64::from(pixel_groups) / count).clamp(1, WORKGROUPS_PER_DIMENSION as u64) as u32;
        let part = |begin: u32| {
            let mut part = self.clone();
            part.params[first.clone()].copy_from_slice(&begin.to_ne_bytes());
            part.workgroups = [each.min(pixel_groups - begin), channel_groups, 1];
            part
        };
        (0..pixel_groups).step_by(each as usize).map(part).collect()
    }

    /// Workgroups along pixels, of kernels that count these first.
    pub(crate) fn pixel_groups(&self) -> u32 {
        let [x, _, z] = self.workgroups;
        x * z
    }

    /// Whether any WebGPU device can dispatch this many workgroups.
    pub fn is_dispatchable(&self) -> bool {
        self.workgroups.iter().all(|&n| (1..=WORKGROUPS_PER_DIMENSION as u32).contains(&n))
    }
}

/// Where a batch of tensors lies in a buffer: element `(n, c, y, x)` at `offset + n * image + c * plane + y * width + x`.
///
/// ```
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default().with_batch(2))?;
/// let stem = plan.steps()[0].target;
/// assert_eq!((stem.shape.to_string().as_str(), stem.batch, stem.pixels()), ("64x112x112", 2, 2 * 112 * 112));
/// assert_eq!(stem.bytes(), 4 * 2 * 64 * 112 * 112);
/// assert!(stem.is_planar());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Region {
    /// Index of the activation buffer.
    pub buffer: usize,
    /// First element.
    pub element_offset: usize,
    /// Elements from one channel to the next.
    pub element_plane: usize,
    /// Elements from one image to the next.
    pub element_image: usize,
    /// One image's shape.
    pub shape: Shape,
    /// Images.
    pub batch: usize,
    /// What its elements are.
    pub precision: Precision,
}

impl Region {
    /// Pixels of one channel in all images.
    pub const fn pixels(&self) -> usize {
        self.batch * self.shape.pixels()
    }

    /// Whether each channel is one run of every image's pixels that starts at a multiple of four elements.
    pub const fn is_planar(&self) -> bool {
        (self.batch == 1 || self.element_image == self.shape.pixels())
            && self.element_plane.is_multiple_of(4)
            && self.element_offset.is_multiple_of(4)
    }

    /// The region as shaders see it.
    const fn layout(&self) -> Layout {
        Layout {
            offset: self.element_offset as u32,
            plane: self.element_plane as u32,
            image: self.element_image as u32,
            width: self.shape.width as u32,
        }
    }

    /// Bytes the region's elements take.
    pub const fn bytes(&self) -> u64 {
        (self.batch * self.shape.elements() * self.precision.bytes()) as u64
    }
}

shader_struct! {
    /// A [`Region`] as shaders see it.
    struct Layout {
        offset: u32,
        plane: u32,
        image: u32,
        width: u32,
    }
}

/// Where a step's packed weights begin, and how long their rows are.
///
/// ```
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
/// let (_, convolution) = plan.steps()[0].tile.expect("the stem is a convolution");
/// assert_eq!((convolution.weights.quad_offset, convolution.weights.row_quads), (0, 64 / 4));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WeightRows {
    /// First quad.
    pub quad_offset: usize,
    /// Quads of a row's channels.
    pub row_quads: usize,
    /// What their elements are.
    pub precision: Precision,
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "const WIDTH: u32 = 1u;\nconst WIDTH_IS_ODD: bool = true;\nalias Number = f32;\nalias Numbers = array<Number, WIDTH>;\n";

    #[test]
    fn a_kernel_is_split_into_all_of_its_groups() {
        let params = conv_tiled::no_params();
        let first = |part: &Kernel| {
            let bytes = &part.params[conv_tiled::first_group(part).unwrap()];
            u32::from_ne_bytes(bytes.try_into().unwrap())
        };
        for (groups, count) in [(1, 5), (7, 3), (7, 100), (200_000, 2), (200_000, 1000)] {
            let whole = Kernel::new(Variant::new(Shader::ConvTiled), &params, groups, 4);
            let parts = whole.split(count);
            let mut next = 0;
            for part in &parts {
                assert!(part.is_dispatchable() && part.workgroups[1..] == [4, 1]);
                assert_eq!(first(part), next);
                next += part.workgroups[0];
            }
            // Those of z may be some more than there are pixels for.
            assert!((groups..groups + 4).contains(&(next as usize)), "{groups} in {count}: {next}");
            let largest = parts.iter().map(Kernel::pixel_groups).max().unwrap();
            assert!(largest == 1 || u64::from(largest) * count <= u64::from(next), "{groups} in {count}: {largest}");
        }
        let pool = Kernel::new(Variant::new(Shader::Pool), &params, 7, 1);
        assert_eq!((pool.split(3), pool.clone().split(1)), (vec![pool.clone()], vec![pool]));
    }

    #[test]
    fn aliases_vary_like_constants() {
        let values = [("Number", Constant::Type("vec4<f32>")), ("WIDTH", Constant::Size(2)), ("WIDTH_IS_ODD", Constant::Flag(false))];
        let expected =
            "const WIDTH: u32 = 2u;\nconst WIDTH_IS_ODD: bool = false;\nalias Number = vec4<f32>;\nalias Numbers = array<Number, WIDTH>;\n";
        assert_eq!(vary(FILE, &values).unwrap(), expected);
        assert_eq!(vary(FILE, &[("Numb", Constant::Type("u32"))]).unwrap_err(), "alias Numb = ");
        assert_eq!(vary(FILE, &[("Number", Constant::Size(1))]).unwrap_err(), "const Number: u32 = ");
        let variant = Variant::new(Shader::Copy).size("WORKGROUP", 32).alias("Number", "vec4<f32>");
        assert_eq!(variant.to_string(), "copy 32 vec4<f32>");
    }
}
