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

// Whether dst holds 16-bit floats, which cannot tell these two apart.
const TARGET_IS_HALF: bool = Target(1.0) == Target(1.0001);

// x as dst holds it: NaN in place of what 16-bit floats do not reach, since an infinity ends as a number behind the next ReLU.
fn stored(x: f32) -> Target {
    let bits = bitcast<u32>(x);
    let is_beyond = (bits & 0x7fffffffu) >= 0x477ff000u;  // 65520, the least that rounds to infinity
    return Target(bitcast<f32>(bits | select(0u, 0x7fffffffu, TARGET_IS_HALF & is_beyond)));
}

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
        stored(f32(src[params.src.offset + image * params.src.image + channel * params.src.plane + pixel_in_image]));
}
