//! Every variant of every shader, and its parameters.

use super::shader_struct::StructLayout;
use super::{
    Layout, Shader, Variant, blur_pool, conv, conv_matrix, conv_square, conv_tiled, conv1x1, copy, fma, global_pool, linear, nonlinearity,
    norm_relu, normalise, pool, stream, strip_pool, window,
};

impl Shader {
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
