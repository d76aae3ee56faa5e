//! The files of `shaders/`.

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
}

/// The beginning of the line that names the files of `shaders/common/` that a shader uses.
const USE: &str = "// use: ";

/// The text of a file of `shaders/common/`.
fn common(name: &str) -> Option<&'static str> {
    Some(match name {
        "at_least" => include_str!("../../shaders/common/at_least.wgsl"),
        "larger" => include_str!("../../shaders/common/larger.wgsl"),
        "layout" => include_str!("../../shaders/common/layout.wgsl"),
        "pixel" => include_str!("../../shaders/common/pixel.wgsl"),
        "pixel_quad" => include_str!("../../shaders/common/pixel_quad.wgsl"),
        "pool_prologue" => include_str!("../../shaders/common/pool_prologue.wgsl"),
        "quad_at_least" => include_str!("../../shaders/common/quad_at_least.wgsl"),
        "quad_stored" => include_str!("../../shaders/common/quad_stored.wgsl"),
        "stored" => include_str!("../../shaders/common/stored.wgsl"),
        "strip" => include_str!("../../shaders/common/strip.wgsl"),
        "strip_sums" => include_str!("../../shaders/common/strip_sums.wgsl"),
        "window" => include_str!("../../shaders/common/window.wgsl"),
        _ => return None,
    })
}
