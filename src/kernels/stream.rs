//! `shaders/stream.wgsl`: a buffer copied to another, to measure a device's memory bandwidth.

use super::{Kernel, Shader, Variant, shader_struct};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        quads: u32,
    }
}

const WORKGROUP: usize = 64;

/// Quads that an invocation owns: one where invocations cost nothing, more where each does.
pub(crate) const TILE_QUADS: [usize; 3] = [1, 4, 16];

/// The variant with that many quads.
pub(crate) fn variant(tile_quads: usize) -> Variant {
    Variant::new(Shader::Stream).size("WORKGROUP", WORKGROUP as u32).size("TILE_QUADS", tile_quads as u32)
}

/// Copies the first `bytes` of a buffer, in whole quads.
pub(crate) fn kernel(tile_quads: usize, bytes: u64) -> Kernel {
    let quads = bytes as usize / size_of::<[f32; 4]>();
    Kernel::new(variant(tile_quads), &Params { quads: quads as u32 }, quads.div_ceil(WORKGROUP * tile_quads), 1)
}
