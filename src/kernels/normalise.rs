//! `shaders/normalise.wgsl`: pictures of 8-bit samples to the network's input.

use super::{Kernel, Layout, Region, Shader, Variant, shader_struct};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        dst: Layout,
        pixels: u32,
        image_pixels: u32,
        image_words: u32,
        channels: u32,
    }
}

const WORKGROUP: usize = 64;

/// The only variant.
pub(crate) fn variant() -> Variant {
    Variant::new(Shader::Normalise).size("WORKGROUP", WORKGROUP as u32)
}

/// Looks up the samples of as many pictures as `target` holds.
pub(crate) fn kernel(target: Region) -> Kernel {
    let params = Params {
        dst: target.layout(),
        pixels: target.pixels() as u32,
        image_pixels: target.shape.pixels() as u32,
        image_words: (byte_image(target) / size_of::<u32>()) as u32,
        channels: target.shape.channels as u32,
    };
    Kernel::new(variant(), &params, target.pixels().div_ceil(WORKGROUP), target.shape.channels)
}

/// Bytes from one picture's samples to the next's: whole words.
pub(crate) fn byte_image(target: Region) -> usize {
    target.shape.elements().next_multiple_of(size_of::<u32>())
}

/// Bytes of every picture's tables, one of 256 numbers for each channel.
pub(crate) fn byte_tables(target: Region) -> u64 {
    (target.batch * target.shape.channels * size_of::<[f32; 256]>()) as u64
}
