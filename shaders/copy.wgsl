// Copies a tensor from one layout into another: a concat's part that could not be written in place, or a network's output.
//
// An invocation owns one pixel of one channel.

alias Source = f32;
alias Target = f32;
const WORKGROUP: u32 = 64u;

// Where element (n, c, y, x) lies: offset + n * image + c * plane + y * width + x.
struct Layout {
    offset: u32,
    plane: u32,
    image: u32,
    width: u32,
}

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
    let pixel = (group.z * groups.x + group.x) * WORKGROUP + lane;
    if pixel >= params.pixels {
        return;
    }
    let channel = group.y;
    let image = pixel / params.image_pixels;
    let pixel_in_image = pixel - image * params.image_pixels;
    dst[params.dst.offset + image * params.dst.image + channel * params.dst.plane + pixel_in_image] =
        Target(src[params.src.offset + image * params.src.image + channel * params.src.plane + pixel_in_image]);
}
