// Copies a tensor from one layout into another: a concat's part that could not be written in place, or a network's output.
//
// An invocation owns one pixel of one channel.

alias Source = f32;
alias Target = f32;
const WORKGROUP: u32 = 64u;

// use: layout, pixel, stored

struct Params {
    src: Layout,
    dst: Layout,
    pixels: u32,        // of all images
    image_pixels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<Source>;
@group(0) @binding(3) var<storage, read_write> dst: array<Target>;

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
    dst[place(params.dst, pixel)] = stored(f32(src[place(params.src, pixel)]));
}
