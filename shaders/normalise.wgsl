// Normalises pictures of 8-bit samples: dst[n, c, y, x] = weights[n, c, src[n, y, x, c]].
// Each channel of each picture has a table, so that the result is the host's own numbers, bit for bit.
//
// An invocation owns one pixel of one channel. Samples are bytes, four in a word, the first in its lowest bits; each
// image begins at a whole word.

const WORKGROUP: u32 = 64u;

// use: layout, pixel

struct Params {
    dst: Layout,
    pixels: u32,        // of all images
    image_pixels: u32,
    image_words: u32,   // of src
    channels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<u32>;
@group(0) @binding(2) var<storage, read> weights: array<array<f32, 256>>;
@group(0) @binding(3) var<storage, read_write> dst: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let pixel = own_pixel(group, groups, lane);
    if pixel.number >= params.pixels {
        return;
    }
    let byte = pixel.in_image * params.channels + pixel.channel;
    let sample = (src[pixel.image * params.image_words + byte / 4u] >> (byte % 4u * 8u)) & 0xffu;
    dst[place(params.dst, pixel)] = weights[pixel.image * params.channels + pixel.channel][sample];
}
